"""Losses for ordered classes: published values, special cases, probabilities, parameters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from skmtl.losses import LogLoss, OrdinalCrossEntropy
from tests.losses._cases import derivatives, slope_of_gradient

RAW = np.array([[2.0, 0.5, -1.0]])
KINDS = ["coral", "corn", "cumulative_logit"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def prepared(kind, n_classes, **params):
    return OrdinalCrossEntropy(kind, **params).prepare(np.arange(float(n_classes)), None, n_classes)


def test_values_of_coral():
    loss = prepared("coral", 4)
    np.testing.assert_allclose(loss.inverse_link(RAW)[0], [0.1192, 0.2583, 0.3535, 0.2689], atol=5e-5)
    rows = loss.row_loss(np.arange(4.0), np.repeat(RAW, 4, axis=0))
    np.testing.assert_allclose(rows, [3.4142667, 1.4142667, 0.9142667, 1.9142667], atol=5e-8)


def test_values_of_one_score_beside_its_thresholds():
    gradient, hessian = derivatives(prepared("coral", 4), np.array([2.0]), RAW + 0.3)
    assert gradient.sum() == pytest.approx(-0.0693363, abs=5e-8)
    assert hessian.sum() == pytest.approx(0.5184421, abs=5e-8)


def test_corn_asks_only_those_that_passed():
    loss, y = prepared("corn", 4), np.arange(4.0)
    rows = loss.row_loss(y, np.repeat(RAW, 4, axis=0))
    p = expit(RAW[0])
    expected = [
        -np.log(1 - p[0]),
        -np.log(p[0]) - np.log(1 - p[1]),
        -np.log(p[0]) - np.log(p[1]) - np.log(1 - p[2]),
        -np.log(p).sum(),
    ]
    np.testing.assert_allclose(rows, expected)
    # So it is minus the logarithm of the probability of the own class.
    np.testing.assert_allclose(-np.log(loss.inverse_link(RAW)[0]), expected)


@every_kind
def test_two_classes_are_the_log_loss(kind):
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 2, 40).astype(float), 3.0 * rng.normal(size=(40, 1))
    loss, plain = prepared(kind, 2), LogLoss().prepare(y, None, 2)
    np.testing.assert_allclose(loss.row_loss(y, raw), plain.row_loss(y, raw), rtol=1e-12)
    for mine, other in zip(derivatives(loss, y, raw), derivatives(plain, y, raw), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12)
    np.testing.assert_allclose(loss.inverse_link(raw), plain.inverse_link(raw), rtol=1e-12)


def test_reversed_classes_and_scores_have_the_same_loss():
    rng = np.random.default_rng(0)
    y, raw, loss = rng.integers(0, 5, 40).astype(float), rng.normal(size=(40, 4)), prepared("coral", 5)
    np.testing.assert_allclose(loss.row_loss(4.0 - y, -raw[:, ::-1]), loss.row_loss(y, raw))


def test_the_cumulative_loss_is_minus_the_logarithm_of_the_probability():
    rng = np.random.default_rng(0)
    y, raw, loss = rng.integers(0, 6, 80).astype(float), 2.0 * rng.normal(size=(80, 5)), prepared("cumulative_logit", 6)
    p = loss.inverse_link(raw)
    np.testing.assert_allclose(loss.row_loss(y, raw), -np.log(p[np.arange(80), y.astype(int)]), rtol=1e-7)


def test_second_derivative_of_the_cumulative_loss_is_the_true_one_by_the_first_output():
    """The thresholds are straight in it; by the others it is the convex part, which is never negative."""
    rng = np.random.default_rng(0)
    y, raw, loss = rng.integers(0, 4, 60).astype(float), rng.normal(size=(60, 3)), prepared("cumulative_logit", 4)
    _, hessian = derivatives(loss, y, raw)
    np.testing.assert_allclose(hessian[:, 0], slope_of_gradient(loss, y, raw)[:, 0], rtol=1e-6)


@every_kind
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_probabilities_are_never_negative_and_sum_to_one(kind, scale):
    raw = scale * np.random.default_rng(0).normal(size=(200, 5))
    p = prepared(kind, 6).inverse_link(raw)
    assert (p >= 0.0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)


@every_kind
def test_the_start_gives_the_class_shares(kind):
    y = np.repeat(np.arange(4.0), [5, 1, 10, 4])
    loss = OrdinalCrossEntropy(kind).prepare(y, None, 4)
    np.testing.assert_allclose(loss.inverse_link(loss.initial_raw(y)[None])[0], [0.25, 0.05, 0.5, 0.2], rtol=1e-6)


@every_kind
def test_a_class_without_rows_is_no_obstacle(kind):
    y = np.repeat([0.0, 1.0, 3.0, 4.0], 5)
    loss = OrdinalCrossEntropy(kind).prepare(y, None, 6)
    start = loss.initial_raw(y)
    assert np.isfinite(start).all()
    raw = np.tile(start, (20, 1))
    for values in derivatives(loss, y, raw):
        assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (
            OrdinalCrossEntropy("probit"),
            r"'kind' must be one of \['coral', 'corn', 'cumulative_logit'\]\. Got 'probit'",
        ),
        (OrdinalCrossEntropy(importance_weights=(1.0,)), "one number for each of the 2 thresholds between 3 classes"),
        (OrdinalCrossEntropy(importance_weights=(1.0, -1.0)), r"'importance_weights' must be a number in \[0, inf\)"),
        (OrdinalCrossEntropy("cumulative_logit", importance_weights=(1.0, 1.0)), "is for kind='coral' and 'corn'"),
    ],
)
def test_parameters_out_of_range_are_named(loss, message):
    with pytest.raises(ValueError, match=message):
        loss.prepare(np.arange(3.0), None, 3)
