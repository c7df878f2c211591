"""A fitted model, for one task, in the format of ONNX."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from .._optional import import_optional
from ._task_trees import task_trees

#: Modes of a node of TreeEnsemble: not above the threshold, and one of the members.
_AT_MOST, _MEMBER = 0, 6
#: Operator sets and the version of the format that belongs to them: the first with TreeEnsemble.
_OPSETS, _IR_VERSION = {"": 21, "ai.onnx.ml": 5}, 10


def to_onnx(estimator: Any, task: Any = None, *, column: int = 0, raw: bool = False) -> Any:
    r"""Export what a fitted estimator predicts for one task as a model of ONNX.

    The model answers as ``estimator.predict(X, tasks=[task] * len(X))``, or for a classifier as `predict_proba`. It
    needs neither skmtl nor Python to be run. For the rows of task :math:`r` the prediction is a sum of trees,

    .. math:: F(x) = c_r + \sum_t w_{t, r} T_{t, r}(x),

    with a weight of 1, :math:`s_r` or :math:`1 - s_r`, which goes into the leaves. They are one node of the operator
    TreeEnsemble (ai.onnx.ml, version 5).

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
        Leave the inverse link of the loss out. Needed for losses with one that is neither the identity, nor the
        exponential or logistic function, nor a softmax.

    Returns
    -------
    model : onnx.ModelProto
        Input "X" is float64 of shape (n_rows, n_features): the columns of X in the order of `fit`, the task column left
        out, with NaN for missing values and the position of a category in its list, counted from 0, or NaN for one that
        is not listed. Output "predictions", float64, has the shape (n_rows, 1), or (n_rows, n_classes) for a
        classifier. The entry "skmtl" of the metadata holds JSON: `features` (names, or None), `categories` (for each
        input a list, or None if it is ordered), `classes`, and `task`; what JSON does not know is written as text.

    Raises
    ------
    ImportError
        If onnx is not installed (extra ``export``).
    TypeError
        If `estimator` is none of the two.
    ValueError
        If the task is needed and not given, or unseen with ``unseen_tasks="error"``; if `y` has no such column; if the
        link cannot be exported.

    See Also
    --------
    to_treelite : The same in another format.

    References
    ----------
    .. [1] ONNX operator TreeEnsemble, https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html

    Examples
    --------
    >>> import numpy as np
    >>> import onnxruntime
    >>> from skmtl.boosting import RMTGBRegressor, to_onnx
    >>> from skmtl.datasets import make_fourier_tasks
    >>> X, y, tasks = make_fourier_tasks(n_tasks=3, n_outliers=1, n_samples=60, return_X_y_tasks=True, random_state=0)
    >>> model = RMTGBRegressor(max_iter=20, random_state=0).fit(X, y, tasks=tasks)
    >>> session = onnxruntime.InferenceSession(to_onnx(model, task=2).SerializeToString())
    >>> (predicted,) = session.run(None, {"X": X})
    >>> bool(np.allclose(predicted[:, 0], model.predict(X, tasks=np.full(len(X), 2))))
    True
    """
    import_optional("onnx", extra="export")
    from onnx import TensorProto, helper, numpy_helper

    reduced = task_trees(estimator, task, column, raw)
    n_outputs = len(reduced.constant)
    trees = reduced.trees or [{0: np.zeros(n_outputs)}]
    constants = {"constant": reduced.constant, "one": np.array([1.0])}
    steps = [
        helper.make_node(
            "TreeEnsemble", ["X"], ["sum"], domain="ai.onnx.ml", **_ensemble(trees, n_outputs, reduced.n_categories)
        ),
        helper.make_node("Add", ["sum", "constant"], ["raw"]),
    ]
    if reduced.link == "sigmoid":
        steps += [
            helper.make_node("Sigmoid", ["raw"], ["second"]),
            helper.make_node("Sub", ["one", "second"], ["first"]),
            helper.make_node("Concat", ["first", "second"], ["predictions"], axis=1),
        ]
    else:
        operator = {"identity": "Identity", "exponential": "Exp", "softmax": "Softmax"}[reduced.link]
        steps.append(
            helper.make_node(operator, ["raw"], ["predictions"], **({"axis": 1} if operator == "Softmax" else {}))
        )
    used = {name for step in steps for name in step.input}
    width = 2 if reduced.link == "sigmoid" else n_outputs
    graph = helper.make_graph(
        steps,
        "trees",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["n_rows", len(reduced.n_categories)])],
        [helper.make_tensor_value_info("predictions", TensorProto.DOUBLE, ["n_rows", width])],
        [numpy_helper.from_array(value, name) for name, value in constants.items() if name in used],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS.items()]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="skmtl")
    helper.set_model_props(model, {"skmtl": json.dumps(reduced.description)})
    return model


def _ensemble(trees, n_outputs, n_categories):
    """Attributes of the operator TreeEnsemble."""
    from onnx import numpy_helper

    nodes: dict[str, list] = {name: [] for name in ("features", "splits", "modes", "missing_true")}
    branches: dict[str, list] = {name: [] for name in ("true_ids", "true_leaf", "false_ids", "false_leaf")}
    roots: list[int] = []
    leaves: list[float] = []
    outputs: list[int] = []
    members: list[float] = []

    def add_branch(side, tree, key, position, output):
        is_leaf = isinstance(tree[key], np.ndarray)
        branches[f"{side}_leaf"].append(int(is_leaf))
        branches[f"{side}_ids"].append(len(leaves) if is_leaf else position[key])
        if is_leaf:
            leaves.append(float(tree[key][output]))
            outputs.append(output)

    def add_node(feature, split, mode, missing_true):
        for name, value in zip(nodes, (feature, split, mode, missing_true), strict=True):
            nodes[name].append(value)

    # A leaf of the operator has a single output, so that trees of several are written once for each.
    for tree in trees:
        for output in range(n_outputs):
            inner = [key for key, node in tree.items() if not isinstance(node, np.ndarray)]
            first = len(nodes["features"])
            roots.append(first)
            if not inner:  # a node whose branches both lead to the only leaf
                add_node(0, 0.0, _AT_MOST, 0)
                add_branch("true", tree, 0, {}, output)
                branches["false_leaf"].append(1)
                branches["false_ids"].append(len(leaves) - 1)
                continue
            position = {key: first + i for i, key in enumerate(inner)}
            for key in inner:
                node = tree[key]
                true, false = node.left, node.right
                if isinstance(node.test, set):
                    # Missing values and unknown categories are no members: the members are those of the side where they
                    # do not go.
                    if node.missing_left:
                        true, false = false, true
                    listed = set(range(n_categories[node.feature])) - node.test if node.missing_left else node.test
                    members += [*(float(category) for category in sorted(listed)), np.nan]
                    add_node(node.feature, 0.0, _MEMBER, 0)
                else:
                    add_node(node.feature, node.test, _AT_MOST, int(node.missing_left))
                add_branch("true", tree, true, position, output)
                add_branch("false", tree, false, position, output)
    attributes = {
        "n_targets": n_outputs,
        "aggregate_function": 1,  # the sum
        "post_transform": 0,  # none
        "tree_roots": roots,
        "nodes_featureids": nodes["features"],
        "nodes_splits": numpy_helper.from_array(np.array(nodes["splits"], np.float64), "splits"),
        "nodes_modes": numpy_helper.from_array(np.array(nodes["modes"], np.uint8), "modes"),
        "nodes_missing_value_tracks_true": nodes["missing_true"],
        "nodes_truenodeids": branches["true_ids"],
        "nodes_trueleafs": branches["true_leaf"],
        "nodes_falsenodeids": branches["false_ids"],
        "nodes_falseleafs": branches["false_leaf"],
        "leaf_targetids": outputs,
        "leaf_weights": numpy_helper.from_array(np.array(leaves, np.float64), "leaves"),
    }
    if members:
        attributes["membership_values"] = numpy_helper.from_array(np.array(members, np.float64), "members")
    return attributes
