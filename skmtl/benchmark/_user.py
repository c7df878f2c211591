"""The user's own table and model."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone, is_classifier

from skmtl._optional import import_optional
from skmtl.benchmark._models import Model, of_all_classes
from skmtl.benchmark._protocol import Table

_MAX_CLASSES = 20  # whole numbers of more different values are quantities


class BadInputError(Exception):
    """What the user gave cannot be used; the message says why."""


def read_table(path: Path, task: str, target: str, problem: str) -> Table:
    """Read a CSV file.

    Parameters
    ----------
    path : Path
        The file, with a header; it may be compressed as pandas knows it.
    task : str
        Column with the task labels.
    target : str
        Column with the targets.
    problem : {"auto", "regression", "classification"}
        What the target is; "auto": text, or at most 20 different whole numbers, are classes.

    Returns
    -------
    table : Table
        Rows without task or target are left out; text is a category.
    """
    pandas = import_optional("pandas", extra="data")
    try:
        frame = pandas.read_csv(path)
    except (OSError, ValueError) as error:
        raise BadInputError(f"cannot read '{path}': {error}") from error
    for name, column in {"--task": task, "--target": target}.items():
        if column not in frame.columns:
            names = ", ".join(repr(str(other)) for other in frame.columns[:8])
            raise BadInputError(f"{name} is '{column}', which is not a column of '{path}'. It has {names}.")
    if task == target:
        raise BadInputError(f"--task and --target are both '{task}'.")
    frame = frame.dropna(subset=[task, target]).reset_index(drop=True)
    if frame.shape[1] < 3 or len(frame) < 10:
        raise BadInputError(
            f"'{path}' has {len(frame)} rows with task and target, and {frame.shape[1] - 2} features; at least 10 rows "
            "and one feature are needed."
        )
    tasks, y = frame.pop(task).to_numpy(), frame.pop(target).to_numpy()
    text = frame.select_dtypes(exclude="number").columns
    frame = frame.astype(dict.fromkeys(text, "category"))
    numeric = y.dtype.kind in "iuf"
    whole = numeric and bool(np.all(y == np.floor(y)))
    if problem == "auto":
        problem = "classification" if not numeric or (whole and len(np.unique(y)) <= _MAX_CLASSES) else "regression"
    if problem == "classification":
        classes, codes = np.unique(y.astype(str) if not numeric else y, return_inverse=True)
        if len(classes) < 2:
            raise BadInputError(f"the target '{target}' has a single class, {classes[0]!r}.")
        return Table(frame, codes, tasks, len(classes))
    if not numeric:
        raise BadInputError(f"the target '{target}' is text, but --problem is regression.")
    return Table(frame, y.astype(np.float64), tasks)


def read_model(text: str) -> type[Model]:
    """Return a model of the comparison from ``package.module:factory``.

    Parameters
    ----------
    text : str
        Where a function without arguments is, or a class, that returns an estimator whose `fit` and `predict` take
        `tasks`. Modules in the current folder are found.

    Returns
    -------
    model : class
        The model. It gets all training rows; the validation rows are among them. What a search may set is in the
        attribute `space` of the factory, if it has one: a dict from parameters to lists or distributions of SciPy.
    """
    module_name, colon, name = text.partition(":")
    if not colon or not module_name or not name:
        raise BadInputError(f"--model must be package.module:factory; got '{text}'.")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        factory = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        raise BadInputError(f"--model {text} cannot be loaded: {error}") from error
    if not callable(factory):
        raise BadInputError(f"--model {text} must be a function or a class that returns an estimator.")
    space = getattr(factory, "space", {})
    if not isinstance(space, dict):
        raise BadInputError(f"--model {text} must have a dict as its attribute 'space'; got {type(space).__name__}.")
    return type("UserModel", (UserModel,), {"factory": staticmethod(factory), "label": text, "space": space})


class UserModel(Model):
    """An estimator of the user."""

    label: ClassVar[str]
    factory: ClassVar[Any]

    @classmethod
    def reason_unsupported(cls, table: Table) -> str | None:
        """Refuse a table of another problem than the estimator's."""
        if is_classifier(cls.factory()) != (table.n_classes is not None):
            return f"is for {'classification' if table.n_classes is None else 'regression'}"
        return None

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Fit to all rows."""
        self.n_classes = table.n_classes
        self.model = clone(self.factory())
        names = self.model.get_params()
        given = {"random_state": self.seed, "n_jobs": self.n_threads}
        self.model.set_params(**{name: value for name, value in given.items() if names.get(name, 0) is None})
        self.model.set_params(**self.params)
        self.model.fit(table.X, table.y, tasks=table.tasks)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        if self.n_classes is None:
            return np.asarray(self.model.predict(X, tasks=tasks), dtype=np.float64)
        return of_all_classes(self.model.predict_proba(X, tasks=tasks), self.model.classes_, self.n_classes)
