"""Smooth adversarial comp-sum loss: the bound that it is made for, what it reduces to, where it looks."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting import LightGBMClassifier, RMTGBClassifier
from skmtl.losses import CompSumLoss, SmoothAdversarialCompSumLoss

torch = pytest.importorskip("torch")
TAUS = pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 1.5, 2.0])


class Linear:
    """The surroundings of rows of a linear model."""

    def __init__(self, raw, slope, free=None):
        self.center, self.slope = raw, slope
        self.free = torch.ones(len(raw), slope.shape[0], dtype=raw.dtype) if free is None else free

    def raw(self, shift=None):
        return self.center if shift is None else self.center + shift @ self.slope


def drawn(n_classes, n=30, d=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    n_outputs = 1 if n_classes == 2 else n_classes
    raw = torch.randn((n, n_outputs), generator=generator, dtype=torch.float64)
    slope = torch.randn((d, n_outputs), generator=generator, dtype=torch.float64)
    return raw, torch.randint(n_classes, (n,), generator=generator), Linear(raw, slope)


def scores_of(raw):
    return torch.cat([torch.zeros_like(raw), raw], dim=1) if raw.shape[1] == 1 else raw


def others(raw, y):
    """Margins against the other classes, (n_rows, n_classes - 1)."""
    scores = scores_of(raw)
    margins = scores.gather(1, y[:, None]) - scores
    keep = torch.arange(scores.shape[1]) != y[:, None]
    return margins[keep].view(len(y), -1)


def phi(u, tau):
    return torch.log1p(u) if tau == 1.0 else ((1.0 + u) ** (1.0 - tau) - 1.0) / (1.0 - tau)


@TAUS
@pytest.mark.parametrize("norm", ["inf", 2])
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_it_bounds_the_loss_of_ramps_anywhere_near_the_row(tau, norm, n_classes):
    raw, y, around = drawn(n_classes)
    rho, gamma = 0.7, 0.3
    nu = np.sqrt(n_classes - 1.0) / rho
    loss = SmoothAdversarialCompSumLoss(tau, rho=rho, nu=nu, gamma=gamma, norm=norm)
    torch.manual_seed(0)
    bound = loss.torch_rows(raw, y, around=around)
    generator = torch.Generator().manual_seed(1)
    for _ in range(200):
        shift = 2.0 * torch.rand((len(y), 3), generator=generator, dtype=torch.float64) - 1.0
        shift *= gamma
        if norm == 2:
            shift *= (gamma / shift.norm(dim=1, keepdim=True)).clamp_max(1.0)
        ramps = (1.0 - others(around.raw(shift), y) / rho).clamp(0.0, 1.0)
        assert (phi(ramps.sum(dim=1), tau) <= bound + 1e-9).all()


@TAUS
@pytest.mark.parametrize("options", [{"gamma": 0.0}, {"nu": 0.0}])
def test_without_radius_or_weight_it_is_the_comp_sum_loss_of_scores_over_rho(tau, options):
    raw, y, around = drawn(4)
    loss = SmoothAdversarialCompSumLoss(tau, rho=2.0, **options)
    expected = CompSumLoss(tau).torch_rows(raw / 2.0, y)
    torch.testing.assert_close(loss.torch_rows(raw, y, around=around), expected, rtol=1e-12, atol=0.0)
    torch.testing.assert_close(SmoothAdversarialCompSumLoss(tau, rho=2.0).torch_rows(raw, y), expected)


@pytest.mark.parametrize(("norm", "reach"), [("inf", lambda a: a.abs().sum()), (2, lambda a: a.norm())])
def test_the_margin_of_two_classes_moves_as_far_as_the_dual_norm_says(norm, reach):
    """A linear score moves by gamma times the dual norm of its slope: the ascent gets there."""
    raw, y, around = drawn(2)
    loss = SmoothAdversarialCompSumLoss(gamma=0.4, norm=norm, nu=1.0)
    moved = loss.torch_rows(raw, y, around=around) - CompSumLoss().torch_rows(raw, y)
    expected = 0.4 * reach(around.slope[:, 0])
    torch.testing.assert_close(moved, expected.expand(len(y)), rtol=1e-3, atol=0.0)


def test_the_gradient_goes_through_both_parts():
    raw, y, _ = drawn(3)
    raw, slope = raw.requires_grad_(), torch.randn((3, 3), dtype=torch.float64, requires_grad=True)
    around = Linear(raw, slope)
    loss = SmoothAdversarialCompSumLoss(gamma=0.4)
    loss.torch_rows(raw, y, around=around).sum().backward()
    assert (slope.grad != 0.0).any()
    plain = raw.detach().clone().requires_grad_()
    CompSumLoss().torch_rows(plain, y).sum().backward()
    torch.testing.assert_close(raw.grad, plain.grad)  # a linear model moves alike everywhere


def test_what_is_frozen_stays_and_classes_that_are_not_there_do_not_count():
    raw, y, around = drawn(4)
    around.free = around.free * torch.tensor([1.0, 0.0, 1.0])
    loss = SmoothAdversarialCompSumLoss(gamma=0.4)
    shift = loss._worst_shift(around, y, None)
    assert (shift[:, 1] == 0.0).all()
    assert (shift.abs() <= 0.4 + 1e-12).all()
    assert (shift[:, 0].abs() > 0.39).all()
    around.free = torch.zeros_like(around.free)
    torch.testing.assert_close(loss.torch_rows(raw, y, around=around), CompSumLoss().torch_rows(raw, y))
    y = y.clamp_max(2)
    allowed = torch.tensor([True, True, True, False]).expand(len(y), 4)
    torch.manual_seed(0)
    found = loss.torch_rows(raw, y, allowed, around=Linear(raw, around.slope))
    torch.manual_seed(0)
    torch.testing.assert_close(found, loss.torch_rows(raw[:, :3], y, around=Linear(raw[:, :3], around.slope[:, :3])))


@pytest.mark.parametrize("size", [-1e4, 1e4])
def test_extreme_scores_are_finite(size):
    raw = torch.tensor([[size, 0.0, 1.0], [0.0, -size, size]], requires_grad=True)
    rows = SmoothAdversarialCompSumLoss(0.5).torch_rows(raw, torch.tensor([0, 1]), around=Linear(raw, torch.ones(2, 3)))
    rows.sum().backward()
    assert torch.isfinite(rows).all()
    assert torch.isfinite(raw.grad).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tau": -1.0}, r"'tau' must be a number in \[0, inf\)"),
        ({"rho": 0.0}, r"'rho' must be a number in \(0, inf\)\. Got 0\.0"),
        ({"nu": -1.0}, r"'nu' must be a number in \[0, inf\)"),
        ({"gamma": np.inf}, r"'gamma' must be a number in \[0, inf\)"),
        ({"norm": 1}, r"'norm' must be 'inf' or 2\. Got 1"),
        ({"norm": None}, r"'norm' must be 'inf' or 2\. Got None"),
        ({"steps": 0}, r"'steps' must be an int, 1 or more\. Got 0"),
        ({"step_size": 0.0}, r"'step_size' must be a number in \(0, inf\)"),
    ],
)
def test_parameters_out_of_range_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        SmoothAdversarialCompSumLoss(**parameters).prepare(np.array([0.0, 1.0]), None, 2)


@pytest.mark.parametrize("booster", [RMTGBClassifier, LightGBMClassifier])
@pytest.mark.parametrize("loss", ["smooth_adversarial_comp_sum", SmoothAdversarialCompSumLoss(tau=0.5)])
def test_boosters_refuse_it(loss, booster):
    message = (
        r"'loss' is SmoothAdversarialCompSumLoss\(.*, which has no form for boosting\. These have one: .*'comp_sum'"
    )
    with pytest.raises(TypeError, match=message):
        booster(loss).fit([[0.0], [1.0]], [0, 1])
