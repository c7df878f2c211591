"""Synthetic classification with very many classes."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skmtl._sklearn import Interval, validate_params


@validate_params(
    {
        "n_classes": [Interval(Integral, 2, None, closed="left")],
        "n_tasks": [Interval(Integral, 1, None, closed="left")],
        "classes_per_task": [Interval(Integral, 1, None, closed="left"), None],
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_features": [Interval(Integral, 1, None, closed="left")],
        "exponent": [Interval(Real, 0, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "return_X_y_tasks": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_extreme_classification(
    n_classes: int = 1000,
    *,
    n_tasks: int = 1,
    classes_per_task: int | None = None,
    n_samples: int = 5000,
    n_features: int = 32,
    exponent: float = 1.0,
    noise: float = 0.5,
    return_X_y_tasks: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Any:
    r"""Make a classification problem with very many classes, most of them rare.

    Class k, in a random order, is drawn with a probability proportional to :math:`1 / k^a` (Zipf's law) with the
    `exponent` a. A row is the centre of its class, a random point of the unit sphere, plus normal noise. The classes
    are the same for all tasks; each task may have only some of them.

    Parameters
    ----------
    n_classes : int, default=1000
        Number of classes.
    n_tasks : int, default=1
        Number of tasks.
    classes_per_task : int or None, default=None
        Number of classes that each task has, drawn at random. None: all.
    n_samples : int, default=5000
        Number of rows of each task.
    n_features : int, default=32
        Number of features.
    exponent : float, default=1.0
        How unequal the classes are; 0 makes all equally frequent.
    noise : float, default=0.5
        Length, about, of the noise of a row, beside the length 1 of the centres.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.
    random_state : int, RandomState instance or None, default=None
        Source of the randomness; an int makes the result the same in every call.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : ndarray of shape (n_tasks * n_samples, n_features)
            Features, task after task.
        target : ndarray of shape (n_tasks * n_samples,), dtype int64
            Classes, from 0 to ``n_classes - 1``. Not all need occur.
        tasks : ndarray of shape (n_tasks * n_samples,), dtype int64
            Task of each row.
        centers : ndarray of shape (n_classes, n_features)
            The centres that were planted.
        probabilities : ndarray of shape (n_tasks, n_classes)
            Probability of each class in each task.
        DESCR : str
            Description in words.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    ValueError
        If `classes_per_task` exceeds `n_classes`.

    Examples
    --------
    >>> from skmtl.datasets import make_extreme_classification
    >>> bunch = make_extreme_classification(500, n_tasks=2, classes_per_task=100, n_samples=300, random_state=0)
    >>> bunch.data.shape, (bunch.probabilities > 0).sum(axis=1).tolist()
    ((600, 32), [100, 100])
    """
    if classes_per_task is not None and classes_per_task > n_classes:
        raise ValueError(
            f"'classes_per_task' must not exceed 'n_classes', which is {n_classes}. Got {classes_per_task}."
        )
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    centers = rng.standard_normal((n_classes, n_features))
    centers /= np.linalg.norm(centers, axis=1, keepdims=True)
    frequency = rng.permutation((1.0 + np.arange(n_classes)) ** -float(exponent))
    probabilities = np.zeros((n_tasks, n_classes))
    for task in range(n_tasks):
        own = (
            np.arange(n_classes) if classes_per_task is None else rng.choice(n_classes, classes_per_task, replace=False)
        )
        probabilities[task, own] = frequency[own] / frequency[own].sum()
    target = np.concatenate([rng.choice(n_classes, n_samples, p=p) for p in probabilities])
    data = centers[target] + noise / np.sqrt(n_features) * rng.standard_normal((len(target), n_features))
    tasks = np.repeat(np.arange(n_tasks), n_samples)
    if return_X_y_tasks:
        return data, target, tasks
    return Bunch(
        data=data,
        target=target,
        tasks=tasks,
        centers=centers,
        probabilities=probabilities,
        DESCR=(
            f"{n_tasks} tasks of {n_samples} rows and {n_features} features; {n_classes} classes round centres on the "
            f"unit sphere, with frequencies by Zipf's law, exponent {exponent:g}, and noise of length {noise:g}."
        ),
    )
