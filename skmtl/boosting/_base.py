"""What both estimators share: parameters, the way of a fit, raw predictions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._shared.reading import read_features, read_fit_features
from .._shared.tables import take_rows
from .._shared.targets import check_weight
from .._sklearn import Interval, StrOptions
from ..tasks import TaskRequests, learn_tasks, look_up_tasks, observed_pairs
from ._binning import Binner
from ._forest import INLIER, JOINT, OUTLIER, SHARED, SPECIFIC
from ._input import FeaturePlan, plan_constraints, read_rows
from ._settings import BLOCKS, check_blocks
from ._task_features import TaskFeatures
from ._theta import outlier_scores
from ._training import fit_rows, rounds_of, sort_rows, stops_early, uses_partition

_AUTO = StrOptions({"auto"})
#: Fewer rows times trees than this are not worth a thread.
_STEPS_PER_THREAD = 500_000


class BaseRMTGB(TaskRequests, BaseEstimator):
    """Robust multi-task gradient boosting; see the classifier and the regressor."""

    _parameter_constraints: dict = {
        "task_column": [str, Integral, None],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [_AUTO, Interval(Integral, 0, None, closed="left")],
        "schedule": [StrOptions({"adaptive", "sequential"}), dict],
        "max_leaf_nodes": [_AUTO, Interval(Integral, 2, None, closed="left"), dict, None],
        "max_depth": [Interval(Integral, 1, None, closed="left"), dict, None],
        "min_samples_leaf": [_AUTO, Interval(Real, 0, None, closed="neither"), dict],
        "l2_regularization": [_AUTO, Interval(Real, 0, None, closed="left"), dict],
        "max_features": [_AUTO, Interval(Real, 0, 1, closed="right"), dict],
        "random_strength": [Interval(Real, 0, None, closed="left")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "max_bins": [Interval(Integral, 2, 255, closed="both")],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "monotonic_cst": ["array-like", dict, None],
        "interaction_cst": [list, tuple, StrOptions({"pairwise", "no_interactions"}), None],
        "task_features": ["boolean"],
        "init": [StrOptions({"task", "mean", "zero"})],
        "leaf_step": [StrOptions({"newton", "gradient"})],
        "theta_init": [StrOptions({"residuals", "random"}), "array-like"],
        "theta_update": [StrOptions({"newton", "gradient"})],
        "theta_learning_rate": [Interval(Real, 0, None, closed="left"), None],
        "theta_l2": [Interval(Real, 0, None, closed="left")],
        "early_stopping": [_AUTO, "boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "refit": ["boolean"],
        "unseen_tasks": [StrOptions({"shared", "error"})],
        "n_jobs": [Integral, None],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    _row_tasks: np.ndarray
    _plan: FeaturePlan

    def _fit(self, X, y, tasks, sample_weight):
        """Fit, or leave the estimator as it was."""
        before = dict(vars(self))
        try:
            self._fit_steps(X, y, tasks, sample_weight)
        except BaseException:
            self.__dict__ = before
            raise
        return self

    def _fit_steps(self, X, y, tasks, sample_weight):
        owner = type(self).__name__
        check_blocks(vars(self), self._parameter_constraints, owner)
        loss = self._make_loss()
        earlier = getattr(self, "_fitted", None) if self.warm_start else None
        if earlier is None:
            reader, values, positions, labels = read_fit_features(self, X, tasks, most_categories=self.max_bins)
        else:
            values, labels = read_features(self, self._plan.reader, X, tasks)
        targets, output_labels = self._read_target(y, values)
        weight = check_weight(sample_weight, values)
        if weight is not None and np.any(weight == 0):  # A weight of zero is no row at all.
            kept = weight > 0
            values, targets, weight = values[kept], targets[kept], weight[kept]
            labels = None if labels is None else take_rows(labels, kept)
        if earlier is None:
            row_tasks, codes = learn_tasks(labels, len(values), owner=owner)
        else:
            row_tasks = self._row_tasks
            codes = look_up_tasks(labels, row_tasks, len(values), unseen="error", owner=owner)
        pairs = observed_pairs(targets, codes, owner=owner)
        n_units = len(row_tasks) * pairs.n_outputs
        if earlier is not None:
            self._check_continues(earlier, pairs, n_units)
        y_coded, n_classes = self._code_target(pairs, n_units, earlier)
        row_weight = None if weight is None or np.all(weight == 1.0) else weight
        count = None if row_weight is None else row_weight[pairs.rows]
        weight = self._weigh(count, y_coded)

        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        n_threads = effective_n_jobs(self.n_jobs)
        if earlier is None:
            binner = Binner(self.max_bins, reader.n_categories, n_threads)
            binner.fit(values, row_weight, np.random.default_rng(seed))
            task_features = TaskFeatures.none(len(row_tasks))
            if self.task_features and len(row_tasks) > 1:
                task_features = TaskFeatures.learn(
                    values, row_weight, codes, len(row_tasks), ~reader.categorical, self.max_bins
                )
            constraints = plan_constraints(self, positions, reader, task_features)
            self._plan = FeaturePlan(reader, binner, positions, task_features, *constraints)
            self._check_plan(n_classes)
        self._check_schedule(n_units)
        bins = self._plan.task_features.extend(self._plan.binner.transform(values), codes)
        rows = sort_rows(bins, pairs, y_coded, weight, count, n_units, n_classes is not None)
        n_outputs, two_dimensional = pairs.n_outputs, targets.ndim == 2
        # What the trees do not need would take as much memory as the codes of the features.
        del bins, pairs, y_coded, weight, count, row_weight, codes, targets, values, labels
        self._fitted = fit_rows(rows, self._plan, loss, self, n_classes, seed, n_threads, earlier)
        self._row_tasks = row_tasks
        self._n_outputs = n_outputs
        self._two_dimensional = two_dimensional
        self._publish(output_labels)

    def _publish(self, output_labels):
        """Set the public attributes."""
        fitted = self._fitted
        n_tasks, n_outputs = len(self._row_tasks), self._n_outputs
        if self._two_dimensional and n_tasks == 1:
            self.tasks_ = output_labels
            shape: tuple[int, ...] = (n_outputs,)
        else:
            self.tasks_ = self._row_tasks
            shape = (n_tasks, n_outputs) if self._two_dimensional else (n_tasks,)
        self.theta_ = fitted.theta.reshape(shape)
        used = uses_partition(self, len(fitted.theta))
        scores = outlier_scores(fitted.theta, fitted.unit_weight) if used else np.zeros(len(fitted.theta))
        self.outlier_scores_ = scores.reshape(shape)
        self.n_iter_ = len(fitted.sequence)
        self.n_iter_per_block_ = {block: fitted.sequence.count(block) for block in BLOCKS}
        self.block_sequence_ = np.array(fitted.sequence, dtype=object)
        self.train_score_ = -fitted.train_loss
        self.validation_score_ = -fitted.validation_loss

    def _check_schedule(self, n_units):
        if isinstance(self.schedule, dict):
            unknown = [block for block in self.schedule if block not in BLOCKS]
            if unknown:
                raise ValueError(f"'schedule' names unknown blocks: {unknown[:5]}. Blocks are {list(BLOCKS)}.")
            for block, n in self.schedule.items():
                if not isinstance(n, Integral) or isinstance(n, bool) or n < 0:
                    raise ValueError(
                        f"'schedule' must give each block a number of rounds, 0 or more. Got {n!r} for '{block}'."
                    )
        if not isinstance(self.theta_init, str):
            try:
                given = np.asarray(self.theta_init, dtype=np.float64)
            except (TypeError, ValueError):
                raise ValueError(f"'theta_init' as an array must hold numbers. Got {self.theta_init!r}.") from None
            if given.size != n_units or not np.all(np.isfinite(given)):
                raise ValueError(
                    f"'theta_init' as an array must hold {n_units} finite numbers, one per task. Got shape "
                    f"{given.shape}."
                )

    def _check_continues(self, earlier, pairs, n_units):
        if n_units != len(earlier.theta) or pairs.n_outputs != self._n_outputs:
            raise ValueError("With warm_start=True 'y' must have the same columns as in the first fit.")
        for block, n in rounds_of(self, n_units, stops_early(self, len(pairs.values))).items():
            done = earlier.sequence.count(block)
            if n < done:
                raise ValueError(
                    f"With warm_start=True the rounds of block '{block}' must not fall below those made. Got {n} after "
                    f"{done}."
                )

    def _weigh(self, weight, y):
        return weight

    def _check_plan(self, n_classes):
        """Refuse what the loss cannot do."""

    # Prediction ------------------------------------------------------------------------------------------------------

    def _unit_start(self, task_codes, output):
        """Start, weight of the outlier ensemble and unit of each row, for one output."""
        fitted, n_outputs = self._fitted, self._n_outputs
        share = expit(fitted.theta)
        unseen = task_codes < 0
        units = task_codes * n_outputs + output
        if not unseen.any():
            return fitted.start[units], share[units], units
        own = np.arange(output, len(fitted.theta), n_outputs)
        weights = fitted.unit_weight[own] if fitted.unit_weight[own].sum() > 0 else None
        common = fitted.constant if n_outputs == 1 else np.average(fitted.start[own], axis=0, weights=weights)
        # An unseen task gets what is common: no effect of its own, the tasks' mean weight, no trees of its own.
        units = np.where(unseen, -1, units)
        start = np.where(unseen[:, None], common, fitted.start[units])
        return start, np.where(unseen, np.average(share[own], weights=weights), share[units]), units

    def _read(self, X, tasks):
        """Codes and task codes of rows to predict."""
        check_is_fitted(self)
        return read_rows(self, X, tasks)

    def _staged_raw(self, bins, task_codes, ends):
        """Raw predictions, (n_rows, columns of y, outputs of the loss), after so many trees as each of `ends` says."""
        fitted, n_columns = self._fitted, self._n_outputs
        n, k = bins.shape[1], fitted.start.shape[1]
        starts = [self._unit_start(task_codes, output) for output in range(n_columns)]
        shared, outlier, inlier = (np.zeros((n, k)) for _ in range(3))
        specific = [np.zeros((n, k)) for _ in range(n_columns)]
        begin = 0
        for end in ends:
            common = {SHARED: shared, OUTLIER: outlier, INLIER: inlier}
            for output in range(n_columns):
                # Trees that all outputs share are walked once, with the first output.
                parts = {**common, SPECIFIC: specific[output], JOINT: specific[output]}
                fitted.forest.add_to(parts, bins, starts[output][2], begin, end, only_own=output > 0)
            begin = end
            raw = np.empty((n, n_columns, k))
            for output, (start, share, _) in enumerate(starts):
                s = share[:, None]
                raw[:, output] = start + shared + (1.0 - s) * inlier + s * outlier + specific[output]
            yield raw

    def _raw(self, bins, task_codes):
        """Raw predictions of the whole forest."""
        n_trees = len(self._fitted.forest.trees)
        n_threads = effective_n_jobs(self.n_jobs)
        n_parts = max(1, min(n_threads, bins.shape[1] * n_trees // _STEPS_PER_THREAD))
        if n_parts == 1:
            return next(self._staged_raw(bins, task_codes, [n_trees]))
        cuts = np.linspace(0, bins.shape[1], n_parts + 1).astype(np.int64)

        def part(begin, end):
            chosen = np.ascontiguousarray(bins[:, begin:end])
            return next(self._staged_raw(chosen, task_codes[begin:end], [n_trees]))

        # Rows do not know of each other: the sums are those of a single thread.
        with ThreadPoolExecutor(n_parts) as pool:
            return np.concatenate(list(pool.map(part, cuts[:-1], cuts[1:])))

    def _stages(self):
        return self._fitted.forest.round_ends.tolist()

    # Importances -----------------------------------------------------------------------------------------------------

    @property
    def feature_importances_(self) -> np.ndarray:
        """Share of each column of X in the gain of all splits; sums to one. A task column has none."""
        check_is_fitted(self)
        shared, outlier, inlier, joint, specific = self._fitted.forest.gains(len(self._plan.columns))
        return self._spread(shared + outlier + inlier + joint + specific.sum(axis=0), normalise=True)

    def task_importances(self) -> dict[str, np.ndarray]:
        """Importance of every column of X for every task, block by block.

        Shared, partition and joint trees belong to all tasks: a task is given their gain in proportion to its weight,
        and of the two partition ensembles in proportion to its weight between them. The trees of a task are its own.

        Returns
        -------
        importances : dict of str to ndarray of shape (n_tasks, n_features)
            For each block, the share of a column in the gain of all splits that serve the task; for each task the sum
            over blocks and columns is one. With several target columns the first axes are those of `theta_`.
        """
        check_is_fitted(self)
        fitted = self._fitted
        shared, outlier, inlier, joint, specific = fitted.forest.gains(len(self._plan.columns))
        part = (fitted.unit_weight / fitted.unit_weight.sum())[:, None]
        s = expit(fitted.theta)[:, None]
        by_block = {
            "shared": part * shared,
            "partition": part * (s * outlier + (1.0 - s) * inlier),
            "joint": part * joint,
            "specific": specific,
        }
        total = sum(gains.sum(axis=1, keepdims=True) for gains in by_block.values())
        total = np.where(total > 0, total, 1.0)
        shape = self.theta_.shape
        return {
            block: self._spread(gains / total, normalise=False).reshape(*shape, -1) for block, gains in by_block.items()
        }

    def _spread(self, gains, normalise):
        """Gains of features as gains of the columns of X."""
        out = np.zeros((*gains.shape[:-1], self.n_features_in_))
        for j, column in enumerate(self._plan.columns):
            out[..., column] += gains[..., j]
        total = out.sum()
        return out / total if normalise and total > 0 else out

    def __sklearn_tags__(self):
        """Say that missing values, several targets and a task column in X are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags
