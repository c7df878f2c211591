"""Rows as tensors, and batches as slices of them."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import torch

#: Rows of so many batches are gathered at once, unless they have more values than this.
_MOST_BATCHES, _MOST_VALUES = 32, 2**20


class Batch(NamedTuple):
    """Some rows: inputs of the module, targets, weights.

    A target that was not observed has weight zero and a harmless value; `weight` is None if all are observed and weigh
    the same. What the loss has to know of each row beside these is `given`, None for most losses.
    """

    numbers: torch.Tensor  # float (n_rows, n_numbers)
    categories: torch.Tensor  # int64 (n_rows, n_categorical)
    tasks: torch.Tensor  # int64 (n_rows,)
    y: torch.Tensor  # float or int64 (n_rows, n_columns)
    weight: torch.Tensor | None  # float (n_rows, n_columns)
    given: torch.Tensor | None = None  # float (n_rows, n_columns, n_given)

    @property
    def inputs(self):
        """What the module is called with."""
        return self.numbers, self.categories, self.tasks

    def __len__(self):
        """Number of rows."""
        return len(self.tasks)

    def with_numbers(self, numbers):
        """The same rows with other numbers."""
        return Batch(numbers, self.categories, self.tasks, self.y, self.weight, self.given)

    def with_given(self, given):
        """The same rows with what the loss has to know of them."""
        return Batch(self.numbers, self.categories, self.tasks, self.y, self.weight, given)

    def to(self, device):
        """Move to a device, once for a whole fit."""
        return Batch(*(None if part is None else part.to(device) for part in self))

    def take(self, rows):
        """Rows by index, or by a slice."""
        return Batch(*(None if part is None else part[rows] for part in self))


class Batches:
    """Batches of a table, in a new random order at every pass if there is a generator, otherwise in order.

    Parameters
    ----------
    data : Batch
        The whole table.
    batch_size : int
        Rows per batch; the rest of a pass is spread over its batches so that none is tiny.
    generator : torch.Generator or None
        Source of the order, on the CPU.
    """

    def __init__(self, data, batch_size, generator=None):
        self.data, self.batch_size, self.generator = data, batch_size, generator
        self.order = None
        # What is the same for all rows is sliced, which copies nothing.
        self._constant = [part is None or not part.numel() or not bool(part.any()) for part in data]
        self._constant[0] = self._constant[3] = False

    def __len__(self):
        """Number of batches per pass."""
        return max(1, round(len(self.data) / self.batch_size))

    def __iter__(self):
        """Yield the batches of one pass; `order` holds the rows in the order of the pass, or None."""
        n, n_batches = len(self.data), len(self)
        bounds = [i * n // n_batches for i in range(n_batches + 1)]
        if self.generator is None:
            for begin, end in itertools.pairwise(bounds):
                yield self.data.take(slice(begin, end))
            return
        self.order = torch.randperm(n, generator=self.generator).to(self.data.tasks.device)
        # Rows of several batches are gathered at once and split: the calls are what costs, not the copying.
        width = self.data.numbers.shape[1] + self.data.y.shape[1] + 4
        at_once = max(1, min(_MOST_BATCHES, _MOST_VALUES // (width * (bounds[1] - bounds[0]))))
        for i in range(0, n_batches, at_once):
            here = bounds[i : i + at_once + 1]
            rows, sizes = self.order[here[0] : here[-1]], [end - begin for begin, end in itertools.pairwise(here)]
            parts = [
                itertools.repeat(None)
                if part is None
                else (part[: len(rows)] if constant else part.index_select(0, rows)).split(sizes)
                for part, constant in zip(self.data, self._constant, strict=True)
            ]
            yield from map(Batch, *parts)
