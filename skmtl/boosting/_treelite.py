"""A fitted model as a sum of plain trees, in the format of treelite.

For the rows of one task everything that makes the model multi-task is a constant: the weight between the two partition
ensembles, the values of the task in the leaves of joint trees, the means of the task that shared trees split on. What
is left is a constant and a sum of ordinary trees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._optional import import_optional
from ..losses._links import softmax_link
from ..tasks import look_up_tasks
from ._base import BaseRMTGB
from ._forest import INLIER, JOINT, OUTLIER, SHARED, SPECIFIC

#: Raw prediction of a class that the task has not; the exponential function makes exactly zero of it.
_NO_CLASS = -1e30


def to_treelite(estimator: Any, task: Any = None, *, column: int = 0, raw: bool = False) -> Any:
    r"""Export what a fitted estimator predicts for one task as a model of treelite.

    The model answers as ``estimator.predict(X, tasks=[task] * len(X))``, or for a classifier as `predict_proba`. It needs
    neither skmtl nor Python to be loaded. For the rows of task :math:`r` the prediction is a sum of trees,

    .. math:: F(x) = c_r + \sum_t w_{t, r} T_{t, r}(x),

    with a weight of 1, :math:`s_r` or :math:`1 - s_r`, which goes into the leaves.

    Parameters
    ----------
    estimator : RMTGBRegressor or RMTGBClassifier
        A fitted estimator.
    task : label or None, default=None
        The task. None after a `fit` without tasks or with tasks as columns of y. A label that `fit` did not see is
        treated as in `predict`, by `unseen_tasks`.
    column : int, default=0
        Column of a 2-D `y`.
    raw : bool, default=False
        Leave the inverse link of the loss out. Needed for losses with one that treelite does not know.

    Returns
    -------
    model : treelite.Model
        Thresholds and leaves are float64. The inputs are the columns of X in the order of `fit`, the task column left
        out, with NaN for missing values and the position of a category in its list, counted from 0, or NaN for one that
        is not listed. Output shape of ``treelite.gtil.predict`` is (n_rows, 1, 1), or (n_rows, 1, n_classes) for three
        classes or more; for two classes it is the probability of the second. The field "attributes" of the header holds
        JSON: `features` (names, or None), `categories` (for each input a list, or None if it is ordered), `classes`, and
        `task`; what JSON does not know is written as text.

    Raises
    ------
    ImportError
        If treelite is not installed (extra ``export``).
    TypeError
        If `estimator` is none of the two.
    ValueError
        If the task is needed and not given, or unseen with ``unseen_tasks="error"``; if `y` has no such column; if
        treelite does not know the link.

    See Also
    --------
    skmtl.boosting.RMTGBRegressor.predict : Predictions of several tasks at once.

    References
    ----------
    .. [1] H. Cho, M. Li, "Treelite: toolbox for decision tree deployment", SysML Conference, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> import treelite
    >>> from skmtl.boosting import RMTGBRegressor, to_treelite
    >>> from skmtl.datasets import make_fourier_tasks
    >>> X, y, tasks = make_fourier_tasks(n_tasks=3, n_outliers=1, n_samples=60, return_X_y_tasks=True, random_state=0)
    >>> model = RMTGBRegressor(max_iter=20, random_state=0).fit(X, y, tasks=tasks)
    >>> portable = to_treelite(model, task=2)
    >>> predicted = treelite.gtil.predict(portable, X, nthread=1)[:, 0, 0]
    >>> bool(np.allclose(predicted, model.predict(X, tasks=np.full(len(X), 2))))
    True
    """
    import_optional("treelite", extra="export")
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
    base = start + sum((root for root in trees if isinstance(root, np.ndarray)), np.zeros(len(start)))
    link = "identity" if raw else _link(estimator._fitted.loss, len(start))
    classes = getattr(estimator, "_classes", None)
    if link in ("sigmoid", "softmax"):
        allowed = classes.allowed(code, estimator.unseen_classes)[0, column]
        if link == "softmax":
            base = np.where(allowed, base, _NO_CLASS)
        elif not allowed.all():
            base = np.array([_NO_CLASS if allowed[0] else -_NO_CLASS])
    described = {
        "task": _plain(task),
        "features": _names(estimator),
        "categories": _categories(estimator),
        "classes": None if classes is None else [_plain(label) for label in classes.labels.tolist()],
    }
    return _build(estimator, [tree for tree in trees if isinstance(tree, dict)], base, link, described)


def _trees_of_task(estimator, code, unit, share):
    """For each tree that serves the task, its nodes, {key: leaf or split}, or its value where it has no split.

    A leaf is an ndarray of shape (n_outputs,), a split is (feature, test, missing_left, left, right), where the test is
    a threshold or the set of categories that go left.
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
            test: Any = {c for c in range(n_bins[feature]) if is_left(node, c, n_bins[feature])}
        else:
            bin_code = nodes.threshold[node]
            # A value has at most this code if it is not above the cut that ends the bin.
            test = float(cuts[feature][bin_code]) if bin_code < len(cuts[feature]) else float(np.finfo(float).max)
        missing_left = is_left(node, int(n_bins[feature]), n_bins[feature])
        first = int(nodes.left[node])
        return feature, test, missing_left, past_task_features(root, first), past_task_features(root, first + 1)

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
                waiting += tree[key][3:]
            else:
                tree[key] = leaf(root + key, part)
        yield tree


def _link(loss, n_outputs):
    """Treelite's name for the inverse link, by what it makes of some raw predictions."""
    values = np.linspace(-8.0, 8.0, 33)
    raw = np.stack([np.roll(values, 7 * k) for k in range(n_outputs)], axis=1)
    answer = loss.inverse_link(raw)
    known = {"identity": raw[:, 0], "exponential": np.exp(raw[:, 0])} if n_outputs == 1 else {}
    known |= {"sigmoid" if n_outputs == 1 else "softmax": softmax_link(raw)}
    for name, expected in known.items():
        if answer.shape == expected.shape and np.allclose(answer, expected, rtol=1e-12, atol=1e-12):
            return name
    raise ValueError(
        f"treelite has no inverse link like that of {loss!r}. Export with raw=True, and apply the link to what it "
        "predicts."
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


def _build(estimator, trees, base, link, attributes):
    """Write the trees with treelite's builder."""
    from treelite.model_builder import Metadata, ModelBuilder, PostProcessorFunc, TreeAnnotation

    n_outputs = len(base)
    trees = trees or [{0: np.zeros(n_outputs)}]  # a model of treelite has a tree
    kind = "kMultiClf" if n_outputs > 1 else "kBinaryClf" if link == "sigmoid" else "kRegressor"
    builder = ModelBuilder(
        threshold_type="float64",
        leaf_output_type="float64",
        metadata=Metadata(
            num_feature=len(estimator._plan.positions),
            task_type=kind,
            average_tree_output=False,
            num_target=1,
            num_class=[n_outputs],
            leaf_vector_shape=(1, n_outputs),
        ),
        tree_annotation=TreeAnnotation(
            num_tree=len(trees),
            target_id=[0] * len(trees),
            class_id=[-1 if n_outputs > 1 else 0] * len(trees),
        ),
        postprocessor=PostProcessorFunc(
            name="identity_multiclass" if link == "identity" and n_outputs > 1 else link,
        ),
        base_scores=base.tolist(),
        attributes=attributes,
    )
    for tree in trees:
        builder.start_tree()
        for key, node in tree.items():
            builder.start_node(key)
            if isinstance(node, np.ndarray):
                builder.leaf(node.tolist() if n_outputs > 1 else float(node[0]))
            else:
                _write_split(builder, *node, n_categories=estimator._plan.binner.n_bins)
            builder.end_node()
        builder.end_tree()
    return builder.commit()


def _write_split(builder, feature, test, missing_left, left, right, n_categories):
    children = {"default_left": missing_left, "left_child_key": left, "right_child_key": right}
    if isinstance(test, float):
        builder.numerical_test(feature, test, opname="<=", **children)
        return
    # Treelite sends what is not in the list the other way. A category that `fit` did not see is a missing value, so the
    # list is that of the side where missing values do not go.
    listed = set(range(n_categories[feature])) - test if missing_left else test
    builder.categorical_test(feature, category_list=sorted(listed), category_list_right_child=missing_left, **children)
