"""Report on whether learning together helps or hurts, task by task."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils import check_random_state

from skmtl._optional import import_optional
from skmtl._shared.tables import is_frame, take_rows
from skmtl._sklearn import HasMethods, Interval, StrOptions, _num_samples, validate_params
from skmtl.metrics import RelativeGain, relative_gain
from skmtl.tasks import learn_tasks

if TYPE_CHECKING:
    import pandas as pd

_MODELS = ("single_task", "pooled", "multi_task")


@dataclass(frozen=True, eq=False, repr=False)
class NegativeTransferReport:  # numpydoc ignore=PR02
    """Losses of the tasks by single-task, pooled and multi-task models on the same folds.

    Parameters
    ----------
    task : ndarray of shape (n_tasks,)
        Labels of the tasks.
    n_rows : ndarray of shape (n_tasks,)
        Number of rows of each task.
    single_task : ndarray of shape (n_tasks,)
        Mean loss of each task by one model per task.
    pooled : ndarray of shape (n_tasks,)
        Mean loss of each task by one model for all tasks that does not see them.
    multi_task : ndarray of shape (n_tasks,)
        Mean loss of each task by the multi-task model.
    gain : ndarray of shape (n_tasks,)
        Loss of the single-task model less that of the multi-task model: positive where learning together helps.
    low : ndarray of shape (n_tasks,)
        Lower end of the interval of `gain`.
    high : ndarray of shape (n_tasks,)
        Upper end of the interval of `gain`.
    loss : str
        Name of the loss.
    confidence_level : float
        Level of the intervals.
    relative_gain : RelativeGain or None
        Gains as fractions of the loss of the single-task model, and their mean with an interval; None if that loss is
        zero for some task.

    See Also
    --------
    negative_transfer_report : Make it.
    """

    task: np.ndarray
    n_rows: np.ndarray
    single_task: np.ndarray
    pooled: np.ndarray
    multi_task: np.ndarray
    gain: np.ndarray
    low: np.ndarray
    high: np.ndarray
    loss: str
    confidence_level: float
    relative_gain: RelativeGain | None

    @property
    def verdict(self) -> np.ndarray:
        """For each task "gains" or "loses" if its interval leaves out zero, otherwise "unclear"."""
        return np.where(self.low > 0, "gains", np.where(self.high < 0, "loses", "unclear"))

    @property
    def negative_transfer(self) -> float:
        """Share of the tasks that lose, by the number alone, whatever the interval."""
        return float(np.mean(self.gain < 0))

    def __repr__(self) -> str:
        verdict = self.verdict
        counts = ", ".join(f"{np.sum(verdict == word)} {word}" for word in ("gains", "loses", "unclear"))
        return f"NegativeTransferReport({len(self.task)} tasks: {counts}; loss={self.loss!r})"

    def __str__(self) -> str:
        verdict, n_tasks = self.verdict, len(self.task)
        weights = self.n_rows / self.n_rows.sum()
        lines = [f"Mean {self.loss.replace('_', ' ')} over rows / over tasks"]
        for name in _MODELS:
            values = getattr(self, name)
            lines.append(f"  {name.replace('_', '-'):<12} {values @ weights:>10.4g} / {values.mean():.4g}")
        lines.append(
            f"Multi-task against single-task, {self.confidence_level:.0%} intervals: {np.sum(verdict == 'gains')} of "
            f"{n_tasks} tasks gain, {np.sum(verdict == 'loses')} lose, {np.sum(verdict == 'unclear')} are unclear."
        )
        if self.relative_gain is not None:
            gain = self.relative_gain
            lines.append(f"Mean relative gain {gain.delta_m:+.1%} (interval {gain.low:+.1%} to {gain.high:+.1%}).")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Return the report as a pandas DataFrame.

        Returns
        -------
        frame : pandas.DataFrame
            One row per task with the columns `task`, `n_rows`, `single_task`, `pooled`, `multi_task`, `gain`, `low`,
            `high` and `verdict`; the task that gains least first.
        """
        pandas = import_optional("pandas", extra="data")
        names = ("task", "n_rows", *_MODELS, "gain", "low", "high", "verdict")
        frame = pandas.DataFrame({name: getattr(self, name) for name in names})
        return frame.sort_values("gain", kind="stable", ignore_index=True)


@validate_params(
    {
        "estimator": [HasMethods(["fit", "predict"])],
        "single_task": [HasMethods(["fit", "predict"]), None],
        "pooled": [HasMethods(["fit", "predict"]), None],
        "loss": [StrOptions({"auto", "squared_error", "absolute_error", "brier", "zero_one"})],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split"])],
        "n_bootstrap": [Interval(Integral, 1, None, closed="left")],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def negative_transfer_report(
    estimator: Any,
    X: Any,
    y: Any,
    tasks: Any,
    *,
    single_task: Any = None,
    pooled: Any = None,
    loss: str = "auto",
    cv: Any = 5,
    n_bootstrap: int = 1000,
    confidence_level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
) -> NegativeTransferReport:
    """Compare a multi-task model with one model per task and one for all, on the same folds, task by task.

    Every row is predicted by models that did not see it. The interval of a task is a percentile bootstrap over its
    rows, of the difference of the two losses on the same row; it does not know of the chance in fitting, so that it is
    rather too narrow.

    Parameters
    ----------
    estimator : estimator
        Multi-task regressor or classifier, whose `fit` and `predict` take `tasks`.
    X : array-like or DataFrame of shape (n_samples, n_features)
        Features.
    y : array-like of shape (n_samples,)
        Targets or class labels.
    tasks : array-like of shape (n_samples,)
        Task labels.
    single_task : estimator, default=None
        Estimator to fit to each task alone. None: a copy of `estimator`, which with a single task is an ordinary
        estimator of the same kind and capacity.
    pooled : estimator, default=None
        Estimator to fit to all rows, without tasks. None: a copy of `estimator`.
    loss : {"auto", "squared_error", "absolute_error", "brier", "zero_one"}, default="auto"
        Loss of a row. "brier" is the squared distance of the probabilities from zeros and a one. "auto":
        "squared_error" for regressors, "brier" for classifiers with `predict_proba`, "zero_one" for others.
    cv : int or splitter, default=5
        Number of folds of a shuffled :class:`~skmtl.model_selection.TaskStratifiedKFold`, or a splitter whose `split`
        takes `tasks` and tests every row once.
    n_bootstrap : int, default=1000
        Number of bootstrap samples.
    confidence_level : float, default=0.95
        Level of the intervals.
    random_state : int, RandomState instance or None, default=None
        Source of the folds and of the bootstrap samples.

    Returns
    -------
    report : NegativeTransferReport
        Losses, gains and intervals per task. ``print(report)`` gives a summary, ``report.to_frame()`` the table.

    Raises
    ------
    ValueError
        If lengths differ, a parameter is out of its range, or `cv` does not test every row once.

    See Also
    --------
    TaskGainsDisplay : A picture of it.
    skmtl.metrics.relative_gain : From scores that are there already.

    Examples
    --------
    >>> from skmtl import RMTGBRegressor
    >>> from skmtl.datasets import make_fourier_tasks
    >>> from skmtl.inspection import negative_transfer_report
    >>> X, y, tasks = make_fourier_tasks(3, n_tasks=4, n_samples=60, return_X_y_tasks=True, random_state=0)
    >>> report = negative_transfer_report(RMTGBRegressor(max_iter=30), X, y, tasks, cv=3, random_state=0)
    >>> report.task.tolist(), report.n_rows.tolist()
    ([0, 1, 2, 3], [60, 60, 60, 60])
    """
    from skmtl.baselines import PooledClassifier, PooledRegressor, SingleTaskClassifier, SingleTaskRegressor
    from skmtl.model_selection import TaskStratifiedKFold

    classifies = is_classifier(estimator)
    if loss == "auto":
        loss = "squared_error" if not classifies else "brier" if hasattr(estimator, "predict_proba") else "zero_one"
    if classifies != (loss in {"brier", "zero_one"}):
        raise ValueError(f"'loss' is {loss!r}, which is not for a {'classifier' if classifies else 'regressor'}.")
    if not is_frame(X):
        X = np.asarray(X)
    y = np.asarray(y)
    if y.ndim != 1:
        raise ValueError(f"'y' must be 1-D; got shape {y.shape}. Compare the columns of a 2-D y one at a time.")
    n_rows = _num_samples(X)
    if len(y) != n_rows:
        raise ValueError(f"'y' has {len(y)} rows but X has {n_rows} rows.")
    labels, codes = learn_tasks(tasks, n_rows, owner="negative_transfer_report")
    row_tasks = labels[codes]
    rng = check_random_state(random_state)
    if isinstance(cv, Integral):
        cv = TaskStratifiedKFold(int(cv), shuffle=True, random_state=rng.randint(2**31 - 1))
    single_class, pooled_class = (
        (SingleTaskClassifier, PooledClassifier) if classifies else (SingleTaskRegressor, PooledRegressor)
    )
    models = {
        "single_task": single_class(clone(estimator if single_task is None else single_task)),
        "pooled": pooled_class(clone(estimator if pooled is None else pooled)),
        "multi_task": estimator,
    }
    losses = {name: np.full(n_rows, np.nan) for name in models}
    tested = np.zeros(n_rows, dtype=np.intp)
    classes = np.unique(y) if classifies else None
    for train, test in cv.split(X, y, tasks=row_tasks):
        tested[test] += 1
        for name, model in models.items():
            fitted = clone(model).fit(take_rows(X, train), y[train], tasks=row_tasks[train])
            losses[name][test] = _loss(fitted, take_rows(X, test), y[test], row_tasks[test], loss, classes)
    if np.any(tested != 1):
        raise ValueError(
            f"'cv' must test every row once; {int(np.sum(tested != 1))} rows are tested more or less often."
        )

    counts = np.bincount(codes)
    means = {name: np.bincount(codes, values) / counts for name, values in losses.items()}
    difference = losses["single_task"] - losses["multi_task"]
    low, high = _intervals(difference, codes, len(labels), n_bootstrap, confidence_level, rng)
    relative = None
    if np.all(means["single_task"] > 0):
        relative = relative_gain(
            means["multi_task"],
            means["single_task"],
            greater_is_better=False,
            tasks=labels,
            n_bootstrap=n_bootstrap,
            confidence_level=confidence_level,
            random_state=rng,
        )
    return NegativeTransferReport(
        labels,
        counts,
        means["single_task"],
        means["pooled"],
        means["multi_task"],
        means["single_task"] - means["multi_task"],
        low,
        high,
        loss,
        float(confidence_level),
        relative,
    )


def _loss(fitted, X, y, tasks, loss, classes):
    """Return the loss of each row."""
    if loss == "brier":
        proba = fitted.predict_proba(X, tasks=tasks)
        own = np.searchsorted(classes, fitted.classes_)
        wide = np.zeros((len(y), len(classes)))
        wide[:, own] = proba
        return np.sum((wide - (y[:, None] == classes)) ** 2, axis=1)
    predicted = fitted.predict(X, tasks=tasks)
    if loss == "zero_one":
        return (predicted != y).astype(np.float64)
    return np.abs(predicted - y) if loss == "absolute_error" else (predicted - y) ** 2


def _intervals(difference, codes, n_tasks, n_bootstrap, confidence_level, rng):
    """Return the ends of the bootstrap interval of the mean in each task."""
    generator = np.random.default_rng(rng.randint(2**31 - 1))
    tail = (1.0 - confidence_level) / 2.0
    low, high = np.empty(n_tasks), np.empty(n_tasks)
    for code in range(n_tasks):
        own = difference[codes == code]
        # How often each row is drawn is multinomial: no need to gather rows.
        drawn = generator.multinomial(len(own), np.full(len(own), 1 / len(own)), size=n_bootstrap)
        low[code], high[code] = np.quantile(drawn @ own / len(own), [tail, 1.0 - tail])
    return low, high
