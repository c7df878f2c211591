"""One model for all tasks, with the task as one more feature."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn import config_context
from sklearn.base import is_classifier
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import TargetEncoder

from skmtl._optional import import_optional
from skmtl._shared.tables import is_frame
from skmtl._sklearn import StrOptions, _num_samples
from skmtl.baselines._base import TaskMetaClassifier, TaskMetaEstimator, TaskMetaRegressor, call, fit_inner

_MAX_FOLDS = 5  # of the target encoding


class _TaskAsFeature(TaskMetaEstimator):
    """The part that both estimators share."""

    _parameter_constraints: dict = {
        **TaskMetaEstimator._parameter_constraints,
        "encoding": [StrOptions({"category", "onehot", "target"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        encoding: str = "category",
        task_column: str | int | None = None,
        unseen_tasks: str = "shared",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.encoding = encoding
        self.task_column = task_column
        self.unseen_tasks = unseen_tasks
        self.random_state = random_state

    def _fit_part(self, part):
        encoder: _Encoder | None = None
        X = part.X
        if part.n_codes > 1:
            if self.encoding == "category":
                encoder = _Category(part.n_codes)
            elif self.encoding == "onehot":
                encoder = _OneHot(part.n_codes)
            else:
                encoder = _Target(self.random_state, is_classifier(self))
            X = encoder.fit_append(X, part.codes, part.y)
        return encoder, fit_inner(self._inner(), X, part.y, part.weight)

    def _apply(self, fitted, X, codes, method):
        encoder, estimator = fitted
        return call(self, estimator, X if encoder is None else encoder.append(X, codes), method)

    def _publish(self):
        fitted = [estimator for _, estimator in self._parts]
        self.estimator_ = fitted[0] if len(fitted) == 1 else fitted


class _Encoder:
    """Appends columns that say which task a row belongs to."""

    def fit_append(self, X, codes, y):
        """Append the columns of the training rows."""
        return self.append(X, codes)

    def append(self, X, codes):
        """Append the columns; code -1 is an unseen task."""
        return _append(X, self._columns(codes))

    def _columns(self, codes):
        raise NotImplementedError


class _Category(_Encoder):
    """One categorical column of a pandas DataFrame.

    Its categories are text, so that an estimator which knows no categories refuses them instead of taking the numbers
    for a quantity.
    """

    def __init__(self, n_codes):
        self.categories = [f"task {code}" for code in range(n_codes)]

    def append(self, X, codes):
        pandas = import_optional("pandas", extra="data")
        if is_frame(X) and not hasattr(X, "iloc"):
            raise TypeError(
                "'encoding'='category' needs a pandas DataFrame or an array, but X is a "
                f"{type(X).__module__.split('.')[0]} DataFrame. Convert it with X.to_pandas(), or use 'onehot'."
            )
        if sparse.issparse(X):
            raise TypeError("'encoding'='category' needs a dense X. Convert it with X.toarray(), or use 'onehot'.")
        frame = X if is_frame(X) else pandas.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
        name = _free_name(frame.columns)
        column = pandas.Categorical.from_codes(codes, categories=self.categories)
        return frame.assign(**{name: pandas.Series(column, index=frame.index)})


class _OneHot(_Encoder):
    """One column of zeros and ones per task; an unseen one has zeros only."""

    def __init__(self, n_codes):
        self.n_codes = n_codes

    def _columns(self, codes):
        return (codes[:, None] == np.arange(self.n_codes)).astype(np.float64)


class _Target(_Encoder):
    """The shrunken mean of the target in the task, or the shares of the classes.

    Training rows get that of the other folds, so that no row's feature holds its own target; an unseen task gets the
    overall mean.
    """

    def __init__(self, random_state, classifies):
        self.random_state = random_state
        self.classifies = classifies

    def fit_append(self, X, codes, y):
        n_classes = len(np.unique(y)) if self.classifies else 0
        kind = {0: "continuous", 1: "binary", 2: "binary"}.get(n_classes, "multiclass")
        rarest = np.unique(y, return_counts=True)[1].min() if self.classifies else len(y)
        n_folds = int(min(_MAX_FOLDS, len(y), rarest))
        if n_folds < 2 or n_classes == 1:
            raise ValueError(
                "'encoding'='target' needs at least two rows, and two of each class. Use 'onehot' or 'category'."
            )
        random_state = self.random_state
        if TargetEncoder().random_state == "deprecated":  # scikit-learn 1.9 and later
            folds = StratifiedKFold if self.classifies else KFold
            settings = {"cv": folds(n_folds, shuffle=True, random_state=random_state)}
        else:
            settings = {"cv": n_folds, "random_state": random_state}
        self.encoder = TargetEncoder(target_type=kind, categories=[np.unique(codes)], **settings)
        with config_context(enable_metadata_routing=False):  # with it scikit-learn 1.9 asks for groups that nobody has
            extended = _append(X, self.encoder.fit_transform(codes[:, None], y))
        self.encoder.set_params(cv=n_folds)  # the folds have served; a saved model should not have to hold a splitter
        return extended

    def _columns(self, codes):
        return self.encoder.transform(codes[:, None])


def _append(X, columns):
    """Append columns of numbers to a table of any kind."""
    if sparse.issparse(X):
        return sparse.hstack([X, sparse.csr_matrix(columns)], format="csr")
    if not is_frame(X):
        return np.column_stack([X, columns]) if _num_samples(X) else X
    first = _free_name(X.columns)
    named = {f"{first}_{j}" if columns.shape[1] > 1 else first: columns[:, j] for j in range(columns.shape[1])}
    if hasattr(X, "iloc"):
        pandas = import_optional("pandas", extra="data")
        return pandas.concat([X, pandas.DataFrame(named, index=X.index)], axis=1)
    polars = import_optional("polars", extra="data")
    return X.with_columns(**{name: polars.Series(name, values) for name, values in named.items()})


def _free_name(names):
    """Return a name for the task that no column has."""
    name, taken = "task", {str(other) for other in names}
    while any(other == name or other.startswith(f"{name}_") for other in taken):
        name = f"_{name}"
    return name


class TaskAsFeatureRegressor(_TaskAsFeature, TaskMetaRegressor):  # numpydoc ignore=PR02
    """One regressor for all tasks, with the task as one more feature.

    The usual way to tell a model of tasks, and often hard to beat. With a single task nothing is appended.

    Parameters
    ----------
    estimator : estimator, default=None
        Regressor to fit. None: :class:`~sklearn.ensemble.HistGradientBoostingRegressor`.
    encoding : {"category", "onehot", "target"}, default="category"
        What the regressor sees of the task.

        - "category": a column of dtype category in a pandas DataFrame, for estimators that know it, such as LightGBM,
          XGBoost with `enable_categorical`, and the default.
        - "onehot": a column of zeros and ones per task, for all others.
        - "target": the mean target of the task, shrunken and, for training rows, from other folds:
          :class:`~sklearn.preprocessing.TargetEncoder`.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to do with a task not seen in `fit`: "shared" gives it a missing category, zeros only, or the overall mean.
    random_state : int, RandomState instance or None, default=None
        Source of the folds of "target".

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in `fit`; for a 2-D `y` without task labels, names or positions of its columns.
    estimator_ : estimator, or list of them
        The fitted regressor; for a 2-D `y` with task labels a list, column by column.
    n_features_in_ : int
        Number of columns of `X`, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of `X`, where it has names.

    See Also
    --------
    SingleTaskRegressor : One regressor per task.
    PooledRegressor : One regressor that does not see the tasks.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmtl.baselines import TaskAsFeatureRegressor
    >>> X, y, tasks = [[0.0], [1.0], [0.0], [1.0]], [0.0, 1.0, 2.0, 3.0], ["a", "a", "b", "b"]
    >>> model = TaskAsFeatureRegressor(LinearRegression(), encoding="onehot").fit(X, y, tasks=tasks)
    >>> model.predict([[0.5], [0.5]], tasks=["a", "b"]).round(2).tolist()
    [0.5, 2.5]
    """


class TaskAsFeatureClassifier(_TaskAsFeature, TaskMetaClassifier):  # numpydoc ignore=PR02
    """One classifier for all tasks, with the task as one more feature.

    The usual way to tell a model of tasks, and often hard to beat. With a single task nothing is appended.

    Parameters
    ----------
    estimator : estimator, default=None
        Classifier to fit. None: :class:`~sklearn.ensemble.HistGradientBoostingClassifier`.
    encoding : {"category", "onehot", "target"}, default="category"
        What the classifier sees of the task.

        - "category": a column of dtype category in a pandas DataFrame, for estimators that know it, such as LightGBM,
          XGBoost with `enable_categorical`, and the default.
        - "onehot": a column of zeros and ones per task, for all others.
        - "target": the shares of the classes in the task, shrunken and, for training rows, from other folds:
          :class:`~sklearn.preprocessing.TargetEncoder`.
    task_column : str, int or None, default=None
        Column of `X` that holds the task labels.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to do with a task not seen in `fit`: "shared" gives it a missing category, zeros only, or the overall
        shares.
    random_state : int, RandomState instance or None, default=None
        Source of the folds of "target".

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in `fit`; for a 2-D `y` without task labels, names or positions of its columns.
    classes_ : ndarray of shape (n_classes,), or list of them
        Class labels; for a 2-D `y` a list with those of each column.
    estimator_ : estimator, or list of them
        The fitted classifier; for a 2-D `y` with task labels a list, column by column.
    n_features_in_ : int
        Number of columns of `X`, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of `X`, where it has names.

    See Also
    --------
    SingleTaskClassifier : One classifier per task.
    PooledClassifier : One classifier that does not see the tasks.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skmtl.baselines import TaskAsFeatureClassifier
    >>> X, y, tasks = [[0.0], [1.0], [0.0], [1.0]], ["no", "no", "yes", "yes"], ["a", "a", "b", "b"]
    >>> model = TaskAsFeatureClassifier(DecisionTreeClassifier(), encoding="onehot").fit(X, y, tasks=tasks)
    >>> model.predict([[1.0], [1.0]], tasks=["a", "b"]).tolist()
    ['no', 'yes']
    """
