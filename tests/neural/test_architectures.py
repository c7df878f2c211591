"""Laws of the architectures: special cases that must agree, gates, parameter counts, which loss reaches what."""

from __future__ import annotations

import pytest
import torch

from skmtl.neural.architectures import (
    CGC,
    PLE,
    CrossStitch,
    HardSharing,
    MMoE,
    Outputs,
)
from skmtl.neural.architectures._registry import ARCHITECTURES, resolve_architecture

COLUMNS = Outputs(n_tasks=1, n_columns=3, n_values=2)
ROWS = Outputs(n_tasks=3, n_columns=1, n_values=2)
BOTH = Outputs(n_tasks=2, n_columns=3, n_values=1)
P, D = 5, 4


def lin(a, b):
    return a * b + b


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def batch(outputs, n=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, P, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, outputs.n_tasks, (n,), generator=generator)


def build(architecture, outputs):
    torch.manual_seed(0)
    return architecture.build(P, outputs).double()


PLAIN = HardSharing((6, D), trunk="mlp", task_size=0, common_head=False, dropout=0.0)
SOME = {
    "hard_sharing": HardSharing((6, D), dropout=0.0),
    "hard_sharing plain": PLAIN,
    "hard_sharing resnet": HardSharing((6, D), trunk="resnet", dropout=0.0),
    "hard_sharing towers": HardSharing((6,), (3,), trunk="mlp", common_head=False, dropout=0.0),
    "cross_stitch": CrossStitch((6, D)),
    "cross_stitch per unit": CrossStitch((6, 5, D), per_unit=True),
    "mmoe": MMoE(3, (6, D)),
    "cgc": CGC(2, 2, (6, D)),
    "ple": PLE(3, 2, 1, (D,)),
    "ple without own experts": PLE(2, 2, 0, (D,)),
    "cross_stitch with tasks": CrossStitch((6, D), task_size=2),
    "mmoe with tasks": MMoE(3, (6, D), task_size=2),
    "cgc with tasks": CGC(2, 2, (6, D), task_size="auto"),
    "ple with tasks": PLE(3, 2, 1, (D,), task_size=2),
}


@pytest.mark.parametrize("outputs", [COLUMNS, ROWS, BOTH], ids=["columns", "rows", "both"])
@pytest.mark.parametrize("name", SOME)
def test_raw_predictions_are_those_of_the_rows_own_task(name, outputs):
    module = build(SOME[name], outputs)
    x, tasks = batch(outputs)
    raw = module(x, tasks)
    assert raw.shape[0] == 7
    assert raw.shape[-2:] == (outputs.n_columns, outputs.n_values)
    # A row alone gives the same, and so does a row whose neighbours change their task.
    torch.testing.assert_close(module(x[2:3], tasks[2:3]), raw[2:3])
    others = (tasks + 1) % outputs.n_tasks
    others[2] = tasks[2]
    torch.testing.assert_close(module(x, others)[2], raw[2])
    if outputs.n_tasks > 1 and name != "hard_sharing":  # there the heads start from one common head
        assert not torch.allclose(module(x, (tasks + 1) % outputs.n_tasks), raw)


@pytest.mark.parametrize("outputs", [COLUMNS, ROWS, BOTH], ids=["columns", "rows", "both"])
@pytest.mark.parametrize("name", SOME)
def test_shared_parameters_are_those_that_two_losses_reach(name, outputs):
    module = build(SOME[name], outputs)
    with torch.no_grad():  # heads that start from zero would pass nothing back; softmax gates are never zero
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    x, _ = batch(outputs, n=40)
    tasks = torch.arange(40) % outputs.n_tasks
    raw = module(x, tasks)
    raw = raw[:, None] if raw.ndim == 3 else raw
    units = [(t, c) for t in range(outputs.n_tasks) for c in range(outputs.n_columns)]
    losses = [raw[tasks == t, :, c].square().mean() for t, c in units]
    parameters = dict(module.named_parameters())
    reached = dict.fromkeys(parameters, 0)
    slices = dict.fromkeys(parameters, False)
    for loss in losses:
        gradients = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True, allow_unused=True)
        for parameter_name, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None and bool(gradient.any()):
                reached[parameter_name] += 1
                # A tensor that stacks the parameters of all tasks is reached in a slice of its own by each.
                slices[parameter_name] |= not bool((gradient != 0).all())
    shared = {id(parameter) for parameter in module.shared_parameters()}
    for parameter_name, parameter in parameters.items():
        if id(parameter) in shared:
            assert reached[parameter_name] >= 2, parameter_name
        else:
            assert reached[parameter_name] <= 1 or slices[parameter_name], parameter_name


@pytest.mark.parametrize("name", SOME)
def test_a_single_task_shares_nothing(name):
    assert build(SOME[name], Outputs(1, 1, 1)).shared_parameters() == []


def copy_experts(source, target):
    """Copy the trunk of a plain hard-sharing module into the only expert of another."""
    linear = [layer for layer in source.trunk if isinstance(layer, torch.nn.Linear)]
    with torch.no_grad():
        for layer, weight, bias in zip(linear, target.weights, target.biases, strict=True):
            weight[0].copy_(layer.weight.T)
            bias[0, 0].copy_(layer.bias)


@pytest.mark.parametrize("outputs", [COLUMNS, ROWS, BOTH], ids=["columns", "rows", "both"])
@pytest.mark.parametrize("other", [MMoE(1, (6, D), ()), CGC(1, 0, (6, D), ()), PLE(1, 1, 0, (6, D), ())])
def test_one_shared_expert_is_hard_sharing(other, outputs):
    plain, module = build(PLAIN, outputs), build(other, outputs)
    copy_experts(plain, module.experts if isinstance(other, MMoE) else module.levels[0].shared)
    module.heads.load_state_dict(plain.heads.state_dict())
    x, tasks = batch(outputs)
    torch.testing.assert_close(module(x, tasks), plain(x, tasks))


@pytest.mark.parametrize("outputs", [COLUMNS, ROWS, BOTH], ids=["columns", "rows", "both"])
def test_cgc_without_own_experts_is_mmoe(outputs):
    mmoe, cgc = build(MMoE(3, (6, D), (3,)), outputs), build(CGC(3, 0, (6, D), (3,)), outputs)
    cgc.levels[0].shared.load_state_dict(mmoe.experts.state_dict())
    cgc.heads.load_state_dict(mmoe.heads.state_dict())
    with torch.no_grad():
        cgc.levels[0].gates.copy_(mmoe.gates.linear.weight.view(outputs.n_units, 3, P).transpose(1, 2))
    x, tasks = batch(outputs)
    torch.testing.assert_close(cgc(x, tasks), mmoe(x, tasks))


@pytest.mark.parametrize("outputs", [COLUMNS, ROWS], ids=["columns", "rows"])
def test_cross_stitch_with_the_identity_is_independent_networks(outputs):
    module = build(CrossStitch((6, D), alpha_same=1.0), outputs)
    x, tasks = batch(outputs)
    expected = []
    for unit in range(outputs.n_units):
        z = x
        for weight, bias in zip(module.towers.weights, module.towers.biases, strict=True):
            z = torch.relu(z @ weight[unit] + bias[unit])
        head = module.heads.weight.flatten(0, 1)[unit], module.heads.bias.flatten(0, 1)[unit]
        expected.append(z @ head[0].T + head[1])
    expected = torch.stack(expected, dim=1)
    if outputs.n_tasks > 1:
        expected = expected[torch.arange(len(x)), tasks][:, None]
    torch.testing.assert_close(module(x, tasks), expected)


def test_cross_stitch_with_equal_rows_shows_every_task_the_same():
    module = build(CrossStitch((6, D), alpha_same=1 / 3), COLUMNS)
    assert torch.allclose(module.alphas[0], torch.full((3, 3, 1), 1 / 3, dtype=torch.float64))
    with torch.no_grad():  # the same layers on top
        for values in (module.towers.weights[1], module.towers.biases[1]):
            values.copy_(values[:1].expand_as(values).clone())
        for values in (module.heads.weight, module.heads.bias):
            values.copy_(values[:, :1].expand_as(values).clone())
    raw = module(*batch(COLUMNS))
    torch.testing.assert_close(raw[:, 1], raw[:, 0])
    torch.testing.assert_close(raw[:, 2], raw[:, 0])


@pytest.mark.parametrize("outputs", [COLUMNS, ROWS, BOTH], ids=["columns", "rows", "both"])
def test_gates_are_shares(outputs):
    module = build(MMoE(4, (D,), gate_bias=True, gate_dropout=0.5), outputs)
    x, tasks = batch(outputs, n=200)
    for training in [True, False]:
        gates = module.train(training).gates(x, tasks)
        assert gates.shape == (200, outputs.n_columns, 4)
        assert bool((gates >= 0).all())
        torch.testing.assert_close(gates.sum(-1), torch.ones(200, outputs.n_columns, dtype=torch.float64))
        assert bool((gates == 0).any()) is training  # experts are hidden in training only


def test_the_experts_of_a_task_are_its_own_in_one_level_and_not_in_two():
    x, tasks = batch(COLUMNS)
    one, two = build(CGC(1, 1, (D,)), COLUMNS), build(PLE(2, 1, 1, (D,)), COLUMNS)
    for module, leaks in [(one, False), (two, True)]:
        loss = module(x, tasks)[:, 0].square().sum()
        (gradient,) = torch.autograd.grad(loss, module.levels[0].specific.weights[0])
        assert bool(gradient[0].any())
        assert bool(gradient[1:].any()) is leaks


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        (PLAIN, lin(P, 6) + lin(6, D) + 3 * lin(D, 2)),
        (HardSharing((6, D), trunk="mlp", task_size=2, dropout=0.0), lin(P + 2, 6) + lin(6, D) + 6 + 4 * lin(D, 2)),
        (CrossStitch((6, D)), 3 * (lin(P, 6) + lin(6, D)) + 9 + 3 * lin(D, 2)),
        (CrossStitch((6, D), per_unit=True), 3 * (lin(P, 6) + lin(6, D)) + 9 * 6 + 3 * lin(D, 2)),
        (MMoE(4, (6, D), ()), 4 * (lin(P, 6) + lin(6, D)) + 3 * P * 4 + 3 * lin(D, 2)),
        (MMoE(4, (D,), (3,), gate_bias=True), 4 * lin(P, D) + 3 * lin(P, 4) + 3 * (lin(D, 3) + lin(3, 2))),
        (CGC(2, 1, (D,), ()), (2 + 3) * lin(P, D) + 3 * P * (2 + 1) + 3 * lin(D, 2)),
        (CrossStitch((6, D), task_size=2), 3 * (lin(P + 2, 6) + lin(6, D)) + 9 + 3 * lin(D, 2) + 3 * 2),
        (MMoE(4, (D,), (), task_size="auto"), 4 * lin(P + 3, D) + 3 * (P + 3) * 4 + 3 * lin(D, 2) + 3 * 3),
        (CGC(2, 1, (D,), (), task_size=2), (2 + 3) * lin(P + 2, D) + 3 * (P + 2) * (2 + 1) + 3 * lin(D, 2) + 3 * 2),
        (
            PLE(2, 2, 1, (D,), ()),
            (2 + 3) * (lin(P, D) + lin(D, D)) + 3 * (P + D) * (2 + 1) + P * (2 + 3) + 3 * lin(D, 2),
        ),
    ],
    ids=str,
)
def test_numbers_of_parameters(architecture, expected):
    assert count(build(architecture, ROWS)) == expected


@pytest.mark.parametrize("cls", [HardSharing, CrossStitch, MMoE, CGC, PLE])
def test_an_embedding_of_the_task_is_a_further_feature(cls):
    """It equals features that the user adds, and columns of y have none."""
    module = build(cls(task_size=2), BOTH).eval()
    x, tasks = batch(BOTH)
    code = module.task_input.embedding[tasks]
    raw = module(x, tasks)
    module.task_input = None
    torch.testing.assert_close(module(torch.cat([x, code], dim=1), tasks), raw)
    assert build(cls(task_size=2), COLUMNS).task_input is None
    assert build(cls(task_size=0), ROWS).task_input is None
    assert build(cls(task_size="auto"), ROWS).task_input.embedding.shape == (3, 3)
    assert build(cls(task_size="auto"), Outputs(99, 1, 1)).task_input.embedding.shape == (99, 16)


@pytest.mark.parametrize("name", ["cross_stitch", "mmoe", "cgc", "ple"])
def test_without_an_embedding_the_form_is_that_of_the_paper(name):
    assert ARCHITECTURES[name]().task_size == 0


def test_members_share_matrices_and_differ():
    module = build(HardSharing((6, D), n_members=4, dropout=0.0), COLUMNS)
    raw = module(*batch(COLUMNS))
    assert raw.shape == (7, 4, 3, 2)
    assert not torch.allclose(raw[:, 0], raw[:, 1])


@pytest.mark.parametrize(
    ("architecture", "match"),
    [
        (HardSharing(()), "'hidden_sizes'.*at least 1"),
        (HardSharing((8, 0)), r"'hidden_sizes'.*\(8, 0\)"),
        (HardSharing(8), "'hidden_sizes'.*8"),
        (HardSharing(trunk="mpl"), "'trunk'.*'mpl'"),
        (HardSharing(activation="rely"), "'activation'.*'rely'"),
        (HardSharing(dropout=1.0), "'dropout'.*1.0"),
        (HardSharing(n_members=0), "'n_members'.*0"),
        (HardSharing(task_size=-1), "'task_size'.*-1"),
        (CrossStitch(task_size=True), "'task_size'.*'auto' or an integer.*True"),
        (MMoE(task_size="atuo"), "'task_size'.*'auto' or an integer.*'atuo'"),
        (CGC(task_size=1.5), "'task_size'.*1.5"),
        (PLE(task_size=-1), "'task_size'.*-1"),
        (HardSharing(head_sizes=(3,)), "'head_sizes'.*common_head=False"),
        (CrossStitch(alpha_same=1.5), "'alpha_same'.*1.5"),
        (MMoE(n_experts=2.5), "'n_experts'.*2.5"),
        (MMoE(gate_dropout=-0.1), "'gate_dropout'.*-0.1"),
        (CGC(n_shared=0), "'n_shared'.*0"),
        (PLE(n_levels=0), "'n_levels'.*0"),
        (PLE(n_specific=-1), "'n_specific'.*-1"),
    ],
    ids=str,
)
def test_a_wrong_parameter_is_named(architecture, match):
    with pytest.raises(ValueError, match=match):
        architecture.build(P, ROWS)


def test_names():
    for name, cls in ARCHITECTURES.items():
        assert type(resolve_architecture(name)) is cls
    with pytest.raises(ValueError, match=r"'architecture'.*'mmeo'.*Did you mean 'mmoe'"):
        resolve_architecture("mmeo")
    with pytest.raises(ValueError, match=r"'architecture'.*method 'build'"):
        resolve_architecture(HardSharing)
