"""Scorers that hand `tasks` to the estimator, which those of scikit-learn do not."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sklearn
from sklearn.metrics import get_scorer, make_scorer
from sklearn.utils.metadata_routing import MetadataRequest

from skmtl._sklearn import _num_samples
from skmtl.metrics._per_task import check_average
from skmtl.tasks import learn_tasks, take_tasks
from skmtl.tasks._values import as_array, missing_in

_RESPONSE_METHODS = frozenset({"predict", "predict_proba", "predict_log_proba", "decision_function"})


class TaskScorer:
    """Scorer that hands `tasks` to the method of the estimator whose output it scores.

    Made by :func:`make_task_scorer`. It requests `tasks` by default: with metadata routing enabled,
    ``cross_validate(..., params={"tasks": tasks})`` and ``GridSearchCV.fit(..., tasks=tasks)`` pass each fold its own.

    Parameters
    ----------
    scorer : callable
        Scorer of scikit-learn, called as ``scorer(estimator, X, y, **metadata)``.
    text : str
        What ``repr`` shows.
    average : {"macro", "micro", "worst"} or None
        How the scores of the tasks become one.
    task_column : str, int or None
        Column of `X` that holds the task labels.

    See Also
    --------
    make_task_scorer : Make a scorer from a metric or from the name of a scorer.
    """

    def __init__(
        self,
        scorer: Callable[..., float],
        text: str,
        average: str | None = None,
        task_column: str | int | None = None,
    ) -> None:
        self._scorer = scorer
        self._text = text
        self._average = average
        self._task_column = task_column
        self._requests: dict[str, bool | str | None] = {}

    def __repr__(self) -> str:
        return self._text

    def __call__(
        self, estimator: Any, X: Any, y_true: Any, *, tasks: Any = None, sample_weight: Any = None, **metadata: Any
    ) -> float:
        """Score the predictions of an estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator.
        X : array-like of shape (n_samples, n_features)
            Input data.
        y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        tasks : array-like of shape (n_samples,), default=None
            Task labels. If None, as with an estimator that has a `task_column`, none are passed on.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, handed to the metric.
        **metadata : dict
            Further arguments of the metric, where ``set_score_request`` requested them.

        Returns
        -------
        score : float
            The score; the greater, the better.

        Raises
        ------
        ValueError
            If the scores of tasks are to be averaged, but nothing says which rows belong to which task.
        """
        if self._average is not None:
            return self._averaged(estimator, X, y_true, tasks, sample_weight, metadata)
        if tasks is not None:
            estimator = _WithTasks(estimator, tasks)
        if sample_weight is not None:
            metadata["sample_weight"] = sample_weight
        return self._scorer(estimator, X, y_true, **metadata)

    def _averaged(self, estimator, X, y_true, tasks, sample_weight, metadata):
        """Predict once, score the rows of each task, and average."""
        labels = tasks
        if labels is None:
            column = self._task_column if self._task_column is not None else getattr(estimator, "task_column", None)
            if column is not None:
                labels = take_tasks(X, None, column, owner="The scorer")[1]
        n_rows, targets = _num_samples(X), np.asarray(y_true)
        groups: list[tuple[Any, Any]]
        by_column = labels is None and targets.ndim == 2
        if labels is None and not by_column:
            raise ValueError(
                f"average={self._average!r} needs to know the task of each row. Pass 'tasks' (in cross-validation, "
                "with sklearn.set_config(enable_metadata_routing=True)), or set 'task_column'."
            )
        if by_column:
            seen = ~missing_in(as_array(y_true))
            groups = [(np.flatnonzero(seen[:, j]), j) for j in range(targets.shape[1]) if seen[:, j].any()]
        else:
            codes = learn_tasks(labels, n_rows, owner="The scorer")[1]
            groups = [(np.flatnonzero(codes == code), None) for code in range(codes.max() + 1)]
        if self._average == "micro":
            groups = [(np.arange(n_rows), None)] if not by_column else [_all_columns(groups)]
        if sample_weight is not None:
            metadata = {**metadata, "sample_weight": sample_weight}
        memory: dict[str, Any] = {}
        scores = []
        for rows, column in groups:
            own = {
                name: np.asarray(value)[rows] if np.ndim(value) and len(value) == n_rows else value
                for name, value in metadata.items()
            }
            y_rows = targets[rows] if column is None else targets[rows, column]
            if y_rows.dtype.kind == "O":  # one column of a table that also holds None or strings
                y_rows = np.array(y_rows.tolist())
            scores.append(self._scorer(_Predicted(estimator, tasks, memory, rows, column), X, y_rows, **own))
        values = np.array(scores, dtype=np.float64)
        values = values[~np.isnan(values)]
        if not len(values):
            return float("nan")
        return float(values.min() if self._average == "worst" else values.mean())

    def set_score_request(self, **requests: bool | str | None) -> TaskScorer:
        """Say which metadata the scorer is passed by the tools of scikit-learn.

        Parameters
        ----------
        **requests : dict
            For each name True, False, None or an alias, as in scikit-learn: ``sample_weight=True`` weights the metric.
            `tasks` stays requested unless it is named here.

        Returns
        -------
        self : TaskScorer
            The scorer itself.
        """
        if not sklearn.get_config()["enable_metadata_routing"]:
            raise RuntimeError(
                "set_score_request is only available when metadata routing is enabled. Call "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        previous, self._requests = self._requests, {**self._requests, **requests}
        try:
            self.get_metadata_routing()  # scikit-learn checks the values
        except ValueError:
            self._requests = previous
            raise
        return self

    def get_metadata_routing(self) -> MetadataRequest:
        """Return the metadata that the scorer requests.

        Returns
        -------
        request : MetadataRequest
            `tasks`, the parameters of the metric, and what ``set_score_request`` added.
        """
        request = MetadataRequest(owner=self)
        of_metric = self._scorer.get_metadata_routing().score.requests  # type: ignore[attr-defined]
        for name, alias in {**of_metric, "tasks": True, **self._requests}.items():
            request.score.add_request(param=name, alias=alias)
        return request

    def _accept_sample_weight(self) -> bool:
        """Say whether a search without routing may pass on its weights: scikit-learn asks this of every scorer."""
        return self._scorer._accept_sample_weight()  # type: ignore[attr-defined]


def make_task_scorer(
    score_func: str | Callable[..., float],
    *,
    average: str | None = None,
    task_column: str | int | None = None,
    response_method: str | Sequence[str] = "predict",
    greater_is_better: bool = True,
    **kwargs: Any,
) -> TaskScorer:
    """Make a scorer that hands `tasks` to the estimator.

    It is :func:`sklearn.metrics.make_scorer` with one thing added: called with `tasks`, it calls
    ``estimator.predict(X, tasks=tasks)``. Without `tasks` it is the same scorer, so that it also serves estimators that
    take their labels from a `task_column`. With `average` it scores the rows of each task apart.

    Tools that hand a scorer no metadata, such as :func:`sklearn.inspection.permutation_importance`, take
    ``functools.partial(scorer, tasks=tasks)`` as long as they leave the rows in their order.

    Parameters
    ----------
    score_func : str or callable
        Name of a scorer of scikit-learn, such as ``"neg_root_mean_squared_error"`` or ``"roc_auc"``, or a metric called
        as ``score_func(y_true, y_pred, **kwargs)``.
    average : {"macro", "micro", "worst"} or None, default=None
        What one number to make of the tasks; the greater, the better.

        - "macro": the mean over tasks of their scores.
        - "micro": the score of the rows of all tasks together.
        - "worst": the score of the task that fares worst.
        - None: as "micro", but without regard to tasks at all: what scikit-learn's own scorer computes.

        Without `tasks` and `task_column`, every column of a 2-D `y` is a task, in which NaN is a target that was not
        observed. "macro" and "worst" leave out tasks whose score is NaN; the metric itself warns of them.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels, for `average`. None: that of the estimator, if it has a parameter of
        this name; a Pipeline has not.
    response_method : str or sequence of str, default="predict"
        Method of the estimator whose output the metric takes: ``"predict"``, ``"predict_proba"`` or
        ``"decision_function"``; of a sequence the first that the estimator has. A name of a scorer implies it.
    greater_is_better : bool, default=True
        Whether a greater value of the metric is better; if False, the score is the metric times -1. A name of a scorer
        implies it.
    **kwargs : dict
        Further arguments of the metric.

    Returns
    -------
    scorer : TaskScorer
        A value for `scoring`.

    Raises
    ------
    ValueError
        If the name is unknown, the name of a scorer comes with a parameter that it implies, or `average` is none of
        the three.
    TypeError
        If `score_func` is neither a str nor a callable.

    See Also
    --------
    task_scores : One score per task.
    averaged_task_score : The same averages, from predictions.

    Examples
    --------
    >>> import sklearn
    >>> from sklearn.metrics import mean_absolute_error
    >>> from skmtl.metrics import make_task_scorer
    >>> make_task_scorer("r2")
    make_task_scorer('r2')
    >>> make_task_scorer("r2", average="worst")
    make_task_scorer('r2', average='worst')
    >>> scorer = make_task_scorer(mean_absolute_error, greater_is_better=False)
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     scorer.set_score_request(sample_weight=True)
    make_task_scorer(mean_absolute_error, greater_is_better=False)
    """
    if average is not None:
        check_average(average)
    of_tasks = {"average": average, "task_column": task_column}
    shown_of_tasks = [f"{name}={value!r}" for name, value in of_tasks.items() if value is not None]
    if isinstance(score_func, str):
        if response_method != "predict" or not greater_is_better or kwargs:
            raise ValueError(
                f"'score_func' is the name {score_func!r} of a scorer, which implies 'response_method', "
                "'greater_is_better' and the arguments of the metric; leave them out, or pass the metric itself."
            )
        text = ", ".join([repr(score_func), *shown_of_tasks])
        return TaskScorer(get_scorer(score_func), f"make_task_scorer({text})", average, task_column)
    if not callable(score_func) or hasattr(score_func, "set_score_request"):
        raise TypeError(
            "'score_func' must be the name of a scorer or a metric, called as score_func(y_true, y_pred); got "
            f"{score_func!r} of type {type(score_func).__name__}."
        )
    shown = [getattr(score_func, "__name__", repr(score_func)), *shown_of_tasks]
    if response_method != "predict":
        shown.append(f"response_method={response_method!r}")
    if not greater_is_better:
        shown.append("greater_is_better=False")
    shown += [f"{name}={value!r}" for name, value in kwargs.items()]
    scorer = make_scorer(score_func, response_method=response_method, greater_is_better=greater_is_better, **kwargs)
    return TaskScorer(scorer, f"make_task_scorer({', '.join(shown)})", average, task_column)


def _all_columns(groups):
    """Return rows and columns of all observed targets, row by row."""
    rows = np.concatenate([rows for rows, _ in groups])
    columns = np.concatenate([np.full(len(rows), column) for rows, column in groups])
    order = np.lexsort((columns, rows))
    return rows[order], columns[order]


class _WithTasks:
    """An estimator whose methods that predict get `tasks`; everything else is the estimator's own.

    It lets a scorer of scikit-learn, which calls ``predict(X)``, do the rest: find the method, the column of the
    positive class, the sign.
    """

    def __init__(self, estimator: Any, tasks: Any) -> None:
        self._estimator = estimator
        self._tasks = tasks

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._estimator, name)
        if name not in _RESPONSE_METHODS:
            return value

        @functools.wraps(value)  # scikit-learn tells the methods apart by their __name__
        def with_tasks(X: Any) -> Any:
            return value(X, tasks=self._tasks)

        return with_tasks

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Return the class of the estimator, which messages and ``isinstance`` then see."""
        return type(self._estimator)


class _Predicted(_WithTasks):
    """An estimator whose methods that predict return the stored predictions of some rows, and of one column of `y`."""

    def __init__(self, estimator: Any, tasks: Any, memory: dict[str, Any], rows: np.ndarray, column: Any) -> None:
        super().__init__(estimator, tasks)
        self._memory, self._rows, self._column = memory, rows, column

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._estimator, name)
        if name == "classes_" and isinstance(self._column, int | np.integer):
            return value[self._column]
        if name not in _RESPONSE_METHODS:
            return value

        @functools.wraps(value)
        def of_rows(X: Any) -> Any:
            if name not in self._memory:
                self._memory[name] = value(X) if self._tasks is None else value(X, tasks=self._tasks)
            predicted = self._memory[name]
            if self._column is None:
                return np.asarray(predicted)[self._rows]
            if isinstance(predicted, list):  # probabilities, column by column
                if isinstance(self._column, np.ndarray):
                    raise ValueError(
                        "average='micro' cannot pool the probabilities of the columns of a 2-D y, whose classes may "
                        "differ. Use 'macro' or 'worst'."
                    )
                return predicted[self._column][self._rows]
            return np.asarray(predicted)[self._rows, self._column]

        return of_rows
