"""Picture of the scores of the tasks against those of a baseline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from skmtl.inspection._axes import GAIN, LOSS, check_limit, height_for, label_rows, make_axes, plain
from skmtl.metrics import TaskScores, task_scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_N_NAMED = 3  # tasks that are named at either end of a long picture


class TaskGainsDisplay:
    """Score of every task with a model and with a baseline: which tasks gain, which lose.

    Up to `max_tasks` tasks each have a line of their own, from the score of the baseline (open circle) to that of the
    model (point). With more tasks there is a bar for each, as long as the gain, in their order, and those at both ends
    are named. The task that gains most is on top.

    It is best to use :meth:`from_predictions` or :meth:`from_estimator` to create a display. All parameters are stored
    as attributes.

    Parameters
    ----------
    scores : array-like of shape (n_tasks,)
        Score of each task with the model.
    baseline_scores : array-like of shape (n_tasks,)
        Score of each task with the baseline.
    tasks : array-like of shape (n_tasks,)
        Labels of the tasks.
    greater_is_better : bool
        Whether a greater score is better.
    score_name : str, default="score"
        Name of the score, for the axis.
    name : str or None, default=None
        Name of the model.
    baseline_name : str or None, default=None
        Name of the baseline.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure that the axes are in.

    See Also
    --------
    skmtl.metrics.relative_gain : The mean gain, with an interval.
    negative_transfer_report : Fit the model and the usual baselines on the same folds.

    Examples
    --------
    >>> from skmtl.inspection import TaskGainsDisplay
    >>> display = TaskGainsDisplay([1.0, 2.0], [1.5, 1.8], ["a", "b"], greater_is_better=False).plot()
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['a', 'b']
    """

    def __init__(
        self,
        scores: Any,
        baseline_scores: Any,
        tasks: Any,
        *,
        greater_is_better: bool,
        score_name: str = "score",
        name: str | None = None,
        baseline_name: str | None = None,
    ) -> None:
        self.scores = scores
        self.baseline_scores = baseline_scores
        self.tasks = tasks
        self.greater_is_better = greater_is_better
        self.score_name = score_name
        self.name = name
        self.baseline_name = baseline_name

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        y_baseline: Any,
        tasks: Any,
        metric: Callable[..., float],
        *,
        greater_is_better: bool,
        score_name: str | None = None,
        name: str | None = None,
        baseline_name: str | None = None,
        max_tasks: int = 20,
        ax: Axes | None = None,
    ) -> TaskGainsDisplay:
        """Draw the scores of two sets of predictions.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; without `tasks` every column is a task, and NaN means not observed.
        y_pred : array-like of the same shape
            Predictions of the model, on rows that it was not fitted to.
        y_baseline : array-like of the same shape
            Predictions of the baseline.
        tasks : array-like of shape (n_samples,) or None
            Task labels.
        metric : callable
            Called as ``metric(y_true, y_pred)`` with the rows of one task.
        greater_is_better : bool
            Whether a greater value of the metric is better.
        score_name : str, default=None
            Name of the score. None: the name of the metric.
        name : str, default=None
            Name of the model.
        baseline_name : str, default=None
            Name of the baseline.
        max_tasks : int, default=20
            Most tasks with a line and a label of their own.
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure of fitting height.

        Returns
        -------
        display : TaskGainsDisplay
            The display.
        """
        scores, baseline = (task_scores(y_true, values, tasks, metric) for values in (y_pred, y_baseline))
        if score_name is None:
            score_name = getattr(metric, "__name__", "score").replace("_", " ")
        display = cls(
            scores.score,
            baseline.score,
            scores.task,
            greater_is_better=greater_is_better,
            score_name=score_name,
            name=name,
            baseline_name=baseline_name,
        )
        return display.plot(ax=ax, max_tasks=max_tasks)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        baseline: Any,
        X: Any,
        y: Any,
        *,
        tasks: Any = None,
        task_labels: Any = None,
        metric: Callable[..., float],
        greater_is_better: bool,
        score_name: str | None = None,
        name: str | None = None,
        baseline_name: str | None = None,
        max_tasks: int = 20,
        ax: Axes | None = None,
    ) -> TaskGainsDisplay:
        """Draw the scores of two fitted estimators.

        Parameters
        ----------
        estimator : estimator
            Fitted model.
        baseline : estimator
            Fitted baseline, such as a :class:`~skmtl.baselines.SingleTaskRegressor`.
        X : array-like of shape (n_samples, n_features)
            Test rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        tasks : array-like of shape (n_samples,), default=None
            Their task labels, which are handed to `predict`.
        task_labels : array-like of shape (n_samples,), default=None
            The labels to group rows by, where `predict` takes none, as of models with a task column and of searches.
            None: `tasks`.
        metric : callable
            Called as ``metric(y_true, y_pred)`` with the rows of one task.
        greater_is_better : bool
            Whether a greater value of the metric is better.
        score_name : str, default=None
            Name of the score. None: the name of the metric.
        name : str, default=None
            Name of the model. None: that of its class.
        baseline_name : str, default=None
            Name of the baseline. None: that of its class.
        max_tasks : int, default=20
            Most tasks with a line and a label of their own.
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure of fitting height.

        Returns
        -------
        display : TaskGainsDisplay
            The display.
        """
        given = {} if tasks is None else {"tasks": tasks}
        return cls.from_predictions(
            y,
            estimator.predict(X, **given),
            baseline.predict(X, **given),
            tasks if task_labels is None else task_labels,
            metric,
            greater_is_better=greater_is_better,
            score_name=score_name,
            name=type(estimator).__name__ if name is None else name,
            baseline_name=type(baseline).__name__ if baseline_name is None else baseline_name,
            max_tasks=max_tasks,
            ax=ax,
        )

    def plot(self, *, ax: Axes | None = None, max_tasks: int = 20) -> TaskGainsDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure of fitting height.
        max_tasks : int, default=20
            Most tasks with a line and a label of their own.

        Returns
        -------
        display : TaskGainsDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If lengths differ, no task has two scores, or `max_tasks` is not a positive integer.
        """
        values = [
            np.asarray(given.score if isinstance(given, TaskScores) else given, dtype=np.float64)
            for given in (self.scores, self.baseline_scores)
        ]
        labels = np.array([str(task) for task in np.asarray(self.tasks)])
        for what, array in zip(("scores", "baseline_scores"), values, strict=True):
            if len(array) != len(labels):
                raise ValueError(f"'tasks' has {len(labels)} labels but '{what}' has {len(array)} scores.")
        max_tasks = check_limit(max_tasks, "max_tasks")
        scores, baseline = values
        defined = np.isfinite(scores) & np.isfinite(baseline)
        if not defined.any():
            raise ValueError("'scores' and 'baseline_scores' have no task for which both are finite.")
        scores, baseline, labels = scores[defined], baseline[defined], labels[defined]
        gain = (scores - baseline) * (1.0 if self.greater_is_better else -1.0)
        order = np.argsort(-gain, kind="stable")
        scores, baseline, labels, gain = scores[order], baseline[order], labels[order], gain[order]
        colors = np.where(gain > 0, GAIN, np.where(gain < 0, LOSS, "0.5"))

        few = len(labels) <= max_tasks
        self.ax_ = make_axes(ax, height=height_for(len(labels)) + 0.3 if few else 5.6)
        self.figure_ = self.ax_.figure
        model, other = self.name or "model", self.baseline_name or "baseline"
        if few:
            self._draw_lines(scores, baseline, colors)
            label_rows(self.ax_, labels.tolist())
            self.ax_.set_ylim(len(labels) - 0.4, -0.6)
            better = "greater" if self.greater_is_better else "smaller"
            self.ax_.set_xlabel(f"{self.score_name} ({better} is better)")
            self.ax_.set_ylabel("Task")
        else:
            self._draw_bars(gain, labels, colors)
        plain(self.ax_)
        n_left_out = int((~defined).sum())
        left_out = f"; {n_left_out} without a score" if n_left_out else ""
        point, circle = (" (point)", " (circle)") if few else ("", "")
        n_gain, n_lose = int((gain > 0).sum()), int((gain < 0).sum())
        self.ax_.set_title(
            f"{model}{point} against {other}{circle}:\n{n_gain} of {len(gain)} tasks gain, {n_lose} lose{left_out}",
            fontsize="medium",
        )
        return self

    def _draw_lines(self, scores, baseline, colors):
        """A line per task, from the baseline to the model."""
        lines = np.arange(len(scores))
        self.ax_.hlines(lines, baseline, scores, color=colors, linewidth=2.0, zorder=1)
        self.ax_.scatter(baseline, lines, s=30, facecolor="white", edgecolor="0.4", zorder=2)
        self.ax_.scatter(scores, lines, s=36, color=colors, zorder=3)
        self.ax_.margins(x=0.08)

    def _draw_bars(self, gain, labels, colors):
        """A bar per task, and names at both ends."""
        lines = np.arange(len(gain))
        self.ax_.barh(lines, gain, height=1.0, color=colors)
        self.ax_.axvline(0.0, color="0.3", linewidth=0.8)
        self.ax_.set_ylim(len(gain) - 0.5, -0.5)
        # The names of both ends beside the axis, where no bar can be in their way.
        n_named = min(_N_NAMED, len(gain) // 2)
        self.ax_.set_yticks([0, len(gain) - 1], ["\n".join(labels[:n_named]), "\n".join(labels[-n_named:])])
        for text, align in zip(self.ax_.get_yticklabels(), ("top", "bottom"), strict=True):
            text.set(va=align, fontsize="small")
        self.ax_.tick_params(axis="y", length=0)
        self.ax_.set_ylabel(f"{len(gain)} tasks, in the order of their gain")
        self.ax_.set_xlabel(f"Gain in {self.score_name} (to the right: better)")
