"""Neural multi-task networks: architecture, loss and balancing are three independent parameters.

The names load on first use; they need the extra ``neural``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skmtl.neural import architectures, balancing, embeddings, regularizers
    from skmtl.neural._classifier import MultiTaskClassifier
    from skmtl.neural._factored import FactoredOutput
    from skmtl.neural._regressor import MultiTaskRegressor

_SUBMODULES = frozenset({"architectures", "balancing", "embeddings", "regularizers"})
_HOME_OF_NAME = {
    "FactoredOutput": "skmtl.neural._factored",
    "MultiTaskClassifier": "skmtl.neural._classifier",
    "MultiTaskRegressor": "skmtl.neural._regressor",
}
#: What the names need, in the order in which a missing one is reported.
_NEEDED = ("torch", "skorch", "torchjd", "rtdl_num_embeddings", "tabm")

__all__ = [
    "FactoredOutput",
    "MultiTaskClassifier",
    "MultiTaskRegressor",
    "architectures",
    "balancing",
    "embeddings",
    "regularizers",
]


def __getattr__(name: str) -> Any:
    """Load a public name or submodule the first time it is asked for."""
    if name in _SUBMODULES:
        return importlib.import_module(f"skmtl.neural.{name}")
    if name in _HOME_OF_NAME:
        from skmtl._optional import import_optional

        for module in _NEEDED:
            import_optional(module, extra="neural")
        value = getattr(importlib.import_module(_HOME_OF_NAME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'skmtl.neural' has no attribute '{name}'")


def __dir__() -> list[str]:
    """List the names loaded so far and the public ones that are not."""
    return sorted({*globals(), *__all__})
