"""An order of tasks in which neighbours are alike."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage


def similar_together(rows: Any) -> np.ndarray:
    """Return the order of the leaves of a tree of average linkage over the rows of a matrix."""
    values = np.nan_to_num(np.asarray(rows, dtype=np.float64))
    if len(values) < 3:
        return np.arange(len(values))
    return leaves_list(linkage(values, method="average", optimal_ordering=len(values) <= 500))
