"""Tree sizes of the blocks: what "auto" means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from .kernels.types import TreeSettings

#: Parameters that may differ between blocks, with the constructor's defaults.
BLOCKS = ("shared", "partition", "specific")

_UNLIMITED = 2**31 - 1


class BlockSettings(NamedTuple):
    """Settings of the trees of each block."""

    shared: TreeSettings
    partition: TreeSettings
    specific: TreeSettings


def per_block(value: Any, block: str, default: Any, name: str) -> Any:
    """Value of a parameter for a block: a mapping of blocks gives each its own, "auto" its default."""
    if isinstance(value, Mapping):
        unknown = [key for key in value if key not in BLOCKS]
        if unknown:
            raise ValueError(f"'{name}' has settings for unknown blocks: {unknown[:5]}. Blocks are {list(BLOCKS)}.")
        value = value.get(block, "auto")
    return default if isinstance(value, str) else value


def resolve_settings(
    params: Mapping[str, Any], total_weight: float, n_features: int, mean_hessian: float
) -> BlockSettings:
    """Settings of each block from the estimator's parameters.

    "auto" follows a study on real tables: trees shared by all tasks grow with the square root of the number of rows,
    from 8 leaves at 5 000 rows up to 31; trees of a task have 4. The penalty, in rows, is turned into Hessian by the
    mean Hessian of a row at the start.

    Parameters
    ----------
    params : mapping
        Parameters of the estimator.
    total_weight : float
        Sum of the weights of all rows.
    n_features : int
        Number of features.
    mean_hessian : float
        Mean second derivative of the loss per unit of weight, at the start.
    """
    growth = max(1.0, math.sqrt(total_weight / 5000.0))
    shared_leaves = min(31, round(8 * growth))
    # Twenty rows to a leaf, but on tiny tables a fifth of the rows.
    shared_rows = min(20.0, max(2.0, total_weight / 5.0))
    defaults = {
        "shared": (shared_leaves, shared_rows, shared_rows),
        "partition": (shared_leaves, shared_rows, shared_rows),
        "specific": (4, 3.0, 5.0),
    }
    max_features = params["max_features"]
    settings = {}
    for block, (leaves, rows, penalty) in defaults.items():
        max_leaf_nodes = per_block(params["max_leaf_nodes"], block, leaves, "max_leaf_nodes")
        max_depth = per_block(params["max_depth"], block, None, "max_depth")
        settings[block] = TreeSettings(
            max_leaf_nodes=_UNLIMITED if max_leaf_nodes is None else int(max_leaf_nodes),
            max_depth=_UNLIMITED if max_depth is None else int(max_depth),
            min_weight=float(per_block(params["min_samples_leaf"], block, rows, "min_samples_leaf")),
            min_hessian=1e-3 * min(mean_hessian, 1.0),
            l2=float(per_block(params["l2_regularization"], block, penalty * mean_hessian, "l2_regularization")),
            n_candidates=max(1, round(max_features * n_features)),
        )
    return BlockSettings(**settings)
