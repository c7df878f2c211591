"""A progress bar over epochs."""

from __future__ import annotations

from skorch.callbacks import Callback

from .._optional import import_optional


class ProgressBar(Callback):
    """A bar of tqdm that shows the last losses."""

    def on_train_begin(self, net, **kwargs):
        """Open the bar."""
        tqdm = import_optional("tqdm.auto", extra="progress")
        self.bar_ = tqdm.tqdm(total=net.max_epochs, desc="epochs")

    def on_epoch_end(self, net, **kwargs):
        """Move on by one epoch."""
        last = net.history[-1]
        self.bar_.set_postfix({key: f"{last[key]:.4g}" for key in ("train_loss", "valid_loss") if key in last})
        self.bar_.update()

    def on_train_end(self, net, **kwargs):
        """Close the bar; it cannot be pickled."""
        self.bar_.close()
        del self.bar_
