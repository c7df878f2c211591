"""Laws of all losses: derivatives against differences, constants against a search, weights, extremes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import clone

from skmtl.losses import (
    AbsoluteLoss,
    GammaLoss,
    HuberLoss,
    LogLoss,
    OrdinalCrossEntropy,
    PoissonLoss,
    QuantileLoss,
    SphericalSoftmaxLoss,
    SquaredLoss,
    TaylorSoftmaxLoss,
    TweedieLoss,
    _base,
)
from skmtl.losses.kernels.functions import CONVEX_SHARE, HESSIAN_FLOOR
from tests.losses._cases import CASES, derivatives, slope_of_gradient, slope_unit

pytestmark = pytest.mark.filterwarnings("error")
every_loss = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
SEEDS = range(3)


def softmax_factor(loss):
    softmax = loss.n_outputs > 1 and not isinstance(loss, OrdinalCrossEntropy)
    return loss.n_outputs / (loss.n_outputs - 1.0) if softmax else 1.0


@every_loss
@pytest.mark.parametrize("seed", SEEDS)
def test_gradient_is_the_slope_of_the_loss(case, seed):
    rng = np.random.default_rng(seed)
    y = case.targets(rng)
    loss = case.prepared(y)
    raw, step = case.raw(rng, y, loss), 1e-5
    gradient, _ = derivatives(loss, y, raw)
    gradient = gradient / slope_unit(loss, y, raw)
    for k in range(loss.n_outputs):
        move = step * np.eye(loss.n_outputs)[k]
        slope = (loss.row_loss(y, raw + move) - loss.row_loss(y, raw - move)) / (2 * step)
        np.testing.assert_allclose(gradient[:, k], slope, rtol=1e-7, atol=1e-8)


@every_loss
@pytest.mark.parametrize("seed", SEEDS)
def test_second_derivative_is_the_slope_of_the_gradient_or_what_the_loss_says(case, seed):
    rng = np.random.default_rng(seed)
    y = case.targets(rng)
    loss = case.prepared(y)
    raw = case.raw(rng, y, loss)
    gradient, hessian = derivatives(loss, y, raw)
    assert (hessian > 0).all()
    if case.hessian == "weight":
        np.testing.assert_array_equal(hessian, 1.0)
    elif case.hessian != "surrogate":
        slope, floor = slope_of_gradient(loss, y, raw), HESSIAN_FLOOR
        if case.hessian == "convex":  # a share of the part of the second derivative that is never negative
            p = loss.inverse_link(raw)[:, -loss.n_outputs :]
            own = (y[:, None] == np.arange(case.n_classes))[:, -loss.n_outputs :]
            floor = np.maximum(floor, CONVEX_SHARE * np.abs(gradient) * np.where(own, p, 1.0 - p))
        expected = np.maximum(slope, floor) * softmax_factor(loss)
        np.testing.assert_allclose(hessian, expected, rtol=1e-6, atol=1e-9)


@every_loss
def test_constant_hessian_says_that_every_second_derivative_is_the_weight(case):
    rng = np.random.default_rng(0)
    y, weight = case.targets(rng), rng.exponential(size=40)
    loss = case.prepared(y, weight)
    _, hessian = derivatives(loss, y, case.raw(rng, y, loss), weight)
    if loss.n_outputs > 1 and not case.n_classes:
        return  # the engine takes constant second derivatives for a single output
    assert loss.constant_hessian == np.array_equal(hessian, np.repeat(weight[:, None], loss.n_outputs, axis=1))


@every_loss
def test_the_loss_never_falls_below_zero(case):
    rng = np.random.default_rng(0)
    y = case.targets(rng)
    loss = case.prepared(y)
    assert (loss.row_loss(y, case.raw(rng, y, loss)) >= -1e-12).all()


@pytest.mark.parametrize("case", [case for case in CASES if case.softmax or not case.n_classes], ids=lambda c: c.name)
def test_the_loss_is_zero_for_a_perfect_prediction(case):
    rng = np.random.default_rng(0)
    y = case.targets(rng)
    loss = case.prepared(y)
    if case.n_classes:
        perfect = np.where(y == 1, 50.0, -50.0)[:, None]
        if loss.n_outputs > 1:
            perfect = np.where(y[:, None] == np.arange(loss.n_outputs), 50.0, -50.0)
    else:
        perfect = (np.log(np.maximum(y, 1e-300)) if case.log_link else y)[:, None]
    np.testing.assert_allclose(loss.row_loss(y, perfect), 0.0, atol=1e-12)


@every_loss
def test_the_mean_over_many_rows_is_found_in_pieces(case, monkeypatch):
    rng = np.random.default_rng(0)
    y = case.targets(rng)
    loss = case.prepared(y)
    raw = case.raw(rng, y, loss)
    expected = loss.mean_loss(y, raw)
    monkeypatch.setattr(_base, "_FEW_ROWS", 7)
    assert loss.mean_loss(y, raw) == pytest.approx(expected, rel=1e-12)


@every_loss
@pytest.mark.parametrize("n_rows", [1, 31, 32, 33, 40])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_is_that_of_the_losses_of_rows(case, n_rows, weighted):
    rng = np.random.default_rng(0)
    y = case.targets(rng)
    weight = rng.exponential(size=40)[:n_rows] if weighted else None
    loss = case.prepared(y)
    raw = case.raw(rng, y, loss)[:n_rows]
    y = y[:n_rows]
    expected = np.average(loss.row_loss(y, raw), weights=weight)
    assert loss.mean_loss(y, raw, weight) == pytest.approx(expected, rel=1e-12)


@every_loss
@pytest.mark.parametrize("seed", SEEDS)
def test_a_weight_is_so_many_copies(case, seed):
    rng = np.random.default_rng(seed)
    y, copies = case.targets(rng), rng.integers(1, 4, 40)
    weight = copies.astype(float)
    loss, repeated = case.prepared(y, weight), case.prepared(np.repeat(y, copies))
    raw = case.raw(rng, y, loss)
    gradient, hessian = derivatives(loss, y, raw, weight)
    first = np.cumsum(copies) - copies  # of the copies of each row
    one, one_hessian = derivatives(repeated, np.repeat(y, copies), np.repeat(raw, copies, axis=0))
    one, one_hessian = one[first], one_hessian[first]
    np.testing.assert_allclose(gradient, one * weight[:, None], rtol=1e-12)
    np.testing.assert_allclose(hessian, one_hessian * weight[:, None], rtol=1e-12)
    expected = repeated.mean_loss(np.repeat(y, copies), np.repeat(raw, copies, axis=0))
    assert loss.mean_loss(y, raw, weight) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(
        loss.initial_raw(y, weight), repeated.initial_raw(np.repeat(y, copies)), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("case", [case for case in CASES if case.start == "least"], ids=lambda case: case.name)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_initial_constant_has_the_least_loss(case, weighted, seed):
    rng = np.random.default_rng(seed)
    y = case.targets(rng)
    weight = rng.exponential(size=40) if weighted else None
    loss = case.prepared(y, weight)

    def mean(constant):
        return loss.mean_loss(y, np.tile(constant, (40, 1)), weight)

    start = loss.initial_raw(y, weight)
    assert start.shape == (loss.n_outputs,)
    options = {"xatol": 1e-9, "fatol": 1e-14, "maxiter": 4000, "maxfev": 4000}
    found = minimize(mean, start + 0.3, method="Nelder-Mead", options=options)
    assert mean(start) <= found.fun + 1e-10
    if case.hessian != "weight":
        slope = derivatives(loss, y, np.tile(start, (40, 1)), weight)[0].sum(axis=0)
        np.testing.assert_allclose(slope, 0.0, atol=1e-9)


@pytest.mark.parametrize("size", [-1e4, -700.0, -50.0, 0.0, 50.0, 700.0, 1e4])
@pytest.mark.parametrize("case", [case for case in CASES if case.n_classes], ids=lambda case: case.name)
def test_losses_for_classes_are_finite_for_extreme_predictions(case, size):
    y = case.targets(np.random.default_rng(0))
    loss = case.prepared(y)
    raw = np.zeros((40, loss.n_outputs))
    raw[:, 0] = size
    gradient, hessian = derivatives(loss, y, raw)
    assert np.isfinite(gradient).all()
    if isinstance(loss, LogLoss):
        assert (np.abs(gradient) <= 1.0).all()
    assert np.isfinite(hessian).all()
    assert (hessian > 0.0).all()
    assert np.isfinite(loss.row_loss(y, raw)).all()
    probability = loss.inverse_link(raw)
    assert probability.shape == (40, case.n_classes)
    assert ((probability >= 0.0) & (probability <= 1.0)).all()
    np.testing.assert_allclose(probability.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("size", [-50.0, 50.0])
@pytest.mark.parametrize("loss", [PoissonLoss(), GammaLoss(), TweedieLoss()], ids=["poisson", "gamma", "tweedie"])
def test_log_links_stay_finite_and_positive(loss, size):
    y, raw = np.array([1.0, 3.0, 1e-3, 1e3]), np.full((4, 1), size)
    gradient, hessian = derivatives(loss, y, raw)
    assert np.isfinite(gradient).all()
    assert (hessian >= HESSIAN_FLOOR).all()
    assert np.isfinite(loss.row_loss(y, raw)).all()
    np.testing.assert_allclose(np.log(loss.inverse_link(raw)), size)


@every_loss
def test_inverse_link_has_the_shape_of_a_prediction(case):
    rng = np.random.default_rng(0)
    y = case.targets(rng)
    loss = case.prepared(y)
    raw = case.raw(rng, y, loss)
    predicted = loss.inverse_link(raw)
    if case.n_classes is None:
        if loss.n_outputs == 1:
            np.testing.assert_allclose(predicted, np.exp(raw[:, 0]) if case.log_link else raw[:, 0])
        assert predicted.shape == (40,)
        return
    np.testing.assert_allclose(predicted.sum(axis=1), 1.0, rtol=1e-12)
    if not isinstance(loss, LogLoss | TaylorSoftmaxLoss | SphericalSoftmaxLoss):
        return
    share = predicted[np.arange(40), y.astype(int)]
    np.testing.assert_allclose(-np.log(share), loss.row_loss(y, raw), rtol=1e-9)


def test_two_outputs_and_one_agree_on_two_classes():
    """A softmax over (0, f) is the logistic function of f."""
    y, raw = np.array([0.0, 1.0, 1.0]), np.array([[-0.3], [0.1], [2.0]])
    one, two = LogLoss().prepare(y, None, 2), LogLoss(one_output_per_class=True).prepare(y, None, 2)
    both = np.hstack([np.zeros((3, 1)), raw])
    np.testing.assert_allclose(one.inverse_link(raw), two.inverse_link(both))
    np.testing.assert_allclose(one.row_loss(y, raw), two.row_loss(y, both))
    np.testing.assert_allclose(derivatives(one, y, raw)[0][:, 0], derivatives(two, y, both)[0][:, 1])


def test_absolute_loss_is_twice_the_pinball_loss_of_the_median():
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=30), rng.normal(size=(30, 1))
    absolute, median = AbsoluteLoss(), QuantileLoss(0.5)
    np.testing.assert_allclose(absolute.row_loss(y, raw), 2 * median.row_loss(y, raw))
    np.testing.assert_allclose(derivatives(absolute, y, raw)[0], 2 * derivatives(median, y, raw)[0])
    assert absolute.line_search == median.line_search == 0.5


def test_huber_turns_from_squared_to_absolute():
    rng = np.random.default_rng(0)
    y, raw = rng.normal(size=30), rng.normal(size=(30, 1))
    wide, narrow = HuberLoss(1e6).prepare(y), HuberLoss(1e-6).prepare(y)
    np.testing.assert_allclose(wide.row_loss(y, raw), SquaredLoss().row_loss(y, raw))
    np.testing.assert_allclose(narrow.row_loss(y, raw) / 1e-6, AbsoluteLoss().row_loss(y, raw), atol=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_huber_finds_its_delta_in_the_unit_of_the_targets(scale):
    y = np.random.default_rng(0).normal(size=2001) * scale
    y[:100] = 1e9 * scale  # a few outliers hardly move it
    loss = HuberLoss().prepare(y)
    assert loss.delta == pytest.approx(1.345 * scale, rel=0.15)
    assert clone(loss).delta == loss.delta


def test_huber_of_mostly_equal_targets_falls_back():
    y = np.r_[np.zeros(9), 10.0]
    assert HuberLoss().prepare(y).delta == pytest.approx(1.345)
    assert HuberLoss().prepare(np.ones(5)).delta == 1.0
