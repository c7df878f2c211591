"""What a fitted classifier says of rows, as logits for another model to learn from."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import check_is_fitted

#: Probabilities below this, divided by the number of classes, count as this: a forest says zero, of which there is no
#: logarithm.
_LEAST_PROBABILITY = 1e-3


def teacher_logits(teacher: Any, X: Any, tasks: Any, labels: np.ndarray, of_column: np.ndarray) -> np.ndarray:
    """Logits of a teacher for rows.

    Parameters
    ----------
    teacher : classifier
        Fitted classifier of this library or of scikit-learn.
    X : array-like or DataFrame of shape (n_rows, n_features)
        Features, as the teacher takes them.
    tasks : ndarray of shape (n_rows,) or None
        Task labels, for a teacher that takes them.
    labels : ndarray of shape (n_classes,)
        Classes of the student, sorted.
    of_column : ndarray of bool of shape (n_columns, n_classes)
        Which of them each column of y has.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_columns, n_classes)
        Logarithms of the teacher's probabilities, less their mean over the classes of the row; for a teacher without
        probabilities its decision function. Zero for classes that the column does not have.
    """
    check_teacher(teacher)
    check_is_fitted(teacher)
    classes = teacher.classes_ if isinstance(teacher.classes_, list) else [teacher.classes_]
    if len(classes) != len(of_column):
        raise ValueError(
            f"'teacher' must have been fitted to as many columns of y as there are now, {len(of_column)}. "
            f"{type(teacher).__name__} has {len(classes)}."
        )
    found = _answers(teacher, X, tasks)
    logits = np.zeros((len(found[0]), len(of_column), len(labels)))
    for j, (theirs, values) in enumerate(zip(classes, found, strict=True)):
        own = labels[of_column[j]]
        order = np.argsort(theirs, kind="stable")
        if not np.array_equal(np.asarray(theirs)[order], own):
            raise ValueError(
                f"'teacher' must know the classes of y, and no others. y has {own[:5].tolist()} ({len(own)} in all), "
                f"{type(teacher).__name__} has {np.asarray(theirs)[:5].tolist()} ({len(theirs)} in all). Fit the "
                "teacher to the same labels."
            )
        logits[:, j, of_column[j]] = values[:, order]
    return logits


def check_teacher(teacher):
    """Raise TypeError unless `teacher` is a classifier that can be asked for the logits of classes."""
    able = any(hasattr(teacher, method) for method in ("predict_proba", "decision_function"))
    if isinstance(teacher, type) or not able or not is_classifier(teacher):
        raise TypeError(
            "'teacher' must be a fitted classifier with 'predict_proba' or 'decision_function', such as "
            f"RMTGBClassifier().fit(X, y). Got {teacher!r}."
        )


def _answers(teacher, X, tasks):
    """Logits for every column of y, (n_rows, n_classes of the column) each."""
    if hasattr(teacher, "predict_proba"):
        probabilities = _ask(teacher, "predict_proba", X, tasks)
        columns = probabilities if isinstance(probabilities, list) else [probabilities]
        return [_centred_logs(np.asarray(p, dtype=np.float64)) for p in columns]
    scores = np.asarray(_ask(teacher, "decision_function", X, tasks), dtype=np.float64)
    if scores.ndim == 1:
        scores = np.column_stack([-0.5 * scores, 0.5 * scores])
    if scores.shape[1] != len(teacher.classes_):
        raise ValueError(
            f"'teacher' must give a score for each of its {len(teacher.classes_)} classes. The decision function of "
            f"{type(teacher).__name__} has {scores.shape[1]} columns."
        )
    return [scores]


def _centred_logs(probabilities):
    n_classes = probabilities.shape[1]
    logs = np.log(np.maximum(probabilities, _LEAST_PROBABILITY / n_classes))
    return logs - logs.mean(axis=1, keepdims=True)


def _ask(teacher, method, X, tasks):
    """Call a method of the teacher, with the tasks if it takes them and does not find them in X itself."""
    if tasks is None or getattr(teacher, "task_column", None) is not None or not _takes_tasks(teacher, method):
        return getattr(teacher, method)(X)
    return getattr(teacher, method)(X, tasks=tasks)


def _takes_tasks(teacher, method):
    if "tasks" in inspect.signature(getattr(teacher, method)).parameters:
        return True
    return bool(get_routing_for_object(teacher).consumes(method, {"tasks"}))
