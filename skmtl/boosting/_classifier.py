"""The classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from .._shared.classes import TaskClasses
from .._sklearn import StrOptions, _fit_context
from ..losses import ClassificationLoss
from ._base import BaseRMTGB
from ._staged_classifier import StagedClassifierMixin


class RMTGBClassifier(StagedClassifierMixin, BaseRMTGB):
    r"""Robust multi-task gradient boosting for classes.

    The prediction for a row x of task r is

    .. math::

       F(x, r) = F_{shared}(x) + (1 - s_r) F_{in}(x) + s_r F_{out}(x) + F_{joint}(x, r) + F_r(x), \qquad
       s_r = \sigma(\theta_r):

    trees that all tasks share, two shared ensembles between which every task has a learned weight, trees whose
    structure all tasks share and whose values are each task's own, and trees of each task alone [1]_. Trees grow leaf
    by leaf on binned features, with native missing values and categories. Tasks are given to every method as `tasks`,
    or as a column of X (`task_column`), or as the columns of a 2-D `y`; with neither, there is one task and the model
    is ordinary gradient boosting.

    The defaults depart from the published algorithm in what serves real tables: trees of more than two leaves, Newton
    steps, a shrunken effect of each task, a start of theta without chance. :func:`published_settings` gives the
    published form.

    Parameters
    ----------
    loss : str or Loss, default="log_loss"
        Loss to minimise: a name in ``skmtl.losses.CLASSIFICATION_LOSSES`` or an object of :mod:`skmtl.losses`. Two
        classes mostly have one raw prediction, more classes one each; a tree has a value for each in every leaf.
    task_column : str, int or None, default=None
        Column of X that holds the task label of each row, by name or position. It is taken out before learning. None:
        tasks come as `tasks` to the methods, or there is only one.
    learning_rate : float, default=0.1
        Factor on the value of every leaf; see `refit` for the steps of a second fit.
    max_iter : int or "auto", default="auto"
        Most rounds of each block. "auto": 3000 with early stopping, 100 without. Without early stopping the adaptive
        schedule, which then takes turns to the end, makes so many rounds of all blocks together.
    schedule : {"adaptive", "sequential"} or dict, default="adaptive"
        Which block makes which round. "adaptive": while blocks other than the shared one gain clearly more than it
        does, on rows that their steps were not fitted to, the blocks take turns; then each goes on by itself until the
        held-out loss no longer falls, and the shared one no longer than it pays more than others would (without early
        stopping they take turns to the end). "sequential": shared, partition, joint and specific one after the other,
        each up to `max_iter` rounds. A dict such as ``{"shared": 100, "partition": 50, "specific": 100}`` gives each
        block its own number, in this order; a block left out makes none. With early stopping these are upper limits.
        A single task has the shared block only.
    max_leaf_nodes : "auto", int, None or dict, default="auto"
        Most leaves of a tree, at least 2; None: no limit. "auto": for shared and partition trees 8 times the square
        root of (rows / 5000), between 8 and 31; for joint trees 2, for specific trees 4. A dict such as ``{"shared":
        16, "specific": 4}`` sets blocks apart; a block left out is "auto".
    max_depth : int, None or dict, default=None
        Most splits between root and leaf; None: no limit. A dict sets blocks apart.
    min_samples_leaf : "auto", float or dict, default="auto"
        Least sum of sample weights in a leaf; without weights, least number of rows. "auto": 20 (on fewer than 100 rows
        a fifth of them) for shared, partition and joint trees, 3 for specific trees. A dict sets blocks apart.
    l2_regularization : "auto", float or dict, default="auto"
        Penalty added to the sum of second derivatives in a leaf. "auto": as much as 20 typical rows add (on fewer than
        100 rows a fifth of them) in shared and partition trees, 5 rows in joint trees (for each task) and in specific
        trees. A dict sets blocks apart.
    max_features : "auto", float or dict, default="auto"
        Share of the features, drawn anew for each node, among which its split is sought. "auto": for shared and
        partition trees a half, but six features, or 0.7 of less than nine; 1 for specific trees. Joint trees look at
        all. A dict sets blocks apart.
    random_strength : float, default=3.0
        How much chance has a say in the choice of the feature that splits a node of a shared or partition tree. Normal
        numbers are added to the gains of the features' best splits; their standard deviation is so many times what a
        split that explains nothing gains on average, and fades as the model grows. 0: none. Where many features explain
        a little each, trees that differ this way predict better; the idea and the name are CatBoost's.
    subsample : float, default=1.0
        Share of the rows, drawn without replacement for each round, that its trees are fitted to. At most 0.8 while the
        adaptive schedule scores steps on the other rows.
    max_bins : int, default=255
        Most bins per feature, from 2 to 255; missing values have one more. Also the most categories of a feature. Trees
        of a task tell a third of the bins apart in which the task has rows, and no less than 16.
    categorical_features : None, "from_dtype" or array-like, default="from_dtype"
        Categorical columns of X: positions, names, or a mask. "from_dtype": those of dtype category (pandas) or
        Categorical and Enum (polars). Their values may be of any kind; one not seen in `fit` counts as missing.
        Categories of less than ten rows in a node (or than `min_samples_leaf`, if that is less) are taken together.
    monotonic_cst : array-like of int, dict or None, default=None
        For each column of X, 1 if predictions must not fall as it grows, -1 if they must not rise, 0 if free; or a dict
        from names to these. Holds for every task. For two classes only; the probability of the second class is meant.
    interaction_cst : {"pairwise", "no_interactions"}, sequence of collections of int, or None, default=None
        Groups of columns of X that may meet on a path from root to leaf. Columns in no group form one of their own.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss. "balanced": inversely proportional to the weight of its rows. Leaf limits
        count rows without it.
    task_features : bool, default=True
        Let shared and partition trees split on the mean of each ordered feature over the rows of the task as well. A
        task not seen in `fit` has the means over all rows.
    init : {"task", "mean", "zero"}, default="task"
        What boosting starts from. "mean": the best constant; "zero": 0; "task": the best constant, and after every
        shared tree an effect of each task moves towards its estimate, which is shrunken towards zero by as much as it
        is uncertain.
    leaf_step : {"newton", "gradient"}, default="newton"
        Value of a leaf. "newton": minus the sum of first over the sum of second derivatives (for absolute and quantile
        loss, the exact minimiser); "gradient": the mean of minus the first derivatives, as published.
    theta_init : {"residuals", "random"} or array-like of shape (n_tasks,), default="residuals"
        Where the partition parameters start. "residuals": along the direction in which the residuals of the tasks,
        averaged in the leaves of shared trees, differ most (no randomness); "random": a tenth of standard normal
        numbers, as published.
    theta_update : {"newton", "gradient"}, default="newton"
        How they move. "newton": a damped Newton step of sigmoid(theta), independent of the unit of y and the
        size of the task; "gradient": along the gradient of the summed loss, as published.
    theta_learning_rate : float or None, default=None
        Factor on these steps. None: 0.3 for "newton", `learning_rate` for "gradient".
    theta_l2 : float, default=16.0
        Pull of sigmoid(theta) to its start in the "newton" update, as the inverse of a prior variance: 16 stands for a
        standard deviation of one quarter.
    early_stopping : "auto" or bool, default="auto"
        Whether a block ends when a held-out part of the rows no longer gains from it. "auto": from 500 rows on.
    validation_fraction : float, default=0.15
        Share of the rows of each task to hold out. Some of every task, and of every class, always stay in training.
    n_iter_no_change : int, default=20
        A block ends when so many rounds in a row have not improved the held-out loss, and goes back to its best round.
    tol : float, default=1e-7
        Least fall of the held-out loss that counts as an improvement.
    refit : bool, default=True
        After early stopping, fit again on all rows for the rounds found. The rounds are then searched with twice the
        `learning_rate`, and gone through again in several steps, of two thirds of the `learning_rate` (half of it from
        20 000 rows on) in shared and partition rounds, which lowers the variance that the draws of features leave, and
        of all of it in the others. With a `learning_rate` above 0.5, or rounds that `schedule` gives as a dict, rounds
        are searched as they are, and shared and partition rounds are gone through again in two steps of half the size.
        With ``warm_start=True`` there is no second fit.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to predict for a task not seen in `fit`. "shared": what is common to all tasks (no task effect, the tasks'
        mean partition weight, no specific trees); "error": raise ValueError.
    unseen_classes : {"zero", "shared"}, default="zero"
        Probability of a class that a task never had in `fit`. "zero": none; the other classes of the task share it all.
        "shared": what the model says, knowing the class from other tasks.
    n_jobs : int or None, default=None
        Number of threads, as in joblib. No result depends on it.
    warm_start : bool, default=False
        Go on from the trees of the last `fit` up to the rounds that `schedule` or `max_iter` now asks for.
    verbose : int, default=0
        Show a progress bar (extra ``progress``).
    random_state : int, RandomState instance or None, default=None
        Source of all randomness: held-out rows, subsamples, sampled features, noise among splits, random starts.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in :meth:`fit`; for a 2-D `y` without task labels, the names or positions of its
        columns.
    classes_ : ndarray of shape (n_classes,), or list of them
        Class labels; for a 2-D `y` a list with those of each column.
    theta_ : ndarray of shape (n_tasks,) or (n_tasks, n_outputs)
        Partition parameters; their sigmoid is the weight of the outlier ensemble. The second shape is for 2-D `y` with
        tasks.
    outlier_scores_ : ndarray like `theta_`
        Scores in [0, 1], turned so that the row-weighted majority of tasks lies below one half. Zeros where the
        schedule has no partition block.
    n_iter_ : int
        Number of rounds.
    n_iter_per_block_ : dict of str to int
        Number of rounds of each block.
    block_sequence_ : ndarray of shape (n_rounds,)
        Block of each round.
    train_score_ : ndarray of shape (n_rounds + 1,)
        Minus the loss on the training rows before the first and after each round.
    validation_score_ : ndarray of shape (n_rounds + 1,) or (0,)
        Minus the loss on the held-out rows while the rounds were sought; empty without early stopping.
    feature_importances_ : ndarray of shape (n_features,)
        Share of each column of X in the gain of all splits. See :meth:`task_importances` for one task.
    n_features_in_ : int
        Number of columns of X, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X, where it has names.

    See Also
    --------
    RMTGBRegressor : The regressor.
    published_settings : Parameters that reproduce the published algorithm.

    References
    ----------
    .. [1] S. Emami, G. Martinez-Munoz, D. Hernandez-Lobato, "Robust-Multi-Task Gradient Boosting", Expert Systems with
       Applications, 2025. arXiv 2507.11411.

    Examples
    --------
    >>> from skmtl.boosting import RMTGBClassifier
    >>> X = [[0.0], [1.0], [2.0], [3.0]] * 6
    >>> y = ["low", "low", "high", "high"] * 3 + ["high", "high", "low", "low"] * 3
    >>> tasks = ["up"] * 12 + ["down"] * 12
    >>> model = RMTGBClassifier(random_state=0).fit(X, y, tasks=tasks)
    >>> model.predict([[0.0], [0.0]], tasks=["up", "down"])
    array(['low', 'high'], dtype='<U4')
    """

    _parameter_constraints: dict = {
        **BaseRMTGB._parameter_constraints,
        "loss": [str, ClassificationLoss],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "unseen_classes": [StrOptions({"zero", "shared"})],
    }

    def __init__(
        self,
        loss: Any = "log_loss",
        *,
        task_column: str | int | None = None,
        learning_rate: float = 0.1,
        max_iter: int | str = "auto",
        schedule: str | dict[str, int] = "adaptive",
        max_leaf_nodes: Any = "auto",
        max_depth: Any = None,
        min_samples_leaf: Any = "auto",
        l2_regularization: Any = "auto",
        max_features: Any = "auto",
        random_strength: float = 3.0,
        subsample: float = 1.0,
        max_bins: int = 255,
        categorical_features: Any = "from_dtype",
        monotonic_cst: Any = None,
        interaction_cst: Any = None,
        class_weight: Any = None,
        task_features: bool = True,
        init: str = "task",
        leaf_step: str = "newton",
        theta_init: Any = "residuals",
        theta_update: str = "newton",
        theta_learning_rate: float | None = None,
        theta_l2: float = 16.0,
        early_stopping: str | bool = "auto",
        validation_fraction: float = 0.15,
        n_iter_no_change: int = 20,
        tol: float = 1e-7,
        refit: bool = True,
        unseen_tasks: str = "shared",
        unseen_classes: str = "zero",
        n_jobs: int | None = None,
        warm_start: bool = False,
        verbose: int = 0,
        random_state: Any = None,
    ) -> None:
        self.loss = loss
        self.task_column = task_column
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.schedule = schedule
        self.max_leaf_nodes = max_leaf_nodes
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.l2_regularization = l2_regularization
        self.max_features = max_features
        self.random_strength = random_strength
        self.subsample = subsample
        self.max_bins = max_bins
        self.categorical_features = categorical_features
        self.monotonic_cst = monotonic_cst
        self.interaction_cst = interaction_cst
        self.class_weight = class_weight
        self.task_features = task_features
        self.init = init
        self.leaf_step = leaf_step
        self.theta_init = theta_init
        self.theta_update = theta_update
        self.theta_learning_rate = theta_learning_rate
        self.theta_l2 = theta_l2
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.refit = refit
        self.unseen_tasks = unseen_tasks
        self.unseen_classes = unseen_classes
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> RMTGBClassifier:
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
            Weights, zero or positive. A weight of 2 counts as the row given twice, also towards `min_samples_leaf` and
            `l2_regularization`; a weight of 0 as no row.

        Returns
        -------
        self : RMTGBClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or an input is out of its range, lengths differ, labels are missing, or both `tasks` and
            `task_column` are given. The estimator stays as it was.
        TypeError
            If X is sparse, or labels cannot be sorted.
        """
        return self._fit(X, y, tasks, sample_weight)

    def _code_target(self, pairs, n_units, earlier):
        if earlier is None:
            check_classification_targets(pairs.values)
            self._classes, coded = TaskClasses.learn(pairs, n_units, type(self).__name__)
        else:
            self._classes, coded = self._classes.extend(pairs)
        return coded.astype(np.float64), len(self._classes.labels)

    def _publish(self, output_labels):
        super()._publish(output_labels)
        self._publish_classes()

    def _check_plan(self, n_classes):
        if n_classes > 2 and np.any(self._plan.monotonic != 0):
            raise ValueError(f"'monotonic_cst' is for regression and two classes. Got {n_classes} classes.")

    def _raw_predictions(self, X, tasks):
        bins, task_codes = self._read(X, tasks)
        return self._raw(bins, task_codes), task_codes
