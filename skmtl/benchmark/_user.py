"""The user's own table and model."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import inspect
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from sklearn.base import clone, is_classifier

from skmtl._optional import import_optional
from skmtl.benchmark._models import Model, of_all_classes
from skmtl.benchmark._protocol import Table

_MAX_DISTINCT = 0.9  # texts of which a larger share is unique are names of rows, not categories
_MAX_CLASSES = 20  # whole numbers of more different values are quantities


class BadInputError(Exception):
    """What the user gave cannot be used; the message says why."""


def read_table(path: Path, task: str, target: str, problem: str) -> tuple[Table, list[str]]:
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
    remarks : list of str
        Which columns are left out, and why.
    """
    pandas = import_optional("pandas", extra="data")
    try:
        frame = pandas.read_csv(path)
    except (OSError, ValueError) as error:
        raise BadInputError(f"cannot read '{path}': {str(error).strip().rstrip('.')}.{_hint(path)}") from error
    for name, column in {"--task": task, "--target": target}.items():
        if column not in frame.columns:
            raise BadInputError(
                f"{name} is '{column}', which is not a column of '{path}'. {_names(frame, column)}{_hint(path)}"
            )
    if task == target:
        raise BadInputError(f"--task and --target are both '{task}'.")
    frame = frame.dropna(subset=[task, target]).reset_index(drop=True)
    tasks, y = frame.pop(task).to_numpy(), frame.pop(target).to_numpy()
    frame, remarks = _features(frame)
    if frame.shape[1] < 1 or len(frame) < 10:
        left_out = " ".join(["", *remarks])
        raise BadInputError(
            f"'{path}' has {len(frame)} rows with task and target, and {frame.shape[1]} features; at least 10 rows "
            f"and one feature are needed.{left_out}"
        )
    sizes = np.unique(tasks, return_counts=True)[1]
    if sizes.max() < 3:
        raise BadInputError(
            f"no task has three rows, of which one could be for the test: '{task}' has {len(sizes)} different labels "
            f"in {len(tasks)} rows. Is it the column with the tasks?"
        )
    numeric = y.dtype.kind in "iuf"
    whole = numeric and bool(np.all(y == np.floor(y)))
    if problem == "auto":
        problem = "classification" if not numeric or (whole and len(np.unique(y)) <= _MAX_CLASSES) else "regression"
    if problem == "classification":
        classes, codes = np.unique(y.astype(str) if not numeric else y, return_inverse=True)
        if len(classes) < 2:
            raise BadInputError(f"the target '{target}' has a single class, {classes[0]!r}.")
        return Table(frame, codes, tasks, len(classes)), remarks
    if not numeric:
        raise BadInputError(f"the target '{target}' is text, but --problem is regression.")
    if not np.all(np.isfinite(y)):
        raise BadInputError(f"the target '{target}' has infinite values, in {int(np.sum(~np.isfinite(y)))} rows.")
    if np.all(y == y[0]):
        raise BadInputError(f"the target '{target}' is {y[0]} in every row: there is nothing to learn.")
    return Table(frame, y.astype(np.float64), tasks), remarks


def _features(frame: Any) -> tuple[Any, list[str]]:
    """Return features that every model can read, and what had to be left out for that."""
    remarks = []
    for name in frame.columns:
        column = frame[name]
        if column.isna().all():
            remarks.append(f"Column '{name}' is left out: it has no values.")
        elif column.dtype.kind == "b":
            frame = frame.assign(**{name: column.astype(np.int8)})
            continue
        elif column.dtype.kind in "iuf":
            continue
        elif column.nunique() > _MAX_DISTINCT * column.notna().sum():
            remarks.append(f"Column '{name}' is left out: its texts differ in nearly every row, so it names the rows.")
        else:
            texts = column.where(column.isna(), column.astype(str))  # True beside a gap is no text yet
            frame = frame.assign(**{name: texts.astype("category")})
            continue
        frame = frame.drop(columns=name)
    return frame, remarks


def _names(frame: Any, column: str) -> str:
    """Return what could have been meant."""
    known = list(map(str, frame.columns))
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(column.lower(), lower, n=1)
    shown = ", ".join(map(repr, known[:8])) + (f" and {len(known) - 8} more" if len(known) > 8 else "")
    return f"Did you mean '{lower[near[0]]}'?" if near else f"It has {shown}."


def _hint(path: Path) -> str:
    """Return what may be wrong with a file that has another separator than the comma."""
    try:
        with path.open(encoding="utf-8") as file:
            head = file.readline()
    except (OSError, ValueError):
        return ""
    for sign, name in {";": "semicolons", "\t": "tabs"}.items():
        if head.count(sign) > head.count(","):
            return f" The file seems to be separated by {name}; commas are needed."
    return ""


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
        module = importlib.import_module(module_name)
        factory = getattr(module, name)
    except (ImportError, AttributeError) as error:
        raise BadInputError(f"--model {text} cannot be loaded: {error}") from error
    if not callable(factory):
        raise BadInputError(f"--model {text} must be a function or a class that returns an estimator.")
    try:
        estimator = factory()
        takes = inspect.signature(estimator.fit).parameters
    except Exception as error:  # whatever the user's code raises
        what = "gives no estimator" if isinstance(error, AttributeError) else "cannot be called"
        raise BadInputError(f"--model {text} {what}: {type(error).__name__}: {error}") from error
    if "tasks" not in takes and all(value.kind is not value.VAR_KEYWORD for value in takes.values()):
        raise BadInputError(
            f"--model {text}: the `fit` of {type(estimator).__name__} takes no `tasks`. Estimators that know no tasks "
            "can be wrapped, as in skmtl.baselines.TaskAsFeatureRegressor(estimator)."
        )
    space = getattr(factory, "space", {})
    if not isinstance(space, dict):
        raise BadInputError(f"--model {text} must have a dict as its attribute 'space'; got {type(space).__name__}.")
    path = getattr(module, "__file__", None)
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16] if path else "unknown"
    members = {"factory": staticmethod(factory), "label": text, "space": space, "digest": digest}
    return type("UserModel", (UserModel,), members)


class UserModel(Model):
    """An estimator of the user."""

    label: ClassVar[str]
    factory: ClassVar[Any]
    digest: ClassVar[str]

    @classmethod
    def version(cls) -> str:
        """Return a digest of the file with the factory: fits of another form of the model are not its fits."""
        return f"{super().version()}, {cls.digest}"

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
