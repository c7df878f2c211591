"""LightGBM with losses of the library: equal to LightGBM's own objectives, tasks, categories, stopping, messages."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

from skmtl.boosting import LightGBMClassifier, LightGBMRegressor
from skmtl.losses import QuantileLoss, ZLoss

lightgbm = pytest.importorskip("lightgbm")
pd = pytest.importorskip("pandas")

QUICK = {"n_estimators": 30, "early_stopping": False, "random_state": 0}


def table(n=400, n_classes=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    tasks = rng.choice(["a", "b", "c"], n)
    score = X[:, 0] + 0.5 * X[:, 1] ** 2 - 0.5 + np.where(tasks == "c", 2.0, 0.0) + 0.3 * rng.normal(size=n)
    edges = np.quantile(score, np.arange(1, n_classes) / n_classes)
    return X, score, np.searchsorted(edges, score), tasks


@pytest.mark.parametrize(
    ("loss", "objective"),
    [("squared_error", "regression"), ("huber", "huber"), ("poisson", "poisson"), ("tweedie", "tweedie")],
)
def test_regression_equals_the_objective_of_lightgbm(loss, objective):
    X, score, _, _ = table()
    y = score if objective in {"regression", "huber"} else np.exp(0.5 * score)
    ours = LightGBMRegressor(loss, **QUICK).fit(X, y)
    settings = {
        "objective": objective,
        "verbosity": -1,
        "min_data_in_bin": 1,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "poisson_max_delta_step": 1e-12,
    }
    if objective == "huber":
        settings["alpha"] = ours._fitted.loss.delta
    start = ours._fitted.start
    data = lightgbm.Dataset(X, y, init_score=np.full(len(y), start[0]), params=settings)
    raw = start[0] + lightgbm.train(settings, data, 30).predict(X, raw_score=True)
    expected = raw if objective in {"regression", "huber"} else np.exp(raw)
    if objective == "huber":  # LightGBM sets the value of a leaf by another rule for it; close, not equal
        assert np.corrcoef(ours.predict(X), expected)[0, 1] > 0.99
    else:
        np.testing.assert_allclose(ours.predict(X), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_log_loss_equals_the_objective_of_lightgbm(n_classes):
    X, _, y, _ = table(n_classes=n_classes)
    ours = LightGBMClassifier(**QUICK).fit(X, y)
    settings = {
        "objective": "binary" if n_classes == 2 else "multiclass",
        "num_class": 1 if n_classes == 2 else n_classes,
        "verbosity": -1,
        "min_data_in_bin": 1,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
    }
    start = ours._fitted.start
    init = np.full(len(y), start[0]) if n_classes == 2 else np.tile(start, (len(y), 1))
    booster = lightgbm.train(settings, lightgbm.Dataset(X, y, init_score=init, params=settings), 30)
    raw = booster.predict(X, raw_score=True).reshape(len(y), -1) + start
    expected = expit(raw[:, 0]) if n_classes == 2 else np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    found = ours.predict_proba(X)
    np.testing.assert_allclose(found[:, 1] if n_classes == 2 else found, expected, rtol=2e-3, atol=2e-4)


def test_the_three_routes_of_tasks_agree():
    X, y, _, tasks = table()
    by_label = LightGBMRegressor(**QUICK).fit(X, y, tasks=tasks)
    frame = pd.DataFrame(X, columns=list("pqrs")).assign(task=tasks)
    by_column = LightGBMRegressor(task_column="task", **QUICK).fit(frame, y)
    np.testing.assert_array_equal(by_label.predict(X, tasks=tasks), by_column.predict(frame))
    assert by_label.tasks_.tolist() == by_column.tasks_.tolist() == ["a", "b", "c"]
    codes = np.searchsorted(by_label.tasks_, tasks)
    wide = np.full((len(y), 3), np.nan)
    wide[np.arange(len(y)), codes] = y
    by_target = LightGBMRegressor(**QUICK).fit(X, wide)
    np.testing.assert_allclose(
        by_target.predict(X)[np.arange(len(y)), codes], by_label.predict(X, tasks=tasks), rtol=1e-12
    )
    assert by_target.score(X, wide) > 0.5
    assert by_column.feature_importances_[-1] == 0.0
    assert by_label.feature_importances_.argmax() == 0


def test_tasks_are_learned_and_rows_do_not_depend_on_each_other():
    X, y, _, tasks = table()
    model = LightGBMRegressor(**QUICK).fit(X, y, tasks=tasks)
    together = model.predict(X[:20], tasks=tasks[:20])
    alone = [model.predict(X[i : i + 1], tasks=tasks[i : i + 1])[0] for i in range(20)]
    np.testing.assert_array_equal(together, alone)
    as_c, as_a = model.predict(X, tasks=["c"] * len(y)), model.predict(X, tasks=["a"] * len(y))
    assert 1.0 < np.mean(as_c - as_a) < 3.0
    with pytest.raises(ValueError, match="was fitted on 3 tasks, so 'tasks'"):
        model.predict(X)


def test_unseen_tasks():
    X, y, _, tasks = table()
    model = LightGBMRegressor(**QUICK).fit(X, y, tasks=tasks)
    assert np.isfinite(model.predict(X[:3], tasks=["new"] * 3)).all()
    with pytest.raises(ValueError, match="'tasks' has 1 task that LightGBMRegressor was not fitted on"):
        model.set_params(unseen_tasks="error").predict(X[:1], tasks=["new"])


def test_more_tasks_than_bins_are_all_told_apart():
    rng = np.random.default_rng(0)
    tasks = np.repeat(np.arange(400), 12)
    effect = rng.normal(size=400)
    X = rng.normal(size=(len(tasks), 2))
    y = effect[tasks] + 0.01 * rng.normal(size=len(tasks))
    params = {"min_data_per_group": 1, "cat_smooth": 0.0, "cat_l2": 0.0, "max_cat_threshold": 400}
    model = LightGBMRegressor(n_estimators=100, min_child_samples=5, params=params, early_stopping=False)
    predicted = model.fit(X, y, tasks=tasks).predict(np.zeros((400, 2)), tasks=np.arange(400))
    assert np.corrcoef(predicted, effect)[0, 1] > 0.98


def test_classes_that_a_task_lacks_have_no_probability():
    X, _, y, tasks = table(n_classes=3)
    y = np.array(["low", "mid", "high"])[np.where((tasks == "a") & (y == 2), 0, y)]
    model = LightGBMClassifier(**QUICK).fit(X, y, tasks=tasks)
    missing = model.classes_.tolist().index("high")
    p = model.predict_proba(X, tasks=tasks)
    assert (p[tasks == "a", missing] == 0.0).all()
    assert (p[tasks == "b", missing] > 0.0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    shared = model.set_params(unseen_classes="shared").predict_proba(X, tasks=tasks)
    assert (shared[tasks == "a", missing] > 0.0).all()
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(model.predict_log_proba(X, tasks=tasks), np.log(shared))


def test_two_target_columns_of_classes():
    X, score, y, _ = table()
    wide = np.column_stack([y, np.where(score > 1.0, 2, 0)]).astype(float)
    wide[::3, 1] = np.nan
    model = LightGBMClassifier(**QUICK).fit(X, wide)
    assert [classes.tolist() for classes in model.classes_] == [[0.0, 1.0], [0.0, 2.0]]
    assert [p.shape for p in model.predict_proba(X)] == [(400, 2), (400, 2)]
    assert model.predict(X).shape == (400, 2)
    assert model.score(X, wide) > 0.9
    assert not hasattr(model, "decision_function")


def test_categories_and_missing_values():
    X, y, _, _ = table()
    group = np.array(["u", "v", "w", "x"])[np.random.default_rng(1).integers(0, 4, len(y))]
    y = y + np.where(np.isin(group, ["u", "w"]), 3.0, 0.0)
    frame = pd.DataFrame(X, columns=list("pqrs")).assign(group=pd.Categorical(group))
    frame.loc[::7, "p"] = np.nan
    model = LightGBMRegressor(**QUICK).fit(frame, y)
    without = frame.drop(columns="group")
    assert model.score(frame, y) > 0.2 + LightGBMRegressor(**QUICK).fit(without, y).score(without, y)
    unseen = frame.iloc[:5].assign(group=pd.Categorical(["new"] * 5))
    assert np.isfinite(model.predict(unseen)).all()
    with pytest.raises(ValueError, match="X has columns of text: \\['group'\\]"):
        LightGBMRegressor(categorical_features=None, **QUICK).fit(frame.astype({"group": object}), y)


def test_early_stopping_goes_back_to_the_best_round_and_fits_again():
    X, y, _, tasks = table(n=1200)
    model = LightGBMRegressor(learning_rate=0.3, random_state=0).fit(X, y, tasks=tasks)
    assert 1 < model.n_iter_ < 300
    assert model.n_iter_ == np.argmax(model.validation_score_)
    assert len(model.validation_score_) == model.n_iter_ + 20 + 1
    plain = LightGBMRegressor(learning_rate=0.3, n_estimators=model.n_iter_, early_stopping=False, random_state=0)
    np.testing.assert_array_equal(plain.fit(X, y, tasks=tasks).predict(X, tasks=tasks), model.predict(X, tasks=tasks))
    once = clone(model).set_params(refit=False).fit(X, y, tasks=tasks)
    assert once.n_iter_ == model.n_iter_
    assert not np.allclose(once.predict(X, tasks=tasks), model.predict(X, tasks=tasks))


def test_where_no_round_helps_the_start_remains():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 3)), rng.normal(size=600)
    model = LightGBMRegressor(learning_rate=50.0, n_iter_no_change=2, random_state=0).fit(X, y)
    assert model.n_iter_ == 0
    assert np.unique(model.predict(X)).size == 1
    assert (model.feature_importances_ == 0.0).all()


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e6])
def test_quantiles_are_found_in_any_unit(unit):
    X, y, _, _ = table(n=1500)
    y = unit * y
    for loss in ("absolute_error", QuantileLoss(0.9)):
        model = LightGBMRegressor(loss, n_estimators=200, early_stopping=False, random_state=0).fit(X, y)
        predicted = model.predict(X)
        if loss == "absolute_error":
            assert mean_absolute_error(y, predicted) < 0.3 * mean_absolute_error(y, np.full_like(y, np.median(y)))
        else:
            constant = np.full_like(y, np.quantile(y, 0.9))
            assert mean_pinball_loss(y, predicted, alpha=0.9) < 0.5 * mean_pinball_loss(y, constant, alpha=0.9)
            assert 0.85 < np.mean(y <= predicted) < 0.95


def test_a_weight_is_so_many_copies_and_zero_is_none():
    X, y, _, _ = table()
    X = X.round(1)  # fewer values than bins: the bins do not depend on how often a value occurs
    weight = np.random.default_rng(0).integers(0, 4, len(y)).astype(float)
    settings = {"min_child_samples": 1, "params": {"min_sum_hessian_in_leaf": 20.0}, **QUICK}
    one = LightGBMRegressor(**settings).fit(X, y, sample_weight=weight)
    many = np.repeat(np.arange(len(y)), weight.astype(int))
    two = LightGBMRegressor(**settings).fit(X[many], y[many])
    np.testing.assert_allclose(one.predict(X), two.predict(X), rtol=1e-5, atol=1e-5)


def test_fitted_models_pickle_and_equal_seeds_give_equal_models():
    X, _, y, tasks = table()
    settings = {"subsample": 0.7, "colsample_bytree": 0.6, **QUICK}
    model = LightGBMClassifier("focal", **settings).fit(X, y, tasks=tasks)
    expected = model.predict_proba(X, tasks=tasks)
    again = LightGBMClassifier("focal", **settings).fit(X, y, tasks=tasks)
    np.testing.assert_array_equal(again.predict_proba(X, tasks=tasks), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X, tasks=tasks), expected)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (LightGBMClassifier("fokal"), ValueError, r"Did you mean 'focal'\?"),
        (LightGBMRegressor("log_loss"), ValueError, "'loss' must be one of"),
        (LightGBMClassifier(ZLoss()), ValueError, "ZLoss needs three classes or more"),
        (
            LightGBMRegressor(params={"objective": "l1"}),
            ValueError,
            r"'params' must leave alone .* Got \['objective'\]",
        ),
        (LightGBMRegressor(early_stopping=True, validation_fraction=1e-9), ValueError, "leaves no row of 400"),
        (LightGBMRegressor(num_leaves=1), ValueError, "'num_leaves'"),
        (LightGBMRegressor("poisson"), ValueError, "loss='poisson' requires non-negative y"),
    ],
)
def test_mistakes_are_named_and_leave_the_estimator_as_it_was(model, error, message):
    X, score, y, _ = table()
    before = dict(vars(model))
    with pytest.raises(error, match=message):
        model.fit(X, y if isinstance(model, LightGBMClassifier) else score)
    assert vars(model) == before


@pytest.mark.parametrize("class_weight", ["balanced", {0: 3.0}, {0: 0.5, 1: 2.0, 2: 1.5}])
@pytest.mark.parametrize("weighted", [False, True])
def test_weights_of_classes_are_weights_of_their_rows(class_weight, weighted):
    X, _, y, tasks = table(n_classes=3)
    y = np.where(np.arange(len(y)) % 4 > 0, 0, y)
    weight = np.random.default_rng(0).integers(1, 4, len(y)).astype(float) if weighted else None
    share = np.bincount(y, weights=weight)
    factor = share.sum() / (3 * share) if class_weight == "balanced" else [class_weight.get(k, 1.0) for k in range(3)]
    one = LightGBMClassifier(class_weight=class_weight, **QUICK).fit(X, y, tasks=tasks, sample_weight=weight)
    rows = np.asarray(factor)[y] * (1.0 if weight is None else weight)
    other = LightGBMClassifier(**QUICK).fit(X, y, tasks=tasks, sample_weight=rows)
    np.testing.assert_allclose(one.predict_proba(X, tasks=tasks), other.predict_proba(X, tasks=tasks), rtol=1e-9)


def test_balanced_classes_find_the_rare_one():
    X, score, _, tasks = table()
    y = np.where(score > np.quantile(score, 0.95), "rare", "usual")
    found = [
        np.mean(LightGBMClassifier(class_weight=w, **QUICK).fit(X, y, tasks=tasks).predict_proba(X, tasks=tasks)[:, 0])
        for w in (None, "balanced")
    ]
    assert found[0] == pytest.approx(0.05, abs=0.01)
    assert found[1] > 1.2 * found[0]


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("heavy", "'class_weight' parameter of LightGBMClassifier must be"),
        (3, "'class_weight' parameter of LightGBMClassifier must be"),
        ({0: -1.0}, "'class_weight' must give every class a positive number"),
        ({0: np.nan}, "'class_weight' must give every class a positive number"),
        ({5: 1.0}, "class"),
    ],
)
def test_wrong_weights_of_classes_are_named(class_weight, message):
    X, _, y, _ = table()
    with pytest.raises(ValueError, match=message):
        LightGBMClassifier(class_weight=class_weight, **QUICK).fit(X, y)
