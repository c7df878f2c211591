"""Balancing: names, aggregators and scalarisations of torchjd, GradNorm and DB-MTL."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from torchjd import aggregation, scalarization

from skmtl.losses import LogLoss
from skmtl.neural._data import Batch
from skmtl.neural._objective import Objective
from skmtl.neural.architectures import PLE, HardSharing, Outputs
from skmtl.neural.balancing import BALANCINGS, DBMTL, FlatRegions, GradNorm
from skmtl.neural.balancing._base import present_tasks, task_gradients
from skmtl.neural.balancing._registry import AGGREGATORS, SCALARIZERS, make_balancer
from tests.neural._balanced import Problem

#: Need solvers that come with the extra `solvers`.
NEEDS_MORE = {"nash_mtl": "ecos", "cagrad": "clarabel"}


def make(name, n):
    if name in NEEDS_MORE:
        pytest.importorskip(NEEDS_MORE[name])
    return make_balancer(name, n)


def test_every_aggregator_and_scalarizer_of_torchjd_has_a_name():
    # Without a name: what needs a vector of the user's, and what is a scalarisation as well.
    aggregators = {cls for cls, _ in AGGREGATORS.values()}
    bases = {"Aggregator", "WeightedAggregator", "GramianWeightedAggregator"}
    there = {
        name
        for name in aggregation.__all__
        if isinstance(getattr(aggregation, name), type)
        and issubclass(getattr(aggregation, name), aggregation.Aggregator)
    }
    assert there - bases - aggregators == {"Constant", "Mean", "Random", "Sum"}
    scalarizers = {cls for cls, _ in SCALARIZERS.values()}
    there = {name for name in scalarization.__all__ if isinstance(getattr(scalarization, name), type)}
    assert there - scalarizers == {"Scalarizer", "Constant", "COSMOS", "PBI"}


@pytest.mark.parametrize("name", BALANCINGS)
def test_every_method_gives_finite_gradients_also_where_tasks_are_missing(name):
    problem = Problem(n_tasks=5)
    balancer = make(name, 5)
    for weight in [[1, 1, 1, 1, 1], [1, 0, 1, 1, 1], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]]:
        problem.weight = torch.tensor(weight, dtype=torch.float64)
        if sum(weight) == 0:
            problem.evaluate = lambda p=problem: p.__class__.evaluate(p)._replace(total=p.head.weight.sum() * 0.0)
        shared, own = problem.run(balancer)
        assert bool(torch.isfinite(shared).all()) and bool(torch.isfinite(own).all())
        if sum(weight) == 0:
            assert not shared.any() and not own.any()
        balancer.after_step(problem.evaluate)
        balancer.after_epoch()


@pytest.mark.parametrize("name", BALANCINGS)
def test_a_single_task_keeps_its_direction(name):
    problem = Problem(n_tasks=1)
    if name == "graddrop":
        pytest.skip("keeps random coordinates")
    balancer = FlatRegions(rho=1e-9).build(1) if name == "flat_regions" else make(name, 1)
    shared, _ = problem.run(balancer)
    (expected,) = problem.gradients()[0]
    torch.testing.assert_close(shared / shared.norm(), expected / expected.norm(), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(set(AGGREGATORS) - {"graddrop"}))
def test_heads_keep_their_own_gradient_under_aggregators(name):
    problem = Problem(n_tasks=4)
    _, own = problem.run(make(name, 4))
    torch.testing.assert_close(own, problem.gradients()[1].sum(dim=0))


@pytest.mark.parametrize(("name", "least"), [("krum", 4), ("trimmed_mean", 3)])
def test_methods_for_more_tasks_say_how_many_they_need(name, least):
    with pytest.raises(ValueError, match=rf"balancing='{name}' needs at least {least} tasks. Got {least - 1}"):
        make_balancer(name, least - 1)
    make_balancer(name, least)
    make_balancer(name, 1)  # nothing to balance


def test_aggregators_see_the_gradients_of_the_tasks():
    problem = Problem()
    jacobian, _ = problem.gradients()
    for aggregator in [aggregation.UPGrad(), aggregation.MGDA(), aggregation.AlignedMTL(), aggregation.IMTLG()]:
        shared, _ = problem.run(make_balancer(aggregator, 3))
        torch.testing.assert_close(shared, aggregator(jacobian))


@pytest.mark.parametrize("route", ["columns", "rows", "both"])
@pytest.mark.parametrize("architecture", [HardSharing((6,), n_members=2, dropout=0.0), PLE(2, 1, 1, (5,))], ids=str)
def test_gradients_of_tasks_by_way_of_raw_predictions_are_those_of_their_losses(route, architecture):
    outputs = {"columns": Outputs(1, 3, 2), "rows": Outputs(3, 1, 2), "both": Outputs(2, 2, 2)}[route]
    torch.manual_seed(0)
    module = architecture.build(4, outputs).double()
    tasks = torch.arange(12) % max(1, outputs.n_tasks - 1 if route == "rows" else outputs.n_tasks)  # one is absent
    weight = None if route == "columns" else torch.rand(12, outputs.n_columns, dtype=torch.float64)
    y = torch.randint(0, 2, (12, outputs.n_columns))
    batch = Batch(torch.randn(12, 4, dtype=torch.float64), torch.empty(12, 0), tasks, y, weight)
    prepared = LogLoss(one_output_per_class=True).prepare(np.array([0, 1]), None, 2)
    objective = Objective(prepared, outputs, None, None)
    shared = module.shared_parameters()
    own = [p for p in module.parameters() if all(p is not q for q in shared)]
    losses = objective.losses(module(batch.numbers, tasks), batch)
    present = present_tasks(losses)
    assert len(present) == outputs.n_units - (route == "rows")
    for values in [None, losses.of_task[present].log(), losses.of_task[present] * torch.rand(len(present))]:
        found = []
        for known in (losses, losses._replace(raw=None)):
            module.zero_grad()
            jacobian = task_gradients(known, present, shared, own, values=values)
            found.append([jacobian, *(p.grad.clone() for p in own)])
        assert bool(found[0][0].any(dim=1).all())
        torch.testing.assert_close(found[0], found[1])


def test_weights_from_the_gramian_are_those_of_the_aggregator():
    jacobian, _ = Problem(n_tasks=5).gradients()
    for name in sorted(set(AGGREGATORS) - {"cagrad", "nash_mtl"}):
        balancer = make(name, 5).double()
        torch.manual_seed(0)
        found = balancer.aggregate(jacobian)
        torch.manual_seed(0)
        torch.testing.assert_close(found, balancer.make(5).double()(jacobian))


@pytest.mark.parametrize("name", sorted(AGGREGATORS))
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_gradients_that_are_not_finite_are_not_solved_for(name, value):
    jacobian = torch.ones(5, 7)
    jacobian[2, 3] = value
    assert bool(make(name, 5).aggregate(jacobian).isnan().all())


def test_upgrad_and_mgda_conflict_with_no_task():
    problem = Problem(seed=3)
    jacobian, _ = problem.gradients()
    for name in ["upgrad", "mgda"]:
        shared, _ = problem.run(make_balancer(name, 3))
        assert bool((jacobian @ shared >= -1e-6).all())


def test_imtl_g_projects_alike_on_all_unit_gradients():
    problem = Problem()
    jacobian, _ = problem.gradients()
    shared, _ = problem.run(make_balancer("imtl_g", 3))
    projections = (jacobian / jacobian.norm(dim=1, keepdim=True)) @ shared
    torch.testing.assert_close(projections, projections.mean().expand(3), rtol=1e-5, atol=1e-8)


def test_sum_and_mean_are_those_of_the_task_losses():
    problem = Problem()
    for name, factor in [("sum", 1.0), ("mean", 1 / 3)]:
        shared, own = problem.run(make_balancer(name, 3))
        for found, expected in zip((shared, own), problem.gradients(), strict=True):
            torch.testing.assert_close(found, factor * expected.sum(dim=0))


def test_uncertainty_weights_learn():
    problem = Problem()
    balancer = make_balancer("uw", 3).double()
    problem.run(balancer)
    gradient = dict(balancer.named_parameters())["scalarizer.log_var"].grad
    torch.testing.assert_close(gradient, 0.5 - 0.5 * problem.evaluate().of_task)


def test_famo_learns_from_the_change_of_the_losses():
    problem = Problem()
    balancer = make_balancer("famo", 3).double()
    problem.run(balancer)
    with torch.no_grad():
        problem.head.bias[0] += 3.0  # the first task gets worse, so that it needs more weight
    balancer.after_step(problem.evaluate)
    weights = balancer.scalarizer._w
    assert weights[0] > weights[1]
    assert weights.grad is None


def test_dwa_weighs_by_how_fast_losses_fall():
    problem = Problem()
    balancer = make_balancer("dwa", 3)
    for epoch in range(2):
        problem.run(balancer)
        balancer.after_epoch()
        if epoch == 0:
            with torch.no_grad():
                problem.y[:, 0] *= 3.0  # from then on the first loss rises
    shared, _ = problem.run(balancer)
    jacobian, _ = problem.gradients()
    weights = torch.linalg.lstsq(jacobian.T, shared[:, None]).solution[:, 0]
    torch.testing.assert_close(weights.sum(), torch.tensor(3.0, dtype=torch.float64))
    assert weights[0] > weights[1]


def test_what_the_user_passes_is_not_changed():
    scalarizer = scalarization.UW(3)
    problem = Problem()
    balancer = make_balancer(scalarizer, 3)
    balancer.scalarizer.log_var.data += 1.0
    assert not scalarizer.log_var.any()
    aggregator = aggregation.GradVac()
    problem.run(make_balancer(aggregator, 3))
    assert aggregator.gramian_weighting._phi_t is None


@pytest.mark.parametrize("name", BALANCINGS)
def test_balancers_with_state_can_be_pickled_and_copied(name):
    problem = Problem(n_tasks=5)
    balancer = make(name, 5)
    problem.run(balancer)
    torch.manual_seed(1)
    expected = problem.run(copy.deepcopy(balancer))
    torch.manual_seed(1)
    found = problem.run(pickle.loads(pickle.dumps(balancer)))
    torch.testing.assert_close(found, expected)


def test_the_regularizer_is_added_after_aggregation():
    problem = Problem()
    plain = problem.run(make_balancer("pcgrad", 3))
    evaluate = problem.evaluate
    problem.evaluate = lambda: evaluate()._replace(extra=problem.shared[0].square().sum())
    for name in ["mgda", "gradnorm", "db_mtl", FlatRegions("mgda", rho=0.01), "sum", None]:
        shared, own = problem.run(make_balancer(name, 3))
        problem.evaluate, kept = evaluate, problem.evaluate
        without = problem.run(make_balancer(name, 3))
        problem.evaluate = kept
        expected = torch.zeros_like(shared)
        expected[: problem.shared[0].numel()] = 2 * problem.shared[0].detach().flatten()
        torch.testing.assert_close(shared - without[0], expected)
        torch.testing.assert_close(own, without[1])
    assert plain[0].any()


# GradNorm and DB-MTL -------------------------------------------------------------------------------------------------


def test_gradnorm_weighs_all_gradients():
    problem = Problem()
    balancer = GradNorm().build(3)
    weights = torch.tensor([0.5, 2.0, 0.5], dtype=torch.float64)
    balancer.double().weights.copy_(weights)
    for found, expected in zip(problem.run(balancer), problem.gradients(), strict=True):
        torch.testing.assert_close(found, weights @ expected)


def test_gradnorm_without_alpha_makes_norms_equal():
    problem = Problem()
    problem.y[:, 0] *= 10.0
    balancer = GradNorm(alpha=0.0, lr=0.05).build(3)
    for _ in range(400):  # weights alone: the parameters stand still
        problem.run(balancer)
    jacobian, _ = problem.gradients()
    norms = balancer.weights * jacobian.norm(dim=1)
    torch.testing.assert_close(norms, norms.mean().expand(3), rtol=0.1, atol=0)
    torch.testing.assert_close(balancer.weights.sum(), torch.tensor(3.0, dtype=torch.float64))


def test_gradnorm_favours_the_task_that_learns_slowly():
    problem = Problem()
    balancer = GradNorm(alpha=1.5, lr=0.05).build(3)
    problem.run(balancer)
    balancer.first[0] *= 0.1  # as if the first loss had grown tenfold since the start
    before = balancer.weights.clone()
    for _ in range(20):
        problem.run(balancer)
    assert balancer.weights[0] > before[0]


def test_db_mtl_without_memory_scales_all_gradients_alike():
    problem = Problem()
    balancer = DBMTL(beta=0.0).build(3)
    shared, own = problem.run(balancer)
    losses = problem.evaluate().of_task.detach()[:, None]
    jacobian, heads = problem.gradients()
    logs = jacobian / (losses + 1e-8)
    longest = logs.norm(dim=1).max()
    torch.testing.assert_close(shared, (logs / logs.norm(dim=1, keepdim=True)).sum(dim=0) * longest)
    torch.testing.assert_close(own, (heads / (losses + 1e-8)).sum(dim=0))


def test_db_mtl_remembers():
    problem = Problem()
    balancer = DBMTL(beta=0.9).build(3)
    problem.run(balancer)
    first = balancer.average.clone()
    problem.run(balancer)
    torch.testing.assert_close(balancer.average, 1.9 * first)  # g + 0.9 (m - g), with the same g and m = 0.1 g


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("balancing", "match"),
    [
        ("pcgard", "'balancing'.*'pcgard'.*Did you mean 'pcgrad'"),
        (3, "'balancing'.*3"),
        (GradNorm, "'balancing'.*GradNorm"),
        (GradNorm(alpha=-1.0), "'alpha'.*-1.0"),
        (GradNorm(lr=0), "'lr'.*0"),
        (DBMTL(beta=1.0), "'beta'.*1.0"),
        (FlatRegions("uw"), "'aggregator'.*'uw'"),
        (FlatRegions("pcgard"), "Did you mean 'pcgrad'"),
        (FlatRegions(rho=-1), "'rho'.*-1"),
        (FlatRegions(rho_head="x"), "'rho_head'.*'x'"),
        (FlatRegions(combine="all"), "'combine'.*'all'"),
    ],
    ids=str,
)
def test_a_wrong_method_is_named(balancing, match):
    with pytest.raises(ValueError, match=match):
        make_balancer(balancing, 3)
