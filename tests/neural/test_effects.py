"""What the script that makes results of papers small measures with."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from skorch.callbacks import Callback

from skmtl.neural import MultiTaskRegressor

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "neural_effects.py"


@pytest.fixture(scope="module")
def effects():
    spec = importlib.util.spec_from_file_location("neural_effects", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fitted(effects, y, meter=True, first=(), **params):
    X = np.random.default_rng(0).normal(size=(80, 3))
    net = MultiTaskRegressor(
        effects.trunk(5),
        callbacks=[*first, *([("meter", effects.ConflictMeter())] if meter else [])],
        max_epochs=3,
        batch_size=40,
        random_state=0,
        **{**effects.PLAIN, **params},
    )
    return net.fit(X, y(X))


class _EqualHeads(Callback):
    """Small heads that are the same for both tasks."""

    def on_train_begin(self, net, **kwargs):
        last = net.module_.core.heads.last
        with torch.no_grad():
            last.matrix[:] = 0.01 * last.matrix[:1]
            last.offset[:] = 0.0


@pytest.mark.parametrize(("sign", "rate"), [(1.0, 0.0), (-1.0, 1.0)])
def test_the_meter_tells_agreement_from_conflict(effects, sign, rate):
    """Two tasks with the same head, and the same or opposite targets."""
    model = fitted(effects, lambda X: np.column_stack([X[:, 0], sign * X[:, 0]]), lr=1e-12, first=[_EqualHeads()])
    assert dict(model.net_.callbacks_)["meter"].rates == [rate] * 3


def test_the_meter_leaves_training_as_it_is(effects):
    def targets(X):
        return np.column_stack([X[:, 0], X[:, 1], -X[:, 0]])

    for balancing in (None, "pcgrad", "flat_regions"):
        pair = [fitted(effects, targets, meter, balancing=balancing) for meter in (True, False)]
        weights = [list(model.net_.module_.parameters()) for model in pair]
        for one, other in zip(*weights, strict=True):
            assert torch.equal(one, other)
    rates = dict(pair[0].net_.callbacks_)["meter"].rates
    assert len(rates) == 3
    assert all(0.0 <= rate <= 1.0 for rate in rates)


def test_the_brighter_pixel_of_two_digits_wins(effects):
    first, second = np.zeros((2, 64)), np.zeros((2, 64))
    first[:, 0], first[:, 63], second[0, 0], second[1, 32] = 0.5, 0.2, 1.0, 0.1
    image = effects.overlay(first, second).reshape(2, 12, 12)
    assert image[0, 0, 0] == 0.5 and image[0, 7, 7] == 0.2 and image[0, 3, 3] == 1.0
    assert image[1, 7, 3] == 0.1 and image[1].sum() == pytest.approx(0.8)
    X, y, X_test, y_test = effects.two_digits(50, 30, 0)
    assert X.shape == (50, 144) and y.shape == (50, 2) and X_test.shape == (30, 144) and y_test.shape == (30, 2)
    assert_array_equal(effects.two_digits(50, 30, 0)[0], X)
    assert X.max() <= 1.0


def test_differences_are_taken_seed_by_seed(effects):
    values = pd.DataFrame(
        [
            ("e", "s", model, seed, "error", value)
            for model, seed, value in zip("aabb", [0, 1] * 2, [1, 5, 2, 4], strict=True)
        ],
        columns=[*effects.KEYS, "value"],
    )
    a, b = effects.summary(values).to_dict("records")
    assert (a["mean"], a["minus last"], a["lower in"]) == (3.0, 0.0, "1/2")
    assert a["sd"] == pytest.approx(np.sqrt(8.0)) and a["se"] == pytest.approx(1.0)
    assert b["minus last"] == b["se"] == 0.0


@pytest.mark.slow  # nine fits, a minute
def test_flat_regions_lower_the_share_of_conflicts(effects):
    pytest.importorskip("cvxpy")  # of cagrad
    lines = pd.DataFrame(list(effects.conflicts(1)), columns=[*effects.KEYS[1:], "value"])
    lines = lines[lines["measure"] == "conflicts, last 10 epochs"].pivot_table("value", "setting", "model")
    assert len(lines) == 3
    assert (lines["flat regions, rho 2, adaptive"] < 0.5 * lines["the aggregator alone"]).all()
