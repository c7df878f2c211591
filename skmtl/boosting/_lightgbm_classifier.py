"""LightGBM for classes, with any loss of the library."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from .._shared.classes import TaskClasses
from .._sklearn import StrOptions, _fit_context
from ..losses import ClassificationLoss
from ._boosted_classifier import BoostedClassifierMixin
from ._lightgbm_base import BaseLightGBM


class LightGBMClassifier(BoostedClassifierMixin, BaseLightGBM):
    """LightGBM for classes, with any loss object and with tasks as a category.

    The gradient boosting of the package lightgbm [1]_, given the loss's gradient and Hessian, its initial value and its
    link. Tasks are given to every method as `tasks`, or as a column of X (`task_column`), or as the columns of a 2-D
    `y`; LightGBM sees the task of a row as a category.

    Parameters
    ----------
    loss : str or Loss, default="log_loss"
        Loss to minimise: a name in ``skmtl.losses.CLASSIFICATION_LOSSES`` or an object of :mod:`skmtl.losses`.
    task_column : str, int or None, default=None
        Column of X that holds the task label of each row, by name or position. It is taken out, and comes back as a
        category. None: tasks come as `tasks` to the methods, or there is only one.
    n_estimators : int or "auto", default="auto"
        Number of rounds; with early stopping, at most. "auto": 1000 with early stopping, 100 without.
    learning_rate : float, default=0.1
        Factor on the value of every leaf.
    num_leaves : int, default=31
        Most leaves of a tree.
    max_depth : int or None, default=None
        Most splits between root and leaf; None: no limit.
    min_child_samples : int, default=20
        Least number of rows in a leaf, whatever their weights.
    reg_lambda : float, default=0.0
        Penalty added to the sum of second derivatives in a leaf.
    colsample_bytree : float, default=1.0
        Share of the features, drawn anew for each tree, that it may split on.
    subsample : float, default=1.0
        Share of the rows, drawn anew for each round, that its trees are fitted to.
    max_bins : int, default=255
        Most bins per feature. Also the most categories of a feature; tasks may be more.
    categorical_features : None, "from_dtype" or array-like, default="from_dtype"
        Categorical columns of X: positions, names, or a mask. "from_dtype": those of dtype category (pandas) or
        Categorical and Enum (polars). A value not seen in `fit` counts as missing.
    params : dict or None, default=None
        Further parameters of LightGBM, by its own names, such as ``{"cat_smooth": 1.0}``. They win over those above.
    early_stopping : "auto" or bool, default="auto"
        Whether to stop when a held-out part of the rows no longer gains. "auto": from 500 rows on.
    validation_fraction : float, default=0.1
        Share of the rows of each task to hold out. Some of every task always stay in training.
    n_iter_no_change : int, default=20
        Stop when so many rounds in a row have not improved the held-out loss, and go back to the best round.
    refit : bool, default=True
        After early stopping, fit again on all rows for the rounds found.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to predict for a task not seen in `fit`. "shared": as for a missing category; "error": raise ValueError.
    unseen_classes : {"zero", "shared"}, default="zero"
        Probability of a class that a task never had in `fit`. "zero": none; the other classes of the task share it all.
        "shared": what the model says, knowing the class from other tasks.
    class_weight : dict, "balanced" or None, default=None
        Weight of the rows of each class in the loss, beside their own; a class that a dict leaves out weighs 1.
        "balanced": inversely proportional to the weight of its rows.
    n_jobs : int or None, default=None
        Number of threads, as in joblib.
    random_state : int, RandomState instance or None, default=None
        Source of all randomness: held-out rows, subsamples, sampled features.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in :meth:`fit`; for a 2-D `y` without task labels, the names or positions of its
        columns.
    classes_ : ndarray of shape (n_classes,), or list of them
        Class labels; for a 2-D `y` a list with those of each column.
    n_iter_ : int
        Number of rounds.
    validation_score_ : ndarray of shape (n_rounds + 1,) or (0,)
        Minus the loss on the held-out rows before the first and after each round; empty without early stopping.
    feature_importances_ : ndarray of shape (n_features,)
        Share of each column of X in the gain of all splits.
    n_features_in_ : int
        Number of columns of X, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X, where it has names.

    See Also
    --------
    LightGBMRegressor : The regressor.
    RMTGBClassifier : Boosting with blocks of trees that tasks share or have alone.

    References
    ----------
    .. [1] G. Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.boosting import LightGBMClassifier
    >>> from skmtl.losses import FocalLoss
    >>> X = np.linspace(0.0, 1.0, 200)[:, None]
    >>> tasks = np.tile(["up", "down"], 100)
    >>> y = np.where((X[:, 0] > 0.5) == (tasks == "up"), "high", "low")
    >>> model = LightGBMClassifier(FocalLoss(gamma=1.0), random_state=0).fit(X, y, tasks=tasks)
    >>> model.predict([[0.9], [0.9]], tasks=["up", "down"])
    array(['high', 'low'], dtype='<U4')
    """

    _parameter_constraints: dict = {
        **BaseLightGBM._parameter_constraints,
        "loss": [str, ClassificationLoss],
        "unseen_classes": [StrOptions({"zero", "shared"})],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        loss: Any = "log_loss",
        *,
        task_column: str | int | None = None,
        n_estimators: int | str = "auto",
        learning_rate: float = 0.1,
        num_leaves: int = 31,
        max_depth: int | None = None,
        min_child_samples: int = 20,
        reg_lambda: float = 0.0,
        colsample_bytree: float = 1.0,
        subsample: float = 1.0,
        max_bins: int = 255,
        categorical_features: Any = "from_dtype",
        params: dict[str, Any] | None = None,
        early_stopping: str | bool = "auto",
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 20,
        refit: bool = True,
        unseen_tasks: str = "shared",
        unseen_classes: str = "zero",
        class_weight: Any = None,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.loss = loss
        self.task_column = task_column
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.max_depth = max_depth
        self.min_child_samples = min_child_samples
        self.reg_lambda = reg_lambda
        self.colsample_bytree = colsample_bytree
        self.subsample = subsample
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.params = params
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.refit = refit
        self.unseen_tasks = unseen_tasks
        self.unseen_classes = unseen_classes
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> LightGBMClassifier:
        """Fit the model.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features; NaN is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels; in two dimensions every column is a task, and NaN means not observed.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row: strings, numbers or categories.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights, zero or positive, of the rows in the loss. A weight of 0 is no row.

        Returns
        -------
        self : LightGBMClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or an input is out of its range, lengths differ, labels are missing, or both `tasks` and
            `task_column` are given. The estimator stays as it was.
        TypeError
            If X is sparse, labels cannot be sorted, or the loss has no form for boosting.
        ImportError
            If LightGBM (extra ``lightgbm``) is not installed.
        """
        return self._fit(X, y, tasks, sample_weight)

    def _code_target(self, pairs):
        check_classification_targets(pairs.values)
        n_units = len(self._row_tasks) * pairs.n_outputs
        self._classes, coded = TaskClasses.learn(pairs, n_units, type(self).__name__)
        self._publish_classes()
        return coded.astype(np.float64), len(self._classes.labels)

    def _raw_predictions(self, X, tasks):
        return self._raw(X, tasks)
