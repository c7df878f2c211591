"""The split is the one behind the recorded figures, and scores are what they say."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from skmtl.benchmark._protocol import TEST, TRAIN, VALIDATION, score, split


@pytest.mark.parametrize("seed", range(3))
def test_split_equals_the_recorded_protocol(shared_dir, seed):
    spec = importlib.util.spec_from_file_location("protocol", shared_dir / "protocol.py")
    protocol = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(protocol)
    tasks = np.random.default_rng(seed).integers(0, 50, 2000)
    np.testing.assert_array_equal(split(tasks, seed), protocol.split(tasks, seed))


@pytest.mark.parametrize("n_rows", [1, 2, 3, 10, 101])
def test_shares_within_every_task(n_rows):
    tasks = np.repeat(["a", "b"], n_rows)
    part = split(tasks, 0)
    for task in ["a", "b"]:
        counts = np.bincount(part[tasks == task], minlength=3)
        assert counts[TEST] == round(0.2 * n_rows)
        assert counts[VALIDATION] == round(0.15 * (n_rows - counts[TEST]))
        assert counts[TRAIN] > 0


def test_seeds_give_different_splits():
    tasks = np.repeat([0, 1], 50)
    assert not np.array_equal(split(tasks, 0), split(tasks, 1))
    np.testing.assert_array_equal(split(tasks, 0), split(tasks, 0))


def test_score_equals_the_formula():
    rng = np.random.default_rng(0)
    y, predictions, tasks = rng.normal(size=60), rng.normal(size=60), np.repeat(["a", "b", "c"], 20)
    predictions[tasks == "b"] += 5.0
    found = score(y, predictions, tasks)
    squares = (y - predictions) ** 2
    assert found.error == pytest.approx(np.sqrt(squares.mean()))
    assert found.worst_task == "b"
    assert found.worst_task_error == pytest.approx(np.sqrt(squares[tasks == "b"].mean()))


def test_a_tiny_task_is_not_the_worst():
    tasks = np.array(["large"] * 5 + ["tiny"] * 4)
    predictions = np.where(tasks == "tiny", 9.0, 1.0)
    assert score(np.zeros(9), predictions, tasks).worst_task == "large"


def test_of_tiny_tasks_only_the_largest_can_be_the_worst():
    tasks = np.array(["two", "two", "one"])
    assert score(np.zeros(3), np.array([1.0, 1.0, 9.0]), tasks).worst_task == "two"
