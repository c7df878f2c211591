"""Picture of how far predicted probabilities can be believed, task by task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted

from skmtl.inspection._axes import check_limit, make_axes, plain
from skmtl.tasks import learn_tasks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROWS_PER_BIN = 20  # of a task: with fewer, the observed share is mostly chance
_N_NAMED = 2  # tasks that are named where there are too many for a line each


class TaskReliabilityDisplay:
    """Reliability of the probabilities of a class: observed share against predicted probability, for every task.

    On the diagonal, probabilities can be taken at their word. Rows are put in bins of equal size by their probability;
    a task has as many bins as it has rows for, 20 rows each, up to `n_bins`. Up to `max_tasks` tasks have a coloured
    line each. With more, all are thin grey lines, and those with the greatest calibration error are coloured. The black
    line is that of all rows together.

    It is best to use :meth:`from_estimator` or :meth:`from_predictions` to create a display. All parameters are stored
    as attributes.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,), dtype bool
        Whether each row is of the class.
    y_prob : array-like of shape (n_samples,)
        Predicted probability of the class.
    tasks : array-like of shape (n_samples,)
        Task labels.
    n_bins : int, default=10
        Most bins of a line.
    name : str or None, default=None
        Name of the model, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure that the axes are in.
    calibration_errors_ : ndarray of shape (n_tasks,)
        For each task, in sorted order, the mean distance of its line from the diagonal, by rows.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : The same for all rows together.

    Examples
    --------
    >>> from skmtl.inspection import TaskReliabilityDisplay
    >>> y, p, tasks = [0, 1, 0, 1], [0.1, 0.9, 0.5, 0.5], ["a", "a", "b", "b"]
    >>> TaskReliabilityDisplay(y, p, tasks).plot().calibration_errors_.round(2).tolist()
    [0.0, 0.0]
    """

    def __init__(self, y_true: Any, y_prob: Any, tasks: Any, *, n_bins: int = 10, name: str | None = None) -> None:
        self.y_true = y_true
        self.y_prob = y_prob
        self.tasks = tasks
        self.n_bins = n_bins
        self.name = name

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_prob: Any,
        tasks: Any,
        *,
        pos_label: Any = None,
        n_bins: int = 10,
        name: str | None = None,
        max_tasks: int = 8,
        ax: Axes | None = None,
    ) -> TaskReliabilityDisplay:
        """Draw the reliability of probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Class labels.
        y_prob : array-like of shape (n_samples,)
            Predicted probability of the class `pos_label`.
        tasks : array-like of shape (n_samples,)
            Task labels.
        pos_label : object, default=None
            The class. None: the greater of two labels.
        n_bins : int, default=10
            Most bins of a line.
        name : str, default=None
            Name of the model.
        max_tasks : int, default=8
            Most tasks with a coloured line each.
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure.

        Returns
        -------
        display : TaskReliabilityDisplay
            The display.

        Raises
        ------
        ValueError
            If lengths differ, there are more than two classes and no `pos_label`, or a probability is not in [0, 1].
        """
        y_true = column_or_1d(y_true)
        if pos_label is None:
            classes = np.unique(y_true)
            if len(classes) > 2:
                raise ValueError(f"'pos_label' must be given, as there are {len(classes)} classes.")
            pos_label = classes[-1]
        display = cls(y_true == pos_label, y_prob, tasks, n_bins=n_bins, name=name)
        return display.plot(ax=ax, max_tasks=max_tasks)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        tasks: Any = None,
        task_labels: Any = None,
        pos_label: Any = None,
        n_bins: int = 10,
        name: str | None = None,
        max_tasks: int = 8,
        ax: Axes | None = None,
    ) -> TaskReliabilityDisplay:
        """Draw the reliability of the probabilities of a fitted classifier.

        Parameters
        ----------
        estimator : estimator
            Fitted classifier with `predict_proba`.
        X : array-like of shape (n_samples, n_features)
            Test rows.
        y : array-like of shape (n_samples,)
            Their classes.
        tasks : array-like of shape (n_samples,), default=None
            Their task labels, handed to the classifier. None: it takes them from a column of `X`.
        task_labels : array-like of shape (n_samples,), default=None
            Labels for the picture where the classifier takes them from a column of `X`.
        pos_label : object, default=None
            The class whose probability to draw. None: the last in `classes_`.
        n_bins : int, default=10
            Most bins of a line.
        name : str, default=None
            Name of the model. None: that of its class.
        max_tasks : int, default=8
            Most tasks with a coloured line each.
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure.

        Returns
        -------
        display : TaskReliabilityDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        ValueError
            If `pos_label` is not a class, or there are no labels.
        """
        check_is_fitted(estimator)
        labels = tasks if task_labels is None else task_labels
        if labels is None:
            raise ValueError(
                "'tasks', or 'task_labels' for a classifier with a task column, must be given. Got neither."
            )
        proba = estimator.predict_proba(X) if tasks is None else estimator.predict_proba(X, tasks=tasks)
        classes = list(estimator.classes_)
        pos_label = classes[-1] if pos_label is None else pos_label
        if pos_label not in classes:
            raise ValueError(f"'pos_label' must be one of the classes {classes[:5]}. Got {pos_label!r}.")
        return cls.from_predictions(
            y,
            proba[:, classes.index(pos_label)],
            labels,
            pos_label=pos_label,
            n_bins=n_bins,
            name=type(estimator).__name__ if name is None else name,
            max_tasks=max_tasks,
            ax=ax,
        )

    def plot(self, *, ax: Axes | None = None, max_tasks: int = 8) -> TaskReliabilityDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure.
        max_tasks : int, default=8
            Most tasks with a coloured line each.

        Returns
        -------
        display : TaskReliabilityDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If lengths differ, a probability is not in [0, 1], or a number is not a positive integer.
        """
        truth = column_or_1d(np.asarray(self.y_true)).astype(np.float64)
        prob = column_or_1d(np.asarray(self.y_prob, dtype=np.float64))
        check_consistent_length(truth, prob, self.tasks)
        if not np.all((prob >= 0) & (prob <= 1)):
            raise ValueError("'y_prob' must hold probabilities, in [0, 1].")
        n_bins, max_tasks = check_limit(self.n_bins, "n_bins"), check_limit(max_tasks, "max_tasks")
        labels, codes = learn_tasks(self.tasks, len(truth), owner="TaskReliabilityDisplay")
        curves = [_curve(truth[codes == code], prob[codes == code], n_bins) for code in range(len(labels))]
        errors = np.array([np.average(np.abs(x - y), weights=n) for x, y, n in curves])
        self.calibration_errors_ = errors

        ax = self.ax_ = make_axes(ax, width=6.4, height=5.6)
        self.figure_ = ax.figure
        ax.plot([0, 1], [0, 1], color="0.6", linestyle=":", linewidth=1.2, zorder=1)
        coloured = np.arange(len(labels)) if len(labels) <= max_tasks else np.argsort(-errors, kind="stable")[:_N_NAMED]
        grey = np.setdiff1d(np.arange(len(labels)), coloured)
        for code in grey:
            ax.plot(*curves[code][:2], color="0.7", linewidth=0.7, marker=".", markersize=4, alpha=0.6, zorder=2)
        for code in coloured:
            legend = f"{labels[code]} (error {errors[code]:.3f})"
            ax.plot(*curves[code][:2], marker="o", markersize=4, linewidth=1.4, label=legend, zorder=4)
        if len(labels) > 1:
            x, y, _ = _curve(truth, prob, n_bins)
            ax.plot(x, y, color="black", linewidth=2.2, marker="s", markersize=4, label="all rows", zorder=5)
        if len(grey):
            ax.plot([], [], color="0.7", linewidth=0.9, marker=".", markersize=4, label=f"{len(grey)} other tasks")
        ax.set(xlabel="Predicted probability", ylabel="Observed share", xlim=(0, 1), ylim=(-0.02, 1.02))
        ax.legend(frameon=False, fontsize="small", loc="upper left")
        plain(ax)
        if self.name:
            ax.set_title(self.name)
        return self


def _curve(truth, prob, n_bins):
    """Return mean probability, observed share and number of rows of bins of equal size."""
    order = np.argsort(prob, kind="stable")
    n = int(np.clip(len(prob) // _ROWS_PER_BIN, 1, n_bins))
    parts = np.array_split(order, n)
    return (
        np.array([prob[part].mean() for part in parts]),
        np.array([truth[part].mean() for part in parts]),
        np.array([len(part) for part in parts]),
    )
