"""Several quantiles at once: one is the pinball loss, none cross, boosters find them."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting import LightGBMRegressor, RMTGBRegressor
from skmtl.losses import QuantileLoss, QuantilesLoss

LEVELS = (0.05, 0.3, 0.5, 0.9)


def test_one_quantile_is_the_pinball_loss():
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=50), rng.normal(size=(50, 1))
    np.testing.assert_allclose(QuantilesLoss((0.2,)).row_loss(y, raw), QuantileLoss(0.2).row_loss(y, raw))
    both = np.hstack([raw, raw + 1.0])
    expected = 0.5 * (QuantileLoss(0.2).row_loss(y, raw) + QuantileLoss(0.7).row_loss(y, raw + 1.0))
    np.testing.assert_allclose(QuantilesLoss((0.2, 0.7)).row_loss(y, both), expected)


def test_predicted_quantiles_are_in_order_which_makes_no_row_worse():
    rng = np.random.default_rng(0)
    y, raw, loss = rng.normal(size=200), rng.normal(size=(200, 4)), QuantilesLoss(LEVELS)
    ordered = loss.predict_quantiles(raw)
    assert (np.diff(ordered, axis=1) >= 0.0).all()
    assert (loss.row_loss(y, ordered) <= loss.row_loss(y, raw) + 1e-12).all()
    np.testing.assert_array_equal(loss.inverse_link(raw), ordered[:, 2])


@pytest.mark.parametrize("unit", [1e-3, 1e4])
@pytest.mark.parametrize("model", [RMTGBRegressor(random_state=0), LightGBMRegressor(num_leaves=6, random_state=0)])
def test_boosters_find_quantiles_whose_spread_depends_on_x(model, unit):
    if isinstance(model, LightGBMRegressor):
        pytest.importorskip("lightgbm")
    rng = np.random.default_rng(0)
    X, tasks = rng.uniform(size=(2400, 2)), np.tile(["a", "b"], 1200)
    y = unit * (X[:, 0] + (tasks == "b") + (0.1 + X[:, 1]) * rng.normal(size=2400))
    model.set_params(loss=QuantilesLoss((0.1, 0.5, 0.9))).fit(X[:1600], y[:1600], tasks=tasks[:1600])
    test = slice(1600, None)
    found = model.predict_quantiles(X[test], tasks=tasks[test])
    assert (np.diff(found, axis=1) >= 0.0).all()
    np.testing.assert_array_equal(model.predict(X[test], tasks=tasks[test]), found[:, 1])
    np.testing.assert_allclose(np.mean(y[test, None] <= found, axis=0), [0.1, 0.5, 0.9], atol=0.05)
    width, wide = (found[:, 2] - found[:, 0]) / unit, X[test, 1] > 0.5
    assert width[wide].mean() > 1.8 * width[~wide].mean()


def test_other_losses_have_no_quantiles():
    X, y = np.arange(40.0)[:, None], np.arange(40.0)
    with pytest.raises(TypeError, match="needs a fit with loss='quantiles'"):
        RMTGBRegressor(max_iter=2).fit(X, y).predict_quantiles(X)


@pytest.mark.parametrize(
    ("quantiles", "message"),
    [
        ((0.5, 0.1), "'quantiles' must ascend"),
        ((0.5, 0.5), "'quantiles' must ascend"),
        ((0.0, 0.5), r"'quantiles' must be a number in \(0, 1\)"),
        (0.5, "'quantiles' must be a sequence of numbers"),
        ((), "'quantiles' must be a sequence of numbers"),
    ],
)
def test_bad_quantiles_are_named(quantiles, message):
    with pytest.raises(ValueError, match=message):
        QuantilesLoss(quantiles).prepare(np.zeros(3))
