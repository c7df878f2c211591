"""How much better one model is than another, task by task."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from skmtl._optional import import_optional
from skmtl._sklearn import Interval, validate_params
from skmtl.metrics._per_task import TaskScores

if TYPE_CHECKING:
    import pandas as pd

_MAX_SHOWN = 5


@dataclass(frozen=True, eq=False, repr=False)
class RelativeGain:  # numpydoc ignore=PR02
    """Relative gains of the tasks, and what they come to.

    Parameters
    ----------
    task : ndarray of shape (n_tasks,)
        Labels of the tasks.
    gain : ndarray of shape (n_tasks,)
        Gain of each task as a fraction: 0.1 is 10 % better than the baseline, a negative number worse.
    delta_m : float
        Mean of the gains over the tasks.
    low : float
        Lower end of the interval of `delta_m`.
    high : float
        Upper end of the interval of `delta_m`.
    negative_transfer : float
        Share of the tasks that lose, in [0, 1].
    n_repeats : int
        Number of repetitions, such as folds or seeds, that the scores were means of.
    confidence_level : float
        Level of the interval.

    See Also
    --------
    relative_gain : Compute it.
    """

    task: np.ndarray
    gain: np.ndarray
    delta_m: float
    low: float
    high: float
    negative_transfer: float
    n_repeats: int
    confidence_level: float

    def __repr__(self) -> str:
        return (
            f"RelativeGain(delta_m={self.delta_m:.4g}, {self.confidence_level:.0%} interval [{self.low:.4g}, "
            f"{self.high:.4g}], negative_transfer={self.negative_transfer:.3g}, n_tasks={len(self.task)}, "
            f"n_repeats={self.n_repeats})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return the gains as a pandas DataFrame.

        Returns
        -------
        frame : pandas.DataFrame
            One row per task with the columns `task` and `gain`.
        """
        pandas = import_optional("pandas", extra="data")
        return pandas.DataFrame({"task": self.task, "gain": self.gain})


@validate_params(
    {
        "scores": ["array-like", TaskScores],
        "baseline_scores": ["array-like", TaskScores],
        "greater_is_better": ["boolean", "array-like"],
        "tasks": ["array-like", None],
        "n_bootstrap": [Interval(Integral, 1, None, closed="left")],
        "confidence_level": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def relative_gain(
    scores: Any,
    baseline_scores: Any,
    *,
    greater_is_better: Any,
    tasks: Any = None,
    n_bootstrap: int = 2000,
    confidence_level: float = 0.95,
    random_state: int | np.random.RandomState | None = None,
) -> RelativeGain:
    r"""Compute by which fraction each task is better off with a model than with a baseline, and the mean of that.

    The gain of task t is

    .. math:: \Delta_t = \pm \frac{M_t - B_t}{|B_t|}

    with the score :math:`M_t` of the model and :math:`B_t` of the baseline, such as one model per task, and the sign
    such that better is positive. Their mean is the :math:`\Delta_m` of multi-task learning [1]_ [2]_.

    The interval is a percentile bootstrap: tasks are drawn with replacement and, where there are several repetitions,
    these too, the same for all tasks. It speaks about further tasks like these. Repetitions on the same rows, such as
    the folds of one table, overlap, so that it is rather too narrow.

    Parameters
    ----------
    scores : TaskScores or array-like of shape (n_tasks,) or (n_repeats, n_tasks)
        Scores of the model, such as the result of :func:`task_scores`, one row for each repetition if there are
        several. Use errors, or scores bounded away from zero: a gain over a baseline near zero means nothing.
    baseline_scores : TaskScores or array-like of the same shape
        Scores of the baseline on the same rows.
    greater_is_better : bool or array-like of shape (n_tasks,), dtype bool
        Whether greater scores are better; an array where tasks have different metrics.
    tasks : array-like of shape (n_tasks,), default=None
        Labels of the tasks. None: those of TaskScores, or positions.
    n_bootstrap : int, default=2000
        Number of bootstrap samples.
    confidence_level : float, default=0.95
        Level of the interval.
    random_state : int, RandomState instance or None, default=None
        Source of the bootstrap samples.

    Returns
    -------
    gain : RelativeGain
        With `task`, `gain`, `delta_m`, `low`, `high` and `negative_transfer`.

    Raises
    ------
    ValueError
        If shapes or tasks differ, a score is not finite, or a score of the baseline is zero.

    See Also
    --------
    task_scores : Scores per task.

    References
    ----------
    .. [1] K.-K. Maninis, I. Radosavovic, I. Kokkinos, "Attentive Single-Tasking of Multiple Tasks", CVPR 2019.
    .. [2] S. Vandenhende et al., "Multi-Task Learning for Dense Prediction Tasks: A Survey", IEEE TPAMI, 2021.

    Examples
    --------
    >>> from skmtl.metrics import relative_gain
    >>> errors, baseline = [1.0, 2.0, 3.3], [2.0, 2.0, 3.0]
    >>> gain = relative_gain(errors, baseline, greater_is_better=False, random_state=0)
    >>> gain.gain.round(2).tolist(), round(gain.delta_m, 3), round(gain.negative_transfer, 3)
    ([0.5, 0.0, -0.1], 0.133, 0.333)
    """
    labels = None if tasks is None else np.asarray(tasks)
    if isinstance(scores, TaskScores) != isinstance(baseline_scores, TaskScores):
        raise TypeError("'scores' and 'baseline_scores' must both be TaskScores, or both be arrays.")
    if isinstance(scores, TaskScores):
        if not np.array_equal(scores.task, baseline_scores.task):
            raise ValueError("'scores' and 'baseline_scores' must be of the same tasks, but their labels differ.")
        labels = scores.task if labels is None else labels
        scores, baseline_scores = scores.score, baseline_scores.score
    model, baseline = (np.asarray(values, dtype=np.float64) for values in (scores, baseline_scores))
    if model.ndim not in {1, 2} or model.size == 0:
        raise ValueError(f"'scores' must be of shape (n_tasks,) or (n_repeats, n_tasks). Got shape {model.shape}.")
    if model.shape != baseline.shape:
        raise ValueError(f"'baseline_scores' has shape {baseline.shape} but 'scores' has shape {model.shape}.")
    n_tasks = model.shape[-1]
    labels = np.arange(n_tasks) if labels is None else labels
    if len(labels) != n_tasks:
        raise ValueError(f"'tasks' has {len(labels)} labels but 'scores' has {n_tasks} tasks.")
    model, baseline = np.atleast_2d(model), np.atleast_2d(baseline)
    for name, values in {"scores": model, "baseline_scores": baseline}.items():
        bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
        if len(bad):
            raise ValueError(f"'{name}' must be finite. Got NaN or infinity for {_shown(labels[bad])}.")
    better = np.asarray(greater_is_better, dtype=bool)
    if better.ndim and better.shape != (n_tasks,):
        raise ValueError(f"'greater_is_better' has shape {better.shape}; expected a bool or one for each of {n_tasks}.")
    sign = np.where(better, 1.0, -1.0)

    zero = np.flatnonzero((baseline == 0).any(axis=0))
    if len(zero):
        raise ValueError(
            f"'baseline_scores' must not be zero, as gains are relative to them. Got 0 for {_shown(labels[zero])}; use "
            "an error or a score that stays away from zero."
        )
    gain = _gains(model.mean(axis=0), baseline.mean(axis=0), sign)
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    means = np.empty(n_bootstrap)
    n_repeats = len(model)
    for i in range(n_bootstrap):
        drawn = rng.integers(n_tasks, size=n_tasks)
        if n_repeats == 1:
            means[i] = gain[drawn].mean()
            continue
        repeats = rng.integers(n_repeats, size=n_repeats)
        resampled = _gains(model[repeats].mean(axis=0), baseline[repeats].mean(axis=0), sign)
        means[i] = resampled[drawn].mean()
    tail = (1.0 - confidence_level) / 2.0
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return RelativeGain(
        labels,
        gain,
        float(gain.mean()),
        float(low),
        float(high),
        float(np.mean(gain < 0)),
        n_repeats,
        float(confidence_level),
    )


def _gains(model, baseline, sign):
    """Gains of the tasks, one axis."""
    return sign * (model - baseline) / np.abs(baseline) + 0.0  # no minus zero


def _shown(labels: np.ndarray) -> str:
    return ", ".join(map(repr, labels[:_MAX_SHOWN].tolist())) + (", ..." if len(labels) > _MAX_SHOWN else "")
