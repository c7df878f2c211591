"""Scorers that hand `tasks` to the estimator, which those of scikit-learn do not."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import sklearn
from sklearn.metrics import get_scorer, make_scorer
from sklearn.utils.metadata_routing import MetadataRequest

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

    See Also
    --------
    make_task_scorer : Make a scorer from a metric or from the name of a scorer.
    """

    def __init__(self, scorer: Callable[..., float], text: str) -> None:
        self._scorer = scorer
        self._text = text
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
        """
        if tasks is not None:
            estimator = _WithTasks(estimator, tasks)
        if sample_weight is not None:
            metadata["sample_weight"] = sample_weight
        return self._scorer(estimator, X, y_true, **metadata)

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
    response_method: str | Sequence[str] = "predict",
    greater_is_better: bool = True,
    **kwargs: Any,
) -> TaskScorer:
    """Make a scorer that hands `tasks` to the estimator.

    It is :func:`sklearn.metrics.make_scorer` with one thing added: called with `tasks`, it calls
    ``estimator.predict(X, tasks=tasks)``. Without `tasks` it is the same scorer, so that it also serves estimators that
    take their labels from a `task_column`.

    Parameters
    ----------
    score_func : str or callable
        Name of a scorer of scikit-learn, such as ``"neg_root_mean_squared_error"`` or ``"roc_auc"``, or a metric called
        as ``score_func(y_true, y_pred, **kwargs)``.
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
        If the name is unknown, or the name of a scorer comes with a parameter that it implies.
    TypeError
        If `score_func` is neither a str nor a callable.

    See Also
    --------
    task_scores : One score per task.

    Examples
    --------
    >>> import sklearn
    >>> from sklearn.metrics import mean_absolute_error
    >>> from skmtl.metrics import make_task_scorer
    >>> make_task_scorer("r2")
    make_task_scorer('r2')
    >>> scorer = make_task_scorer(mean_absolute_error, greater_is_better=False)
    >>> with sklearn.config_context(enable_metadata_routing=True):
    ...     scorer.set_score_request(sample_weight=True)
    make_task_scorer(mean_absolute_error, greater_is_better=False)
    """
    if isinstance(score_func, str):
        if response_method != "predict" or not greater_is_better or kwargs:
            raise ValueError(
                f"'score_func' is the name {score_func!r} of a scorer, which implies 'response_method', "
                "'greater_is_better' and the arguments of the metric; leave them out, or pass the metric itself."
            )
        return TaskScorer(get_scorer(score_func), f"make_task_scorer({score_func!r})")
    if not callable(score_func) or hasattr(score_func, "set_score_request"):
        raise TypeError(
            "'score_func' must be the name of a scorer or a metric, called as score_func(y_true, y_pred); got "
            f"{score_func!r} of type {type(score_func).__name__}."
        )
    shown = [getattr(score_func, "__name__", repr(score_func))]
    if response_method != "predict":
        shown.append(f"response_method={response_method!r}")
    if not greater_is_better:
        shown.append("greater_is_better=False")
    shown += [f"{name}={value!r}" for name, value in kwargs.items()]
    scorer = make_scorer(score_func, response_method=response_method, greater_is_better=greater_is_better, **kwargs)
    return TaskScorer(scorer, f"make_task_scorer({', '.join(shown)})")


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
