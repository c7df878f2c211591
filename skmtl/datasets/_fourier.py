"""Synthetic tasks from random smooth functions, with outlier tasks planted among them."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skmtl._sklearn import Interval, StrOptions, validate_params

_MIN_SHARE = 0.1  # of the rarer class in every task
_MAX_DRAWS = 100  # of everything
_MAX_TASK_DRAWS = 10  # of the rows and the own function of one task: no more, as the common function may be to blame


@validate_params(
    {
        "scenario": [Interval(Integral, 1, 4, closed="both")],
        "n_tasks": [Interval(Integral, 1, None, closed="left")],
        "n_outliers": [Interval(Integral, 0, None, closed="left")],
        "n_samples": [Interval(Integral, 2, None, closed="left")],
        "n_test_samples": [Interval(Integral, 0, None, closed="left")],
        "n_features": [Interval(Integral, 1, None, closed="left")],
        "problem": [StrOptions({"regression", "classification"})],
        "n_random_features": [Interval(Integral, 1, None, closed="left")],
        "length_scale": [Interval(Real, 0, None, closed="neither")],
        "common_weight": [Interval(Real, 0, 1, closed="both")],
        "return_X_y_tasks": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_fourier_tasks(
    scenario: int = 4,
    *,
    n_tasks: int = 10,
    n_outliers: int = 2,
    n_samples: int = 300,
    n_test_samples: int = 0,
    n_features: int = 5,
    problem: str = "regression",
    n_random_features: int = 500,
    length_scale: float = 0.25,
    common_weight: float = 0.9,
    return_X_y_tasks: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Any:
    r"""Make tasks whose targets are random smooth functions that the tasks share to a known degree.

    A function is a sum of random Fourier features, close to a draw from a Gaussian process:

    .. math:: f(x) = \sum_{j=1}^{N} \theta_j \sqrt{2 / N} \cos(w_j \cdot x / l + b_j)

    with :math:`\theta_j` and :math:`w_j` standard normal, :math:`b_j` uniform on :math:`[0, 2 \pi]`, and `l` equal to
    `length_scale` times `n_features`. Features are uniform on :math:`[-1, 1]`. Targets have no noise [1]_.

    Parameters
    ----------
    scenario : {1, 2, 3, 4}, default=4
        What the tasks have in common.

        - 1: everything; all tasks have the same function.
        - 2: nothing; every task has a function of its own.
        - 3: most; the function of a task is `common_weight` times a common one plus ``1 - common_weight`` times one of
          its own.
        - 4: as 3, but `n_outliers` tasks share another common function than the rest.
    n_tasks : int, default=10
        Number of tasks.
    n_outliers : int, default=2
        Number of outlier tasks in scenario 4, fewer than half of the tasks. The other scenarios have none.
    n_samples : int, default=300
        Number of rows of each task.
    n_test_samples : int, default=0
        Number of further rows of each task, from the same functions, for a test. The other rows do not depend on it.
    n_features : int, default=5
        Number of features.
    problem : {"regression", "classification"}, default="regression"
        Whether the target is the value of the function, or whether that is positive (0 or 1). For classification, rows
        and functions are drawn again until each class has at least 10 % of the `n_samples` rows of every task.
    n_random_features : int, default=500
        Number of terms of each function.
    length_scale : float, default=0.25
        Distance over which a function varies, per feature.
    common_weight : float, default=0.9
        Weight of the common function in scenarios 3 and 4.
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
        target : ndarray of shape (n_tasks * n_samples,)
            Targets: float64 for regression, int64 for classification.
        tasks : ndarray of shape (n_tasks * n_samples,)
            Task of each row, from 0 to ``n_tasks - 1``.
        test_data, test_target, test_tasks : ndarray
            The same for the `n_test_samples` test rows of each task.
        outliers : ndarray of shape (n_tasks,), dtype bool
            Which tasks were made outliers. Their positions are random.
        DESCR : str
            Description in words.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    ValueError
        If there are too many outliers, or the classes of some task stay too unequal however often they are drawn.

    References
    ----------
    .. [1] S. Emami, G. Martínez-Muñoz, D. Hernández-Lobato, "Robust-Multi-Task Gradient Boosting", Expert Systems with
       Applications, 2025.

    Examples
    --------
    >>> from skmtl.datasets import make_fourier_tasks
    >>> bunch = make_fourier_tasks(n_samples=50, random_state=0)
    >>> bunch.data.shape, bunch.target.shape
    ((500, 5), (500,))
    >>> bunch.outliers.sum()
    np.int64(2)
    """
    if return_X_y_tasks and n_test_samples:
        raise ValueError(
            f"'return_X_y_tasks' returns no test rows, but 'n_test_samples' is {n_test_samples}. Use the Bunch instead."
        )
    if scenario != 4:
        n_outliers = 0
    elif 2 * n_outliers >= n_tasks:
        raise ValueError(
            f"'n_outliers' must be less than half of 'n_tasks', which is {n_tasks}, in scenario 4. Got {n_outliers}."
        )
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    rng = np.random.default_rng(seed)
    outliers = np.zeros(n_tasks, dtype=bool)
    outliers[rng.choice(n_tasks, n_outliers, replace=False)] = True
    draw = _Functions(n_features, n_random_features, length_scale * n_features)
    common_share = {1: 1.0, 2: 0.0, 3: common_weight, 4: common_weight}[scenario]

    for _ in range(_MAX_DRAWS):
        common = [draw(rng), draw(rng)]  # the second serves the outlier tasks of scenario 4
        made: list[_Task] = []
        for outlier in outliers:
            task = _make_task(rng, draw, common[int(outlier)], common_share, n_samples, problem == "classification")
            if task is None:
                break
            made.append(task)
        if len(made) == n_tasks:
            break
    else:
        raise ValueError(
            f"Found no {n_tasks} tasks in which each class has at least {_MIN_SHARE:.0%} of the rows, in {_MAX_DRAWS} "
            "draws. A smaller 'length_scale' or a greater 'n_samples' makes the classes more equal."
        )

    # Test rows have a source of their own: asking for them leaves everything else as it is.
    test_rng = np.random.default_rng([seed, 1])
    test_rows = [_draw_rows(test_rng, n_test_samples, n_features) for _ in range(n_tasks)]
    train = [(task.X, task.values) for task in made]
    test = [(X, task.function(X)) for X, task in zip(test_rows, made, strict=True)]
    data, target, tasks = _stack(train, problem)
    if return_X_y_tasks:
        return data, target, tasks
    test_data, test_target, test_tasks = _stack(test, problem)
    return Bunch(
        data=data,
        target=target,
        tasks=tasks,
        test_data=test_data,
        test_target=test_target,
        test_tasks=test_tasks,
        outliers=outliers,
        DESCR=(
            f"{n_tasks} tasks of {n_samples} rows ({n_test_samples} more for the test) and {n_features} features, "
            f"{problem}, scenario {scenario}: random Fourier functions without noise, weight of the common function "
            f"{common_share:g}, {n_outliers} outlier tasks."
        ),
    )


@dataclass
class _Function:
    """A random smooth function."""

    frequencies: np.ndarray
    phases: np.ndarray
    amplitudes: np.ndarray

    def __call__(self, X):
        return np.cos(X @ self.frequencies + self.phases) @ self.amplitudes


@dataclass
class _Functions:
    """Draws functions of one kind."""

    n_features: int
    n_terms: int
    length: float

    def __call__(self, rng):
        return _Function(
            rng.standard_normal((self.n_features, self.n_terms)) / self.length,
            rng.uniform(0.0, 2.0 * np.pi, self.n_terms),
            rng.standard_normal(self.n_terms) * np.sqrt(2.0 / self.n_terms),
        )


@dataclass
class _Mixture:
    """Weighted sum of the common function and the one of a task."""

    common: _Function
    own: _Function
    common_share: float

    def __call__(self, X):
        parts = [(self.common_share, self.common), (1.0 - self.common_share, self.own)]
        return sum(share * function(X) for share, function in parts if share > 0.0)


@dataclass
class _Task:
    """Rows of a task and the function behind them."""

    X: np.ndarray
    values: np.ndarray
    function: _Mixture


def _make_task(rng, draw, common, common_share, n_samples, balanced):
    """Return a task, or None if `balanced` and its classes are too unequal in every draw."""
    for _ in range(_MAX_TASK_DRAWS):
        X = _draw_rows(rng, n_samples, draw.n_features)
        function = _Mixture(common, draw(rng), common_share)
        values = function(X)
        if not balanced or min(share := np.mean(values > 0), 1.0 - share) >= _MIN_SHARE:
            return _Task(X, values, function)
    return None


def _draw_rows(rng, n_rows, n_features):
    return rng.uniform(-1.0, 1.0, (n_rows, n_features))


def _stack(parts, problem):
    """Put the rows of the tasks below each other."""
    values = np.concatenate([values for _, values in parts])
    return (
        np.concatenate([X for X, _ in parts]),
        (values > 0).astype(np.int64) if problem == "classification" else values,
        np.repeat(np.arange(len(parts)), [len(X) for X, _ in parts]),
    )
