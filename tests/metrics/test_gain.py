"""Relative gains: the definition, its signs, and an interval that covers what it claims to."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import mean_squared_error

from skmtl.metrics import TaskScores, relative_gain, task_scores


def test_equal_scores_gain_nothing():
    gain = relative_gain([1.0, 2.0], [1.0, 2.0], greater_is_better=False, random_state=0)
    assert gain.delta_m == gain.low == gain.high == gain.negative_transfer == 0.0


def test_half_the_error_is_a_gain_of_one_half():
    gain = relative_gain([1.0, 2.0, 4.0], [2.0, 4.0, 8.0], greater_is_better=False, random_state=0)
    np.testing.assert_array_equal(gain.gain, [0.5, 0.5, 0.5])
    assert (gain.low, gain.delta_m, gain.high) == (0.5, 0.5, 0.5)


def test_directions_may_differ_between_tasks():
    # An error that falls from 2 to 1, and an accuracy that rises from .5 to .75.
    gain = relative_gain([1.0, 0.75], [2.0, 0.5], greater_is_better=[False, True])
    np.testing.assert_allclose(gain.gain, [0.5, 0.5])


def test_a_negated_error_gains_what_the_error_gains():
    errors, baseline = np.array([1.0, 3.0]), np.array([2.0, 2.0])
    one = relative_gain(errors, baseline, greater_is_better=False, random_state=0)
    two = relative_gain(-errors, -baseline, greater_is_better=True, random_state=0)
    np.testing.assert_allclose(one.gain, two.gain)
    assert (one.low, one.high) == (two.low, two.high)


def test_share_of_losing_tasks():
    assert relative_gain([3.0, 1.0, 1.0, 2.0], 2.0 * np.ones(4), greater_is_better=False).negative_transfer == 0.25


def test_repetitions_are_averaged_before_the_gain():
    model, baseline = [[1.0, 2.0], [3.0, 2.0]], [[2.0, 4.0], [6.0, 2.0]]
    gain = relative_gain(model, baseline, greater_is_better=False, tasks=["a", "b"], random_state=0)
    np.testing.assert_allclose(gain.gain, [0.5, 1 / 3])
    assert gain.n_repeats == 2
    assert gain.low <= gain.delta_m <= gain.high


def test_from_tables_of_scores():
    rng = np.random.default_rng(0)
    y, tasks = rng.normal(size=30), np.repeat(["a", "b", "c"], 10)
    good, bad = (task_scores(y, y + s * rng.normal(size=30), tasks, mean_squared_error) for s in (0.1, 0.5))
    gain = relative_gain(good, bad, greater_is_better=False)
    assert gain.task.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(gain.gain, (bad.score - good.score) / bad.score)


def test_interval_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        gains = rng.normal(0.05, 0.1, size=30)  # their mean over all tasks there could be is 0.05
        result = relative_gain(
            1.0 - gains, np.ones(30), greater_is_better=False, n_bootstrap=300, random_state=rng.integers(99)
        )
        covered += result.low <= 0.05 <= result.high
    assert 0.88 <= covered / 200 <= 0.99


def test_wider_at_a_higher_level_and_the_same_for_the_same_seed():
    errors = np.random.default_rng(0).uniform(0.5, 1.5, 20)
    narrow, wide, again = (
        relative_gain(errors, np.ones(20), greater_is_better=False, confidence_level=level, random_state=1)
        for level in (0.5, 0.99, 0.5)
    )
    assert wide.low < narrow.low < narrow.high < wide.high
    assert (again.low, again.high) == (narrow.low, narrow.high)


def test_frame_and_repr():
    gain = relative_gain([1.0], [2.0], greater_is_better=False, tasks=["a"])
    assert repr(gain).startswith("RelativeGain(delta_m=0.5, 95% interval [0.5, 0.5]")
    pytest.importorskip("pandas")
    assert gain.to_frame().to_dict("list") == {"task": ["a"], "gain": [0.5]}


@pytest.mark.parametrize(
    ("scores", "baseline", "settings", "message"),
    [
        ([1.0, 2.0], [1.0], {}, r"'baseline_scores' has shape \(1,\) but 'scores' has shape \(2,\)"),
        ([1.0, np.nan], [1.0, 1.0], {"tasks": ["a", "b"]}, "'scores' must be finite. Got NaN or infinity for 'b'"),
        ([1.0, 1.0], [1.0, 0.0], {}, "'baseline_scores' must not be zero, .* Got 0 for 1"),
        ([1.0], [1.0], {"tasks": ["a", "b"]}, "'tasks' has 2 labels but 'scores' has 1 tasks"),
        ([1.0, 2.0], [1.0, 2.0], {"greater_is_better": [True]}, "'greater_is_better' has shape"),
        ([1.0], [1.0], {"confidence_level": 95}, "'confidence_level' parameter"),
        ([[[1.0]]], [[[1.0]]], {}, r"'scores' must be of shape \(n_tasks,\)"),
    ],
)
def test_wrong_arguments(scores, baseline, settings, message):
    with pytest.raises(ValueError, match=message):
        relative_gain(scores, baseline, **{"greater_is_better": False, **settings})


def test_tables_of_different_tasks():
    one, two = (TaskScores(np.array([label]), np.array([1]), np.array([1.0])) for label in "ab")
    with pytest.raises(ValueError, match="must be of the same tasks"):
        relative_gain(one, two, greater_is_better=True)
    with pytest.raises(TypeError, match="must both be TaskScores"):
        relative_gain(one, [1.0], greater_is_better=True)
