"""Smooth adversarial comp-sum loss: comp-sum, and how far scores can move near a row."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from ._checks import check_number
from ._comp_sum import CompSumLoss
from ._torch import class_scores

#: Size of the first, random step beside the radius: where nothing has moved, the distance has no gradient.
_FIRST_STEP = 0.01


class SmoothAdversarialCompSumLoss(CompSumLoss):
    r"""Comp-sum loss of a net that is to withstand small changes of the features.

    With the margins :math:`\Delta(x, y') = h(x, y) - h(x, y')` of the scores h, and
    :math:`\bar\Delta(x)` the vector of those of all other classes, the loss of a row is
    :math:`\Phi^\tau(\sum_{y' \neq y} e^{-\Delta(x, y') / \rho}) + \nu \max_{x'} \|\bar\Delta(x') - \bar\Delta(x)\|_2`
    over all x' no further than gamma from x, with :math:`\Phi^\tau` of :class:`CompSumLoss` [1]_. From
    :math:`\nu = \sqrt{n - 1} / \rho` on, for n classes, it is an upper bound of the largest comp-sum loss of ramps of
    the margins near the row. The maximum is looked for by projected gradient ascent from a random point nearby.

    For nets only, in training only: held-out rows are scored by the first part. The net is called `steps` + 2 more
    times per batch, without dropout. Distances are those of the features as the net sees them, numbers divided by their
    interquartile range. Categories stay as they are, and so do missing values and constant columns; a yes or no that
    is given as a number is moved like any other. Weight decay is the optimiser's.

    Parameters
    ----------
    tau : float, default=1.0
        As that of :class:`CompSumLoss`.
    rho : float, default=1.0
        Margin that is aimed at; scores are divided by it.
    nu : float, default=1.0
        Weight of the second part.
    gamma : float, default=0.1
        Largest change of the features; 0 leaves the second part out.
    norm : {"inf", 2}, default="inf"
        Whether gamma is for each number or for the Euclidean length of the change.
    steps : int, default=10
        Steps of the ascent.
    step_size : float or None, default=None
        Length of a step. None: a quarter of gamma.

    References
    ----------
    .. [1] A. Mao, M. Mohri, Y. Zhong, "Cross-entropy loss functions: theoretical analysis and applications", ICML 2023,
       section 6.

    Examples
    --------
    >>> from skmtl.losses import SmoothAdversarialCompSumLoss
    >>> from skmtl.neural import MultiTaskClassifier
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]] * 6, ["low", "low", "high", "high"] * 6
    >>> MultiTaskClassifier(loss=SmoothAdversarialCompSumLoss(gamma=0.2), random_state=0).fit(X, y).predict([[2.9]])
    array(['high'], dtype='<U4')
    """

    looks_around = True

    def __init__(
        self,
        tau: float = 1.0,
        *,
        rho: float = 1.0,
        nu: float = 1.0,
        gamma: float = 0.1,
        norm: Any = "inf",
        steps: int = 10,
        step_size: Any = None,
    ) -> None:
        self.tau = tau
        self.rho = rho
        self.nu = nu
        self.gamma = gamma
        self.norm = norm
        self.steps = steps
        self.step_size = step_size

    @property
    def has_boosting_form(self):
        """Trees have no gradient by the features: no."""
        return False

    def derivatives(self, y, raw, weight, gradient, hessian):
        """Not there: see `has_boosting_form`."""
        raise self._no_form("boosting")

    def row_loss(self, y, raw):
        """Not there: see `has_boosting_form`."""
        raise self._no_form("boosting")

    def _check(self):
        super()._check()
        check_number("rho", self.rho, 0.0, open_low=True)
        check_number("nu", self.nu, 0.0)
        check_number("gamma", self.gamma, 0.0)
        if not (isinstance(self.norm, str | Real) and self.norm in {"inf", math.inf, 2}):
            raise ValueError(f"'norm' must be 'inf' or 2. Got {self.norm!r}.")
        if not isinstance(self.steps, Integral) or isinstance(self.steps, bool) or self.steps < 1:
            raise ValueError(f"'steps' must be an int, 1 or more. Got {self.steps!r}.")
        if self.step_size is not None:
            check_number("step_size", self.step_size, 0.0, open_low=True)

    def initial_raw(self, y, weight=None):
        """That of the comp-sum loss, in units of rho."""
        return float(self.rho) * super().initial_raw(y, weight)

    def torch_rows(self, raw, y, allowed=None, around=None):
        """See :class:`Loss`; `around` gives raw predictions near the rows, None leaves the second part out."""
        clean = super().torch_rows(raw / self.rho, y, allowed)
        if around is None or self.gamma == 0 or self.nu == 0 or not bool(around.free.any()):
            return clean
        shift = self._worst_shift(around, y, allowed)
        moved = _margins(around.raw(shift), y, allowed) - _margins(around.raw(), y, allowed)
        return clean + self.nu * _length(moved)

    def _worst_shift(self, around, y, allowed):
        """Shift of the numbers, (n_rows, n_numbers), that moves the margins far."""
        import torch

        step = self.gamma / 4.0 if self.step_size is None else self.step_size
        free = around.free
        with torch.no_grad():
            here = _margins(around.raw(), y, allowed)
            shift = self._project(_FIRST_STEP * self.gamma * torch.randn_like(free) * free)
        for _ in range(self.steps):
            with torch.enable_grad():
                shift.requires_grad_()
                distance = _length(_margins(around.raw(shift), y, allowed) - here).sum()
                (slope,) = torch.autograd.grad(distance, shift)
            with torch.no_grad():
                slope = slope * free
                if self.norm == 2:
                    slope = slope / slope.norm(dim=1, keepdim=True).clamp_min(1e-12)
                else:
                    slope = slope.sign()
                shift = self._project(shift + step * slope)
        return shift.detach()

    def _project(self, shift):
        """The nearest shift within the radius."""
        if self.norm == 2:
            return shift * (self.gamma / shift.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp_max(1.0)
        return shift.clamp(-self.gamma, self.gamma)


def _margins(raw, y, allowed):
    """Own score less the others, (n_rows, n_classes); zero for the own class and those that are not allowed."""
    scores = class_scores(raw)
    margins = scores.gather(1, y[:, None].long()) - scores
    return margins if allowed is None else margins.masked_fill(~allowed, 0.0)


def _length(moved):
    """Euclidean length of each row, with a gradient at zero."""
    return ((moved**2).sum(dim=1) + 1e-12).sqrt()
