"""Picture of the outlier scores of the tasks."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted

from skmtl._optional import import_optional
from skmtl.inspection._inside import without

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW_HEIGHT = 0.24  # inches; labels of matplotlib's default size do not touch at this distance
_MARGIN = 0.9  # inches above and below the rows, for title and axis


class OutlierScoresDisplay:
    """Outlier scores of the tasks of a robust multi-task model, the most outlying task on top.

    Each of the `max_tasks` tasks with the highest scores has a line of its own, with its label. The others share the
    last line, one tick for each, so that the picture stays readable however many tasks there are.

    It is best to use :meth:`from_estimator` to create a display. All parameters are stored as attributes.

    Parameters
    ----------
    outlier_scores : array-like of shape (n_tasks,)
        Score of each task, in [0, 1]. The majority of tasks lies below one half.
    tasks : array-like of shape (n_tasks,)
        Labels of the tasks.
    estimator_name : str or None, default=None
        Name of the model, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure that the axes are in.

    See Also
    --------
    skmtl.boosting.RMTGBRegressor : Estimator that learns outlier scores.
    skmtl.boosting.RMTGBClassifier : Estimator that learns outlier scores.

    Examples
    --------
    >>> from skmtl.inspection import OutlierScoresDisplay
    >>> display = OutlierScoresDisplay([0.1, 0.9, 0.2], ["a", "b", "c"]).plot()
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['b', 'c', 'a']
    """

    def __init__(self, outlier_scores: Any, tasks: Any, *, estimator_name: str | None = None) -> None:
        self.outlier_scores = outlier_scores
        self.tasks = tasks
        self.estimator_name = estimator_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        output: int | None = None,
        name: str | None = None,
        max_tasks: int = 20,
        ax: Axes | None = None,
        **kwargs: Any,
    ) -> OutlierScoresDisplay:
        """Draw the outlier scores of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator with the attributes `outlier_scores_` and `tasks_`.
        output : int or None, default=None
            Position of the column of `y` whose scores to draw, for a model with task labels and a 2-D `y`. Other models
            have one score per task and take None.
        name : str or None, default=None
            Name of the model, for the title. None: the name of its class.
        max_tasks : int, default=20
            Number of tasks with a line of their own.
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure of fitting height.
        **kwargs : dict
            Further arguments of :meth:`matplotlib.axes.Axes.scatter`, for the points of single tasks.

        Returns
        -------
        display : OutlierScoresDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it learns no outlier scores.
        ValueError
            If `output` does not fit the scores.

        Examples
        --------
        >>> from skmtl.boosting import RMTGBRegressor
        >>> from skmtl.datasets import make_fourier_tasks
        >>> from skmtl.inspection import OutlierScoresDisplay
        >>> X, y, tasks = make_fourier_tasks(n_samples=50, return_X_y_tasks=True, random_state=0)
        >>> model = RMTGBRegressor(max_iter=20).fit(X, y, tasks=tasks)
        >>> display = OutlierScoresDisplay.from_estimator(model)
        >>> display.ax_.get_xlabel()
        'Outlier score (1: unlike the majority)'
        """
        owner = type(estimator).__name__
        check_is_fitted(estimator)
        if not hasattr(estimator, "outlier_scores_"):
            raise TypeError(without(estimator, "outlier_scores_"))
        scores = np.asarray(estimator.outlier_scores_)
        if scores.ndim == 2:
            if not isinstance(output, Integral) or not 0 <= output < scores.shape[1]:
                raise ValueError(
                    f"'output' must be a position from 0 to {scores.shape[1] - 1}, as {owner} has a score for each "
                    f"task and column of y. Got {output!r}."
                )
            scores = scores[:, output]
        elif output is not None:
            raise ValueError(f"'output' must be None, as {owner} has one score per task. Got {output!r}.")
        display = cls(scores, estimator.tasks_, estimator_name=owner if name is None else name)
        return display.plot(ax=ax, max_tasks=max_tasks, **kwargs)

    def plot(self, *, ax: Axes | None = None, max_tasks: int = 20, **kwargs: Any) -> OutlierScoresDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure of fitting height.
        max_tasks : int, default=20
            Number of tasks with a line of their own.
        **kwargs : dict
            Further arguments of :meth:`matplotlib.axes.Axes.scatter`, for the points of single tasks.

        Returns
        -------
        display : OutlierScoresDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are not as many scores as tasks, or `max_tasks` is not a positive integer.
        """
        scores = column_or_1d(np.asarray(self.outlier_scores, dtype=np.float64))
        labels = [str(task) for task in np.asarray(self.tasks)]
        if len(labels) != len(scores):
            raise ValueError(f"'tasks' has {len(labels)} labels but 'outlier_scores' has {len(scores)} scores.")
        if not isinstance(max_tasks, Integral) or isinstance(max_tasks, bool) or max_tasks < 1:
            raise ValueError(f"'max_tasks' must be an int of at least 1. Got {max_tasks!r}.")

        order = np.argsort(-scores, kind="stable")
        # A line for "1 other" would take the place of that task's own line.
        n_shown = len(order) if len(order) <= max_tasks + 1 else int(max_tasks)
        shown, others = order[:n_shown], order[n_shown:]
        lines = [labels[i] for i in shown] + ([f"{len(others)} others"] if len(others) else [])

        if ax is None:
            pyplot = import_optional("matplotlib.pyplot", extra="plot")
            height = _MARGIN + _ROW_HEIGHT * (len(lines) + 1)
            _, ax = pyplot.subplots(figsize=(6.4, max(height, 2.0)), layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure

        positions = np.arange(n_shown)
        ax.hlines(positions, 0.0, scores[shown], color="0.8", linewidth=1.5, zorder=1)
        # Points on the border of the axes, at 0 and 1, are not cut in half.
        ax.scatter(scores[shown], positions, **{"s": 36, "zorder": 3, "clip_on": False, **kwargs})
        if len(others):
            ax.scatter(scores[others], np.full(len(others), n_shown), marker="|", s=80, color="0.4", alpha=0.6)
            ax.axhline(n_shown - 0.5, color="0.8", linewidth=0.8)
        ax.axvline(0.5, color="0.6", linestyle="--", linewidth=1.0, zorder=0)
        ax.set_yticks(np.arange(len(lines)), lines)
        ax.set(xlim=(0.0, 1.0), ylim=(len(lines) - 0.4, -0.6), ylabel="Task")
        ax.set_xlabel("Outlier score (1: unlike the majority)")
        # In axes of the caller the lines may be closer than the labels are high.
        distance = ax.get_window_extent().height / ax.figure.dpi * 72.0 / len(lines)
        size = min(ax.yaxis.get_ticklabels()[0].get_fontsize(), 0.7 * distance)
        ax.tick_params(axis="y", length=0, labelsize=size)
        ax.spines[["top", "right"]].set_visible(False)
        if self.estimator_name:
            ax.set_title(self.estimator_name)
        return self
