"""From raw predictions to probabilities and back, in NumPy."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, softmax

from .kernels import own_probability as kernels

#: Least share of a class at the start of boosting: a class without rows has a finite raw prediction too.
LEAST_SHARE = 1e-10


def no_weight(weight):
    """Weights as the kernels take them: none is an empty array."""
    return np.empty(0) if weight is None else weight


def class_shares(y, weight, n_classes, least=LEAST_SHARE):
    """Share of each class in the weight of the rows, of shape (n_classes,), each at least `least`."""
    share = np.bincount(y.astype(np.intp), weights=weight, minlength=n_classes)
    share = np.clip(share / share.sum(), least, 1.0 - least)
    return share / share.sum()


def raw_of_shares(share, n_outputs):
    """Raw predictions with these probabilities: log-odds of the second class, or logarithms with a mean of zero."""
    logs = np.log(share)
    return logs[1:] - logs[:1] if n_outputs == 1 else logs - logs.mean()


def softmax_link(raw):
    """Probabilities, (n_rows, n_classes), of a softmax over the scores; one column stands for the scores 0 and f."""
    if raw.shape[1] == 1:
        positive = expit(raw[:, 0])
        return np.column_stack([1.0 - positive, positive])
    return softmax(raw, axis=1)


def log_own_probability(y, raw):
    """Logarithm of the probability of each row's own class, (n_rows,)."""
    out = np.empty(len(raw))
    kernels.log_own_probability(np.asarray(y, dtype=np.float64), np.asarray(raw, dtype=np.float64), out)
    return out


def softmax_factor(n_outputs):
    """Factor on the second derivatives of a softmax.

    It has one output too many, so steps along the diagonal alone would be too long by this factor (J. Friedman, "Greedy
    function approximation", Annals of Statistics 29, 2001, algorithm 6).
    """
    return n_outputs / (n_outputs - 1.0)
