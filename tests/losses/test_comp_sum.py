"""Comp-sum losses: published values, special cases, continuity."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.losses import CompSumLoss, GeneralizedCrossEntropy, LogLoss
from tests.losses._cases import derivatives

Y, RAW = np.array([0.0]), np.array([[1.0, 2.0, 0.5, -1.0]])
VALUES = {0.0: 3.4601478, 0.5: 2.2238124, 1.0: 1.4951819, 1.5: 1.0529882, 2.0: 0.7757922, 3.0: 0.4748654}


def value(tau, y=Y, raw=RAW):
    return CompSumLoss(tau).row_loss(y, raw)


@pytest.mark.parametrize("tau", VALUES)
def test_values(tau):
    assert value(tau)[0] == pytest.approx(VALUES[tau], abs=5e-8)
    torch = pytest.importorskip("torch")
    rows = CompSumLoss(tau).torch_rows(torch.as_tensor(RAW), torch.zeros(1, dtype=torch.int64))
    assert rows.item() == pytest.approx(VALUES[tau], abs=5e-8)


def test_special_cases():
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 4, 60).astype(float), 2.0 * rng.normal(size=(60, 4))
    p = LogLoss().inverse_link(raw)[np.arange(60), y.astype(int)]
    np.testing.assert_allclose(value(1.0, y, raw), LogLoss().row_loss(y, raw), rtol=1e-12)
    np.testing.assert_allclose(value(2.0, y, raw), 1.0 - p, rtol=1e-9)
    np.testing.assert_allclose(value(0.0, y, raw), 1.0 / p - 1.0, rtol=1e-9)
    one, plain = CompSumLoss().prepare(y, None, 4), LogLoss().prepare(y, None, 4)
    for mine, other in zip(derivatives(one, y, raw), derivatives(plain, y, raw), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9)


def test_the_loss_is_continuous_at_one_and_falls_with_tau():
    taus = [0.0, 0.3, 0.9, 1.0 - 1e-4, 1.0, 1.0 + 1e-4, 1.2, 1.9, 2.5]
    values = np.array([value(tau)[0] for tau in taus])
    assert (np.diff(values) < 0.0).all()
    assert np.abs(values[3:6] - values[4]).max() < 1e-3
    # Both sides of the switch to the logarithm.
    assert value(1.0 + 0.9e-6)[0] == pytest.approx(value(1.0 + 1.1e-6)[0], abs=1e-5)


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 1.7])
def test_a_shift_of_all_scores_changes_nothing(tau):
    np.testing.assert_allclose(value(tau, Y, RAW + 100.0), value(tau), rtol=1e-9)


@pytest.mark.parametrize("q", [0.1, 0.7, 1.0])
def test_generalised_cross_entropy_is_one_minus_a_power(q):
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 2, 60).astype(float), 2.0 * rng.normal(size=(60, 1))
    p = LogLoss().inverse_link(raw)[np.arange(60), y.astype(int)]
    np.testing.assert_allclose(GeneralizedCrossEntropy(q).row_loss(y, raw), (1.0 - p**q) / q, rtol=1e-9)
    assert GeneralizedCrossEntropy(q).get_params() == {"q": q}


@pytest.mark.parametrize("z", [-1e4, -100.0, -31.0, -29.0, 100.0, 1e4])
@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 1.7, 2.0])
def test_far_out_the_loss_and_its_slope_fit_together(tau, z):
    y, raw = np.array([1.0, 0.0]), np.array([[z], [-z]])
    loss = CompSumLoss(tau).prepare(y, None, 2)
    gradient, hessian = derivatives(loss, y, raw)
    assert np.isfinite(loss.row_loss(y, raw)).all()
    assert (hessian > 0.0).all()
    assert np.isfinite(hessian).all()
    step = 1e-4 * max(1.0, abs(z) / 100.0)
    slope = (loss.row_loss(y, raw + step) - loss.row_loss(y, raw - step)) / (2.0 * step)
    np.testing.assert_allclose(gradient[:, 0], slope, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("loss", [CompSumLoss(-0.1), CompSumLoss(None), CompSumLoss(np.inf)])
def test_tau_out_of_range(loss):
    with pytest.raises(ValueError, match=r"'tau' must be a number in \[0, inf\)\."):
        loss.prepare(np.array([0.0, 1.0]), None, 2)


@pytest.mark.parametrize("q", [0.0, 1.1, "1"])
def test_q_out_of_range(q):
    with pytest.raises(ValueError, match=r"'q' must be a number in \(0, 1\]\."):
        GeneralizedCrossEntropy(q).prepare(np.array([0.0, 1.0]), None, 2)
