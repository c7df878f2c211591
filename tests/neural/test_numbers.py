"""Weights computed in numbers are those that torchjd computes in tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchjd import aggregation

from skmtl.neural import MultiTaskRegressor
from skmtl.neural.architectures import HardSharing
from skmtl.neural.balancing._numbers import WEIGHTINGS
from skmtl.neural.balancing._registry import AGGREGATORS, make_balancer

every_method = pytest.mark.parametrize("name", sorted(WEIGHTINGS))


def of_torchjd(name):
    return getattr(aggregation, AGGREGATORS[name][0])()


def jacobians(n):
    """Gradients of n tasks: at random, opposed to each other, of unequal sizes, dependent, one of them zero."""
    rng = torch.Generator().manual_seed(n)

    def normal(*shape):
        return torch.randn(*shape, generator=rng, dtype=torch.float64)

    common = normal(30)
    yield from (normal(n, 30) for _ in range(5))
    yield common + normal(n, 30)
    yield torch.where(torch.arange(n)[:, None] % 2 == 0, 1.0, -1.0) * common + 0.3 * normal(n, 30)
    yield torch.logspace(-3.0, 3.0, n, dtype=torch.float64)[:, None] * normal(n, 30)
    yield normal(n, 2) @ normal(2, 30)
    if n > 1:
        yield normal(n, 30) * (torch.arange(n) > 0)[:, None]


@every_method
@pytest.mark.parametrize("n", [1, 2, 4, 9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_weights_are_those_of_torchjd_batch_after_batch(name, n, dtype):
    mine, other = WEIGHTINGS[name](), of_torchjd(name).gramian_weighting
    tolerance = {torch.float32: 2e-4, torch.float64: 1e-9}[dtype]
    weighs = False
    for seed, jacobian in enumerate(jacobians(n)):
        gramian = (jacobian @ jacobian.T).to(dtype)
        torch.manual_seed(seed)
        found = mine(gramian)
        drawn = torch.rand(1)
        torch.manual_seed(seed)
        expected = other(gramian)
        assert found.dtype == dtype
        assert drawn == torch.rand(1)  # as many random numbers
        size = float(expected.abs().max())
        torch.testing.assert_close(found, expected, rtol=0.0, atol=tolerance * size)
        weighs |= not torch.allclose(found, found.mean())
    assert weighs or n == 1


@every_method
def test_a_fit_by_name_is_one_with_the_object_of_torchjd(name):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    y = X @ np.array([[1.0, -1.0, 0.5, 0.0], [0.0, 1.0, -2.0, 1.0]]).T @ rng.normal(size=(2, 3)) + rng.normal(
        size=(200, 3)
    )
    architecture = HardSharing((16,), trunk="mlp", dropout=0.0)
    fits = [
        MultiTaskRegressor(architecture, balancing=balancing, max_epochs=3, random_state=0).fit(X, y).predict(X)
        for balancing in (name, of_torchjd(name), "sum")
    ]
    np.testing.assert_allclose(fits[0], fits[1], rtol=0.0, atol=1e-4)
    assert np.abs(fits[0] - fits[2]).max() > 1e-2


def test_an_object_of_torchjd_runs_the_code_of_torchjd():
    balancer = make_balancer(aggregation.MGDA(), 3)
    assert type(balancer.make(3).gramian_weighting) is aggregation.MGDAWeighting
    assert isinstance(make_balancer("mgda", 3).make(3).gramian_weighting, WEIGHTINGS["mgda"])


def test_gradvac_starts_anew_with_another_number_of_tasks_and_after_reset():
    mine = WEIGHTINGS["gradvac"]()
    first, second = ((jacobian @ jacobian.T) for jacobian in list(jacobians(4))[5:7])

    def weights(gramian):
        torch.manual_seed(0)
        return mine(gramian)

    fresh = weights(first)
    weights(second)
    assert not torch.allclose(weights(first), fresh)
    mine.reset()
    assert torch.equal(weights(first), fresh)
    weights(first[:2, :2])
    assert torch.equal(weights(first), fresh)
