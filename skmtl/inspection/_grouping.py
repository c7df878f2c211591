"""Groups of tasks that do well to be learned together."""

from __future__ import annotations

from itertools import combinations
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import cut_tree, fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import silhouette_score
from sklearn.model_selection import KFold
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed

from skmtl._shared.tables import is_frame, take_rows
from skmtl._sklearn import HasMethods, Interval, StrOptions, _fit_context
from skmtl.inspection._affinity import task_affinity
from skmtl.inspection._net_affinity import net_affinity
from skmtl.inspection._targets import is_classification
from skmtl.tasks import learn_tasks

_MOST_EXHAUSTIVE = 10  # tasks: 2 ** 10 groups
_MAX_GROUPS = 20


def select_groups(affinity: Any, n_groups: int) -> tuple[list[list[int]], float]:
    r"""Choose the groups of tasks, possibly overlapping, by which every task is served best.

    A task is served by the group in which the mean effect of the other members on it is greatest; the choice of at most
    `n_groups` groups maximises the mean of that over tasks [1]_. All choices are tried.

    Parameters
    ----------
    affinity : array-like of shape (n_tasks, n_tasks)
        Effect of task i (row) on task j (column); the diagonal is not used. At most 10 tasks.
    n_groups : int
        Most groups.

    Returns
    -------
    groups : list of lists of int
        Positions of the tasks of each group, sorted. Every task is in a group, which has two members or more.
    score : float
        The mean over tasks.

    Raises
    ------
    ValueError
        If the matrix is not square, has one task, or more than 10.

    See Also
    --------
    TaskGrouper : Groups for any number of tasks.

    References
    ----------
    .. [1] C. Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS 2021.

    Examples
    --------
    >>> from skmtl.inspection import select_groups
    >>> select_groups([[0, 5, 1, 1], [5, 0, 1, 1], [1, 1, 0, 5], [1, 1, 5, 0]], 2)
    ([[0, 1], [2, 3]], 5.0)
    """
    matrix = np.asarray(affinity, dtype=np.float64)
    n_tasks = len(matrix)
    if matrix.shape != (n_tasks, n_tasks) or not 2 <= n_tasks <= _MOST_EXHAUSTIVE:
        raise ValueError(f"'affinity' must be a square matrix of 2 to {_MOST_EXHAUSTIVE} tasks. Got {matrix.shape}.")
    if not isinstance(n_groups, Integral) or isinstance(n_groups, bool) or n_groups < 1:
        raise ValueError(f"'n_groups' must be an int of at least 1. Got {n_groups!r}.")
    members = [group for size in range(2, n_tasks + 1) for group in combinations(range(n_tasks), size)]
    scores = np.full((len(members), n_tasks), -np.inf)
    for row, group in enumerate(members):
        own = list(group)
        block = matrix[np.ix_(own, own)]
        scores[row, own] = (block.sum(axis=0) - np.diag(block)) / (len(own) - 1)

    best: tuple[float, list[int]] = (-np.inf, [])
    # The best that each task can still get from the groups that come later bounds what a choice can reach.
    reach = np.maximum.accumulate(scores[::-1], axis=0)[::-1]

    def search(start, chosen, served):
        nonlocal best
        total = served.mean()
        if total > best[0] + 1e-15:
            best = (total, chosen)
        if len(chosen) == n_groups:
            return
        for row in range(start, len(members)):
            if np.maximum(served, reach[row]).mean() <= best[0] + 1e-15:
                return  # later rows reach no further
            if (scores[row] > served).any():
                search(row + 1, [*chosen, row], np.maximum(served, scores[row]))

    search(0, [], np.full(n_tasks, -np.inf))
    return [list(members[row]) for row in best[1]], float(best[0])


class TaskGrouper(BaseEstimator):
    """Find groups of tasks that do well to be learned together.

    With ``method="cross_error"`` tasks are alike if the models of the same tasks predict them well [1]_: a model is
    fitted to each task, and its error on every other task, relative to that of the other's mean, makes a row of
    numbers; the error on its own rows is cross-validated. With ``method="stage"`` tasks are alike if boosting steps for
    the one help the other, see :func:`task_affinity`; it is quicker where tasks are large, and on little data it may
    tell tasks apart that are alike. With ``method="lookahead"`` or ``method="cosine"`` they are alike if gradient steps
    in a net help each other, or point the same way, mean over its training, see :func:`net_affinity`. Rows become
    distances, and distances clusters, by average linkage.

    Parameters
    ----------
    method : {"cross_error", "stage", "lookahead", "cosine"}, default="cross_error"
        What makes tasks alike.
    n_groups : int or "auto", default="auto"
        Number of groups. "auto": from 2 to 20 that with the best silhouette, or a single group if even the best is
        below `min_silhouette`, or no two tasks are further apart than `min_distance`.
    min_silhouette : float, default=0.5
        Silhouette, in [-1, 1], below which there are no groups to be told apart.
    min_distance : float, default=0.1
        Distance, in [0, 1], below which tasks are alike: a silhouette is as high for small distances as for great ones.
    estimator : estimator, default=None
        Regressor or classifier to fit to each task, for "cross_error"; None: gradient boosting of scikit-learn. For
        "lookahead" and "cosine" the net, a MultiTaskRegressor or MultiTaskClassifier; None: one with defaults.
    cv : int, default=3
        Number of folds for the error of a task's model on its own rows.
    n_jobs : int or None, default=None
        Number of tasks that are fitted at the same time, as in joblib.
    random_state : int, RandomState instance or None, default=None
        Source of the folds and of the trees.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels.
    labels_ : ndarray of shape (n_tasks,)
        Number of the group of each task; group 0 has the most tasks.
    groups_ : list of ndarrays
        Labels of the tasks of each group.
    errors_ : ndarray of shape (n_tasks, n_tasks)
        For "cross_error", the error of the model of task j (column) on task i (row), as a share of the variance or, for
        classes, of the error of the most frequent class.
    affinity_ : ndarray of shape (n_tasks, n_tasks)
        For the other methods, the effect of task i (row) on task j (column), or the cosine.
    distances_ : ndarray of shape (n_tasks, n_tasks)
        Distances between tasks, in [0, 1]: one minus the cosine of the angle between their rows of ``1 / errors_`` (an
        error below 0.05 hardly counts as less), or how far their mutual affinity falls short of the greatest, as a
        share of twice the greatest.
    silhouettes_ : dict of int to float
        Silhouette of each number of groups that was tried, if any were.

    See Also
    --------
    skmtl.baselines.GroupedMultiTaskRegressor : Fit a model to each group.

    References
    ----------
    .. [1] S. Emami, D. Hernández-Lobato, G. Martínez-Muñoz, "Robust multi-task boosting using clustering and local
       ensembling", arXiv 2602.14231.

    Examples
    --------
    >>> from skmtl.datasets import make_fourier_tasks
    >>> from skmtl.inspection import TaskGrouper
    >>> bunch = make_fourier_tasks(4, n_tasks=6, n_outliers=2, n_samples=150, random_state=0)
    >>> grouper = TaskGrouper(random_state=0).fit(bunch.data, bunch.target, tasks=bunch.tasks)
    >>> (grouper.labels_ == bunch.outliers).all()
    np.True_
    """

    __metadata_request__fit = {"tasks": True}
    _parameter_constraints: dict = {
        "method": [StrOptions({"cross_error", "stage", "lookahead", "cosine"})],
        "n_groups": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "min_silhouette": [Interval(Real, -1, 1, closed="both")],
        "min_distance": [Interval(Real, 0, 1, closed="both")],
        "estimator": [HasMethods(["fit", "predict"]), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        method: str = "cross_error",
        *,
        n_groups: int | str = "auto",
        min_silhouette: float = 0.5,
        min_distance: float = 0.1,
        estimator: Any = None,
        cv: int = 3,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.method = method
        self.n_groups = n_groups
        self.min_silhouette = min_silhouette
        self.min_distance = min_distance
        self.estimator = estimator
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, *, tasks: Any) -> TaskGrouper:
        """Find the groups.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features.
        y : array-like of shape (n_samples,)
            Targets or class labels.
        tasks : array-like of shape (n_samples,)
            Task labels.

        Returns
        -------
        self : TaskGrouper
            The fitted grouper.

        Raises
        ------
        ValueError
            If lengths differ, labels are missing, or there are more groups than tasks.
        """
        if not is_frame(X):
            X = np.asarray(X)
        y = np.asarray(y)
        if y.ndim != 1:
            raise ValueError(f"'y' must be 1-D; got shape {y.shape}.")
        self.tasks_, codes = learn_tasks(tasks, len(X), owner=type(self).__name__)
        if len(y) != len(X):
            raise ValueError(f"'y' has {len(y)} rows but X has {len(X)} rows.")
        n_tasks = len(self.tasks_)
        if self.n_groups != "auto" and int(self.n_groups) > n_tasks:
            raise ValueError(
                f"'n_groups' must not exceed the number of tasks, which is {n_tasks}. Got {self.n_groups}."
            )
        rng = check_random_state(self.random_state)
        if n_tasks < 2:
            self.distances_ = np.zeros((n_tasks, n_tasks))
        elif self.method != "cross_error":
            self.affinity_ = self._affinity(X, y, codes, rng.randint(2**31 - 1))
            off = ~np.eye(n_tasks, dtype=bool)
            both = (self.affinity_ + self.affinity_.T) / 2.0
            scale = 2.0 * float(np.abs(both[off]).max()) or 1.0
            self.distances_ = np.where(off, np.clip((both[off].max() - both) / scale, 0.0, 1.0), 0.0)
        else:
            self.errors_ = self._cross_errors(X, y, codes, rng)
            similarity = 1.0 / (self.errors_ + 0.05)  # so that one tiny error does not outweigh all others
            unit = similarity / np.linalg.norm(similarity, axis=1, keepdims=True)
            self.distances_ = np.clip(1.0 - unit @ unit.T, 0.0, 1.0)
            np.fill_diagonal(self.distances_, 0.0)
        labels = self._cluster()
        # The group with the most tasks, then the one whose first task comes first, gets the smallest number.
        numbers, first, sizes = np.unique(labels, return_index=True, return_counts=True)
        order = np.lexsort((first, -sizes))
        self.labels_ = np.empty(n_tasks, dtype=np.intp)
        for new, old in enumerate(numbers[order]):
            self.labels_[labels == old] = new
        self.groups_ = [self.tasks_[self.labels_ == group] for group in range(len(numbers))]
        return self

    def _affinity(self, X, y, codes, seed):
        """Return how much tasks help each other, by boosting or in a net."""
        if self.method == "stage":
            return task_affinity(X, y, codes, random_state=seed).affinity
        net = self.estimator
        if net is None:
            from skmtl.neural import MultiTaskClassifier, MultiTaskRegressor

            net = MultiTaskClassifier() if is_classification(y, "auto") else MultiTaskRegressor()
        if isinstance(net, BaseEstimator) and net.get_params().get("random_state", 0) is None:
            net = clone(net).set_params(random_state=seed)
        return net_affinity(net, X, y, tasks=codes, measure=self.method, random_state=seed).affinity

    def _cluster(self):
        """Return the number of the cluster of each task."""
        n_tasks = len(self.tasks_)
        self.silhouettes_ = {}
        if n_tasks < 3 and self.n_groups == "auto":
            return np.zeros(n_tasks, dtype=np.intp)
        if n_tasks == 1:
            return np.zeros(1, dtype=np.intp)
        tree = linkage(squareform((self.distances_ + self.distances_.T) / 2.0, checks=False), method="average")
        if self.n_groups != "auto":
            # Where distances are equal, `fcluster` would rather make fewer groups.
            return cut_tree(tree, n_clusters=min(int(self.n_groups), n_tasks))[:, 0]
        best = np.ones(n_tasks, dtype=np.intp)
        if self.distances_.max() < self.min_distance:
            return best
        best_score = float(self.min_silhouette)
        for n in range(2, min(n_tasks - 1, _MAX_GROUPS) + 1):
            labels = fcluster(tree, n, criterion="maxclust")
            if not 2 <= len(np.unique(labels)) < n_tasks:
                continue
            score = float(silhouette_score(self.distances_, labels, metric="precomputed"))
            self.silhouettes_[n] = score
            if score > best_score:
                best, best_score = labels, score
        return best

    def _cross_errors(self, X, y, codes, rng):
        """Return the relative error of the model of each task (column) on each task (row)."""
        n_tasks = len(self.tasks_)
        if self.estimator is not None:
            classifies, model = is_classifier(self.estimator), self.estimator
        else:
            classifies = is_classification(y, "auto")
            settings = {"max_iter": 50, "min_samples_leaf": 5, "early_stopping": False}
            model = (HistGradientBoostingClassifier if classifies else HistGradientBoostingRegressor)(**settings)
        rows = [np.flatnonzero(codes == code) for code in range(n_tasks)]
        seeds = rng.randint(2**31 - 1, size=n_tasks)

        def predict(train, X_new):
            if classifies and np.all(y[train] == y[train[0]]):
                return np.full(len(X_new), y[train[0]])
            return clone(model).fit(take_rows(X, train), y[train]).predict(X_new)

        def of_task(code):
            """Predictions of the model of a task for all rows, those of its own by cross-validation."""
            own = rows[code]
            predicted = np.asarray(predict(own, X))
            n_folds = min(self.cv, len(own))
            if n_folds >= 2:
                for train, test in KFold(n_folds, shuffle=True, random_state=seeds[code]).split(own):
                    predicted[own[test]] = predict(own[train], take_rows(X, own[test]))
            return predicted

        columns = Parallel(n_jobs=self.n_jobs)(delayed(of_task)(code) for code in range(n_tasks))
        errors = np.empty((n_tasks, n_tasks))
        for i, own in enumerate(rows):
            target = y[own]
            if classifies:
                found = [np.mean(column[own] != target) for column in columns]
                reference = 1.0 - np.unique(target, return_counts=True)[1].max() / len(target)
            else:
                found = [np.mean((column[own] - target) ** 2) for column in columns]
                reference = float(np.var(target))
            errors[i] = np.array(found) / (reference if reference > 0 else 1.0)
        return errors
