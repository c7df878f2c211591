"""The head for ordered classes gives the raw predictions of its loss."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.losses import OrdinalCrossEntropy

torch = pytest.importorskip("torch")
layers = pytest.importorskip("skmtl.losses.layers")
every_kind = pytest.mark.parametrize("kind", ["coral", "corn", "cumulative_logit"])


@every_kind
def test_head_and_loss_learn_an_order(kind):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2))
    score = x @ [1.5, -1.0] + 0.2 * rng.normal(size=500)
    y = np.searchsorted([-1.5, -0.3, 0.2, 1.8], score)
    features, target = torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(y)
    head, loss = layers.OrdinalHead(2, 5, kind), OrdinalCrossEntropy(kind)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        loss.torch_value(head(features), target).backward()
        optimiser.step()
    p = loss.inverse_link(head(features).detach().numpy())
    assert p.shape == (500, 5)
    assert np.mean(p.argmax(axis=1) == y) > 0.85


@pytest.mark.parametrize("kind", ["coral", "cumulative_logit"])
def test_at_the_start_classes_are_equally_probable(kind):
    head = layers.OrdinalHead(3, 6, kind)
    raw = head(torch.zeros((1, 3))).detach().numpy()
    np.testing.assert_allclose(OrdinalCrossEntropy(kind).inverse_link(raw), 1.0 / 6.0, rtol=1e-5)


def test_one_score_serves_all_thresholds_of_coral():
    head = layers.OrdinalHead(3, 6)
    raw = head(torch.randn(20, 3))
    torch.testing.assert_close(raw - raw[:, :1], (raw - raw[:, :1])[:1].expand(20, 5))
    assert (raw[:, :-1] > raw[:, 1:]).all()


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="'kind' must be one of"):
        layers.OrdinalHead(3, 6, "probit")
    with pytest.raises(ValueError, match=r"'n_classes' must be 2 or more\. Got 1"):
        layers.OrdinalHead(3, 1)
