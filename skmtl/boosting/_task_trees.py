"""What a fitted model predicts for one task, as a constant and a sum of plain trees.

For the rows of one task everything that makes the model multi-task is a constant: the weight between the two partition
ensembles, the values of the task in the leaves of joint trees, the means of the task that shared trees split on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..losses._links import softmax_link
from ..tasks import look_up_tasks
from ._base import BaseRMTGB
from ._forest import INLIER, JOINT, OUTLIER, SHARED, SPECIFIC

#: Raw prediction of a class that the task has not; the exponential function makes exactly zero of it.
_NO_CLASS = -1e30


class Split(NamedTuple):
    """An inner node."""

    feature: int
    test: float | set[int]  # values up to this threshold go left, or these categories
    missing_left: bool
    left: int  # keys of the children
    right: int


class TaskTrees(NamedTuple):
    """A constant, trees, and the link that is applied to their sum."""

    constant: np.ndarray  # (n_outputs,)
    trees: list[dict[int, Split | np.ndarray]]  # nodes by key, the root first; a leaf is an array (n_outputs,)
    link: str  # "identity", "exponential", "sigmoid" or "softmax"
    n_categories: np.ndarray  # (n_features,), meaningful where splits are categorical
    description: dict[str, Any]  # names and categories of the features, classes, task; fit for JSON


def task_trees(estimator, task, column, raw):
    """Reduce a fitted estimator to one task; the parameters are those of the exporting functions."""
    if not isinstance(estimator, BaseRMTGB):
        raise TypeError(f"'estimator' must be an RMTGBRegressor or RMTGBClassifier. Got {type(estimator).__name__}.")
    check_is_fitted(estimator)
    if not 0 <= column < estimator._n_outputs:
        raise ValueError(f"'column' must be from 0 to {estimator._n_outputs - 1}, a column of y. Got {column!r}.")
    labels = None if task is None else np.array([task])
    owner = type(estimator).__name__
    code = look_up_tasks(labels, estimator._row_tasks, 1, unseen=estimator.unseen_tasks, owner=owner)
    start, share, unit = (array[0] for array in estimator._unit_start(code, column))
    trees = list(_trees_of_task(estimator, int(code[0]), int(unit), float(share)))
    constant = start + sum((root for root in trees if isinstance(root, np.ndarray)), np.zeros(len(start)))
    link = "identity" if raw else _link(estimator._fitted.loss, len(start))
    classes = getattr(estimator, "_classes", None)
    if classes is not None and link in {"sigmoid", "softmax"}:
        allowed = classes.allowed(code, estimator.unseen_classes)[0, column]
        if link == "softmax":
            constant = np.where(allowed, constant, _NO_CLASS)
        elif not allowed.all():
            constant = np.array([_NO_CLASS if allowed[0] else -_NO_CLASS])
    description = {
        "task": _plain(task),
        "features": _names(estimator),
        "categories": _categories(estimator),
        "classes": None if classes is None else [_plain(label) for label in classes.labels.tolist()],
    }
    n_categories = estimator._plan.binner.n_bins
    return TaskTrees(constant, [tree for tree in trees if isinstance(tree, dict)], link, n_categories, description)


def _trees_of_task(estimator, code, unit, share):
    """For each tree that serves the task, its nodes, {key: leaf or split}, or its value where it has no split.

    A leaf is an ndarray of shape (n_outputs,).
    """
    fitted, plan = estimator._fitted, estimator._plan
    trees, nodes = fitted.forest.trees, fitted.forest.trees.nodes
    n_own, n_bins, cuts = len(plan.positions), plan.n_bins, plan.binner.cuts
    task_codes = plan.task_features.codes[:, code]
    weights = {SHARED: 1.0, OUTLIER: share, INLIER: 1.0 - share, JOINT: 1.0, SPECIFIC: 1.0}

    def leaf(node, part):
        own = part == JOINT and unit >= 0
        return weights[part] * (nodes.unit_value[nodes.unit_row[node], unit] if own else nodes.value[node])

    def is_left(node, bin_code, bins):
        if nodes.categorical[node]:
            return bool(nodes.left_codes[node, bin_code >> 5] >> np.uint32(bin_code & 31) & 1)
        return bin_code <= nodes.threshold[node] or bool(nodes.missing_left[node] and bin_code == bins)

    def past_task_features(root, key):
        """The node where rows of the task come to by its means alone."""
        while nodes.left[root + key] and nodes.feature[root + key] >= n_own:
            feature = nodes.feature[root + key]
            left = is_left(root + key, task_codes[feature - n_own], n_bins[feature])
            key = int(nodes.left[root + key]) + (not left)
        return key

    def split(root, key):
        node = root + key
        feature = int(nodes.feature[node])
        if nodes.categorical[node]:
            test: float | set[int] = {c for c in range(n_bins[feature]) if is_left(node, c, n_bins[feature])}
        else:
            bin_code = nodes.threshold[node]
            # A value has at most this code if it is not above the cut that ends the bin.
            test = float(cuts[feature][bin_code]) if bin_code < len(cuts[feature]) else float(np.finfo(float).max)
        missing_left = is_left(node, int(n_bins[feature]), n_bins[feature])
        first = int(nodes.left[node])
        children = past_task_features(root, first), past_task_features(root, first + 1)
        return Split(feature, test, missing_left, *children)

    for root, part, owner in zip(trees.roots.tolist(), trees.parts.tolist(), trees.units.tolist(), strict=True):
        if part == SPECIFIC and owner != unit:
            continue
        key = past_task_features(root, 0)
        if not nodes.left[root + key]:
            yield leaf(root + key, part)
            continue
        # The root comes first.
        tree, waiting = {}, [key]
        while waiting:
            key = waiting.pop()
            if nodes.left[root + key]:
                tree[key] = split(root, key)
                waiting += [tree[key].left, tree[key].right]
            else:
                tree[key] = leaf(root + key, part)
        yield tree


def _link(loss, n_outputs):
    """Name of the inverse link, by what it makes of some raw predictions."""
    values = np.linspace(-8.0, 8.0, 33)
    raw = np.stack([np.roll(values, 7 * k) for k in range(n_outputs)], axis=1)
    answer = loss.inverse_link(raw)
    known = {"identity": raw[:, 0], "exponential": np.exp(raw[:, 0])} if n_outputs == 1 else {}
    known |= {"sigmoid" if n_outputs == 1 else "softmax": softmax_link(raw)}
    for name, expected in known.items():
        if answer.shape == expected.shape and np.allclose(answer, expected, rtol=1e-12, atol=1e-12):
            return name
    raise ValueError(
        f"The inverse link of {loss!r} cannot be exported. Export with raw=True, and apply the link to what the "
        "exported model predicts."
    )


def _plain(value):
    """The label as JSON has it."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _names(estimator):
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(names[position]) for position in estimator._plan.positions]


def _categories(estimator):
    reader = estimator._plan.reader
    lists: list[Any] = [None] * len(reader.categorical)
    for f, encoder in reader.encoders.items():
        known = [value for value in encoder.categories_[0].tolist() if value is not None and value == value]
        lists[f] = [_plain(value) for value in known]
    return lists
