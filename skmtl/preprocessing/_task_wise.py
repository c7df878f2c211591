"""One fitted copy of a transformer per task."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Literal

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skmtl._optional import import_optional
from skmtl._shared.tables import read_table, take_rows
from skmtl._sklearn import HasMethods, Interval, StrOptions, _fit_context, _num_samples
from skmtl.tasks import TaskRequests, learn_tasks, look_up_tasks


class TaskWise(TaskRequests, TransformerMixin, BaseEstimator):
    """Transform the rows of each task with a copy of a transformer that was fitted on that task alone.

    Scale each sensor by its own mean, fill the gaps of each hospital with its own median, encode the categories of each
    shop by its own targets. Another copy, fitted on all rows, serves tasks that `fit` did not see, and tasks with fewer
    rows than `min_rows`.

    Parameters
    ----------
    transformer : transformer
        What to copy, such as ``StandardScaler()``. For every task it must return the same number of columns: for
        one-hot encoding, give it the categories.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels. It is left out of the transformation and appended, unchanged, as the
        last column of the result, where the next step of a Pipeline finds it: under its name if `X` is a pandas
        DataFrame (the result is one too), otherwise as -1. None: labels come as `tasks`.
    min_rows : int, default=1
        Least number of rows of a task that gets a copy of its own.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to do with a task not seen in :meth:`fit`: use the copy fitted on all rows, or raise.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in :meth:`fit`.
    transformers_ : list of transformers, of length n_tasks
        The copy of each task; for tasks with fewer than `min_rows` rows it is `pooled_`.
    pooled_ : transformer
        The copy fitted on all rows.
    n_features_in_ : int
        Number of columns of `X`, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of `X`, where it has names.

    See Also
    --------
    skmtl.baselines.SingleTaskRegressor : One copy of a regressor per task.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmtl.preprocessing import TaskWise
    >>> X, tasks = [[1.0], [3.0], [10.0], [30.0]], ["a", "a", "b", "b"]
    >>> TaskWise(StandardScaler()).fit_transform(X, tasks=tasks).ravel().tolist()
    [-1.0, 1.0, -1.0, 1.0]
    """

    __metadata_request__transform = {"tasks": True}
    _required_parameters = ("transformer",)
    _parameter_constraints: dict = {
        "transformer": [HasMethods(["fit", "transform"])],
        "task_column": [str, Integral, None],
        "min_rows": [Interval(Integral, 1, None, closed="left")],
        "unseen_tasks": [StrOptions({"shared", "error"})],
    }

    def __init__(
        self,
        transformer: Any,
        *,
        task_column: str | int | None = None,
        min_rows: int = 1,
        unseen_tasks: Literal["shared", "error"] = "shared",
    ) -> None:
        self.transformer = transformer
        self.task_column = task_column
        self.min_rows = min_rows
        self.unseen_tasks = unseen_tasks

    def fit(self, X: Any, y: Any = None, *, tasks: Any = None, **fit_params: Any) -> TaskWise:
        """Fit a copy on the rows of each task, and one on all.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,), default=None
            Targets, for transformers that use them.
        tasks : array-like of shape (n_samples,), default=None
            Task labels.
        **fit_params : dict
            Further arguments of the transformer's `fit`, such as `sample_weight`; those with one entry per row are
            split with the rows.

        Returns
        -------
        self : TaskWise
            The fitted transformer.

        Raises
        ------
        ValueError
            If both `tasks` and `task_column` are given, or labels are missing.
        """
        self._fit(X, y, tasks, fit_params, transform=False)
        return self

    def fit_transform(self, X: Any, y: Any = None, *, tasks: Any = None, **fit_params: Any) -> Any:
        """Fit, and transform the same rows.

        Each copy does so by its own `fit_transform`, which for a target encoder is not the same as `fit` and then
        `transform`.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,), default=None
            Targets, for transformers that use them.
        tasks : array-like of shape (n_samples,), default=None
            Task labels.
        **fit_params : dict
            Further arguments of the transformer's `fit`, such as `sample_weight`; those with one entry per row are
            split with the rows.

        Returns
        -------
        X_new : ndarray, DataFrame or sparse matrix of shape (n_samples, n_features_new)
            Transformed rows, in the order they came.

        Raises
        ------
        ValueError
            As :meth:`fit` and :meth:`transform`.
        """
        return self._fit(X, y, tasks, fit_params, transform=True)

    def transform(self, X: Any, *, tasks: Any = None) -> Any:
        """Transform the rows of each task with its copy.

        Parameters
        ----------
        X : array-like, DataFrame or sparse matrix of shape (n_samples, n_features)
            Features.
        tasks : array-like of shape (n_samples,), default=None
            Task labels; needed after a `fit` on several tasks.

        Returns
        -------
        X_new : ndarray, DataFrame or sparse matrix of shape (n_samples, n_features_new)
            Transformed rows, in the order they came.

        Raises
        ------
        ValueError
            If tasks are needed and not given, a task is unseen and ``unseen_tasks="error"``, or copies return different
            numbers of columns.
        """
        check_is_fitted(self)
        features, labels = read_table(self, X, tasks, reset=False)
        codes = look_up_tasks(
            labels, self.tasks_, _num_samples(features), unseen=self.unseen_tasks, owner=type(self).__name__
        )
        results = [
            (self.pooled_ if code < 0 else self.transformers_[code]).transform(
                take_rows(features, np.flatnonzero(codes == code))
            )
            for code in np.unique(codes)
        ]
        return self._assemble(X, features, labels, codes, results)

    @_fit_context(prefer_skip_nested_validation=False)
    def _fit(self, X, y, tasks, fit_params, transform):
        features, labels = read_table(self, X, tasks, reset=True)
        n_rows = _num_samples(features)
        if y is not None and _num_samples(y) != n_rows:
            raise ValueError(f"'y' has {_num_samples(y)} rows but X has {n_rows} rows.")
        self.tasks_, codes = learn_tasks(labels, n_rows, owner=type(self).__name__)

        def arguments(rows):
            given = () if y is None else (take_rows(y, rows),)
            return given, {name: take_rows(value, rows, n_rows) for name, value in fit_params.items()}

        given, params = arguments(np.arange(n_rows))
        self.pooled_ = clone(self.transformer).fit(features, *given, **params)
        self.transformers_ = []
        results = []
        for code in range(len(self.tasks_)):
            rows = np.flatnonzero(codes == code)
            own = len(self.tasks_) > 1 and len(rows) >= self.min_rows
            rows_of_task, (given, params) = take_rows(features, rows), arguments(rows)
            copy = clone(self.transformer).fit(rows_of_task, *given, **params) if own else self.pooled_
            self.transformers_.append(copy)
            if not transform:
                continue
            if hasattr(copy, "fit_transform") and (own or len(self.tasks_) == 1):
                # On another copy: the one that is kept is fitted as by `fit`.
                results.append(clone(self.transformer).fit_transform(rows_of_task, *given, **params))
            else:
                results.append(copy.transform(rows_of_task))
        return self._assemble(X, features, labels, codes, results) if transform else None

    def _assemble(self, X, features, labels, codes, parts):
        """Put the results of the tasks, by code, in the order of the rows."""
        present = np.unique(codes)
        widths = [part.shape[1] for part in parts]
        if len(set(widths)) > 1:
            other = next(i for i, width in enumerate(widths) if width != widths[0])
            first, second = (
                "tasks not seen in fit" if code < 0 else f"task {self.tasks_[[code]].tolist()[0]!r}"
                for code in present[[0, other]]
            )
            raise ValueError(
                f"'transformer' returns {widths[0]} columns for {first} but {widths[other]} for {second}. Fix the "
                "columns it returns: 'categories' of an encoder, 'keep_empty_features' of an imputer."
            )
        rows_of_parts = [np.flatnonzero(codes == code) for code in present]
        order = np.argsort(np.concatenate(rows_of_parts), kind="stable")
        if any(map(sparse.issparse, parts)):
            whole: Any = sparse.vstack(parts, format="csr")[order]
        elif hasattr(parts[0], "iloc"):
            pandas = import_optional("pandas", extra="data")
            whole = pandas.concat(parts).iloc[order]
        else:
            whole = np.concatenate([np.asarray(part) for part in parts])[order]
        return self._finish(X, features, whole, labels)

    def _finish(self, X, features, whole, labels):
        """Append the task column."""
        if self.task_column is None:
            return whole
        if sparse.issparse(whole):
            raise TypeError(
                "'transformer' returns a sparse matrix, to which the task column cannot be appended. Let it return an "
                "array, or pass 'tasks' instead of 'task_column'."
            )
        if hasattr(X, "iloc"):
            pandas = import_optional("pandas", extra="data")
            column = next(name for name in X.columns if name not in set(features.columns))
            if not hasattr(whole, "iloc"):
                names = list(features.columns)
                if whole.shape[1] != len(names) or hasattr(self.pooled_, "get_feature_names_out"):
                    names = self.pooled_.get_feature_names_out()
                whole = pandas.DataFrame(whole, columns=names, index=X.index)
            return whole.assign(**{column: X[column].to_numpy()}).astype({column: X[column].dtype})
        labels = np.asarray(labels)
        if labels.dtype.kind not in "biuf":
            whole = np.asarray(whole, dtype=object)
        return np.column_stack([whole, labels])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of `X`. None: those seen in `fit`.

        Returns
        -------
        names : ndarray of str
            Names that the transformer gives, and last that of the task column, if there is one.
        """
        check_is_fitted(self)
        if self.task_column is None:
            return self.pooled_.get_feature_names_out(input_features)
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            names = np.array([f"x{i}" for i in range(self.n_features_in_)], dtype=object)
        names = list(names if input_features is None else input_features)
        own = [name for name in names if name == self.task_column] or [names[int(self.task_column)]]
        inner = self.pooled_.get_feature_names_out([name for name in names if name != own[0]])
        return np.array([*inner, own[0]], dtype=object)

    def __sklearn_tags__(self):
        """Take what the transformer takes."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags = inner.input_tags
        tags.target_tags.required = inner.target_tags.required
        tags.no_validation = inner.no_validation
        return tags
