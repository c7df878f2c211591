"""Laws of the boosters, each over every kind of table."""

from __future__ import annotations

import copy
import pickle

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skmtl.boosting import RMTGBRegressor
from tests.boosting._cases import CASES, Case, answer, certain_case, every_case, labelled_case, over

#: Sums in another order differ in the last digits.
CLOSE = {"rtol": 1e-7, "atol": 1e-9}
_BY_NAME = {case.name: case for case in CASES}


def same_model(one, two, **tolerance):
    """Assert that two models learned the same numbers."""
    compare = (lambda a, b: assert_allclose(a, b, **tolerance)) if tolerance else assert_array_equal
    compare(one.theta_, two.theta_)
    compare(one.outlier_scores_, two.outlier_scores_)
    compare(one.train_score_, two.train_score_)
    compare(one.feature_importances_, two.feature_importances_)
    assert one.n_iter_per_block_ == two.n_iter_per_block_


# Names and order -----------------------------------------------------------------------------------------------------


@labelled_case
@pytest.mark.parametrize("kind", ["strings in order", "strings in another order", "integers"])
def test_renaming_tasks_changes_nothing(case, kind):
    table = case.table()
    known = np.unique(table.tasks)
    renamed = {
        "strings in order": np.array([f"x{i}" for i in range(len(known))]),
        "strings in another order": np.array([f"x{i}" for i in range(len(known))])[::-1],
        "integers": 100 - 7 * np.arange(len(known)),
    }[kind]
    new_tasks = renamed[np.searchsorted(known, table.tasks)]
    before, after = case.fit(table), case.fit(table._replace(tasks=new_tasks))
    place = np.searchsorted(after.tasks_, renamed)
    assert_allclose(answer(after, table.X, new_tasks), answer(before, table.X, table.tasks), **CLOSE)
    assert_allclose(after.outlier_scores_[place], before.outlier_scores_, rtol=1e-6)
    if len(known) > 2:  # Of two tasks neither lies further out, and either may be called the outlier at the start.
        assert_allclose(after.theta_[place], before.theta_, rtol=1e-6)


@certain_case
def test_order_of_rows_changes_nothing(case):
    table = case.table()
    rows = np.random.default_rng(1).permutation(table.n_rows)
    before, after = case.fit(table), case.fit(table.take(rows))
    same_model(before, after, rtol=1e-6, atol=1e-12)
    assert_allclose(answer(after, table.X, table.tasks), answer(before, table.X, table.tasks), **CLOSE)


@every_case
def test_prediction_of_a_row_does_not_depend_on_other_rows(case):
    table = case.table()
    model = case.fit(table)
    full = answer(model, table.X, table.tasks)
    rng = np.random.default_rng(2)
    subsets = [rng.permutation(table.n_rows), rng.choice(table.n_rows, 17), *([i] for i in range(10))]
    if table.tasks is not None:  # all rows of one task
        subsets += [np.flatnonzero(table.tasks == task) for task in np.unique(table.tasks)]
    for rows in subsets:
        part = table.take(rows)
        assert_array_equal(answer(model, part.X, part.tasks), full[rows])


# Weights -------------------------------------------------------------------------------------------------------------


@certain_case
def test_weight_two_equals_the_row_twice(case):
    table = case.table()
    rng = np.random.default_rng(3)
    times = rng.integers(1, 3, table.n_rows)
    own = np.ones(table.n_rows) if table.sample_weight is None else table.sample_weight
    weighted = case.fit(table._replace(sample_weight=own * times))
    repeated = case.fit(table.take(np.repeat(np.arange(table.n_rows), times)))
    same_model(weighted, repeated, rtol=1e-6, atol=1e-9)
    assert_allclose(answer(weighted, table.X, table.tasks), answer(repeated, table.X, table.tasks), **CLOSE)


@every_case
def test_weight_zero_equals_no_row(case):
    table = case.table()
    rng = np.random.default_rng(4)
    kept = rng.random(table.n_rows) < 0.8
    own = np.ones(table.n_rows) if table.sample_weight is None else table.sample_weight
    weighted = case.fit(table._replace(sample_weight=own * kept))
    dropped = case.fit(table._replace(sample_weight=own).take(np.flatnonzero(kept)))
    same_model(weighted, dropped)
    assert_array_equal(answer(weighted, table.X, table.tasks), answer(dropped, table.X, table.tasks))


@every_case
def test_weight_one_equals_no_weight(case):
    table = case.table()._replace(sample_weight=None)
    plain, weighted = case.fit(table), case.fit(table._replace(sample_weight=np.ones(table.n_rows)))
    same_model(plain, weighted)


def test_a_task_of_weight_zero_is_not_there():
    table = _BY_NAME["regression"].table()
    weight = (table.tasks != "t1").astype(float)
    model = _BY_NAME["regression"].fit(table._replace(sample_weight=weight))
    assert model.tasks_.tolist() == ["t0", "t2", "t3"]


# One task ------------------------------------------------------------------------------------------------------------


@over([case for case in CASES if case.name not in {"columns_and_tasks", "weighted"}])
def test_one_label_equals_no_labels(case):
    table = case.table()
    one = np.repeat("only", table.n_rows)
    without, labelled = case.fit(table._replace(tasks=None)), case.fit(table._replace(tasks=one))
    same = lambda a, b: assert_array_equal(a.ravel(), b.ravel())  # noqa: E731
    same(answer(without, table.X), answer(labelled, table.X, one))
    same(without.theta_, labelled.theta_)


@pytest.mark.parametrize("loss", ["squared_error", "poisson", "gamma"])
def test_a_single_task_is_ordinary_boosting(loss):
    """The same trees as scikit-learn's, whose gradients are of single precision."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    X, y = _BY_NAME["single"].table()[:2]
    y = np.exp(0.5 * y)
    common = {"loss": loss, "learning_rate": 0.1, "max_leaf_nodes": 8, "min_samples_leaf": 5, "l2_regularization": 0.7}
    peer = HistGradientBoostingRegressor(**common, max_iter=25, early_stopping=False).fit(X, y)
    plain = {"max_features": 1.0, "random_strength": 0.0, "init": "mean"}
    model = RMTGBRegressor(**common, **plain, schedule={"shared": 25}, early_stopping=False).fit(X, y)
    assert_allclose(model.predict(X), peer.predict(X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["regression", "weighted", "poisson", "gamma", "binary"])
@pytest.mark.parametrize("init", ["zero", "mean"])
def test_specific_block_alone_is_one_model_per_task(name, init):
    """Features of few values, all present in each task, so that every task alone has the same bins."""
    case = _BY_NAME[name]
    table = case.table()
    rng = np.random.default_rng(5)
    codes = np.searchsorted(np.unique(table.tasks), table.tasks)
    table = table._replace(X=np.floor(np.arange(table.n_rows)[:, None] + rng.random((table.n_rows, 3)) * 3) % 3)
    for code in range(4):  # every value in every task
        first = np.flatnonzero(codes == code)[:3]
        table.X[first] = np.arange(3)[:, None]
    params = {
        "schedule": {"specific": 8},
        "max_leaf_nodes": 3,
        "l2_regularization": 0.5,
        "init": init,
        "unseen_classes": "shared",
    }
    if case.cls is RMTGBRegressor:
        del params["unseen_classes"]
    y = table.y
    if init == "mean":  # a start common to all tasks: give all the same mean
        if name not in {"regression", "weighted"}:
            pytest.skip("the initial value of this loss is not moved by a shift of y")
        weight = np.ones(table.n_rows) if table.sample_weight is None else table.sample_weight
        y = y - (np.bincount(codes, weight * y) / np.bincount(codes, weight))[codes]
    together = case.fit(table._replace(y=y), **params)
    for task in together.tasks_:
        rows = np.flatnonzero(table.tasks == task)
        if len(np.unique(y[rows])) < 2:
            continue
        part = table._replace(y=y).take(rows)
        alone = case.fit(part._replace(tasks=None), **params)
        assert_allclose(answer(together, part.X, part.tasks), answer(alone, part.X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", ["single", "absolute_error", "binary", "classes"])
def test_shared_and_specific_trees_of_one_task_are_the_same(name):
    case = _BY_NAME[name]
    table = case.table()._replace(tasks=None)
    params = {"max_leaf_nodes": 5, "l2_regularization": 1.0, "min_samples_leaf": 4}
    shared = case.fit(table, schedule={"shared": 7}, **params)
    specific = case.fit(table, schedule={"specific": 7}, **params)
    assert_allclose(answer(shared, table.X), answer(specific, table.X), **CLOSE)


# Copies, threads, seeds ----------------------------------------------------------------------------------------------


@every_case
def test_clone_has_the_parameters_and_fits_the_same(case):
    table = case.table()
    model = case.fit(table)
    twin = clone(model)
    assert not any(name.endswith("_") and not name.startswith("_") for name in vars(twin))
    assert repr(twin.get_params()) == repr(model.get_params())
    same_model(model, twin.fit(table.X, table.y, **table.known))


@every_case
@pytest.mark.parametrize("copier", ["pickle", "deepcopy", "joblib", "joblib, memory mapped"])
def test_a_copy_says_the_same(case, copier, tmp_path):
    table = case.table()
    model = case.fit(table)
    if copier == "pickle":
        twin = pickle.loads(pickle.dumps(model))
    elif copier == "deepcopy":
        twin = copy.deepcopy(model)
    else:
        joblib.dump(model, tmp_path / "model")
        twin = joblib.load(tmp_path / "model", mmap_mode="r" if "mapped" in copier else None)
    same_model(model, twin)
    assert_array_equal(answer(twin, table.X, table.tasks), answer(model, table.X, table.tasks))


@every_case
def test_threads_change_nothing(case):
    table = case.table()
    one, two = case.fit(table, n_jobs=1), case.fit(table, n_jobs=2)
    same_model(one, two)
    assert_array_equal(answer(one, table.X, table.tasks), answer(two, table.X, table.tasks))


def test_threads_change_nothing_on_many_rows():
    """Enough rows for the work to be split."""
    rng = np.random.default_rng(6)
    X, tasks = rng.normal(size=(60_000, 20)), rng.integers(0, 5, 60_000)
    y = X[:, 0] * tasks + rng.normal(size=60_000)
    params = {"schedule": {"shared": 3, "partition": 2, "specific": 2}, "early_stopping": False, "random_state": 0}
    one, two = (RMTGBRegressor(**params, n_jobs=n).fit(X, y, tasks=tasks) for n in (1, 2))
    same_model(one, two)
    assert_array_equal(one.predict(X, tasks=tasks), two.predict(X, tasks=tasks))


@every_case
@pytest.mark.parametrize("seed", [0, 1], ids=["int", "RandomState"])
def test_equal_seeds_give_equal_models(case, seed):
    def state():
        return np.random.RandomState(7) if seed else 7

    table = case.table()
    np.random.seed(1)  # noqa: NPY002 - the global generator must play no part
    one = case.fit(table, random_state=state())
    np.random.seed(2)  # noqa: NPY002
    two = case.fit(table, random_state=state())
    same_model(one, two)
    assert_array_equal(answer(one, table.X, table.tasks), answer(two, table.X, table.tasks))


@over([case for case in CASES if case.chance])
def test_another_seed_gives_another_model(case):
    table = case.table()
    one, two = (case.fit(table, random_state=seed, refit=False) for seed in (0, 1))
    assert np.any(answer(one, table.X, table.tasks) != answer(two, table.X, table.tasks))


@certain_case
def test_without_chance_the_seed_plays_no_part(case):
    table = case.table()
    same_model(case.fit(table, random_state=0), case.fit(table, random_state=1))


@every_case
def test_what_the_caller_passes_is_left_as_it_was(case):
    table = case.table()
    before = copy.deepcopy(table)
    model = case.fit(table)
    answer(model, table.X, table.tasks)
    model.score(table.X, table.y, tasks=table.tasks)
    if hasattr(table.X, "iloc"):
        assert table.X.equals(before.X)
        assert list(table.X.dtypes) == list(before.X.dtypes)
    else:
        assert_array_equal(table.X, before.X)
    for name in ("y", "tasks", "sample_weight"):
        old, new = getattr(before, name), getattr(table, name)
        assert (old is None) == (new is None)
        if old is not None:
            assert_array_equal(new, old)


# Stages --------------------------------------------------------------------------------------------------------------


@every_case
def test_the_last_stage_is_the_prediction(case):
    table = case.table()
    model = case.fit(table)
    stages = list(model.staged_predict(table.X, tasks=table.tasks))
    assert len(stages) == model.n_iter_ == sum(model.n_iter_per_block_.values()) == len(model.block_sequence_)
    assert_array_equal(stages[-1], model.predict(table.X, tasks=table.tasks))
    if hasattr(model, "staged_predict_proba"):
        last = list(model.staged_predict_proba(table.X, tasks=table.tasks))[-1]
        assert_array_equal(
            np.concatenate(last, axis=1) if isinstance(last, list) else last, answer(model, table.X, table.tasks)
        )
    if hasattr(model, "staged_decision_function"):
        last = list(model.staged_decision_function(table.X, tasks=table.tasks))
        assert len(last) == model.n_iter_
        assert_array_equal(last[-1], model.decision_function(table.X, tasks=table.tasks))


_CONTINUED = [case for case in CASES if case.name not in {"stopping", "classes_stopping"}]


@over(_CONTINUED)
@pytest.mark.parametrize("halfway", [(3, 0, 0), (6, 2, 0), (6, 4, 1)], ids=str)
def test_a_continued_fit_equals_an_uninterrupted_one(case, halfway):
    table = case.table()
    whole = case.fit(table)
    first = dict(zip(("shared", "partition", "specific"), halfway, strict=True))
    model = case.fit(table, schedule=first, warm_start=True)
    model.set_params(schedule=whole.schedule).fit(table.X, table.y, **table.known)
    assert model.n_iter_per_block_ == whole.n_iter_per_block_
    assert_allclose(answer(model, table.X, table.tasks), answer(whole, table.X, table.tasks), **CLOSE)
    assert_allclose(model.theta_, whole.theta_, rtol=1e-6)
    assert_allclose(model.train_score_, whole.train_score_, rtol=1e-8)
    assert len(model.train_score_) == whole.n_iter_ + 1


# Importances and constraints -----------------------------------------------------------------------------------------


@every_case
def test_importances_sum_to_one(case):
    table = case.table()
    model = case.fit(table)
    assert model.feature_importances_.shape == (model.n_features_in_,)
    assert np.all(model.feature_importances_ >= 0)
    assert_allclose(model.feature_importances_.sum(), 1.0)
    by_block = model.task_importances()
    assert set(by_block) == {"shared", "partition", "joint", "specific"}
    for importances in by_block.values():
        assert importances.shape == (*model.theta_.shape, model.n_features_in_)
        assert np.all(importances >= 0)
    assert_allclose(sum(importances.sum(axis=-1) for importances in by_block.values()), 1.0)


def test_a_feature_that_says_nothing_has_no_importance():
    table = _BY_NAME["gaps"].table()
    assert _BY_NAME["gaps"].fit(table).feature_importances_[3] == 0.0


_ORDERED = ["regression", "absolute_error", "quantile", "huber", "poisson", "gamma", "columns", "binary", "gaps"]


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("name", _ORDERED)
def test_monotonic_constraint_holds_along_the_feature_for_every_task(name, direction):
    case = _BY_NAME[name]
    table = case.table()
    model = case.fit(
        table, monotonic_cst=[direction, 0, 0, 0], schedule={"shared": 10, "partition": 10, "specific": 10}
    )
    grid = np.linspace(-3, 3, 60)
    for row in table.X[:8]:
        X = np.tile(row, (len(grid), 1))
        X[:, 0] = grid
        for task in [None] if table.tasks is None else np.unique(table.tasks):
            tasks = None if task is None else np.repeat(task, len(grid))
            curve = model.decision_function(X, tasks=tasks) if name == "binary" else model.predict(X, tasks=tasks)
            assert np.all(direction * np.diff(curve, axis=0) >= -1e-12)


@pytest.mark.parametrize("name", ["regression", "columns", "absolute_error"])
def test_without_interactions_the_prediction_is_a_sum_over_features(name):
    case = _BY_NAME[name]
    table = case.table()
    model = case.fit(table, interaction_cst="no_interactions", schedule={"shared": 10, "partition": 10, "specific": 10})
    rng = np.random.default_rng(8)
    one, two = rng.normal(size=(2, 50, 4))
    tasks = None if table.tasks is None else table.tasks[:50]
    for j in range(4):
        # What a change of feature j adds is the same wherever the other features are.
        here, there = one.copy(), two.copy()
        here[:, j], there[:, j] = two[:, j], one[:, j]
        change = model.predict(here, tasks=tasks) - model.predict(one, tasks=tasks)
        change_there = model.predict(two, tasks=tasks) - model.predict(there, tasks=tasks)
        assert_allclose(change, change_there, atol=1e-10)


def test_interaction_groups_keep_groups_apart():
    case: Case = _BY_NAME["regression"]
    table = case.table()
    model = case.fit(table, interaction_cst=[[0, 1]])  # and [2, 3], which no group names
    rng = np.random.default_rng(9)
    one, two = rng.normal(size=(2, 50, 4))
    here, there = one.copy(), two.copy()
    here[:, :2], there[:, :2] = two[:, :2], one[:, :2]
    tasks = table.tasks[:50]
    change = model.predict(here, tasks=tasks) - model.predict(one, tasks=tasks)
    assert_allclose(change, model.predict(two, tasks=tasks) - model.predict(there, tasks=tasks), atol=1e-10)
