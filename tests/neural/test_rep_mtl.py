"""Rep-MTL: saliency entropy and cross-task alignment."""

from __future__ import annotations

import math

import pytest
import torch

from skmtl.neural.regularizers import RepMTL, cross_task_alignment, resolve_regularizer, saliency_entropy
from tests.neural._balanced import Problem


def saliencies(b=6, t=3, d=5, seed=0):
    return torch.randn(b, t, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("reduce", ["mean", "l2", "none"])
def test_entropy_lies_between_one_owner_and_equal_shares(reduce):
    for seed in range(5):
        value = float(saliency_entropy(saliencies(seed=seed), reduce))
        assert 0.0 <= value <= math.log(3) + 1e-9
    same = saliencies(t=1).expand(-1, 3, -1)
    assert float(saliency_entropy(same, reduce)) == pytest.approx(math.log(3), abs=1e-6)
    owned = torch.zeros(6, 3, 5, dtype=torch.float64)
    owned[torch.arange(6), torch.arange(6) % 3] = 1.0 + saliencies()[:, 0].abs()
    assert float(saliency_entropy(owned, reduce)) == pytest.approx(0.0, abs=1e-9)
    assert float(saliency_entropy(saliencies(t=1), reduce)) == pytest.approx(0.0, abs=1e-9)


def test_rows_without_saliency_count_as_nothing():
    s = saliencies()
    s[0] = 0.0
    torch.testing.assert_close(saliency_entropy(s), saliency_entropy(s[1:]) * 5 / 6)
    torch.testing.assert_close(cross_task_alignment(s), cross_task_alignment(s[1:]))


def explicit_alignment(s, tau):
    """With matrices of width times width."""
    b, t, _ = s.shape
    affinities = torch.einsum("bti,btj->btij", s, s)
    anchors = torch.einsum("bti,btj->bij", s, s).flatten(1)
    anchors = anchors / anchors.norm(dim=1, keepdim=True)
    terms = []
    for row in range(b):
        others = [k for k in range(b) if k != row]
        negative = torch.logsumexp(anchors[others] @ anchors[row] / tau, dim=0)
        for task in range(t):
            own = affinities[row, task].flatten()
            if own.norm() > 0:
                terms.append(negative - anchors[row] @ (own / own.norm()) / tau)
    return torch.stack(terms).mean()


@pytest.mark.parametrize("tau", [0.1, 1.0])
def test_the_closed_form_equals_explicit_matrices(tau):
    s = saliencies()
    torch.testing.assert_close(cross_task_alignment(s, tau), explicit_alignment(s, tau), rtol=1e-6, atol=1e-8)


def test_both_terms_are_free_of_scale():
    s = saliencies()
    for factor in [1e-6, 1e6]:
        torch.testing.assert_close(saliency_entropy(factor * s), saliency_entropy(s))
        torch.testing.assert_close(cross_task_alignment(factor * s), cross_task_alignment(s))


def test_one_row_has_no_negative():
    assert float(cross_task_alignment(saliencies(b=1))) == 0.0


def test_gradient_of_the_penalty_equals_finite_differences():
    problem = Problem(n_tasks=2)
    parameter = problem.trunk[0].weight
    present = torch.ones(2, dtype=torch.bool)

    def value(weight):
        with torch.no_grad():
            parameter.copy_(weight)
        losses = problem.evaluate().of_task
        return RepMTL(0.7, 0.9, tau=0.5).penalty(losses, present, problem.representation)

    start = parameter.detach().clone()
    (found,) = torch.autograd.grad(value(start), parameter)
    step = 1e-6
    for i, j in [(0, 0), (2, 1), (4, 3)]:
        move = torch.zeros_like(start)
        move[i, j] = step
        slope = (value(start + move) - value(start - move)) / (2 * step)
        assert float(found[i, j]) == pytest.approx(slope.item(), rel=1e-4, abs=1e-7)


def test_weights_of_zero_add_nothing():
    problem = Problem()
    losses = problem.evaluate().of_task
    assert RepMTL(0.0, 0.0).penalty(losses, losses > 0, problem.representation) is None


def test_tasks_without_rows_are_left_out():
    problem = Problem(n_tasks=3)
    problem.weight = torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
    losses = problem.evaluate().of_task
    found = RepMTL().penalty(losses, problem.weight > 0, problem.representation)
    expected = RepMTL().penalty(losses[[0, 2]], torch.ones(2, dtype=torch.bool), problem.representation)
    torch.testing.assert_close(found, expected)


def test_members_count_as_rows():
    losses = Problem().evaluate().of_task
    z = torch.randn(4, 2, 5, dtype=torch.float64, requires_grad=True)
    losses = torch.stack([(z * (t + 1)).tanh().square().mean() for t in range(3)])
    assert bool(torch.isfinite(RepMTL().penalty(losses, losses > 0, z)))


@pytest.mark.parametrize(
    ("regularizer", "match"),
    [
        ("rep_mlt", "'regularizer'.*'rep_mlt'.*Did you mean 'rep_mtl'"),
        (RepMTL, "'regularizer'"),
        (3, "'regularizer'.*3"),
        (RepMTL(-1.0), "'lambda_tsr'.*-1.0"),
        (RepMTL(tau=0.0), "'tau'"),
        (RepMTL(saliency_reduce="sum"), "'saliency_reduce'.*'sum'"),
    ],
    ids=str,
)
def test_a_wrong_regularizer_is_named(regularizer, match):
    with pytest.raises(ValueError, match=match):
        resolve_regularizer(regularizer)


def test_without_a_representation_the_way_out_is_named():
    with pytest.raises(ValueError, match=r"'regularizer'.*hard_sharing"):
        RepMTL().penalty(torch.ones(2), torch.ones(2, dtype=torch.bool), None)
