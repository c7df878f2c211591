"""Multi-task learning for tables, as scikit-learn estimators.

Names are loaded on first use (:pep:`562`), so that ``import skmtl`` is quick and needs none of the extras.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skmtl import (
        baselines,
        benchmark,
        boosting,
        datasets,
        inspection,
        losses,
        metrics,
        model_selection,
        neural,
        preprocessing,
        tasks,
    )
    from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
    from skmtl.neural import MultiTaskClassifier, MultiTaskRegressor

__version__ = "0.1.0.dev0"  # the one place: pyproject.toml and the documentation read it from here

_SUBMODULES = frozenset(
    {
        "baselines",
        "benchmark",
        "boosting",
        "datasets",
        "inspection",
        "losses",
        "metrics",
        "model_selection",
        "neural",
        "preprocessing",
        "tasks",
    }
)
_HOME_OF_NAME = {
    "MultiTaskClassifier": "skmtl.neural",
    "MultiTaskRegressor": "skmtl.neural",
    "RMTGBClassifier": "skmtl.boosting",
    "RMTGBRegressor": "skmtl.boosting",
}

__all__ = [
    "MultiTaskClassifier",
    "MultiTaskRegressor",
    "RMTGBClassifier",
    "RMTGBRegressor",
    "__version__",
    "baselines",
    "benchmark",
    "boosting",
    "datasets",
    "inspection",
    "losses",
    "metrics",
    "model_selection",
    "neural",
    "preprocessing",
    "tasks",
]


def __getattr__(name: str) -> Any:
    """Load a public name or submodule the first time it is asked for."""
    if name in _SUBMODULES:
        return importlib.import_module(f"skmtl.{name}")  # the import itself binds it here for the next time
    if name in _HOME_OF_NAME:
        value = getattr(importlib.import_module(_HOME_OF_NAME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'skmtl' has no attribute '{name}'")


def __dir__() -> list[str]:
    """List the names loaded so far and the public ones that are not."""
    return sorted({*globals(), *__all__})
