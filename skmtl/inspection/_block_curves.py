"""Picture of how the loss falls from round to round, and which block each round went to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmtl.inspection._axes import make_axes, plain
from skmtl.inspection._inside import without

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLORS = {"shared": "tab:blue", "joint": "tab:green", "partition": "tab:orange", "specific": "tab:purple"}
_OTHER_COLORS = ("tab:brown", "tab:pink", "tab:olive", "tab:cyan")
_STRIP = 0.05  # height of the strip of blocks, as a share of the axes


class BlockCurvesDisplay:
    """Learning curves of a boosted multi-task model, with the block that made each round.

    The curves are the loss on the training rows and, where there was early stopping, on the held-out rows. Below them,
    a strip is coloured by block, and the legend says how many rounds each block made and by how much the training loss
    fell in them.

    It is best to use :meth:`from_estimator` to create a display. All parameters are stored as attributes.

    Parameters
    ----------
    train_loss : array-like of shape (n_rounds + 1,)
        Loss on the training rows before the first round and after each.
    validation_loss : array-like or None
        Loss on the held-out rows, which may be of more or fewer rounds; None or empty if there are none.
    block_sequence : array-like of shape (n_rounds,)
        Name of the block of each round.
    name : str or None, default=None
        Name of the model, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        Figure that the axes are in.

    See Also
    --------
    skmtl.boosting.RMTGBRegressor : Estimator with blocks.

    Examples
    --------
    >>> from skmtl.inspection import BlockCurvesDisplay
    >>> display = BlockCurvesDisplay([3.0, 2.0, 1.5], None, ["shared", "specific"]).plot()
    >>> display.ax_.get_xlabel()
    'Round'
    """

    def __init__(self, train_loss: Any, validation_loss: Any, block_sequence: Any, *, name: str | None = None) -> None:
        self.train_loss = train_loss
        self.validation_loss = validation_loss
        self.block_sequence = block_sequence
        self.name = name

    @classmethod
    def from_estimator(cls, estimator: Any, *, name: str | None = None, ax: Axes | None = None) -> BlockCurvesDisplay:
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted estimator with the attributes `train_score_`, `validation_score_` and `block_sequence_`.
        name : str, default=None
            Name of the model. None: that of its class.
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure.

        Returns
        -------
        display : BlockCurvesDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it does not learn in blocks.
        """
        owner = type(estimator).__name__
        check_is_fitted(estimator)
        for attribute in ("train_score_", "block_sequence_"):
            if not hasattr(estimator, attribute):
                raise TypeError(without(estimator, attribute))
        validation = np.asarray(getattr(estimator, "validation_score_", []), dtype=np.float64)
        display = cls(
            -np.asarray(estimator.train_score_, dtype=np.float64),
            -validation if len(validation) else None,
            estimator.block_sequence_,
            name=owner if name is None else name,
        )
        return display.plot(ax=ax)

    def plot(self, *, ax: Axes | None = None) -> BlockCurvesDisplay:
        """Draw the picture.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw in. None: those of a new figure.

        Returns
        -------
        display : BlockCurvesDisplay
            The display itself.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `train_loss` does not have one entry more than `block_sequence`.
        """
        train = np.asarray(self.train_loss, dtype=np.float64)
        blocks = np.asarray(self.block_sequence, dtype=object)
        validation = np.zeros(0) if self.validation_loss is None else np.asarray(self.validation_loss, np.float64)
        if len(train) != len(blocks) + 1:
            raise ValueError(
                f"'train_loss' has {len(train)} entries; expected {len(blocks) + 1}, one more than the rounds in "
                "'block_sequence'."
            )
        ax = self.ax_ = make_axes(ax)
        self.figure_ = ax.figure
        ax.plot(np.arange(len(train)), train, color="0.2", label="training rows", zorder=3)
        if len(validation):
            ax.plot(
                np.arange(len(validation)), validation, color="0.55", linestyle="--", label="held-out rows", zorder=3
            )
            best = int(np.argmin(validation))
            ax.scatter([best], [validation[best]], s=20, color="0.55", zorder=4)
        strip = ax.get_xaxis_transform()
        others = iter(_OTHER_COLORS * 8)
        starts = np.flatnonzero(np.append(True, blocks[1:] != blocks[:-1])) if len(blocks) else np.zeros(0, int)
        ends = np.append(starts[1:], len(blocks))
        for block in dict.fromkeys(blocks.tolist()):
            color = _COLORS.get(block) or next(others)
            own = blocks == block
            fall = float((train[:-1] - train[1:])[own].sum())
            runs = [
                (float(start), float(end - start))
                for start, end in zip(starts, ends, strict=True)
                if blocks[start] == block
            ]
            ax.broken_barh(
                runs,
                (0.0, _STRIP),
                transform=strip,
                facecolor=color,
                linewidth=0,
                label=f"{block}: {int(own.sum())} rounds, loss {-fall:+.3g}",
            )
        ax.set(xlabel="Round", ylabel="Loss", xlim=(0, max(len(train), len(validation), 2) - 1))
        low, high = ax.get_ylim()
        ax.set_ylim(low - 1.5 * _STRIP * (high - low), high)
        ax.legend(frameon=False)
        plain(ax)
        if self.name:
            ax.set_title(self.name)
        return self
