"""Spherical family: published values, invariances, surrogate second derivatives, parameters."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.losses import LogLoss, SphericalSoftmaxLoss, TaylorSoftmaxLoss, ZLoss
from skmtl.losses.kernels.spherical import DAMPING
from tests.losses._cases import CASES, derivatives, slope_of_gradient

RAW = np.array([[2.0, 0.0, -1.0, 1.0]])
POSITIVE = [case for case in CASES if isinstance(case.loss, TaylorSoftmaxLoss | SphericalSoftmaxLoss)]


def every_class(loss):
    """Loss of the row with each class as its own."""
    return loss.row_loss(np.arange(4.0), np.repeat(RAW, 4, axis=0))


def test_values_of_the_taylor_softmax():
    loss = TaylorSoftmaxLoss()
    np.testing.assert_allclose(loss.inverse_link(RAW)[0], np.array([5.0, 1.0, 0.5, 2.5]) / 9.0)
    np.testing.assert_allclose(every_class(loss), [0.5877867, 2.1972246, 2.8903718, 1.2809338], atol=5e-8)


def test_values_of_the_spherical_softmax():
    np.testing.assert_allclose(SphericalSoftmaxLoss().inverse_link(RAW)[0], np.array([4.01, 0.01, 1.01, 1.01]) / 6.04)


def test_values_of_the_z_loss():
    y = np.zeros(1)
    loss = ZLoss().prepare(y, None, 4)
    assert loss.row_loss(y, RAW)[0] == pytest.approx(0.2322352, abs=5e-8)
    gradient, _ = derivatives(loss, y, RAW)
    np.testing.assert_allclose(gradient[0], [-0.0556084, 0.0185361, -0.0370723, 0.0741446], atol=5e-8)
    assert ZLoss(a=0.1, b=10.0).row_loss(y, RAW)[0] == pytest.approx(12.1698544, abs=5e-8)


@pytest.mark.parametrize("loss", [TaylorSoftmaxLoss(), TaylorSoftmaxLoss(6), SphericalSoftmaxLoss()])
def test_equal_scores_are_equal_probabilities(loss):
    np.testing.assert_allclose(loss.inverse_link(np.zeros((2, 5))), 0.2)
    if isinstance(loss, SphericalSoftmaxLoss):
        np.testing.assert_allclose(SphericalSoftmaxLoss(1e9).inverse_link(RAW), 0.25, rtol=1e-6)


def test_a_high_order_comes_close_to_the_softmax():
    np.testing.assert_allclose(TaylorSoftmaxLoss(12).inverse_link(RAW), LogLoss().inverse_link(RAW), rtol=1e-5)


@pytest.mark.parametrize("case", POSITIVE, ids=lambda case: case.name)
def test_second_derivative_is_the_size_of_the_true_one_or_its_expectation(case):
    rng = np.random.default_rng(0)
    y = case.targets(rng)
    loss = case.prepared(y)
    raw = 2.0 * rng.normal(size=(len(y), loss.n_outputs))
    gradient, hessian = derivatives(loss, y, raw)
    p, own = loss.inverse_link(raw), y[:, None] == np.arange(case.n_classes)
    ratio = gradient / (p - own)
    expected = np.maximum(np.abs(slope_of_gradient(loss, y, raw)), ratio**2 * p * (1.0 - p))
    np.testing.assert_allclose(hessian, np.maximum(expected, DAMPING), rtol=1e-5, atol=1e-8)


def test_second_derivative_of_the_z_loss_is_the_one_of_its_outer_function_and_damping():
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 5, 30).astype(float), rng.normal(size=(30, 5))
    a, b = 0.7, 1.3
    loss = ZLoss(a, b).prepare(y, None, 5)
    _, hessian = derivatives(loss, y, raw)
    rows = np.arange(30)

    def z(raw):
        return ((raw - raw.mean(1, keepdims=True)) / raw.std(1, keepdims=True))[rows, y.astype(int)]

    share = 1.0 / (1.0 + np.exp(-a * (b - z(raw))))
    for k in range(5):
        move = 1e-6 * np.eye(5)[k]
        slope = (z(raw + move) - z(raw - move)) / 2e-6
        expected = a * share * (1.0 - share) * slope**2 + share / (5 * raw.var(axis=1)) + DAMPING
        np.testing.assert_allclose(hessian[:, k], expected, rtol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_z_loss_knows_neither_shift_nor_scale(seed):
    rng = np.random.default_rng(seed)
    y, raw = rng.integers(0, 6, 20).astype(float), rng.normal(size=(20, 6))
    loss = ZLoss(a=0.5, b=1.0).prepare(y, None, 6)
    np.testing.assert_allclose(loss.row_loss(y, 7.0 * raw - 3.0), loss.row_loss(y, raw), rtol=1e-9)
    gradient, _ = derivatives(loss, y, raw)
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose((raw * gradient).sum(axis=1), 0.0, atol=1e-10)
    own = loss._standardised(raw)[np.arange(20), y.astype(int)]
    np.testing.assert_allclose(loss._standardised(-raw)[np.arange(20), y.astype(int)], -own, rtol=1e-9)


@pytest.mark.parametrize("b", [0.0, 1.0, 3.0])
def test_the_z_loss_goes_from_a_line_to_a_hinge(b):
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 6, 50).astype(float), rng.normal(size=(50, 6))
    z = ZLoss()._standardised(raw)[np.arange(50), y.astype(int)]
    assert (np.abs(z) <= np.sqrt(5.0)).all()
    np.testing.assert_allclose(ZLoss(a=1e4, b=b).row_loss(y, raw), np.maximum(b - z, 0.0), atol=1e-4)
    a = 1e-5
    np.testing.assert_allclose(ZLoss(a, b).row_loss(y, raw), np.log(2.0) / a + (b - z) / 2.0, atol=1e-4)


@pytest.mark.parametrize("n_classes", [3, 10, 1000])
def test_the_least_z_loss(n_classes):
    raw, y = np.eye(n_classes)[:1], np.zeros(1)
    expected = np.logaddexp(0.0, 0.3 * (2.0 - np.sqrt(n_classes - 1.0))) / 0.3
    assert ZLoss(a=0.3, b=2.0).row_loss(y, raw)[0] == pytest.approx(expected, rel=1e-7)


def test_equal_scores_have_a_finite_z_loss():
    y, raw = np.array([0.0, 1.0]), np.zeros((2, 4))
    loss = ZLoss().prepare(y, None, 4)
    gradient, hessian = derivatives(loss, y, raw)
    assert np.isfinite(gradient).all()
    assert np.isfinite(hessian).all()
    np.testing.assert_allclose(loss.inverse_link(raw), 0.25)


def test_z_loss_of_a_row_with_two_allowed_classes_counts_all_scores():
    torch = pytest.importorskip("torch")
    raw, y = torch.as_tensor(RAW), torch.zeros(1, dtype=torch.int64)
    two = torch.tensor([[True, True, False, False]])
    torch.testing.assert_close(ZLoss().torch_rows(raw, y, two), ZLoss().torch_rows(raw, y))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (TaylorSoftmaxLoss(3), "'order' must be an even number, 2 or more. Got 3"),
        (TaylorSoftmaxLoss(0), "'order' must be an even number"),
        (TaylorSoftmaxLoss(2.0), "'order' must be an even number"),
        (SphericalSoftmaxLoss(0.0), r"'eps' must be a number in \(0, inf\)\. Got 0\.0"),
        (ZLoss(a=0.0), r"'a' must be a number in \(0, inf\)\. Got 0\.0"),
        (ZLoss(b=np.nan), r"'b' must be a number in \[-inf, inf\)\. Got nan"),
        (ZLoss(eps=-1.0), r"'eps' must be a number in \(0, inf\)"),
    ],
)
def test_parameters_out_of_range_are_named(loss, message):
    with pytest.raises(ValueError, match=message):
        loss.prepare(np.array([0.0, 1.0, 2.0]), None, 3)


def test_the_z_loss_needs_three_classes():
    with pytest.raises(ValueError, match="ZLoss needs three classes or more"):
        ZLoss().prepare(np.array([0.0, 1.0]), None, 2)
    with pytest.raises(ValueError, match="ZLoss needs three classes or more"):
        ZLoss().n_outputs_for(2)
