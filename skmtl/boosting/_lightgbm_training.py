"""LightGBM trained with a loss object. Knows nothing of scikit-learn."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._optional import import_optional


class Table(NamedTuple):
    """Rows to learn from: one per pair of a row of X and an observed target."""

    X: np.ndarray  # float64 (n_rows, n_features); categories are codes, missing values NaN
    y: np.ndarray  # float64 (n_rows,)
    weight: np.ndarray | None
    units: np.ndarray  # intp (n_rows,)

    def take(self, mask):
        """Some of the rows."""
        weight = None if self.weight is None else self.weight[mask]
        return Table(self.X[mask], self.y[mask], weight, self.units[mask])


class Fitted(NamedTuple):
    """A booster and what its raw predictions need."""

    booster: Any
    loss: Any  # prepared
    start: np.ndarray  # (n_outputs,)
    n_rounds: int
    validation_loss: np.ndarray

    def raw(self, X, n_threads):
        """Raw predictions, (n_rows, n_outputs)."""
        if self.n_rounds == 0:  # which LightGBM would take for all rounds
            return np.tile(self.start, (len(X), 1))
        trees = self.booster.predict(X, raw_score=True, num_iteration=self.n_rounds, num_threads=n_threads)
        return self.start + trees.reshape(len(X), -1)


class Objective:
    """A loss as LightGBM asks for it: from raw predictions to gradients and Hessians.

    LightGBM gives every leaf minus the sum of the gradients over the sum of the Hessians. Losses whose best leaf is a
    quantile of its residuals have no second derivative, but their mean over random residuals has one: the sum of the
    two slopes times the density at zero, 1 / (2 m) for Laplace residuals with a mean size m. Dividing by it makes a
    Newton step, whatever the unit of y; then the weight of the row stands for the second derivative.

    Parameters
    ----------
    loss : Loss
        Prepared loss.
    table : Table
        Rows.
    """

    def __init__(self, loss, table):
        self.loss = loss.bind(table.units)
        self.table = table
        self.gradient = np.empty((len(table.y), loss.n_outputs))
        self.hessian = np.empty_like(self.gradient)
        if self.loss.line_search is not None:
            slopes = np.empty((2, 1))
            self.loss.derivatives(np.zeros(2), np.array([[1.0], [-1.0]]), None, slopes, np.empty((2, 1)))
            self.slopes = slopes[0, 0] - slopes[1, 0]

    def __call__(self, raw, _):
        """Gradient and Hessian of every row, in the shape of `raw`."""
        table, shape = self.table, raw.shape
        raw = np.ascontiguousarray(raw, dtype=np.float64).reshape(self.gradient.shape)
        self.loss.derivatives(table.y, raw, table.weight, self.gradient, self.hessian)
        if self.loss.line_search is not None:
            self.gradient *= 2.0 / self.slopes * np.average(np.abs(table.y - raw[:, 0]), weights=table.weight)
        return self.gradient.reshape(shape), self.hessian.reshape(shape)

    def mean_loss(self, raw, _=None):
        """Loss as a metric of LightGBM: its name, its value, and that a greater value is not better."""
        raw = np.ascontiguousarray(raw, dtype=np.float64).reshape(self.gradient.shape)
        return "loss", self.loss.mean_loss(self.table.y, raw, self.table.weight), False


def train(table: Table, held_out: Table | None, categorical, loss, params, n_rounds, patience) -> Fitted:
    """Train a booster.

    Parameters
    ----------
    table : Table
        Rows to learn from.
    held_out : Table or None
        Rows to stop by.
    categorical : list of int
        Categorical columns.
    loss : Loss
        Prepared loss.
    params : dict
        Parameters of LightGBM.
    n_rounds : int
        Number of rounds, at most.
    patience : int
        Rounds without a better held-out loss after which to stop.

    Returns
    -------
    fitted : Fitted
        The booster.
    """
    lightgbm = import_optional("lightgbm", extra="lightgbm")
    start = np.asarray(loss.initial_raw(table.y, table.weight), dtype=np.float64)
    objective = Objective(loss, table)
    settings = {**params, "objective": objective, "metric": "None", "num_class": loss.n_outputs}

    def dataset(rows, reference=None):
        # The weights are in the gradients already.
        return lightgbm.Dataset(
            rows.X,
            rows.y,
            init_score=np.tile(start, (len(rows.y), 1)) if len(start) > 1 else np.full(len(rows.y), start[0]),
            categorical_feature=categorical,
            reference=reference,
            params=settings,
            free_raw_data=False,
        )

    losses: dict = {}
    train_set = dataset(table)
    if held_out is None:
        booster = lightgbm.train(settings, train_set, num_boost_round=n_rounds)
        return Fitted(booster, loss, start, booster.current_iteration(), np.empty(0))
    stop_by = Objective(loss, held_out)
    booster = lightgbm.train(
        settings,
        train_set,
        num_boost_round=n_rounds,
        valid_sets=[dataset(held_out, train_set)],
        feval=stop_by.mean_loss,
        callbacks=[lightgbm.early_stopping(patience, verbose=False), lightgbm.record_evaluation(losses)],
    )
    before = stop_by.mean_loss(np.tile(start, (len(held_out.y), 1)))[1]
    found = np.array([before, *losses["valid_0"]["loss"]])
    return Fitted(booster, loss, start, int(np.argmin(found)), found)
