"""How much a step for one task helps another: for boosting, and for models with gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils import check_random_state

from skmtl._optional import import_optional
from skmtl._sklearn import Interval, StrOptions, validate_params
from skmtl.inspection._targets import as_numbers, target_matrix
from skmtl.tasks import learn_tasks

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class TaskAffinity:  # numpydoc ignore=PR02
    """Effect of every task on every other.

    Parameters
    ----------
    task : ndarray of shape (n_tasks,)
        Labels of the tasks.
    affinity : ndarray of shape (n_tasks, n_tasks)
        Effect of a step for task i (row) on task j (column): the share of the loss of j that the step takes away, mean
        over the rounds.
    rounds : ndarray of shape (n_rounds, n_tasks, n_tasks)
        The same for each round.

    See Also
    --------
    task_affinity : Compute it.
    TaskAffinityDisplay : A picture of it.
    """

    task: np.ndarray
    affinity: np.ndarray
    rounds: np.ndarray

    def __repr__(self) -> str:
        return f"TaskAffinity({len(self.task)} tasks, {len(self.rounds)} rounds)"

    def to_frame(self) -> pd.DataFrame:
        """Return the matrix as a pandas DataFrame.

        Returns
        -------
        frame : pandas.DataFrame of shape (n_tasks, n_tasks)
            Labels of the teaching tasks as index, of the learning tasks as columns.
        """
        pandas = import_optional("pandas", extra="data")
        return pandas.DataFrame(
            self.affinity, index=pandas.Index(self.task, name="teaches"), columns=pandas.Index(self.task, name="learns")
        )


@validate_params(
    {
        "problem": [StrOptions({"auto", "regression", "classification"})],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left")],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def task_affinity(
    X: Any,
    y: Any,
    tasks: Any,
    *,
    problem: str = "auto",
    n_rounds: int = 30,
    learning_rate: float = 0.1,
    max_leaf_nodes: int = 4,
    min_samples_leaf: int = 5,
    random_state: int | np.random.RandomState | None = None,
) -> TaskAffinity:
    r"""Measure how much a boosting step for one task helps every other task.

    Boosting goes on from round to round with trees that all tasks share. Before each round, every task i in turn tries
    a tree of its own, fitted to its residuals, and the effect on task j is

    .. math:: Z_{i \to j} = 1 - L_j(F + \nu h_i) / L_j(F)

    with the squared loss :math:`L_j` on the rows of j, the learning rate :math:`\nu` and the tree :math:`h_i`.
    Positive: the step for i helps j. It is inter-task affinity [1]_, with steps in function space in place of gradient
    steps.
    Targets of classification are zeros and ones, one column per class. Predictions start at the mean of each task.

    The numbers grow with the learning rate, and are small: compare them with each other, not with zero alone. The
    diagonal is measured on the rows that the tree was fitted to.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n_samples, n_features)
        Features; NaN is a missing value, categories count as numbers.
    y : array-like of shape (n_samples,)
        Targets or class labels.
    tasks : array-like of shape (n_samples,)
        Task labels.
    problem : {"auto", "regression", "classification"}, default="auto"
        What `y` is. "auto": numbers with a fraction are a regression, as are more than 20 different whole numbers;
        anything else is a classification.
    n_rounds : int, default=30
        Number of rounds.
    learning_rate : float, default=0.1
        Factor on the value of every leaf.
    max_leaf_nodes : int, default=4
        Most leaves of a tree.
    min_samples_leaf : int, default=5
        Least number of rows in a leaf; a task with fewer than twice as many tries a constant.
    random_state : int, RandomState instance or None, default=None
        Source of what trees do by chance: the choice between equal splits.

    Returns
    -------
    affinity : TaskAffinity
        The matrix, mean over the rounds, and that of each round.

    Raises
    ------
    ValueError
        If lengths differ, there is a single task, or a parameter is out of its range.

    See Also
    --------
    TaskAffinityDisplay : A picture of it.
    TaskGrouper : Groups of tasks that help each other.

    References
    ----------
    .. [1] C. Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS 2021.

    Examples
    --------
    >>> from skmtl.datasets import make_fourier_tasks
    >>> from skmtl.inspection import task_affinity
    >>> X, y, tasks = make_fourier_tasks(4, n_tasks=5, n_outliers=1, return_X_y_tasks=True, random_state=0)
    >>> task_affinity(X, y, tasks, random_state=0).affinity.shape
    (5, 5)
    """
    X = as_numbers(X)
    labels, codes = learn_tasks(tasks, len(X), owner="task_affinity")
    targets = target_matrix(y, problem, len(X))
    if len(labels) < 2:
        raise ValueError("'tasks' must hold at least two tasks. Got one.")
    n_tasks = len(labels)
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    order = np.argsort(codes, kind="stable")
    X, targets, codes = np.ascontiguousarray(X[order], dtype=np.float32), targets[order], codes[order]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(codes))])
    slices = [slice(bounds[i], bounds[i + 1]) for i in range(n_tasks)]
    residuals = targets - np.stack([targets[own].mean(axis=0) for own in slices])[codes]
    settings = {"max_leaf_nodes": max_leaf_nodes, "min_samples_leaf": min_samples_leaf, "random_state": seed}

    def losses(values):
        return np.add.reduceat(np.sum(values**2, axis=1), bounds[:-1])

    rounds = np.empty((n_rounds, n_tasks, n_tasks))
    for k in range(n_rounds):
        before = losses(residuals)
        scale = np.where(before > 0, before, 1.0)  # a task that is fitted perfectly can only be hurt
        for i, own in enumerate(slices):
            if own.stop - own.start < 2 * min_samples_leaf:
                step = np.broadcast_to(residuals[own].mean(axis=0), residuals.shape)
            else:
                step = DecisionTreeRegressor(**settings).fit(X[own], residuals[own]).predict(X)
                step = step.reshape(residuals.shape)
            rounds[k, i] = (before - losses(residuals - learning_rate * step)) / scale
        shared = DecisionTreeRegressor(**settings).fit(X, residuals).predict(X).reshape(residuals.shape)
        residuals = residuals - learning_rate * shared
    return TaskAffinity(labels, rounds.mean(axis=0), rounds)


class GradientSimilarity(NamedTuple):  # numpydoc ignore=PR02
    """How much the gradients of the tasks agree.

    Parameters
    ----------
    cosine : ndarray of shape (n_tasks, n_tasks)
        Cosine of the angle between the gradients of two tasks; 0 where one of them is zero.
    magnitude_similarity : ndarray of shape (n_tasks, n_tasks)
        ``2 |g_i| |g_j| / (|g_i|^2 + |g_j|^2)``, in [0, 1]; 1 for gradients of the same length.
    conflict_rate : ndarray of shape (n_tasks, n_tasks)
        Share of the steps in which the cosine is negative.
    """

    cosine: np.ndarray
    magnitude_similarity: np.ndarray
    conflict_rate: np.ndarray


def gradient_similarity(gradients: Any) -> GradientSimilarity:
    """Compare the gradients of the tasks on the parameters they share.

    Parameters
    ----------
    gradients : array-like of shape (n_tasks, n_parameters) or (n_steps, n_tasks, n_parameters)
        Gradient of the loss of each task, at one step or at several.

    Returns
    -------
    similarity : GradientSimilarity
        Cosine and similarity of magnitudes, means over the steps, and how often there is conflict [1]_.

    Raises
    ------
    ValueError
        If the gradients are not finite or of another shape.

    References
    ----------
    .. [1] T. Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020.

    Examples
    --------
    >>> from skmtl.inspection import gradient_similarity
    >>> gradient_similarity([[1.0, 0.0], [-2.0, 0.0]]).cosine.tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    """
    values = np.asarray(gradients, dtype=np.float64)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.size == 0:
        raise ValueError(
            "'gradients' must be of shape (n_tasks, n_parameters) or (n_steps, n_tasks, n_parameters). Got shape "
            f"{np.shape(gradients)}."
        )
    if not np.isfinite(values).all():
        raise ValueError("'gradients' must be finite.")
    norms = np.linalg.norm(values, axis=2)
    unit = values / np.where(norms > 0, norms, 1.0)[:, :, None]
    cosine = np.clip(unit @ unit.transpose(0, 2, 1), -1.0, 1.0)
    squares = norms[:, :, None] ** 2 + norms[:, None, :] ** 2
    magnitude = np.where(
        squares > 0, 2.0 * norms[:, :, None] * norms[:, None, :] / np.where(squares > 0, squares, 1), 1
    )
    return GradientSimilarity(cosine.mean(axis=0), magnitude.mean(axis=0), (cosine < 0).mean(axis=0))


def lookahead_affinity(
    losses: Sequence[Callable[[], Any]], parameters: Sequence[Any], *, learning_rate: float
) -> np.ndarray:
    r"""Measure how much a gradient step for one task helps every other task of a torch model.

    For each task i the shared parameters take one step of gradient descent on the loss of i alone, all losses are
    evaluated, and the step is taken back. The result is

    .. math:: Z_{i \to j} = 1 - L_j(\theta - \eta \nabla L_i) / L_j(\theta)

    the inter-task affinity of one step [1]_; average it over the training for a matrix to group by. The parameters are
    left as they were, as are their `grad`.

    Parameters
    ----------
    losses : sequence of callables, one per task
        Each returns the loss of its task, a positive scalar tensor, on the same batch every time.
    parameters : sequence of torch.Tensor
        The parameters that the tasks share, with `requires_grad`.
    learning_rate : float
        Size of the step.

    Returns
    -------
    affinity : ndarray of shape (n_tasks, n_tasks)
        Effect of a step for task i (row) on task j (column).

    Raises
    ------
    ImportError
        If torch is not installed.
    ValueError
        If a loss is not positive, or there are no parameters.

    References
    ----------
    .. [1] C. Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS 2021.
    """
    torch = import_optional("torch", extra="neural")
    parameters = list(parameters)
    if not parameters:
        raise ValueError("'parameters' must hold the tensors that the tasks share. Got none.")

    def evaluate():
        return torch.cat([loss().reshape(1) for loss in losses])

    return try_steps(evaluate, parameters, learning_rate)


def try_steps(evaluate: Callable[[], Any], parameters: Sequence[Any], learning_rate: float) -> np.ndarray:
    """Return the effect of a step for each task (row) on each task (column).

    Parameters
    ----------
    evaluate : callable
        Returns the losses of the tasks, a tensor of shape (n_tasks,).
    parameters : sequence of torch.Tensor
        The parameters that the tasks share.
    learning_rate : float
        Size of the step.

    Returns
    -------
    affinity : ndarray of shape (n_tasks, n_tasks)
        The effects. The parameters are left as they were.
    """
    torch = import_optional("torch", extra="neural")
    with torch.enable_grad():
        values = evaluate()
        gradients = [torch.autograd.grad(v, parameters, retain_graph=True, allow_unused=True) for v in values.unbind()]
    before = values.detach().double().cpu().numpy()
    if np.any(before <= 0):
        raise ValueError(f"'losses' must be positive, as effects are relative to them. Got {float(before.min())}.")
    affinity = np.empty((len(before), len(before)))
    with torch.no_grad():
        kept = [parameter.clone() for parameter in parameters]
        try:
            for i, gradient in enumerate(gradients):
                for parameter, value, slope in zip(parameters, kept, gradient, strict=True):
                    parameter.copy_(value if slope is None else value - learning_rate * slope)
                affinity[i] = 1.0 - evaluate().double().cpu().numpy() / before
        finally:
            for parameter, value in zip(parameters, kept, strict=True):
                parameter.copy_(value)
    return affinity
