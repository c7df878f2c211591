"""What a model of the comparison is, and RMTGB. What a model needs to import, it imports when used."""

from __future__ import annotations

import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from scipy.stats import loguniform

from skmtl._optional import import_optional
from skmtl.benchmark._protocol import Table

LEARNING_RATE = 0.05
PATIENCE = 50  # rounds without gain on the validation rows
MAX_ROUNDS = 3000


class Model(ABC):
    """A model in the comparison.

    Parameters
    ----------
    n_threads : int
        Number of threads that it may use.
    seed : int
        Source of its randomness.
    params : mapping or None, default=None
        Values that replace its defaults, with names of its `space`.
    """

    label: ClassVar[str]
    needs: ClassVar[dict[str, str]] = {}  # module: extra of skmtl that installs it
    space: ClassVar[Mapping[str, Any]] = {}  # what a search may set: lists, or distributions of SciPy
    n_warm_up_rows: ClassVar[int] = 500  # at most; enough to import and load everything
    compiles: ClassVar[bool] = False  # whether its first fit compiles what later ones load

    def __init__(self, n_threads: int, seed: int, params: Mapping[str, Any] | None = None) -> None:
        self.n_threads = n_threads
        self.seed = seed
        self.params = dict(params or {})

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
    def version(cls) -> str:
        """Return the versions of what it computes with: its fits by other versions are not its fits."""
        packages = ("scikit-learn", *(module.partition(".")[0] for module in cls.needs))
        return ", ".join(f"{name} {version_of(name) or 'missing'}" for name in packages)

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


class EarlyStopped(Model):
    """A model that finds its number of rounds on the validation rows, and is then fitted again on all of them."""

    n_classes: int | None

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds, then fit to all rows."""
        self.search(table, validation)
        self.refit(table)

    @abstractmethod
    def search(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds. `predict` then uses what was fitted without the validation rows."""

    @abstractmethod
    def refit(self, table: Table) -> None:
        """Fit to all rows of the same table for the rounds found."""


class SkmtlModel(Model):
    """An estimator of skmtl, which holds out rows by itself."""

    n_classes: int | None
    model: Any

    @abstractmethod
    def make(self, table: Table) -> Any:
        """Return the estimator to fit."""

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Fit to all rows: the mask is not used."""
        self.n_classes = table.n_classes
        self.model = self.make(table).set_params(**self.params)
        self.model.fit(table.X, table.y, tasks=table.tasks)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        if self.n_classes is None:
            return self.model.predict(X, tasks=tasks)
        return of_all_classes(self.model.predict_proba(X, tasks=tasks), self.model.classes_, self.n_classes)


class RMTGB(SkmtlModel):
    """`RMTGBRegressor` or `RMTGBClassifier` by default: it holds out rows by itself and then fits again on all."""

    label = "RMTGB"
    n_warm_up_rows = 10_000  # kernels that only larger tables need have to be among those that are compiled
    compiles = True
    space: ClassVar = {
        "learning_rate": loguniform(0.03, 0.3),
        "max_leaf_nodes": ["auto", 4, 8, 15, 31],
        "min_samples_leaf": ["auto", 2, 5, 10, 20],
        "l2_regularization": ["auto", 0.1, 1.0, 10.0],
        "max_features": ["auto", 0.5, 1.0],
        "subsample": [0.7, 1.0],
    }

    def make(self, table: Table) -> Any:
        """Return the estimator for the problem."""
        from skmtl.boosting import RMTGBClassifier, RMTGBRegressor

        settings: dict[str, Any] = {"n_jobs": self.n_threads, "random_state": self.seed}
        if table.n_classes is None:
            return RMTGBRegressor(**settings)
        return RMTGBClassifier(unseen_classes="shared", **settings)

    def outlier_scores(self) -> dict[Any, float]:
        """Return the outlier score of each task."""
        return dict(zip(self.model.tasks_.tolist(), self.model.outlier_scores_.tolist(), strict=True))


def version_of(package: str) -> str | None:
    """Return the version of a package; None if it is not there."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def of_all_classes(probabilities: np.ndarray, classes: Any, n_classes: int) -> np.ndarray:
    """Put probabilities of the classes that training rows had in the columns of all classes."""
    out = np.zeros((len(probabilities), n_classes))
    out[:, np.asarray(classes, dtype=np.intp)] = probabilities
    return out


def as_probabilities(values: np.ndarray, n_classes: int | None) -> np.ndarray:
    """Return what a booster predicts with a column per class, where there are classes."""
    return np.column_stack([1.0 - values, values]) if n_classes == 2 else values


def with_task(X: Any, tasks: np.ndarray, labels: np.ndarray) -> Any:
    """Return the features with the task as a category."""
    pandas = import_optional("pandas", extra="data")
    return X.assign(task_label=pandas.Categorical(tasks, categories=labels))
