"""Which kernel grows the trees of tasks, and that it does not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmtl import RMTGBClassifier, RMTGBRegressor
from skmtl.boosting import _base, _grower, _unit_grower
from skmtl.boosting.kernels.types import empty_nodes

FITS = {"schedule": {"shared": 2, "specific": 4}, "early_stopping": False, "random_state": 0}


def make_rows(seed=0, missing=0.1):
    """Tasks of 3 to 60 rows, with slopes of their own."""
    rng = np.random.default_rng(seed)
    tasks = np.repeat(np.arange(20), rng.integers(3, 60, 20))
    X = rng.normal(size=(len(tasks), 5)).round(1)
    y = X[:, 0] * rng.normal(size=20)[tasks] + 0.3 * rng.normal(size=len(tasks))
    return np.where(rng.random(X.shape) < missing, np.nan, X), y, tasks


def fit(model, y=None, **fit_params):
    X, numbers, tasks = make_rows()
    return model.fit(X, numbers if y is None else y(numbers), tasks=tasks, **fit_params)


@pytest.fixture
def called(monkeypatch):
    """Names of the kernels that were called."""
    names = set()
    for name in ("grow_small_trees", "grow_unit_trees"):
        kernel = getattr(_unit_grower, name)
        monkeypatch.setattr(
            _unit_grower, name, lambda *args, name=name, kernel=kernel: (names.add(name), kernel(*args))
        )
    return names


def fit_categories(categories):
    """Four tasks of 30 rows, one after the other."""
    X = pd.DataFrame({"a": pd.Categorical(categories), "b": np.arange(120.0)})
    return RMTGBRegressor(**FITS).fit(X, np.arange(120.0) % 7, tasks=np.repeat(np.arange(4), 30))


def labels(y):
    return np.digitize(y, [-0.5, 0.5])


SMALL = {
    "squared error": lambda: fit(RMTGBRegressor(**FITS)),
    "weights": lambda: fit(RMTGBRegressor(**FITS), sample_weight=np.arange(len(make_rows()[1])) % 3),
    "two classes": lambda: fit(RMTGBClassifier(**FITS), lambda y: y > 0),
    "some rows and features": lambda: fit(RMTGBRegressor(subsample=0.6, max_features=0.5, **FITS)),
    "line search": lambda: fit(RMTGBRegressor("absolute_error", **FITS)),
    "unlimited": lambda: fit(RMTGBRegressor(max_leaf_nodes=None, min_samples_leaf=1, **FITS)),
    "categories of tasks": lambda: fit_categories(np.repeat(list("xyzz"), 30)),
    "depth": lambda: fit(RMTGBRegressor(max_depth=2, max_leaf_nodes=None, l2_regularization=0.0, **FITS)),
}
GENERAL = {
    "categories": lambda: fit_categories(np.array(list("xyz") * 40)),
    "a missing category": lambda: fit_categories(np.where(np.arange(120) == 40, None, np.repeat(list("xyzz"), 30))),
    "monotonic": lambda: fit(RMTGBRegressor(monotonic_cst=[1, 0, 0, 0, 0], **FITS)),
    "interactions": lambda: fit(RMTGBRegressor(interaction_cst="no_interactions", **FITS)),
    "three classes": lambda: fit(RMTGBClassifier(**FITS), labels),
}  # fmt: skip


@pytest.mark.parametrize("name", SMALL)
def test_plain_tables_take_the_kernel_for_small_trees(name, called):
    SMALL[name]()
    assert called == {"grow_small_trees"}


@pytest.mark.parametrize("name", GENERAL)
def test_other_tables_take_the_general_kernel(name, called):
    GENERAL[name]()
    assert called == {"grow_unit_trees"}


@pytest.mark.parametrize(("name", "value"), [("_SMALL_ROWS", 20), ("_MOST_PLACES", 30), ("_SMALL_BYTES", 1000)])
def test_large_units_take_the_general_kernel(name, value, called, monkeypatch):
    monkeypatch.setattr(_unit_grower, name, value)
    SMALL["squared error"]()
    assert called == {"grow_unit_trees"}


def forest_of(model):
    trees = model._fitted.forest.trees
    return [*trees.nodes, trees.roots, trees.parts, trees.units]


@pytest.mark.parametrize("name", SMALL)
def test_both_kernels_give_the_same_model(name, monkeypatch):
    small = SMALL[name]()
    monkeypatch.setattr(_unit_grower, "_SMALL_ROWS", 0)
    for mine, theirs in zip(forest_of(small), forest_of(SMALL[name]()), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("small_rows", [0, 2000])
def test_the_model_does_not_depend_on_the_number_of_threads(small_rows, monkeypatch):
    monkeypatch.setattr(_unit_grower, "_SMALL_ROWS", small_rows)
    alone = fit(RMTGBRegressor(**FITS))
    monkeypatch.setattr(_unit_grower, "_CODES_PER_THREAD", 200)
    for mine, theirs in zip(forest_of(fit(RMTGBRegressor(n_jobs=3, **FITS))), forest_of(alone), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_trees_without_categorical_splits_keep_no_sets_of_categories():
    assert len(fit(RMTGBRegressor(**FITS))._fitted.forest.trees.nodes.left_codes) == 1
    nodes = GENERAL["categories"]()._fitted.forest.trees.nodes
    assert len(nodes.left_codes) == len(nodes.left)
    assert nodes.categorical.any()
    assert (nodes.left_codes[nodes.categorical == 0] == 0).all()


def test_what_was_left_in_memory_does_not_matter(monkeypatch):
    def dirty(n_nodes):
        nodes = empty_nodes(n_nodes)
        for array in (nodes.threshold, nodes.missing_left, nodes.left, nodes.gain, nodes.start, nodes.depth):
            array.fill(3)
        return nodes

    expected = fit(RMTGBRegressor(**FITS))
    monkeypatch.setattr("skmtl.boosting._scratch.empty_nodes", dirty)
    for mine, theirs in zip(forest_of(fit(RMTGBRegressor(**FITS))), forest_of(expected), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", ["squared error", "two classes", "some rows and features", "line search"])
def test_leaves_of_trees_are_harvested_by_any_number_of_threads(name, monkeypatch):
    alone = SMALL[name]()
    monkeypatch.setattr(_grower, "_ROWS_PER_THREAD", 7)
    monkeypatch.setattr(_base, "effective_n_jobs", lambda n_jobs: 5)
    shared = SMALL[name]()
    X, _, tasks = make_rows()
    np.testing.assert_array_equal(shared.predict(X, tasks=tasks), alone.predict(X, tasks=tasks))
    for ours, theirs in zip(shared._fitted.forest.trees.nodes, alone._fitted.forest.trees.nodes, strict=True):
        np.testing.assert_array_equal(ours, theirs)
