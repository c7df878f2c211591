"""The partition parameter theta of each unit: where it starts, how it moves, how it is read."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from .._quantile import weighted_quantile
from .kernels.theta import theta_sums

#: The start keeps this far from 0 and 1, and steps keep that far.
_START_MARGIN, _STEP_MARGIN = 0.1, 0.01
#: Share of the weight that starts below one half.
_BELOW = 0.6


def random_start(n_units, rng):
    """A tenth of standard normal numbers, as the published code draws them."""
    return 0.1 * rng.standard_normal(n_units)


def residual_start(leaf_gradients, leaf_hessians, weights, l2):
    """Start on the direction in which the units' residuals differ most.

    The residuals of a unit, averaged within each leaf of some shared trees and shrunk by `l2`, describe how the unit
    departs from what all have in common. Units are placed along the first principal component of these profiles. The
    side that reaches further from the median is the outlying one; the units of three fifths of the weight start below
    one half.

    Parameters
    ----------
    leaf_gradients, leaf_hessians : ndarrays of shape (n_units, n_leaves)
        Sums over the rows of a unit in a leaf.
    weights : ndarray of shape (n_units,)
        Sum of the weights of each unit.
    l2 : float
        Shrinkage.

    Returns
    -------
    theta : ndarray of shape (n_units,)
    """
    n_units = len(weights)
    profile = -leaf_gradients / np.maximum(leaf_hessians + l2, 1e-12)
    present = weights > 0
    if present.sum() < 2:
        return np.zeros(n_units)
    centre = np.average(profile, axis=0, weights=weights)
    scaled = np.sqrt(weights / weights.sum())[:, None] * (profile - centre)
    _, sizes, directions = np.linalg.svd(scaled, full_matrices=False)
    if sizes[0] <= 1e-12 * float(np.abs(profile).max()):
        return np.zeros(n_units)
    score = (profile - centre) @ directions[0]
    middle = weighted_quantile(score[present], weights[present], 0.5)
    above, below = score[present].max() - middle, middle - score[present].min()
    if abs(above - below) > 1e-9 * (above + below):
        if below > above:
            score = -score
        # Not the median: a clear majority shall lie below one half, so that small steps do not turn the scores round.
        middle = weighted_quantile(score[present], weights[present], _BELOW)
    score = np.where(present, score - middle, 0.0)
    reach = np.abs(score).max()
    share = 0.5 + (0.5 - _START_MARGIN) * score / reach if reach > 0 else np.full(n_units, 0.5)
    return logit(share)


def gradient_step(theta, gradient, difference, units, learning_rate):
    """Step along the gradient of the summed loss, as published.

    ``theta += nu s (1 - s) sum_i -g_i (F_out(x_i) - F_in(x_i))`` over the rows of the unit.
    """
    s = expit(theta)
    total = np.bincount(units, weights=np.sum(gradient * difference, axis=1), minlength=len(theta))
    return theta - learning_rate * s * (1.0 - s) * total


def newton_step(theta, start, gradient, hessian, difference, units, weight, learning_rate, l2):
    """Damped Newton step of the weights ``s = sigmoid(theta)``, which are pulled to where they started.

    The pull is that of a normal prior around the start: the loss of a unit's rows is weighed against ``l2 phi (s -
    start)**2 / 2``, where the dispersion phi, mean squared gradient over mean Hessian, is the variance of the noise for
    the squared loss and 1 for a likelihood that fits. A unit whose rows say little stays where it was, however
    small the difference between the ensembles. Independent of the unit of y, unlike :func:`gradient_step`.
    """
    share = expit(theta)
    g, h = np.zeros_like(theta), np.zeros_like(theta)
    squares = theta_sums(gradient, hessian, difference, units, np.empty(0) if weight is None else weight, g, h)
    pull = l2 * squares / hessian.sum()
    moved = share - learning_rate * (g + pull * (share - expit(start))) / np.maximum(h + pull, 1e-300)
    return logit(np.minimum(np.maximum(moved, _STEP_MARGIN), 1.0 - _STEP_MARGIN))


def outlier_scores(theta, weights):
    """Scores in [0, 1] from theta, turned so that the weighted majority of units lies below one half."""
    scores = expit(theta)
    above = weights[scores > 0.5].sum()
    return 1.0 - scores if above > 0.5 * weights.sum() else scores
