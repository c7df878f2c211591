"""Focal loss: published values, special cases, parameters."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.losses import FocalLoss, LogLoss
from tests.losses._cases import derivatives


def of(loss, y, raw):
    """Loss, gradient and second derivative (without the factor of a softmax) of a row."""
    y, raw = np.atleast_1d(np.asarray(y, float)), np.atleast_2d(np.asarray(raw, float))
    n_classes = max(raw.shape[1], 2)
    loss = loss.prepare(y, None, n_classes)
    gradient, hessian = derivatives(loss, y, raw)
    scale = 1.0 if raw.shape[1] == 1 else (n_classes - 1.0) / n_classes
    return loss.row_loss(y, raw), gradient, hessian * scale


def test_values_of_two_classes():
    value, gradient, hessian = of(FocalLoss(alpha=0.25), 1, [0.0])
    np.testing.assert_allclose([value[0], gradient[0, 0], hessian[0, 0]], [0.0433217, -0.0745717, 0.0997858], atol=5e-8)
    value, _, _ = of(FocalLoss(alpha=0.25), 1, [np.log(0.9 / 0.1)])
    assert value[0] == pytest.approx(0.000263401, abs=5e-10)


def test_values_of_four_classes():
    value, gradient, hessian = of(FocalLoss(), 0, [1.0, 2.0, 0.5, -1.0])
    assert value[0] == pytest.approx(0.8998805, abs=5e-8)
    np.testing.assert_allclose(gradient[0], [-0.8704337, 0.6838102, 0.1525787, 0.0340449], atol=5e-8)
    np.testing.assert_allclose(hessian[0], [0.3913249, 0.3881220, 0.1378572, 0.0333120], atol=5e-8)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_gamma_of_zero_is_the_log_loss(n_classes):
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_classes, 50).astype(float)
    raw = 3.0 * rng.normal(size=(50, 1 if n_classes == 2 else n_classes))
    focal, plain = FocalLoss(gamma=0.0).prepare(y, None, n_classes), LogLoss().prepare(y, None, n_classes)
    np.testing.assert_allclose(focal.row_loss(y, raw), plain.row_loss(y, raw), rtol=1e-12)
    for mine, other in zip(derivatives(focal, y, raw), derivatives(plain, y, raw), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9)
    np.testing.assert_allclose(focal.initial_raw(y), plain.initial_raw(y), rtol=1e-7, atol=1e-10)
    if n_classes == 2:
        half = FocalLoss(gamma=0.0, alpha=0.5).prepare(y, None, 2)
        np.testing.assert_allclose(half.row_loss(y, raw), 0.5 * plain.row_loss(y, raw), rtol=1e-12)


def test_two_scores_of_which_one_is_zero_are_one_score():
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 2, 50).astype(float), 3.0 * rng.normal(size=(50, 1))
    one = FocalLoss(gamma=1.7).prepare(y, None, 2)
    both = np.hstack([np.zeros_like(raw), raw])
    np.testing.assert_allclose(one.row_loss(y, both), one.row_loss(y, raw), rtol=1e-12)
    np.testing.assert_allclose(derivatives(one, y, both)[0][:, 1], derivatives(one, y, raw)[0][:, 0], rtol=1e-9)


@pytest.mark.parametrize("alpha", [None, 0.25])
@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
def test_the_usual_form_with_labels_and_probabilities(alpha, gamma):
    """Sigmoid focal loss as vision packages write it."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    y, z = torch.as_tensor(rng.integers(0, 2, 200)), torch.as_tensor(4.0 * rng.normal(size=200))
    p, target = torch.sigmoid(z), y.double()
    cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits(z, target, reduction="none")
    own = p * target + (1.0 - p) * (1.0 - target)
    expected = cross_entropy * (1.0 - own) ** gamma
    if alpha is not None:
        expected = (alpha * target + (1.0 - alpha) * (1.0 - target)) * expected
    torch.testing.assert_close(FocalLoss(gamma, alpha).torch_rows(z[:, None], y), expected)


@pytest.mark.parametrize("z", [-1e4, -500.0, -40.0, 40.0, 500.0, 1e4])
@pytest.mark.parametrize("gamma", [0.0, 0.3, 2.0, 7.5])
def test_gradients_are_finite_and_right_far_out(gamma, z):
    _, gradient, hessian = of(FocalLoss(gamma), [1, 0], [[z], [-z]])
    assert np.isfinite(gradient).all()
    assert (hessian > 0.0).all()
    np.testing.assert_allclose(gradient[0], -gradient[1])
    if z == -1e4:
        assert gradient[0, 0] == pytest.approx(-1.0, abs=1e-12)
    if z > 0:
        assert abs(gradient[0, 0]) <= (1.0 + gamma) * np.exp(-min(z, 300.0)) * 1.01


@pytest.mark.parametrize(
    ("loss", "n_classes", "message"),
    [
        (FocalLoss(gamma=-1.0), 2, r"'gamma' must be a number in \[0, inf\)\. Got -1\.0\."),
        (FocalLoss(gamma="2"), 2, r"'gamma' must be a number in \[0, inf\)\. Got '2'\."),
        (FocalLoss(alpha=0.25), 3, "'alpha' as a number is for two classes. Got 0.25 and 3 classes"),
        (FocalLoss(alpha=1.5), 2, r"'alpha' must be a number in \(0, 1\)\. Got 1\.5\."),
        (FocalLoss(alpha=(1.0, 2.0)), 3, "one weight for each of the 3 classes"),
        (FocalLoss(alpha=(1.0, -2.0)), 2, r"'alpha' must be a number in \(0, inf\)\. Got -2\.0\."),
        (FocalLoss(alpha="ab"), 2, "'alpha' must be None, a number, or a sequence"),
    ],
)
def test_parameters_out_of_range_are_named(loss, n_classes, message):
    with pytest.raises(ValueError, match=message):
        loss.prepare(np.array([0.0, 1.0]), None, n_classes)
