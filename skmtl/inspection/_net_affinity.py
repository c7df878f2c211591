"""How much a gradient step for one task helps another in a neural estimator, over its training or at its end."""

from __future__ import annotations

import copy
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skmtl._optional import import_optional
from skmtl._sklearn import Interval, StrOptions, validate_params
from skmtl.inspection._affinity import TaskAffinity

_NAME = "skmtl_affinity"  # of the callback


@validate_params(
    {
        "measure": [StrOptions({"lookahead", "cosine"})],
        "when": [StrOptions({"training", "end"})],
        "every": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_rows": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def net_affinity(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    tasks: Any = None,
    measure: str = "lookahead",
    when: str = "training",
    every: int = 1,
    learning_rate: float = 0.01,
    max_rows: int = 128,
    random_state: int | np.random.RandomState | None = None,
) -> TaskAffinity:
    r"""Measure how much a gradient step for one task helps every other task of a neural estimator.

    Tasks meet in the parameters that they share. With ``measure="lookahead"`` these take a step of gradient descent on
    the loss of task i alone, and the effect on task j is

    .. math:: Z_{i \to j} = 1 - L_j(\theta - \eta \nabla L_i) / L_j(\theta)

    the inter-task affinity of [1]_: positive if the step for i helps j. With ``measure="cosine"`` it is the cosine of
    the angle between the gradients of the two losses [2]_, 1 for tasks that agree and negative for tasks in conflict.

    What is measured are means over the training, as in [1]_: a copy of the estimator is fitted, and before every epoch
    each task tries its step on the same rows, without dropout and in double precision; then training goes on as if
    nothing had happened. At the end of a training the gradients of all tasks nearly cancel, so that tasks seem to be in
    conflict that are not: prefer ``when="training"`` to group by.

    Parameters
    ----------
    estimator : MultiTaskClassifier or MultiTaskRegressor
        The net. It stays as it is.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets or class labels; in two dimensions every column is a task.
    tasks : array-like of shape (n_samples,) or None, default=None
        Task label of each row. None: they are a column of `X` or the columns of `y`.
    measure : {"lookahead", "cosine"}, default="lookahead"
        What is measured.
    when : {"training", "end"}, default="training"
        "training": before every epoch of the training of a copy. "end": once, at the weights of the fitted estimator.
    every : int, default=1
        Measure before every so many epochs.
    learning_rate : float, default=0.01
        Size of the step of "lookahead", in the scale in which the net is trained. Values grow with it.
    max_rows : int, default=128
        Most rows of each task to measure on, drawn once from its training rows; the more, the less noise.
    random_state : int, RandomState instance or None, default=None
        Source of these rows. Weights and batches follow the `random_state` of the estimator.

    Returns
    -------
    affinity : TaskAffinity
        The matrix, mean over the rounds, and that of each round: an epoch.

    Raises
    ------
    ImportError
        If torch or another package of the extra ``neural`` is not installed.
    TypeError
        If the estimator is none of the two.
    NotFittedError
        If ``when="end"`` and the estimator is not fitted.
    ValueError
        If there is a single task, the architecture shares no parameters, a task has no targets, or a loss is not
        positive, to which "lookahead" is relative; or as for the `fit` of the estimator.

    See Also
    --------
    task_affinity : The same for boosting steps, which needs no net.
    TaskAffinityDisplay : A picture of it.
    TaskGrouper : Groups of tasks that help each other.
    gradient_similarity : Cosines of gradients of any origin.
    lookahead_affinity : One round for any torch model.

    References
    ----------
    .. [1] C. Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS 2021.
    .. [2] T. Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.inspection import net_affinity
    >>> from skmtl.neural import MultiTaskRegressor
    >>> X = np.tile(np.linspace(-1.0, 1.0, 40), 3)[:, None]
    >>> tasks = np.repeat(["up", "up too", "down"], 40)
    >>> y = np.where(tasks == "down", -X[:, 0], X[:, 0])
    >>> net = MultiTaskRegressor(max_epochs=5, random_state=0)
    >>> cosine = net_affinity(net, X, y, tasks=tasks, measure="cosine", random_state=0).to_frame()
    >>> bool(cosine.loc["up", "up too"] > 0 > cosine.loc["up", "down"])
    True
    """
    for module in ("torch", "skorch"):
        import_optional(module, extra="neural")
    from skmtl.inspection._net_recorder import AffinityRecorder
    from skmtl.neural import MultiTaskClassifier, MultiTaskRegressor

    if not isinstance(estimator, MultiTaskClassifier | MultiTaskRegressor):
        raise TypeError(
            "'estimator' must be a MultiTaskClassifier or MultiTaskRegressor, whose tasks share parameters. Got "
            f"{type(estimator).__name__}; task_affinity needs no estimator."
        )
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    recorder = AffinityRecorder(measure, int(every), float(learning_rate), int(max_rows), seed)
    if when == "end":
        check_is_fitted(estimator)
        net = copy.deepcopy(estimator)  # trains on for an epoch, before which it is measured
        net.net_.callbacks_.append((_NAME, recorder.initialize()))
        net.partial_fit(X, y, tasks=tasks)
    else:
        net = clone(estimator)
        net.set_params(callbacks=[*(net.callbacks or []), (_NAME, recorder)], warm_start=False)
        net.fit(X, y, tasks=tasks)
    rounds = np.array(dict(net.net_.callbacks_)[_NAME].rounds)
    labels = np.asarray(net.tasks_)
    if len(labels) != rounds.shape[1]:  # tasks of rows and columns of y: every pair is a task
        labels = np.array(net.net_.names)
    return TaskAffinity(labels, rounds.mean(axis=0), rounds)
