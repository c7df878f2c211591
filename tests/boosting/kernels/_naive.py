"""Trees the slow and obvious way: floats, recursion over sets of rows, every split scored from its rows."""

from __future__ import annotations

import numpy as np

TIE = 1e-10
INF = np.inf


def leaf_value(gradient, hessian, l2, lower=-INF, upper=INF):
    free = -gradient / (hessian + l2) if hessian + l2 > 0 else 0.0
    return min(max(free, lower), upper)


def leaf_score(problem, rows, l2, lower=-INF, upper=INF):
    """Twice the fall of the second-order loss, over all outputs."""
    score = 0.0
    for g, h in zip(problem.gradient[rows].sum(axis=0), problem.hessian[rows].sum(axis=0), strict=True):
        value = leaf_value(g, h, l2, lower, upper)
        score -= 2.0 * g * value + (h + l2) * value**2
    return score


def first_value(problem, rows, l2, lower=-INF, upper=INF):
    return leaf_value(problem.gradient[rows, 0].sum(), problem.hessian[rows, 0].sum(), l2, lower, upper)


def split_score(problem, left, right, settings, monotonic=0, lower=-INF, upper=INF):
    """Score of two children, minus infinity where a limit forbids them."""
    if len(left) == 0 or len(right) == 0:
        return -INF
    for side in (left, right):
        if problem.weight[side].sum() < settings.min_weight or problem.hessian[side].sum() < settings.min_hessian:
            return -INF
    if monotonic:
        rise = first_value(problem, right, settings.l2, lower, upper) - first_value(
            problem, left, settings.l2, lower, upper
        )
        if rise * monotonic < 0:
            return -INF
    return leaf_score(problem, left, settings.l2, lower, upper) + leaf_score(problem, right, settings.l2, lower, upper)


def numeric_splits(problem, f, rows):
    """Every threshold with missing values to the right, then every one with them to the left: (mask, threshold, side).

    Missing values alone stand on the right, which matters where values must rise or fall from left to right.
    """
    codes, n_bins = problem.table.bins[f, rows], problem.table.n_bins[f]
    missing = codes == n_bins
    for side in (0, 1) if missing.any() else (0,):
        for threshold in range(codes.min(), n_bins):
            yield np.where(missing, side == 1, codes <= threshold), threshold, side


def category_groups(codes, weight, settings, support=10.0):
    """Codes of each category, ascending, and last those of all that have less weight than is needed to stand alone."""
    weights = {code: weight[codes == code].sum() for code in np.unique(codes)}
    least = min(support, settings.min_weight)
    rare = [code for code in weights if weights[code] < least]
    return [[code] for code in weights if weights[code] >= least] + ([rare] if rare else [])


def categorical_splits(problem, f, rows, settings, smoothing=10.0):
    """The prefixes of the categories in the order of their smoothed means, output by output."""
    codes = problem.table.bins[f, rows]
    groups = category_groups(codes, problem.weight[rows], settings)
    masks = [np.isin(codes, group) for group in groups]
    for k in range(problem.gradient.shape[1]):
        keys = [
            problem.gradient[rows[mask], k].sum() / (problem.hessian[rows[mask], k].sum() + smoothing) for mask in masks
        ]
        order = np.argsort(keys, kind="stable")
        for length in range(1, len(order)):
            yield np.any([masks[p] for p in order[:length]], axis=0)


def best_split(problem, rows, settings, features, lower=-INF, upper=INF):
    """Gain, feature, left rows and right rows of the best split, or None. Equal scores keep the order of trial."""
    parent = leaf_score(problem, rows, settings.l2, lower, upper)
    best, found = parent + TIE * abs(parent), None
    for f in features:
        if problem.table.categorical[f]:
            masks, monotonic = categorical_splits(problem, f, rows, settings), 0
        else:
            masks = (mask for mask, _, _ in numeric_splits(problem, f, rows))
            monotonic = problem.table.monotonic[f]
        for mask in masks:
            score = split_score(problem, rows[mask], rows[~mask], settings, monotonic, lower, upper)
            if score > best + TIE * abs(best):
                best, found = score, (score - parent, f, rows[mask], rows[~mask])
    return found


def grow_naively(problem, rows, settings):
    """Leaves of a tree grown best first, each a dict with its rows, bounds and depth."""

    def leaf(rows, depth, lower, upper, groups):
        features = range(len(problem.table.n_bins))
        if len(problem.table.groups):
            features = np.flatnonzero(problem.table.groups[groups].any(axis=0))
        may = depth < settings.max_depth and len(rows) > 0
        split = best_split(problem, rows, settings, features, lower, upper) if may else None
        return {"rows": rows, "depth": depth, "lower": lower, "upper": upper, "groups": groups, "split": split}

    leaves = [leaf(np.asarray(rows), 0, -INF, INF, np.ones(len(problem.table.groups), bool))]
    while len(leaves) < settings.max_leaf_nodes:
        # Leaves stand in the order in which they were made; the first of equal gains is split.
        best = None
        for candidate in leaves:
            if candidate["split"] and (best is None or candidate["split"][0] > best["split"][0] * (1 + TIE)):
                best = candidate
        if best is None:
            break
        _, f, left, right = best["split"]
        lower, upper = best["lower"], best["upper"]
        bounds = [[lower, upper], [lower, upper]]
        monotonic = problem.table.monotonic[f]
        if monotonic:
            wall = 0.5 * sum(first_value(problem, side, settings.l2, lower, upper) for side in (left, right))
            bounds[0][1 if monotonic > 0 else 0] = wall
            bounds[1][0 if monotonic > 0 else 1] = wall
        groups = best["groups"] & (problem.table.groups[:, f] == 1)
        leaves = [one for one in leaves if one is not best]
        leaves += [
            leaf(side, best["depth"] + 1, *bound, groups) for side, bound in zip((left, right), bounds, strict=True)
        ]
    return leaves
