"""Evaluating a batch a second time with the same random numbers."""

from __future__ import annotations

import contextlib

import torch
from torch import nn


class Replay:
    """Contexts in which a module draws the random numbers of an earlier evaluation, and keeps its statistics.

    Parameters
    ----------
    module : torch.nn.Module
        The module, perhaps with dropout and batch normalisation.
    """

    def __init__(self, module):
        self.module = module

    def remember(self):
        """Note the state of the generators, before the first evaluation."""
        self.state = torch.get_rng_state()
        self.cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None

    @contextlib.contextmanager
    def __call__(self):
        """Restore that state; running statistics of batch normalisation are put back at the end."""
        norms = [m for m in self.module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        kept = [{name: buffer.clone() for name, buffer in norm.named_buffers()} for norm in norms]
        torch.set_rng_state(self.state)
        if self.cuda is not None:
            torch.cuda.set_rng_state_all(self.cuda)
        try:
            yield
        finally:
            for norm, buffers in zip(norms, kept, strict=True):
                for name, buffer in norm.named_buffers():
                    buffer.copy_(buffers[name])
