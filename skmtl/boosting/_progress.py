"""The progress bar of `verbose`."""

from __future__ import annotations

from .._optional import import_optional


class Progress:
    """Shows rounds and losses while a model grows; says nothing if `verbose` is 0.

    Parameters
    ----------
    verbose : int
        0: nothing. 1 or more: a bar, drawn by tqdm, which knows terminals from notebooks.
    total : int
        Most rounds.
    """

    def __init__(self, verbose, total):
        self._bar = None
        if verbose:
            tqdm = import_optional("tqdm.auto", extra="progress")
            self._bar = tqdm.tqdm(total=total, unit="round", leave=True)

    def update(self, model, block):
        """Count a round."""
        if self._bar is None:
            return
        known = {"train": model.train_loss, "validation": model.validation_loss}
        losses = {fold: f"{values[-1]:.4g}" for fold, values in known.items() if values}
        self._bar.set_description(block, refresh=False)
        self._bar.set_postfix(losses, refresh=False)
        self._bar.update()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        if self._bar is not None:
            self._bar.close()
