"""The parameter `class_weight` of classifiers."""

from __future__ import annotations

import numpy as np
from sklearn.utils.class_weight import compute_class_weight


def class_factors(class_weight, share, labels):
    """Weight of each class, (n_classes,).

    Parameters
    ----------
    class_weight : dict or "balanced"
        Weights by label, 1 where a label is left out; "balanced": inversely proportional to the share of the class.
    share : ndarray of shape (n_classes,)
        Total weight of the rows of each class, so that a weight of two counts as the row twice.
    labels : ndarray of shape (n_classes,)
        The classes.
    """
    if isinstance(class_weight, str):
        with np.errstate(divide="ignore"):
            factors = np.where(share > 0, share.sum() / (len(labels) * share), 1.0)
    else:
        factors = compute_class_weight(class_weight, classes=labels, y=labels)
    if not np.all(np.isfinite(factors) & (factors > 0)):
        raise ValueError(f"'class_weight' must give every class a positive number. Got {class_weight}.")
    return factors
