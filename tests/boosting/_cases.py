"""The instances for which the laws of the boosters are tested: estimators, and the kinds of tables they learn from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor

#: Few rounds of every block, small enough trees for a table of 150 rows, and no chance at work.
SHORT: dict[str, Any] = {
    "schedule": {"shared": 6, "partition": 4, "specific": 3},
    "max_leaf_nodes": {"shared": 6, "partition": 4, "specific": 3},
    "min_samples_leaf": 4,
    "max_features": 1.0,
    "random_strength": 0.0,
    "early_stopping": False,
    "random_state": 0,
}


class Table(NamedTuple):
    """What is passed to ``fit``."""

    X: Any
    y: np.ndarray
    tasks: np.ndarray | None = None
    sample_weight: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        return len(self.y)

    def take(self, rows: Any) -> Table:
        """The same table with some of its rows, in the order of `rows`."""
        X = self.X.iloc[rows] if hasattr(self.X, "iloc") else self.X[rows]
        tasks = None if self.tasks is None else self.tasks[rows]
        weight = None if self.sample_weight is None else self.sample_weight[rows]
        return Table(X, self.y[rows], tasks, weight)

    @property
    def where(self) -> dict[str, Any]:
        """What ``predict`` takes beside X."""
        return {"tasks": self.tasks}

    @property
    def known(self) -> dict[str, Any]:
        """What ``fit`` takes beside X and y."""
        return {"tasks": self.tasks, "sample_weight": self.sample_weight}


class Case(NamedTuple):
    """An estimator and a kind of table."""

    name: str
    cls: Callable[..., Any]
    params: dict[str, Any]
    build: Callable[[np.random.Generator], Table]
    chance: bool = False  # whether random numbers decide about rows or features

    def make(self, **params: Any) -> Any:
        return self.cls(**{**SHORT, **self.params, **params})

    def table(self, seed: int = 0) -> Table:
        return self.build(np.random.default_rng(seed))

    def fit(self, table: Table | None = None, **params: Any) -> Any:
        table = self.table() if table is None else table
        return self.make(**params).fit(table.X, table.y, **table.known)


def answer(model: Any, X: Any, tasks: Any = None) -> np.ndarray:
    """All that a model says: predictions of a regressor, probabilities of a classifier."""
    if not hasattr(model, "predict_proba"):
        return model.predict(X, tasks=tasks)
    probabilities = model.predict_proba(X, tasks=tasks)
    return np.concatenate(probabilities, axis=1) if isinstance(probabilities, list) else probabilities


def _features(rng, n=150, n_tasks=4):
    """Continuous features; tasks of unequal size, in random order; a raw prediction in which task 3 stands apart."""
    X = rng.normal(size=(n, 4))
    codes = np.concatenate([np.arange(n_tasks).repeat(3), rng.choice(n_tasks, n - 3 * n_tasks, p=_shares(n_tasks))])
    rng.shuffle(codes)
    sign = np.where(codes == n_tasks - 1, -1.0, 1.0)
    raw = sign * (X[:, 0] + 0.5 * (X[:, 1] > 0)) + 0.4 * codes + 0.3 * rng.normal(size=n)
    names = np.array([f"t{code}" for code in range(n_tasks)])
    return X, raw, names[codes], codes


def _shares(n_tasks):
    shares = np.arange(1.0, n_tasks + 1.0)[::-1]
    return shares / shares.sum()


def _regression(rng):
    X, raw, tasks, _ = _features(rng)
    return Table(X, raw, tasks)


def _weighted(rng):
    X, raw, tasks, _ = _features(rng)
    return Table(X, raw, tasks, rng.integers(1, 4, len(raw)).astype(float))


def _two_tasks(rng):
    X, raw, tasks, _ = _features(rng, n_tasks=2)
    return Table(X, raw, tasks)


def _counts(rng):
    X, raw, tasks, _ = _features(rng)
    return Table(X, rng.poisson(np.exp(0.5 * raw)).astype(float), tasks)


def _positive(rng):
    X, raw, tasks, _ = _features(rng)
    return Table(X, np.exp(0.5 * raw), tasks)


def _binary(rng):
    X, raw, tasks, _ = _features(rng)
    return Table(X, np.where(raw > 0.6, "yes", "no"), tasks)


def _binary_weighted(rng):
    table = _binary(rng)
    return table._replace(sample_weight=rng.integers(1, 4, table.n_rows).astype(float))


def _classes(rng):
    """Twelve classes, of which no task has all and the last task has only one."""
    X, raw, tasks, codes = _features(rng, n=240)
    y = np.digitize(raw + X[:, 2], np.linspace(-1.5, 2.5, 7)) + 2 * codes
    y[codes == 3] = 11
    y = np.minimum(y, 11)
    return Table(X, y, tasks)


def _columns(rng):
    """One target column per task; a third of the targets not observed."""
    X, raw, _, _ = _features(rng)
    y = np.column_stack([raw, raw + X[:, 2], -raw])
    y[rng.random(y.shape) < 0.33] = np.nan
    return Table(X, y)


def _columns_and_tasks(rng):
    X, raw, tasks, _ = _features(rng)
    y = np.column_stack([raw, X[:, 2] - raw])
    y[rng.random(y.shape) < 0.2] = np.nan
    return Table(X, y, tasks)


def _class_columns(rng):
    table = _columns(rng)
    y = np.where(np.isnan(table.y), np.nan, np.clip(np.round(table.y), 0, 2))
    return table._replace(y=y)


def _single(rng):
    X, raw, _, _ = _features(rng)
    return Table(X, raw)


def _gaps(rng):
    X, raw, tasks, _ = _features(rng)
    X[rng.random(X.shape) < 0.2] = np.nan
    X[:, 3] = np.nan
    return Table(X, raw, tasks)


def _categories(rng):
    pd = pytest.importorskip("pandas")
    X, raw, tasks, _ = _features(rng)
    names = np.array(["ash", "birch", "cedar", "date", "elm"])[rng.integers(0, 5, len(raw))]
    raw = raw + (names == "cedar") - (names == "elm")
    names = np.where(rng.random(len(raw)) < 0.1, None, names)
    return Table(pd.DataFrame(X[:, :2], columns=["a", "b"]).assign(tree=pd.Categorical(names)), raw, tasks)


CASES = [
    Case("regression", RMTGBRegressor, {}, _regression),
    Case("weighted", RMTGBRegressor, {}, _weighted),
    Case("two_tasks", RMTGBRegressor, {}, _two_tasks),
    Case("absolute_error", RMTGBRegressor, {"loss": "absolute_error"}, _regression),
    Case("quantile", RMTGBRegressor, {"loss": "quantile", "quantile": 0.8}, _regression),
    Case("huber", RMTGBRegressor, {"loss": "huber"}, _regression),
    Case("poisson", RMTGBRegressor, {"loss": "poisson"}, _counts),
    Case("gamma", RMTGBRegressor, {"loss": "gamma"}, _positive),
    Case("columns", RMTGBRegressor, {}, _columns),
    Case("columns_and_tasks", RMTGBRegressor, {}, _columns_and_tasks),
    Case("single", RMTGBRegressor, {}, _single),
    Case("gaps", RMTGBRegressor, {}, _gaps),
    Case("categories", RMTGBRegressor, {}, _categories),
    Case(
        "constrained", RMTGBRegressor, {"monotonic_cst": [1, 0, -1, 0], "interaction_cst": [[0, 1], [2]]}, _regression
    ),
    Case("plain", RMTGBRegressor, {"task_features": False, "init": "zero"}, _regression),
    Case("few_bins", RMTGBRegressor, {"max_bins": 6, "init": "mean"}, _weighted),
    Case("random_start", RMTGBRegressor, {"theta_init": "random"}, _regression, chance=True),
    Case("noisy", RMTGBRegressor, {"random_strength": 3.0}, _weighted, chance=True),
    Case("drawn", RMTGBRegressor, {"subsample": 0.6, "max_features": 0.5}, _regression, chance=True),
    Case("stopping", RMTGBRegressor, {"early_stopping": True, "n_iter_no_change": 2}, _regression, chance=True),
    Case("binary", RMTGBClassifier, {}, _binary),
    Case("binary_weighted", RMTGBClassifier, {"class_weight": "balanced"}, _binary_weighted),
    Case("classes", RMTGBClassifier, {}, _classes),
    Case("shared_classes", RMTGBClassifier, {"unseen_classes": "shared", "init": "mean"}, _classes),
    Case("class_columns", RMTGBClassifier, {}, _class_columns),
    Case("classes_stopping", RMTGBClassifier, {"early_stopping": True, "n_iter_no_change": 2}, _classes, chance=True),
]


def over(cases: list[Case]) -> Any:
    """Parametrize a test by `case`."""
    return pytest.mark.parametrize("case", cases, ids=[case.name for case in cases])


every_case = over(CASES)
#: Cases in which no random number decides about rows or features, so that the order of rows and tasks is no matter.
certain_case = over([case for case in CASES if not case.chance])
_WITHOUT_LABELS = {"columns", "single", "class_columns"}
#: Of these, the cases with labels of tasks.
labelled_case = over([case for case in CASES if not case.chance and case.name not in _WITHOUT_LABELS])
