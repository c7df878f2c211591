"""A fitted model, for one task, in the format of treelite."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._optional import import_optional
from ._task_trees import task_trees


def to_treelite(estimator: Any, task: Any = None, *, column: int = 0, raw: bool = False) -> Any:
    r"""Export what a fitted estimator predicts for one task as a model of treelite.

    The model answers as ``estimator.predict(X, tasks=[task] * len(X))``, or for a classifier as `predict_proba`. It
    needs neither skmtl nor Python to be loaded. For the rows of task :math:`r` the prediction is a sum of trees,

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
        JSON: `features` (names, or None), `categories` (for each input a list, or None if it is ordered), `classes`,
        and `task`; what JSON does not know is written as text.

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
    to_onnx : The same in another format.

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
    from treelite.model_builder import Metadata, ModelBuilder, PostProcessorFunc, TreeAnnotation

    reduced = task_trees(estimator, task, column, raw)
    link, n_outputs = reduced.link, len(reduced.constant)
    trees = reduced.trees or [{0: np.zeros(n_outputs)}]  # a model of treelite has a tree
    builder = ModelBuilder(
        threshold_type="float64",
        leaf_output_type="float64",
        metadata=Metadata(
            num_feature=len(reduced.n_categories),
            task_type="kMultiClf" if n_outputs > 1 else "kBinaryClf" if link == "sigmoid" else "kRegressor",
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
        postprocessor=PostProcessorFunc(name="identity_multiclass" if link == "identity" and n_outputs > 1 else link),
        base_scores=reduced.constant.tolist(),
        attributes=reduced.description,
    )
    for tree in trees:
        builder.start_tree()
        for key, node in tree.items():
            builder.start_node(key)
            if isinstance(node, np.ndarray):
                builder.leaf(node.tolist() if n_outputs > 1 else float(node[0]))
            else:
                _write_split(builder, node, int(reduced.n_categories[node.feature]))
            builder.end_node()
        builder.end_tree()
    return builder.commit()


def _write_split(builder, node, n_categories):
    children = {"default_left": node.missing_left, "left_child_key": node.left, "right_child_key": node.right}
    if not isinstance(node.test, set):
        builder.numerical_test(node.feature, node.test, opname="<=", **children)
        return
    # Treelite sends what is not in the list the other way. A category that `fit` did not see is a missing value, so the
    # list is that of the side where missing values do not go.
    listed = set(range(n_categories)) - node.test if node.missing_left else node.test
    builder.categorical_test(
        node.feature, category_list=sorted(listed), category_list_right_child=node.missing_left, **children
    )
