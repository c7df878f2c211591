"""Task-wise sharpness-aware training."""

from __future__ import annotations

import pytest
import torch
from torchjd import aggregation

from skmtl.neural._objective import TaskLosses
from skmtl.neural._replay import Replay
from skmtl.neural.balancing import FlatRegions
from skmtl.neural.balancing._registry import make_balancer
from tests.neural._balanced import Problem


class Quadratic:
    """Losses ½ (θ - c)ᵀ H (θ - c) of shared parameters alone."""

    def __init__(self, n_tasks, n=4, seed=0):
        generator = torch.Generator().manual_seed(seed)
        roots = torch.randn(n_tasks, n, n, generator=generator, dtype=torch.float64)
        self.H = roots @ roots.transpose(1, 2)
        self.c = torch.randn(n_tasks, n, generator=generator, dtype=torch.float64)
        self.theta = torch.nn.Parameter(torch.randn(n, generator=generator, dtype=torch.float64))

    def evaluate(self):
        d = self.theta - self.c
        losses = 0.5 * torch.einsum("ti,tij,tj->t", d, self.H, d)
        return TaskLosses(losses.mean(), losses, torch.ones(len(losses), dtype=torch.float64))

    def gradients(self):
        return torch.einsum("tij,tj->ti", self.H, (self.theta - self.c).detach())

    def run(self, balancer):
        self.theta.grad = None
        balancer.double().backward(self.evaluate, [self.theta], [])
        return self.theta.grad


def conflicting():
    """Two tasks whose gradients conflict, on average."""
    for seed in range(100):
        problem = Quadratic(2, seed=seed)
        first, second = problem.gradients()
        if first @ second < -0.1 * first.norm() * second.norm():
            return problem
    raise AssertionError("no conflict found")


@pytest.mark.parametrize("name", ["pcgrad", "mgda", "upgrad", "gradvac", "fairgrad"])
def test_without_a_move_it_is_the_plain_aggregator(name):
    problem = Problem(n_tasks=2)
    torch.manual_seed(0)
    expected = problem.run(make_balancer(name, 2))
    torch.manual_seed(0)
    found = problem.run(FlatRegions(name, rho=0.0).build(2))
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("adaptive", [False, True])
def test_the_flat_part_of_a_quadratic_is_known(adaptive):
    problem = Quadratic(2)
    rho, g, theta = 0.3, problem.gradients(), problem.theta.detach()
    if adaptive:
        move = rho * theta**2 * g / (theta.abs() * g).norm(dim=1, keepdim=True)
    else:
        move = rho * g / g.norm(dim=1, keepdim=True)
    flat_part = torch.einsum("tij,tj->ti", problem.H, move)
    found = problem.run(FlatRegions(aggregation.UPGrad(), rho=rho, adaptive=adaptive).build(2))
    torch.testing.assert_close(found, aggregation.UPGrad()(g) + aggregation.UPGrad()(flat_part))


def test_one_task_in_one_ball_is_sharpness_aware_minimisation():
    problem = Problem(n_tasks=1)
    rho = 0.1
    shared, own = problem.run(FlatRegions(aggregation.Mean(), rho=rho, joint_ball=True).build(1))
    first = torch.cat([gradient[0] for gradient in problem.gradients()])
    parameters = [*problem.shared, *problem.own]
    with torch.no_grad():
        begin = 0
        for parameter in parameters:
            part = first[begin : begin + parameter.numel()].view_as(parameter)
            parameter += rho * part / first.norm()
            begin += parameter.numel()
    torch.testing.assert_close(torch.cat([shared, own]), torch.cat([gradient[0] for gradient in problem.gradients()]))


def test_the_parts_matter_for_aggregators_that_are_not_linear_only():
    problem = conflicting()
    for aggregator, same in [(aggregation.Mean(), True), (aggregation.MGDA(), False), (aggregation.UPGrad(), False)]:
        individual = problem.run(FlatRegions(aggregator, rho=0.5).build(2))
        direct = problem.run(FlatRegions(aggregator, rho=0.5, combine="direct").build(2))
        assert torch.allclose(individual, direct, atol=1e-6) is same


def test_the_ways_to_combine_are_as_defined():
    problem = Quadratic(3)
    g, A = problem.gradients(), aggregation.UPGrad()
    flat_part = torch.einsum("tij,tj->ti", problem.H, 0.2 * g / g.norm(dim=1, keepdim=True))
    expected = {
        "individual": A(g) + A(flat_part),
        "direct": A(g + flat_part),
        "second": A(torch.stack([A(g), A(flat_part)])),
        "each": A(torch.stack([A(torch.stack(pair)) for pair in zip(g, flat_part, strict=True)])),
    }
    for combine, value in expected.items():
        torch.testing.assert_close(problem.run(FlatRegions(A, rho=0.2, combine=combine).build(3)), value)


def test_parameters_are_bit_identical_afterwards_and_statistics_move_once():
    problem = Problem(batch_norm=True, dropout=0.5)
    before = {name: value.clone() for name, value in problem.module.state_dict().items()}
    problem.run(FlatRegions().build(3), replay=Replay(problem.module))
    after = problem.module.state_dict()
    for name, value in before.items():
        if name.endswith("num_batches_tracked"):
            assert after[name] == value + 1
        elif "running" not in name:
            assert torch.equal(after[name], value)


def test_dropout_is_the_same_in_both_passes():
    problem = Problem(dropout=0.5)
    torch.manual_seed(5)
    found = problem.run(FlatRegions(aggregation.Mean(), rho=1e-9).build(3), replay=Replay(problem.module))
    torch.manual_seed(5)
    expected = problem.run(make_balancer(aggregation.Mean(), 3))
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_a_step_costs_one_forward_pass_and_one_per_task():
    problem = Problem(n_tasks=3)
    problem.run(FlatRegions().build(3))
    assert problem.n_calls == 4


def test_heads_take_the_second_gradient():
    problem = Problem(n_tasks=2)
    _, own = problem.run(FlatRegions(rho=0.0, rho_head=0.5).build(2))
    assert not torch.allclose(own, problem.gradients()[1].sum(dim=0), atol=1e-3)
