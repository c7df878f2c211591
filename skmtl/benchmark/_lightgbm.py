"""LightGBM in four forms. Its scikit-learn interface is left out: it differs between releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from scipy.stats import loguniform

from skmtl._optional import import_optional
from skmtl.benchmark._models import LEARNING_RATE, MAX_ROUNDS, PATIENCE, EarlyStopped, as_probabilities, with_task
from skmtl.benchmark._protocol import Table

_SPACE = {
    "learning_rate": loguniform(0.03, 0.3),
    "num_leaves": [4, 8, 15, 31, 63],
    "min_data_in_leaf": [2, 5, 10, 20, 50],
    "lambda_l2": [0.0, 0.1, 1.0, 10.0],
    "feature_fraction": [0.5, 0.75, 1.0],
}


class _LightGBM(EarlyStopped):
    """What the forms have in common."""

    needs: ClassVar = {"lightgbm": "lightgbm", "pandas": "data"}
    space: ClassVar[Mapping[str, Any]] = _SPACE
    tree: ClassVar[dict[str, float]]  # the size of a tree

    def settings_for(self, table: Table, tree: Mapping[str, float] | None = None) -> dict[str, Any]:
        """Parameters of a booster."""
        if table.n_classes is None:
            problem: dict[str, Any] = {"objective": "regression", "metric": "l2"}
        elif table.n_classes == 2:
            problem = {"objective": "binary", "metric": "binary_logloss"}
        else:
            problem = {"objective": "multiclass", "metric": "multi_logloss", "num_class": table.n_classes}
        return {
            **problem,
            "learning_rate": LEARNING_RATE,
            "num_threads": self.n_threads,
            "seed": self.seed,
            "verbosity": -1,
            **(self.tree if tree is None else tree),
            **self.params,
        }


class LightGBMTask(_LightGBM):
    """LightGBM with the task as a category."""

    label = "LightGBM, task as category"
    tree: ClassVar = {"num_leaves": 15, "min_data_in_leaf": 20}

    def search(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds."""
        lightgbm = import_optional("lightgbm", extra="lightgbm")
        self.labels, self.n_classes = np.unique(table.tasks), table.n_classes
        settings = self.settings_for(table)
        X = with_task(table.X, table.tasks, self.labels)
        train = lightgbm.Dataset(X[~validation], table.y[~validation], params=settings)
        self.model = lightgbm.train(
            settings,
            train,
            num_boost_round=MAX_ROUNDS,
            valid_sets=[train.create_valid(X[validation], table.y[validation])],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        )

    def refit(self, table: Table) -> None:
        """Fit to all rows for the rounds found."""
        lightgbm = import_optional("lightgbm", extra="lightgbm")
        settings = self.settings_for(table)
        everything = lightgbm.Dataset(with_task(table.X, table.tasks, self.labels), table.y, params=settings)
        self.model = lightgbm.train(settings, everything, num_boost_round=self.model.best_iteration)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        values = self.model.predict(with_task(X, tasks, self.labels), num_threads=self.n_threads)
        return as_probabilities(values, self.n_classes)


class LightGBMTamed(LightGBMTask):
    """The same, held back where classes are many: without, rare classes make it diverge on some splits."""

    label = "LightGBM, task as category, tamed"
    tree: ClassVar = {**LightGBMTask.tree, "lambda_l2": 1.0, "min_sum_hessian_in_leaf": 1.0}


class LightGBMPerTask(_LightGBM):
    """One LightGBM model per task, with rounds in common.

    The number of rounds is the same for all tasks, by the error over all validation rows: a task alone has so few that
    it would choose by chance. Trees are small, as a task has few rows.
    """

    label = "LightGBM per task"
    tree: ClassVar = {"num_leaves": 4, "min_data_in_leaf": 5}
    space: ClassVar = {**_SPACE, "num_leaves": [2, 3, 4, 8, 15]}

    def search(self, table: Table, validation: np.ndarray) -> None:
        """Grow the models of all tasks in step until the error over all validation rows stops falling."""
        lightgbm = import_optional("lightgbm", extra="lightgbm")
        self.n_classes = table.n_classes
        settings = self.settings_for(table)
        self.models, growing = {}, []
        for task in np.unique(table.tasks):
            own = np.flatnonzero(table.tasks == task)
            held_out = own[validation[own]]
            rows = own[~validation[own]]
            train = lightgbm.Dataset(table.X.iloc[rows], table.y[rows], params=settings)
            booster = self.models[task] = lightgbm.Booster(settings, train)
            if len(held_out):
                booster.add_valid(train.create_valid(table.X.iloc[held_out], table.y[held_out]), "validation")
            growing.append((booster, len(held_out)))
        best, self.n_rounds, n_rounds = np.inf, 1, 0
        while n_rounds < min(self.n_rounds + PATIENCE, MAX_ROUNDS):
            n_rounds += 1
            loss = 0.0
            for booster, n_held_out in growing:
                booster.update()
                if n_held_out:
                    loss += n_held_out * booster.eval_valid()[0][2]  # the metric is a mean over rows
            if loss < best:
                best, self.n_rounds = loss, n_rounds

    def refit(self, table: Table) -> None:
        """Fit the model of each task to all its rows for the rounds found."""
        lightgbm = import_optional("lightgbm", extra="lightgbm")
        settings = self.settings_for(table)
        for task in self.models:
            rows = np.flatnonzero(table.tasks == task)
            own = lightgbm.Dataset(table.X.iloc[rows], table.y[rows], params=settings)
            self.models[task] = lightgbm.train(settings, own, num_boost_round=self.n_rounds)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        predictions = np.empty(len(tasks) if self.n_classes in {None, 2} else (len(tasks), self.n_classes))
        for task in np.unique(tasks):
            rows = np.flatnonzero(tasks == task)
            predictions[rows] = self.models[task].predict(
                X.iloc[rows], num_iteration=self.n_rounds, num_threads=self.n_threads
            )
        return as_probabilities(predictions, self.n_classes)


class LightGBMOwnRounds(_LightGBM):
    """One LightGBM model per task, with rounds of its own.

    From 500 rows (train and validation) a task gets 15 leaves of at least 20 rows, below 4 leaves of at least 5. Tasks
    of 50 rows or more stop early on their own validation rows, smaller ones get 30 rounds. Probabilities of a task of n
    rows are averaged with the class frequencies of all tasks, which weigh as much as one row of n + 1: a task may lack
    a class. A task with a single class gets that average alone.
    """

    label = "LightGBM per task, rounds of its own"
    tree: ClassVar = {"num_leaves": 15}
    small_tree: ClassVar = {"num_leaves": 4, "min_data_in_leaf": 5}
    space: ClassVar = LightGBMPerTask.space
    max_rounds: ClassVar[int] = 1000

    def search(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds of each task."""
        self.n_classes = table.n_classes
        self.frequencies = self._frequencies(table.y[~validation])
        self.models, self.n_rounds = {}, {}
        for task in np.unique(table.tasks):
            own = np.flatnonzero(table.tasks == task)
            mask = validation[own]
            if len(own) >= 50:
                self.models[task], self.n_rounds[task] = self._train(table, own[~mask], self.max_rounds, own[mask])
            else:
                self.models[task], self.n_rounds[task] = self._train(table, own[~mask], 30)

    def refit(self, table: Table) -> None:
        """Fit the model of each task to all its rows for the rounds found."""
        self.frequencies = self._frequencies(table.y)
        for task, n_rounds in self.n_rounds.items():
            self.models[task], _ = self._train(table, np.flatnonzero(table.tasks == task), n_rounds)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        out = np.empty(len(tasks) if self.n_classes in {None, 2} else (len(tasks), self.n_classes))
        for task in np.unique(tasks):
            rows = np.flatnonzero(tasks == task)
            model, n_rows = self.models[task]
            if not isinstance(model, int):
                own = model.predict(X.iloc[rows], num_threads=self.n_threads)
            else:
                own = float(model) if self.n_classes == 2 else np.arange(len(self.frequencies)) == model
            if self.n_classes is not None:
                own = (n_rows * own + self.frequencies) / (n_rows + 1)
            out[rows] = own
        return as_probabilities(out, self.n_classes)

    def _train(self, table, rows, n_rounds, stop_on=()):
        """Return the model, or the only class, with its number of rows; and the number of rounds found."""
        lightgbm = import_optional("lightgbm", extra="lightgbm")
        if self.n_classes is not None and len(np.unique(table.y[rows])) == 1:
            return (int(table.y[rows[0]]), len(rows)), n_rounds
        settings = self.settings_for(table, self.tree if len(rows) + len(stop_on) >= 500 else self.small_tree)
        dataset = lightgbm.Dataset(table.X.iloc[rows], table.y[rows], params=settings)
        options: dict[str, Any] = {}
        if len(stop_on):
            options["valid_sets"] = [dataset.create_valid(table.X.iloc[stop_on], table.y[stop_on])]
            options["callbacks"] = [lightgbm.early_stopping(PATIENCE, verbose=False)]
        booster = lightgbm.train(settings, dataset, num_boost_round=n_rounds, **options)
        return (booster, len(rows)), booster.best_iteration or n_rounds

    def _frequencies(self, y):
        """Return the frequency of each class, of the second one if there are two; None for a regression."""
        if self.n_classes is None:
            return None
        shares = np.bincount(y, minlength=self.n_classes) / len(y)
        return shares if self.n_classes > 2 else shares[1]
