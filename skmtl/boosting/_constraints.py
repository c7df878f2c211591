"""Interaction constraints: from the user's groups to a table of which features may meet on a path."""

from __future__ import annotations

from itertools import combinations
from numbers import Integral

import numpy as np


def interaction_groups(interaction_cst, n_features):
    """Groups of features that may be split on together, as uint8 of shape (n_groups, n_features).

    Features that no group names form a group of their own, as in
    :class:`~sklearn.ensemble.HistGradientBoostingRegressor`. No constraint gives no groups.
    """
    if interaction_cst is None:
        return np.zeros((0, n_features), np.uint8)
    if isinstance(interaction_cst, str):
        size = {"no_interactions": 1, "pairwise": 2}[interaction_cst]
        groups = [list(group) for group in combinations(range(n_features), min(size, n_features))]
    else:
        groups = []
        for group in interaction_cst:
            if isinstance(group, str) or not hasattr(group, "__iter__"):
                raise ValueError(
                    f"'interaction_cst' must be a sequence of groups of positions. Got the group {group!r}."
                )
            members = list(group)
            outside = [m for m in members if not isinstance(m, Integral) or not 0 <= int(m) < n_features]
            if outside:
                raise ValueError(
                    f"'interaction_cst' must hold positions from 0 to {n_features - 1}. Got {outside[:5]}."
                )
            groups.append(members)
        rest = sorted(set(range(n_features)) - {m for members in groups for m in members})
        if rest:
            groups.append(rest)
    table = np.zeros((len(groups), n_features), np.uint8)
    for row, members in zip(table, groups, strict=True):
        row[members] = 1
    return table
