"""The models that are compared. Each gets the same rows and threads; what it needs to import, it imports when used."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from skmtl._optional import import_optional
from skmtl.benchmark._protocol import Table

PATIENCE = 50  # rounds without gain on the validation rows
MAX_ROUNDS = 2000


class Model(ABC):
    """A model in the comparison.

    Parameters
    ----------
    n_threads : int
        Number of threads that it may use.
    seed : int
        Source of its randomness.
    """

    label: ClassVar[str]
    needs: ClassVar[dict[str, str]] = {}  # module: extra of skmtl that installs it
    n_warm_up_rows: ClassVar[int] = 500  # at most; enough to import and load everything

    def __init__(self, n_threads: int, seed: int) -> None:
        self.n_threads = n_threads
        self.seed = seed

    @classmethod
    def reason_missing(cls) -> str | None:
        """Return why the model cannot be used here, or None."""
        for module, extra in cls.needs.items():
            try:
                import_optional(module, extra=extra)
            except (ImportError, OSError) as error:  # OSError: a shared library that the package needs is not there
                return str(error)
        return None

    @classmethod
    def reason_unsupported(cls, table: Table) -> str | None:
        """Return why the model is not for this table, or None."""
        return None

    @abstractmethod
    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Fit to the rows of `table`; where the mask `validation` is True, they may serve to choose settings."""

    @abstractmethod
    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions; for classes an array of probabilities with a column for each."""

    def outlier_scores(self) -> dict[Any, float]:
        """Return the outlier score of each task; nothing if the model has none."""
        return {}


class RMTGB(Model):
    """`RMTGBRegressor` or `RMTGBClassifier` by default: it holds out rows by itself and then fits again on all."""

    label = "RMTGB"
    n_warm_up_rows = 10_000  # kernels that only larger tables need have to be among those that are compiled

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Fit to all rows: the mask is not used."""
        from skmtl.boosting import RMTGBClassifier, RMTGBRegressor

        self.n_classes = table.n_classes
        settings: dict[str, Any] = {"n_jobs": self.n_threads, "random_state": self.seed}
        if table.n_classes is None:
            self.model: Any = RMTGBRegressor(**settings)
        else:
            self.model = RMTGBClassifier(unseen_classes="shared", **settings)
        self.model.fit(table.X, table.y, tasks=table.tasks)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        if self.n_classes is None:
            return self.model.predict(X, tasks=tasks)
        return of_all_classes(self.model.predict_proba(X, tasks=tasks), self.model.classes_, self.n_classes)

    def outlier_scores(self) -> dict[Any, float]:
        """Return the outlier score of each task."""
        return dict(zip(self.model.tasks_.tolist(), self.model.outlier_scores_.tolist(), strict=True))


def of_all_classes(probabilities: np.ndarray, classes: Any, n_classes: int) -> np.ndarray:
    """Put probabilities of the classes that training rows had in the columns of all classes."""
    out = np.zeros((len(probabilities), n_classes))
    out[:, np.asarray(classes, dtype=np.intp)] = probabilities
    return out


def as_probabilities(values: np.ndarray, n_classes: int | None) -> np.ndarray:
    """Return what a booster predicts with a column per class, where there are classes."""
    return np.column_stack([1.0 - values, values]) if n_classes == 2 else values


class _LightGBM(Model):
    """What the two forms of LightGBM share. Its scikit-learn interface is left out: it differs between releases."""

    needs: ClassVar = {"lightgbm": "lightgbm", "pandas": "data"}
    tree: ClassVar[dict[str, int]]  # the size of a tree

    def settings_for(self, table: Table) -> dict[str, Any]:
        """Parameters of every booster."""
        if table.n_classes is None:
            problem: dict[str, Any] = {"objective": "regression", "metric": "l2"}
        elif table.n_classes == 2:
            problem = {"objective": "binary", "metric": "binary_logloss"}
        else:
            problem = {"objective": "multiclass", "metric": "multi_logloss", "num_class": table.n_classes}
        return {
            **problem,
            "learning_rate": 0.05,
            "num_threads": self.n_threads,
            "seed": self.seed,
            "verbosity": -1,
            **self.tree,
        }


class LightGBMTask(_LightGBM):
    """LightGBM with the task as a category: early stopping, then a second fit on all rows for the rounds found."""

    label = "LightGBM, task as category"
    tree: ClassVar = {"num_leaves": 15, "min_data_in_leaf": 20}

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds, then fit to all rows."""
        lightgbm = import_optional("lightgbm", extra="lightgbm")
        self.labels, self.n_classes = np.unique(table.tasks), table.n_classes
        settings = self.settings_for(table)
        X = self._with_task(table.X, table.tasks)
        train = lightgbm.Dataset(X[~validation], table.y[~validation], params=settings)
        search = lightgbm.train(
            settings,
            train,
            num_boost_round=MAX_ROUNDS,
            valid_sets=[train.create_valid(X[validation], table.y[validation])],
            callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
        )
        everything = lightgbm.Dataset(X, table.y, params=settings)
        self.model = lightgbm.train(settings, everything, num_boost_round=search.best_iteration)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        values = self.model.predict(self._with_task(X, tasks), num_threads=self.n_threads)
        return as_probabilities(values, self.n_classes)

    def _with_task(self, X: Any, tasks: np.ndarray) -> Any:
        pandas = import_optional("pandas", extra="data")
        return X.assign(task_label=pandas.Categorical(tasks, categories=self.labels))


class LightGBMPerTask(_LightGBM):
    """One LightGBM model per task.

    The number of rounds is the same for all tasks, by the error over all validation rows: a task alone has so few that
    it would choose by chance, and does worse. Trees are small, as a task has few rows. Then a second fit on all rows.
    """

    label = "LightGBM per task"
    tree: ClassVar = {"num_leaves": 4, "min_data_in_leaf": 5}

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds, then fit to all rows."""
        lightgbm = import_optional("lightgbm", extra="lightgbm")
        self.n_classes, self.settings = table.n_classes, self.settings_for(table)
        rows = {task: np.flatnonzero(table.tasks == task) for task in np.unique(table.tasks)}
        n_rounds = self._find_rounds(lightgbm, table, validation, rows)
        self.models = {
            task: lightgbm.train(self.settings, self._dataset(lightgbm, table, own), num_boost_round=n_rounds)
            for task, own in rows.items()
        }

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        predictions = np.empty(len(tasks) if self.n_classes in {None, 2} else (len(tasks), self.n_classes))
        for task in np.unique(tasks):
            rows = np.flatnonzero(tasks == task)
            predictions[rows] = self.models[task].predict(X.iloc[rows], num_threads=self.n_threads)
        return as_probabilities(predictions, self.n_classes)

    def _find_rounds(self, lightgbm, table, validation, rows):
        """Grow the models of all tasks in step until the error over all validation rows stops falling."""
        growing = []
        for own in rows.values():
            held_out = own[validation[own]]
            if len(held_out) == 0:
                continue
            train = self._dataset(lightgbm, table, own[~validation[own]])
            booster = lightgbm.Booster(self.settings, train)
            booster.add_valid(train.create_valid(table.X.iloc[held_out], table.y[held_out]), "validation")
            growing.append((booster, len(held_out)))
        best, best_round, n_rounds = np.inf, 1, 0
        while n_rounds < min(best_round + PATIENCE, MAX_ROUNDS):
            n_rounds += 1
            loss = 0.0
            for booster, n_held_out in growing:
                booster.update()
                loss += n_held_out * booster.eval_valid()[0][2]  # the metric is a mean over rows
            if loss < best:
                best, best_round = loss, n_rounds
        return best_round

    def _dataset(self, lightgbm, table, rows):
        return lightgbm.Dataset(table.X.iloc[rows], table.y[rows], params=self.settings)
