"""The mixin that makes scikit-learn's metadata routing hand `tasks` to an estimator by default."""

from __future__ import annotations

import inspect
from typing import Any

_METHODS = ("fit", "partial_fit", "predict", "predict_proba", "predict_log_proba", "decision_function", "score")


class TaskRequests:
    """Request `tasks` for every method of an estimator that takes it.

    With routing enabled, `tasks` then flows through Pipeline and GridSearchCV without any call of ``set_fit_request``
    and its like. The request is declared as the class attributes ``__metadata_request__<method>`` of scikit-learn, for
    those methods only that the class has and that take `tasks`: a regressor does not ask for it in ``predict_proba``.

    Put it in front of `BaseEstimator` in the list of base classes.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skmtl.tasks import TaskRequests
    >>> class Model(TaskRequests, BaseEstimator):
    ...     def fit(self, X, y, *, tasks=None):
    ...         return self
    >>> Model().get_metadata_routing().fit.requests
    {'tasks': True}
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Declare the requests of a new class."""
        declared = {name.partition("__metadata_request__")[2] for base in cls.__mro__ for name in vars(base)}
        for method in _METHODS:
            function = getattr(cls, method, None)
            # A declaration of the class itself, or of a parent, is left as it is.
            if method in declared or not callable(function) or "tasks" not in inspect.signature(function).parameters:
                continue
            setattr(cls, f"__metadata_request__{method}", {"tasks": True})
        super().__init_subclass__(**kwargs)  # scikit-learn adds set_fit_request and its like there
