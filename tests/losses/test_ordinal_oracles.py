"""Losses for ordered classes equal those of the package coral-pytorch, which is by the authors of the losses."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.losses import OrdinalCrossEntropy

torch = pytest.importorskip("torch")
oracle = pytest.importorskip("coral_pytorch.losses")
from coral_pytorch.dataset import levels_from_labelbatch, proba_to_label  # noqa: E402

SEEDS = pytest.mark.parametrize("seed", range(3))
N_CLASSES = 5


def drawn(seed):
    rng = np.random.default_rng(seed)
    raw = torch.as_tensor(3.0 * rng.normal(size=(40, N_CLASSES - 1)), dtype=torch.float32).requires_grad_()
    return raw, torch.as_tensor(rng.integers(0, N_CLASSES, 40))


def gradient(value, raw):
    (slope,) = torch.autograd.grad(value, raw)
    return slope


@SEEDS
@pytest.mark.parametrize("importance", [None, (1.0, 0.5, 2.0, 0.0)])
def test_coral(seed, importance):
    raw, y = drawn(seed)
    levels = levels_from_labelbatch(y, N_CLASSES, dtype=torch.float32)
    weights = None if importance is None else torch.tensor(importance)
    expected = oracle.coral_loss(raw, levels, importance_weights=weights)
    found = OrdinalCrossEntropy("coral", importance_weights=importance).torch_value(raw, y)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient(found, raw), gradient(expected, raw))


@SEEDS
def test_corn(seed):
    """The package divides by the number of questions asked, this library by that of the rows."""
    raw, y = drawn(seed)
    n_questions = (y[:, None] >= torch.arange(N_CLASSES - 1)).sum()
    expected = oracle.corn_loss(raw, y, N_CLASSES) * n_questions / len(y)
    found = OrdinalCrossEntropy("corn").torch_value(raw, y)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradient(found, raw), gradient(expected, raw))


@SEEDS
@pytest.mark.parametrize("kind", ["coral", "corn"])
def test_the_median_class_is_the_label_of_the_package(seed, kind):
    raw, _ = drawn(seed)
    raw = raw.detach()
    if kind == "coral":  # whose probabilities fall by themselves
        raw = raw.sort(dim=1, descending=True).values
    above = torch.sigmoid(raw)
    labels = proba_to_label(above if kind == "coral" else above.cumprod(dim=1))
    p = OrdinalCrossEntropy(kind).prepare(np.arange(5.0), None, 5).inverse_link(raw.double().numpy())
    np.testing.assert_array_equal((p.cumsum(axis=1) < 0.5).sum(axis=1), labels.numpy())
