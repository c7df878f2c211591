"""What every loss offers to boosters and nets."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, clone

#: Rows whose losses are found together.
_FEW_ROWS = 16_384


class Loss(BaseEstimator):
    """Base of all losses: parameters as in any estimator, a form for boosting, a form for torch.

    Derive from :class:`ClassificationLoss` or :class:`RegressionLoss`. A loss may have one form only; asked for the
    other it raises TypeError.

    **Boosting.** A booster keeps ``raw`` predictions of shape (n_rows, n_outputs) and asks the loss for its first and
    second derivatives by them. Derivatives are those of the sum over rows (no ``1 / n``), times the weight of the row.

    **Nets.** A net has a head of :meth:`n_outputs_for` outputs per task and minimises :meth:`torch_value`.

    Attributes
    ----------
    constant_hessian : bool
        Whether the second derivative of every row is its weight.
    elementwise : bool
        Whether the loss is a weighted mean over rows. If not, as for a loss made of the counts of a confusion matrix,
        it is formed for each unit (each task, or each column of y of each task) apart: :meth:`bind` tells it the units
        of the rows, and a net calls :meth:`torch_units`, which calls :meth:`torch_value` with those of one task.
    looks_around : bool
        Whether :meth:`torch_rows` takes `around`, the raw predictions at points near the rows, in training.
    """

    constant_hessian: bool = False
    elementwise: bool = True
    looks_around: bool = False
    #: "classes" or "numbers": what the loss takes as targets.
    targets: ClassVar[str] = ""

    # Both forms ------------------------------------------------------------------------------------------------------

    def prepare(self, y: Any, weight: Any = None, n_classes: Any = None) -> Any:
        """Return a copy with everything that depends on the targets of `fit` resolved.

        Parameters
        ----------
        y : ndarray of shape (n_rows,)
            Targets, or for classification the index of the class.
        weight : ndarray of shape (n_rows,) or None
            Weights of the rows.
        n_classes : int or None
            Number of classes, for classification.

        Returns
        -------
        loss : Loss
            The copy.

        Raises
        ------
        ValueError
            If the loss is not defined for a target, or a parameter is out of its range.
        """
        self.check_target(y)
        return clone(self)

    def check_target(self, y: Any) -> None:
        """Raise ValueError if the loss is not defined for a value of `y`.

        Parameters
        ----------
        y : ndarray of shape (n_rows,)
            Targets.

        Raises
        ------
        ValueError
            If there is such a value.
        """

    def n_outputs_for(self, n_classes: int | None = None) -> int:
        """Return the number of raw predictions per row.

        Parameters
        ----------
        n_classes : int or None
            Number of classes of the task; None for numbers.

        Returns
        -------
        n_outputs : int
            1, or more for classification and for losses of several predictions.
        """
        return 1

    @property
    def n_outputs(self) -> int:
        """Number of raw predictions per row, of a prepared loss."""
        return self.n_outputs_for(getattr(self, "_n_classes", None))

    def inverse_link(self, raw: Any) -> np.ndarray:
        """Turn raw predictions into predictions.

        Parameters
        ----------
        raw : float64 array of shape (n_rows, n_outputs)
            Raw predictions.

        Returns
        -------
        predictions : ndarray of shape (n_rows,) or (n_rows, n_classes)
            Numbers, or for classification probabilities of all classes.
        """
        return raw[:, 0]

    # Boosting --------------------------------------------------------------------------------------------------------

    @property
    def has_boosting_form(self) -> bool:
        """Whether boosters can minimise the loss."""
        return type(self).derivatives is not Loss.derivatives

    @property
    def line_search(self) -> float | None:
        """The quantile of a leaf's residuals that is its best value, or None if that is no quantile."""
        return None

    def bind(self, units: Any) -> Any:
        """Return the prepared loss of rows with these units.

        Parameters
        ----------
        units : ndarray of int of shape (n_rows,)
            Unit (task, or column of y of a task) of each row of the arrays that :meth:`derivatives` and
            :meth:`mean_loss` are to be called with.

        Returns
        -------
        loss : Loss
            Itself, where the loss is a mean over rows; otherwise a copy that knows the units.
        """
        return self

    def initial_raw(self, y: Any, weight: Any = None) -> np.ndarray:
        """Constant raw prediction with the least loss.

        Parameters
        ----------
        y : float64 array of shape (n_rows,)
            Targets.
        weight : float64 array of shape (n_rows,) or None
            Weights of the rows; None means 1.

        Returns
        -------
        raw : ndarray of shape (n_outputs,)
            The constant.
        """
        raise self._no_form("boosting")

    def derivatives(self, y: Any, raw: Any, weight: Any, gradient: Any, hessian: Any) -> None:
        """Write the derivatives by `raw` to `gradient` and `hessian`.

        Parameters
        ----------
        y : float64 array of shape (n_rows,)
            Targets.
        raw : float64 array of shape (n_rows, n_outputs)
            Raw predictions.
        weight : float64 array of shape (n_rows,) or None
            Weights of the rows; None means 1.
        gradient, hessian : float64 arrays of shape (n_rows, n_outputs)
            Written to.
        """
        raise self._no_form("boosting")

    def row_loss(self, y: Any, raw: Any) -> np.ndarray:
        """Loss of each row.

        Parameters
        ----------
        y : float64 array of shape (n_rows,)
            Targets.
        raw : float64 array of shape (n_rows, n_outputs)
            Raw predictions.

        Returns
        -------
        loss : ndarray of shape (n_rows,)
            The losses.
        """
        raise self._no_form("boosting")

    def mean_loss(self, y: Any, raw: Any, weight: Any = None) -> float:
        """Weighted mean of the loss.

        Parameters
        ----------
        y : float64 array of shape (n_rows,)
            Targets.
        raw : float64 array of shape (n_rows, n_outputs)
            Raw predictions.
        weight : float64 array of shape (n_rows,) or None
            Weights of the rows; None means 1.

        Returns
        -------
        loss : float
            The mean.
        """
        if weight is None and self.elementwise:
            # In pieces that stay in cache: new memory for all rows would take longer than the arithmetic.
            pieces = (slice(begin, begin + _FEW_ROWS) for begin in range(0, len(y), _FEW_ROWS))
            return sum(float(np.add.reduce(self.row_loss(y[piece], raw[piece]))) for piece in pieces) / len(y)
        losses = self.row_loss(y, raw)
        return float(losses.mean() if weight is None else np.average(losses, weights=weight))

    # Nets ------------------------------------------------------------------------------------------------------------

    @property
    def has_torch_form(self) -> bool:
        """Whether nets can minimise the loss."""
        cls = type(self)
        return cls.torch_rows is not Loss.torch_rows or cls.torch_value is not Loss.torch_value

    def torch_rows(self, raw: Any, y: Any, allowed: Any = None) -> Any:
        """Return the loss of each row, differentiable.

        Parameters
        ----------
        raw : tensor of shape (n_rows, n_outputs)
            Raw predictions, float32 or float64.
        y : tensor of shape (n_rows,)
            Targets; for classification the index of the class, int64.
        allowed : bool tensor of shape (n_rows, n_classes) or None
            Classes that the task of the row has, its own class among them. The others are left out of the loss: no
            probability, no gradient. None: all. For numbers there is nothing to leave out.

        Returns
        -------
        loss : tensor of shape (n_rows,)
            The losses.
        """
        raise self._no_form("nets" if not self.has_torch_form else "single rows")

    @property
    def in_parts(self) -> bool:
        """Whether a net is to align the gradients of two parts, which `torch_parts` returns as `torch_rows` the sum."""
        return False

    def torch_value(self, raw: Any, y: Any, weight: Any = None, allowed: Any = None) -> Any:
        """Return the loss of the rows of one task, differentiable.

        Parameters
        ----------
        raw, y : tensors
            As for :meth:`torch_rows`.
        weight : tensor of shape (n_rows,) or None
            Weights of the rows; None means 1.
        allowed : bool tensor or None
            As for :meth:`torch_rows`.

        Returns
        -------
        loss : scalar tensor
            For losses that are means over rows, the weighted mean. Zero, with a gradient of zero, where there is no
            row, or no weight.
        """
        if not self.elementwise:
            raise self._no_form("nets")
        return weighted_mean(self.torch_rows(raw, y, allowed), weight)

    def torch_units(self, raw: Any, y: Any, units: Any, n_units: int, weight: Any = None, allowed: Any = None) -> Any:
        """Return the loss of the rows of each of many units, differentiable.

        This calls :meth:`torch_value` unit by unit; a loss that is no mean over rows may do it all at once.

        Parameters
        ----------
        raw, y : tensors
            As for :meth:`torch_rows`.
        units : int64 tensor of shape (n_rows,)
            Unit of each row.
        n_units : int
            Number of units.
        weight : tensor of shape (n_rows,) or None
            Weights of the rows; None means 1.
        allowed : bool tensor or None
            As for :meth:`torch_rows`; the same for all rows of a unit.

        Returns
        -------
        losses : tensor of shape (n_units,)
            The losses; 0 for a unit without rows, or without weight.
        """
        import torch

        mass = torch.ones_like(raw[:, 0], requires_grad=False) if weight is None else weight
        losses = [raw.new_zeros(())] * n_units
        for unit in units[mass > 0].unique().tolist():
            rows = torch.nonzero((units == unit) & (mass > 0))[:, 0]
            more = (None if values is None else values[rows] for values in (weight, allowed))
            losses[unit] = self.torch_value(raw[rows], y[rows], *more)
        return torch.stack(losses)

    def row_inputs(self, X: Any, tasks: Any, classes: Any) -> Any:
        """Return what the loss has to know of each row beside its raw predictions and its target.

        A net asks once, at the start of a fit, and hands the rows of a batch to :meth:`torch_rows` as `given`.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_rows, n_features)
            The features of `fit`, as the user gave them.
        tasks : ndarray of shape (n_rows,) or None
            Task labels of the rows.
        classes : TaskClasses
            The classes: all `labels`, sorted, and which of them each column of y has, `of_column`.

        Returns
        -------
        given : float ndarray of shape (n_rows, n_columns, n_given) or None
            What is to be known. None: nothing.
        """
        return None

    def set_progress(self, progress: float) -> None:
        """Say how much of the training is done, from 0 to 1, for losses that change on the way.

        A net calls it at the start of each epoch.

        Parameters
        ----------
        progress : float
            Share of the epochs that are done.
        """

    def _no_form(self, purpose):
        return TypeError(f"{type(self).__name__} has no form for {purpose}.")


class ClassificationLoss(Loss):
    """Base of losses for classes.

    A task with two classes has one raw prediction f, standing for the scores 0 and f; more classes have one each.
    """

    targets = "classes"

    def prepare(self, y: Any, weight: Any = None, n_classes: Any = None) -> Any:
        """See :class:`Loss`."""
        if n_classes is not None and len(y) and not 0 <= np.min(y) <= np.max(y) < n_classes:
            raise ValueError(
                f"'y' must hold the index of a class, from 0 to {n_classes - 1}. Got {np.min(y):g} to {np.max(y):g}."
            )
        loss = super().prepare(y, weight, n_classes)
        loss._n_classes = n_classes
        return loss

    def n_outputs_for(self, n_classes=None):
        """One for two classes, otherwise one for each."""
        return 1 if n_classes == 2 else n_classes


class RegressionLoss(Loss):
    """Base of losses for numbers."""

    targets = "numbers"


def weighted_mean(rows, weight):
    """Weighted mean of a tensor, zero where there is no weight at all."""
    if weight is None:
        return rows.mean() if len(rows) else rows.sum()
    total = weight.sum()
    return (rows * weight).sum() / total.clamp_min(1e-30)
