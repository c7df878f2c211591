"""Metrics of a confusion matrix, out of plain arithmetic: for NumPy arrays, complex ones too, and for torch tensors.

Counts of one class against the rest are tp, fp, tn, fn. For all classes at once they are `right` : (..., n_classes),
weight of the rows of each class that are given to it; `actual` and `given` : (..., n_classes), weight of the rows of
each class and of those given to it; `total` : (..., 1).
"""

from __future__ import annotations

import difflib

import numpy as np


def _accuracy(tp, fp, tn, fn, beta):
    return (tp + tn) / (tp + fp + tn + fn)


def _f_beta(tp, fp, tn, fn, beta):
    return (1.0 + beta**2) * tp / ((1.0 + beta**2) * tp + beta**2 * fn + fp)


def _balanced_accuracy(tp, fp, tn, fn, beta):
    return 0.5 * (tp / (tp + fn) + tn / (tn + fp))


def _g_mean(tp, fp, tn, fn, beta):
    return (tp / (tp + fn) * tn / (tn + fp)) ** 0.5


def _matthews(tp, fp, tn, fn, beta):
    return (tp * tn - fp * fn) / ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5


def _jaccard(tp, fp, tn, fn, beta):
    return tp / (tp + fp + fn)


def _precision(tp, fp, tn, fn, beta):
    return tp / (tp + fp)


def _recall(tp, fp, tn, fn, beta):
    return tp / (tp + fn)


def _youden(tp, fp, tn, fn, beta):
    return tp / (tp + fn) + tn / (tn + fp) - 1.0


def _kappa(tp, fp, tn, fn, beta):
    return 2.0 * (tp * tn - fn * fp) / ((tp + fp) * (fp + tn) + (tp + fn) * (fn + tn))


#: Metrics by name; the greater, the better.
METRICS = {
    "accuracy": _accuracy,
    "f1": _f_beta,
    "fbeta": _f_beta,
    "balanced_accuracy": _balanced_accuracy,
    "gmean": _g_mean,
    "mcc": _matthews,
    "jaccard": _jaccard,
    "precision": _precision,
    "recall": _recall,
    "youden": _youden,
    "kappa": _kappa,
}


def check_metric(metric):
    """Raise where `metric` is neither a known name nor a callable."""
    if callable(metric) or (isinstance(metric, str) and metric in METRICS):
        return
    near = difflib.get_close_matches(str(metric), METRICS, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise ValueError(
        f"'metric' must be one of {sorted(METRICS)} or a callable of (tp, fp, tn, fn). Got {metric!r}.{hint}"
    )


def one_against_rest(metric, beta, right, actual, given, total):
    """Metric of each class against the rest, (..., n_classes)."""
    counts = right, given - right, total - actual - given + right, actual - right
    return metric(*counts) if callable(metric) else METRICS[metric](*counts, beta)


def joint(metric, right, actual, given, total, present):
    """Metrics whose form for several classes is no average over classes, (...); None for the other ones.

    `present` : float (..., n_classes), 1 for classes with rows. Accuracy; correlation and kappa of the whole matrix
    (J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004); the geometric
    mean of the recalls; their mean.
    """
    n, correct = total[..., 0], right.sum(-1)
    if metric == "accuracy":
        return correct / n
    if metric in {"mcc", "kappa"}:
        by_chance = (actual * given).sum(-1)
        if metric == "kappa":
            return (n * correct - by_chance) / (n**2 - by_chance)
        spread = (n**2 - (given**2).sum(-1)) * (n**2 - (actual**2).sum(-1))
        return (n * correct - by_chance) / spread**0.5
    recall = (right + 1.0 - present) / (actual + 1.0 - present)  # 1 + what is there for an absent class; masked below
    if metric == "balanced_accuracy":
        return (present * recall).sum(-1) / present.sum(-1)
    if metric == "gmean":
        share = 1.0 / present.sum(-1)
        return (recall * present + 1.0 - present).prod(-1) ** share
    return None


def averaged(values, actual, total, present, average):
    """Average over the classes with rows: each alike ("macro") or by its rows ("weighted")."""
    weight = present / present.sum(-1)[..., None] if average == "macro" else actual / total
    return (weight * values).sum(-1)


def slopes(value, right, given, exact):
    """Derivatives of ``value(right, given)``, of shape (n_units,), by both arguments, (n_units, n_classes) each.

    An infinitely small imaginary step gives them to the last digit; where the function may not be analytic, as with a
    callable, they come from central differences.
    """
    out = np.empty((2, *right.shape))
    step = 1e-100 if exact else 1e-6 * max(1.0, float(given.max()))
    for side in range(2):
        for k in range(right.shape[1]):
            move = np.zeros(right.shape, dtype=complex if exact else float)
            move[:, k] = step * 1j if exact else step
            moves = (move, 0.0) if side == 0 else (0.0, move)
            ahead = value(right + moves[0], given + moves[1])
            if exact:
                out[side, :, k] = ahead.imag / step
            else:
                out[side, :, k] = (ahead - value(right - moves[0], given - moves[1])) / (2.0 * step)
    return out
