"""Pictures of tables of numbers with a row per task: importances, affinities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmtl.inspection._axes import check_limit, height_for, label_cells, make_axes
from skmtl.inspection._inside import without
from skmtl.inspection._order import similar_together

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAX_LABELS = 40  # along one side


class TaskImportancesDisplay:
    """Importance of the features for every task: a row per task, a column per feature.

    Tasks that rely on the same features are neighbours. The columns are the `max_features` most important features, by
    the mean over tasks, and the rest as one column.

    It is best to use :meth:`from_estimator` to create a display. All parameters are stored as attributes.

    Parameters
    ----------
    importances : array-like of shape (n_tasks, n_features)
        Importance of each feature for each task.
    tasks : array-like of shape (n_tasks,)
        Labels of the tasks.
    feature_names : array-like of shape (n_features,)
        Names of the features.
    name : str or None, default=None
        Name of the model, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure that the axes are in.
    image_ : matplotlib AxesImage
        The coloured cells.

    See Also
    --------
    skmtl.boosting.RMTGBRegressor.task_importances : Importance per task and block.

    Examples
    --------
    >>> from skmtl.inspection import TaskImportancesDisplay
    >>> display = TaskImportancesDisplay([[0.9, 0.1], [0.2, 0.8]], ["a", "b"], ["age", "intake"]).plot()
    >>> [text.get_text() for text in display.ax_.get_xticklabels()]
    ['age', 'intake']
    """

    def __init__(self, importances: Any, tasks: Any, feature_names: Any, *, name: str | None = None) -> None:
        self.importances = importances
        self.tasks = tasks
        self.feature_names = feature_names
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        block: str | None = None,
        output: int | None = None,
        feature_names: Any = None,
        name: str | None = None,
        max_features: int = 15,
        ax: Axes | None = None,
    ) -> TaskImportancesDisplay:
        """Draw the importances of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator with the method `task_importances`.
        block : str, default=None
            Block whose importances to draw. None: the sum over all blocks.
        output : int, default=None
            Position of the column of `y`, for a model with task labels and a 2-D `y`.
        feature_names : array-like of shape (n_features,), default=None
            Names of the columns of `X`. None: those seen in `fit`, or x0, x1, ...
        name : str, default=None
            Name of the model. None: that of its class.
        max_features : int, default=15
            Most features with a column of their own.
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure of fitting size.

        Returns
        -------
        display : TaskImportancesDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no importances per task.
        ValueError
            If `block` or `output` does not fit.
        """
        owner = type(estimator).__name__
        check_is_fitted(estimator)
        if not hasattr(estimator, "task_importances"):
            raise TypeError(without(estimator, "task_importances", kind="method"))
        by_block = estimator.task_importances()
        if block is not None and block not in by_block:
            raise ValueError(f"'block' must be None or one of {list(by_block)}. Got {block!r}.")
        values = np.asarray(sum(by_block.values()) if block is None else by_block[block])
        if values.ndim == 3:
            if output is None or not 0 <= output < values.shape[1]:
                raise ValueError(f"'output' must be a position from 0 to {values.shape[1] - 1}. Got {output!r}.")
            values = values[:, output]
        elif output is not None:
            raise ValueError(f"'output' must be None, as {owner} has one set of importances per task. Got {output!r}.")
        if feature_names is None:
            feature_names = getattr(estimator, "feature_names_in_", [f"x{j}" for j in range(values.shape[1])])
        shown = owner if name is None else name
        display = cls(values, estimator.tasks_, feature_names, name=shown if block is None else f"{shown}, {block}")
        return display.plot(ax=ax, max_features=max_features)

    def plot(self, *, ax: Axes | None = None, max_features: int = 15, **kwargs: Any) -> TaskImportancesDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure of fitting size.
        max_features : int, default=15
            Most features with a column of their own.
        **kwargs : dict
            Further arguments of :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : TaskImportancesDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If shapes do not fit, or `max_features` is not a positive integer.
        """
        values = np.asarray(self.importances, dtype=np.float64)
        labels = [str(task) for task in np.asarray(self.tasks)]
        names = [str(name) for name in self.feature_names]
        max_features = check_limit(max_features, "max_features")
        if values.shape != (len(labels), len(names)):
            raise ValueError(
                f"'importances' has shape {values.shape}; expected ({len(labels)}, {len(names)}), a row for each of "
                "'tasks' and a column for each of 'feature_names'."
            )
        columns = np.argsort(-values.mean(axis=0), kind="stable")
        if len(columns) > max_features + 1:
            shown, rest = columns[:max_features], columns[max_features:]
            names = [names[j] for j in shown] + [f"{len(rest)} others"]
            values = np.column_stack([values[:, shown], values[:, rest].sum(axis=1)])
        else:
            names, values = [names[j] for j in columns], values[:, columns]
        order = similar_together(values)
        values, labels = values[order], [labels[i] for i in order]

        width = min(4.0 + 0.3 * len(names), 10.0)
        ax = self.ax_ = make_axes(ax, width=width, height=min(height_for(len(labels)) + 1.0, 8.0))
        self.figure_ = ax.figure
        settings = {"cmap": "Blues", "aspect": "auto", "vmin": 0.0, "interpolation": "nearest", **kwargs}
        self.image_ = ax.imshow(values, **settings)
        self.figure_.colorbar(self.image_, ax=ax, label="Importance")
        inches = ax.get_window_extent().height / self.figure_.dpi
        label_cells(ax.yaxis, labels, _MAX_LABELS, inches)
        label_cells(ax.xaxis, names, _MAX_LABELS, ax.get_window_extent().width / self.figure_.dpi)
        ax.tick_params(axis="x", rotation=90, labelsize="medium" if len(names) < 20 else "small")
        ax.set_ylabel("Task" if len(labels) <= _MAX_LABELS else f"Task ({len(labels)}, not all labelled)")
        if self.name:
            ax.set_title(self.name)
        return self


class TaskAffinityDisplay:
    """Matrix of how much one task helps another: the row is the task that teaches, the column the one that learns.

    Blue helps, red hurts. Tasks that teach the same others are neighbours; with `groups` the tasks of a group are, with
    a line between groups. The diagonal, how much a task teaches itself, is left out.

    It is best to use :meth:`from_affinity` to create a display. All parameters are stored as attributes.

    Parameters
    ----------
    affinity : array-like of shape (n_tasks, n_tasks)
        Effect of task i (row) on task j (column); greater is better.
    tasks : array-like of shape (n_tasks,)
        Labels of the tasks.
    groups : array-like of shape (n_tasks,) or None, default=None
        Number of the group of each task.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure that the axes are in.
    image_ : matplotlib AxesImage
        The coloured cells.

    See Also
    --------
    task_affinity : Compute the matrix.
    TaskGrouper : Find groups.

    Examples
    --------
    >>> from skmtl.inspection import TaskAffinityDisplay
    >>> display = TaskAffinityDisplay([[0.3, 0.1], [0.2, 0.4]], ["a", "b"]).plot()
    >>> display.ax_.get_xlabel()
    'learns'
    """

    def __init__(self, affinity: Any, tasks: Any, *, groups: Any = None) -> None:
        self.affinity = affinity
        self.tasks = tasks
        self.groups = groups

    @classmethod
    def from_affinity(cls, affinity: Any, *, groups: Any = None, ax: Axes | None = None) -> TaskAffinityDisplay:
        """Draw the result of :func:`task_affinity` or :func:`net_affinity`.

        Parameters
        ----------
        affinity : TaskAffinity
            Matrix and labels.
        groups : array-like of shape (n_tasks,), default=None
            Number of the group of each task.
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure.

        Returns
        -------
        display : TaskAffinityDisplay
            The display.
        """
        return cls(affinity.affinity, affinity.task, groups=groups).plot(ax=ax)

    def plot(self, *, ax: Axes | None = None, **kwargs: Any) -> TaskAffinityDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure.
        **kwargs : dict
            Further arguments of :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : TaskAffinityDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If shapes do not fit.
        """
        values = np.array(self.affinity, dtype=np.float64)
        labels = [str(task) for task in np.asarray(self.tasks)]
        if values.shape != (len(labels), len(labels)):
            raise ValueError(
                f"'affinity' has shape {values.shape}; expected ({len(labels)}, {len(labels)}), as 'tasks' has "
                f"{len(labels)} labels."
            )
        off = values[~np.eye(len(labels), dtype=bool)]
        off = off[np.isfinite(off)]
        limit = float(np.quantile(np.abs(off), 0.98)) if len(off) else 1.0
        order = similar_together(np.where(np.eye(len(labels), dtype=bool), 0.0, values))
        borders: Any = ()
        if self.groups is not None:
            groups = np.asarray(self.groups)
            if len(groups) != len(labels):
                raise ValueError(f"'groups' has {len(groups)} entries but 'tasks' has {len(labels)} labels.")
            order = order[np.argsort(groups[order], kind="stable")]
            borders = np.flatnonzero(np.diff(groups[order])) + 0.5
        values, labels = values[np.ix_(order, order)], [labels[i] for i in order]
        np.fill_diagonal(values, np.nan)

        side = float(np.clip(2.5 + 0.25 * len(labels), 4.0, 8.0))
        ax = self.ax_ = make_axes(ax, width=side + 1.2, height=side, layout="compressed")  # square cells
        self.figure_ = ax.figure
        settings = {"cmap": "RdBu", "vmin": -limit, "vmax": limit, "interpolation": "nearest", **kwargs}
        self.image_ = ax.imshow(values, **settings)
        self.figure_.colorbar(self.image_, ax=ax, label="Affinity (blue: helps)", extend="both", shrink=0.8)
        for border in borders:
            ax.axhline(border, color="0.1", linewidth=1.0)
            ax.axvline(border, color="0.1", linewidth=1.0)
        inches = ax.get_window_extent().height / self.figure_.dpi
        label_cells(ax.yaxis, labels, _MAX_LABELS, inches)
        label_cells(ax.xaxis, labels, _MAX_LABELS, inches)
        ax.tick_params(axis="x", rotation=0 if max(map(len, labels)) <= 3 and len(labels) <= 12 else 90)
        ax.set_facecolor("0.85")  # of the diagonal
        ax.set(xlabel="learns", ylabel="teaches")
        return self
