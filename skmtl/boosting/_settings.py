"""Tree sizes of the blocks: what "auto" means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from .._sklearn import validate_parameter_constraints
from .kernels.types import TreeSettings

#: Blocks, in the order of the published algorithm.
BLOCKS = ("shared", "partition", "joint", "specific")
#: Parameters that may differ between blocks.
PER_BLOCK = ("max_leaf_nodes", "max_depth", "min_samples_leaf", "l2_regularization", "max_features")

_UNLIMITED = 2**31 - 1


class BlockSettings(NamedTuple):
    """Settings of the trees of each block."""

    shared: TreeSettings
    partition: TreeSettings
    joint: TreeSettings
    specific: TreeSettings


def check_blocks(params: Mapping[str, Any], constraints: Mapping[str, list], owner: str) -> None:
    """Raise where a mapping of blocks has an unknown block, or a value that the parameter itself could not have.

    Parameters
    ----------
    params : mapping
        Parameters of the estimator.
    constraints : mapping of str to list
        What each parameter may be, as scikit-learn's estimators say it.
    owner : str
        Name of the estimator, for messages.
    """
    for name in PER_BLOCK:
        value = params[name]
        if not isinstance(value, Mapping):
            continue
        unknown = [key for key in value if key not in BLOCKS]
        if unknown:
            raise ValueError(f"'{name}' has settings for unknown blocks: {unknown[:5]}. Blocks are {list(BLOCKS)}.")
        allowed = [constraint for constraint in constraints[name] if constraint is not dict]
        for block, own in value.items():
            place = f"{name}[{block!r}]"
            validate_parameter_constraints({place: allowed}, {place: own}, owner)


def per_block(value: Any, block: str, default: Any) -> Any:
    """Value of a parameter for a block: a mapping of blocks gives each its own, "auto" its default."""
    if isinstance(value, Mapping):
        value = value.get(block, "auto")
    return default if isinstance(value, str) else value


def resolve_settings(
    params: Mapping[str, Any], total_weight: float, n_features: tuple[int, int], mean_hessian: float
) -> BlockSettings:
    """Settings of each block from the estimator's parameters.

    "auto" follows a study on real tables: trees shared by all tasks grow with the square root of the number of rows,
    from 8 leaves at 5 000 rows up to 31; trees of a task have 4. Shared trees look at half of the features in each
    node, but at six of them, or at 70 % of less than nine. The penalty, in rows, is turned into Hessian by the mean
    Hessian of a row at the start.

    Parameters
    ----------
    params : mapping
        Parameters of the estimator.
    total_weight : float
        Sum of the weights of all rows.
    n_features : tuple of two ints
        Number of features of shared and partition trees, and of specific trees.
    mean_hessian : float
        Mean second derivative of the loss per unit of weight, at the start.
    """
    growth = max(1.0, math.sqrt(total_weight / 5000.0))
    shared_leaves = min(31, round(8 * growth))
    # Twenty rows to a leaf, but on tiny tables a fifth of the rows.
    shared_rows = min(20.0, max(2.0, total_weight / 5.0))
    share = max(0.5, min(0.7, 6.0 / n_features[0]))
    defaults = {
        "shared": (shared_leaves, shared_rows, shared_rows, share),
        "partition": (shared_leaves, shared_rows, shared_rows, share),
        "joint": (2, min(20.0, max(2.0, total_weight / 5.0)), 5.0, 1.0),
        "specific": (4, 3.0, 5.0, 1.0),
    }
    settings = {}
    for block, (leaves, rows, penalty, part) in defaults.items():
        max_leaf_nodes = per_block(params["max_leaf_nodes"], block, leaves)
        max_depth = per_block(params["max_depth"], block, None)
        max_features = per_block(params["max_features"], block, part)
        settings[block] = TreeSettings(
            max_leaf_nodes=_UNLIMITED if max_leaf_nodes is None else int(max_leaf_nodes),
            max_depth=_UNLIMITED if max_depth is None else int(max_depth),
            min_weight=float(per_block(params["min_samples_leaf"], block, rows)),
            min_hessian=1e-3 * min(mean_hessian, 1.0),
            l2=float(per_block(params["l2_regularization"], block, penalty * mean_hessian)),
            n_candidates=max(1, round(max_features * n_features[block in ("joint", "specific")])),
        )
    return BlockSettings(**settings)
