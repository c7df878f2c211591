"""What a schedule may ask of a block."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from .._forest import Trees


class Step(NamedTuple):
    """One step of a block, not yet part of the model; the next one writes over its `deltas`."""

    block: str
    trees: list[Trees]
    deltas: dict[int, np.ndarray]  # what each part of the raw prediction of the training rows gains
    rows: np.ndarray  # rows of the training fold that the trees were fitted on
    theta: np.ndarray | None = None  # new partition parameters, or None where they stay
    effects: np.ndarray | None = None  # new effects of the units, or None where they stay


class Block(Protocol):
    """A part of the model that grows by steps."""

    name: str

    def step(self, model: Any) -> Step:
        """Fit one step to the model as it is."""
        ...  # pragma: no cover
