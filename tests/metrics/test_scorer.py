"""A task scorer is the scorer of scikit-learn with one thing added: the estimator gets its tasks."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.metrics import (
    fbeta_score,
    get_scorer,
    log_loss,
    make_scorer,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from skmtl.metrics import make_task_scorer
from tests.tasks._estimator import TaskOffsetClassifier, TaskOffsetRegressor

CV = KFold(3)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(60, 2)), rng.permutation(np.repeat(["a", "b", "c"], 20))
    y = X[:, 0] + 2.0 * np.unique(tasks, return_inverse=True)[1] + 0.5 * rng.normal(size=60)
    return X, y, tasks


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize(
    ("score_func", "settings", "expected"),
    [
        (r2_score, {}, lambda y, p: r2_score(y, p)),
        (mean_absolute_error, {"greater_is_better": False}, lambda y, p: -mean_absolute_error(y, p)),
        (
            mean_squared_error,
            {"greater_is_better": False, "multioutput": "raw_values"},
            lambda y, p: -((y - p) ** 2).mean(),
        ),
        ("r2", {}, lambda y, p: r2_score(y, p)),
        ("neg_root_mean_squared_error", {}, lambda y, p: -np.sqrt(mean_squared_error(y, p))),
    ],
)
def test_score_of_a_regressor_is_that_of_its_predictions_with_tasks(table, score_func, settings, expected):
    X, y, tasks = table
    model = TaskOffsetRegressor().fit(X, y, tasks=tasks)
    scorer = make_task_scorer(score_func, **settings)
    assert scorer(model, X, y, tasks=tasks) == pytest.approx(expected(y, model.predict(X, tasks=tasks)))


@pytest.mark.parametrize(
    ("score_func", "settings", "expected"),
    [
        ("accuracy", {}, lambda y, m, X, t: np.mean(y == m.predict(X, tasks=t))),
        ("roc_auc", {}, lambda y, m, X, t: roc_auc_score(y == "no", -m.decision_function(X, tasks=t))),
        ("neg_log_loss", {}, lambda y, m, X, t: -log_loss(y, m.predict_proba(X, tasks=t))),
        (
            roc_auc_score,
            {"response_method": "predict_proba"},
            lambda y, m, X, t: roc_auc_score(y, m.predict_proba(X, tasks=t)[:, 1]),
        ),
        (
            roc_auc_score,
            {"response_method": ("predict_log_proba", "decision_function")},  # the first is not there
            lambda y, m, X, t: roc_auc_score(y, m.decision_function(X, tasks=t)),
        ),
        (
            fbeta_score,
            {"beta": 2.0, "pos_label": "no"},
            lambda y, m, X, t: fbeta_score(y, m.predict(X, tasks=t), beta=2.0, pos_label="no"),
        ),
    ],
    ids=["accuracy", "roc_auc", "neg_log_loss", "predict_proba", "sequence", "pos_label"],
)
def test_score_of_a_classifier_takes_the_method_and_class_that_scikit_learn_takes(
    table, score_func, settings, expected
):
    X, y, tasks = table
    y = np.where(y > 2.0, "yes", "no")
    model = TaskOffsetClassifier().fit(X, y, tasks=tasks)
    scorer = make_task_scorer(score_func, **settings)
    assert scorer(model, X, y, tasks=tasks) == pytest.approx(expected(y, model, X, tasks))


@pytest.mark.parametrize("name", ["r2", "neg_mean_absolute_error"])
def test_without_tasks_it_is_the_scorer_of_scikit_learn(table, name):
    X, y, tasks = table
    full = np.column_stack([X, np.unique(tasks, return_inverse=True)[1]])
    for model, data in [(LinearRegression(), X), (TaskOffsetRegressor(task_column=2), full)]:
        model.fit(data, y)
        assert make_task_scorer(name)(model, data, y) == get_scorer(name)(model, data, y)


def test_estimator_that_takes_no_tasks_is_not_given_them_in_silence(table):
    X, y, tasks = table
    with pytest.raises(TypeError, match="tasks"):
        make_task_scorer("r2")(LinearRegression().fit(X, y), X, y, tasks=tasks)


def test_missing_method_is_reported_for_the_class_of_the_estimator(table):
    X, y, tasks = table
    model = TaskOffsetClassifier().fit(X, y > 2.0, tasks=tasks)
    scorer = make_task_scorer(roc_auc_score, response_method=["predict_log_proba"])
    with pytest.raises(AttributeError, match="TaskOffsetClassifier has none of the following attributes"):
        scorer(model, X, y > 2.0, tasks=tasks)


@pytest.mark.parametrize("enabled", [False, True])
def test_weights_reach_the_metric(table, enabled):
    X, y, tasks = table
    weight = np.random.default_rng(1).integers(0, 3, 60)
    model = TaskOffsetRegressor().fit(X, y, tasks=tasks)
    twice = np.repeat(np.arange(60), weight)
    with sklearn.config_context(enable_metadata_routing=enabled):
        for scorer in [make_task_scorer("r2"), make_task_scorer(r2_score)]:
            found = scorer(model, X, y, tasks=tasks, sample_weight=weight)
            assert found == pytest.approx(scorer(model, X[twice], y[twice], tasks=tasks[twice]))


@pytest.mark.usefixtures("routing")
def test_weights_are_routed_where_they_are_requested(table):
    X, y, tasks = table
    weight = np.random.default_rng(1).uniform(0.5, 2.0, 60)
    params = {"tasks": tasks, "sample_weight": weight}
    model = TaskOffsetRegressor().set_fit_request(sample_weight=False)
    expected = []
    for train, test in CV.split(X):
        fitted = clone(model).fit(X[train], y[train], tasks=tasks[train])
        expected.append(r2_score(y[test], fitted.predict(X[test], tasks=tasks[test]), sample_weight=weight[test]))
    for scorer in [make_task_scorer("r2"), make_task_scorer(r2_score)]:
        with pytest.raises((ValueError, TypeError), match="sample_weight"):  # neither requested nor refused
            cross_validate(model, X, y, scoring=scorer, cv=CV, params=params)
        assert scorer.set_score_request(sample_weight=True) is scorer
        found = cross_validate(model, X, y, scoring=scorer, cv=CV, params=params, error_score="raise")
        np.testing.assert_allclose(found["test_score"], expected)


def test_without_routing_a_search_weights_what_it_weights_with_a_scorer_of_scikit_learn(table):
    X, y, tasks = table
    full = np.column_stack([X, np.unique(tasks, return_inverse=True)[1]])
    weight = np.random.default_rng(1).uniform(0.5, 2.0, 60)
    found = []
    for make in [make_task_scorer, get_scorer]:
        for scoring in [make("r2"), {"one": make("r2"), "two": make("neg_mean_absolute_error")}]:
            refit = "one" if isinstance(scoring, dict) else True
            search = GridSearchCV(
                TaskOffsetRegressor(task_column=-1), {"shrinkage": [0.0, 1.0]}, scoring=scoring, refit=refit, cv=CV
            )
            search.fit(full, y, sample_weight=weight)
            found.append(search.cv_results_["mean_test_one" if isinstance(scoring, dict) else "mean_test_score"])
    np.testing.assert_allclose(found[:2], found[2:])


@pytest.mark.usefixtures("routing")
def test_tasks_may_travel_under_another_name(table):
    X, y, tasks = table
    model = TaskOffsetRegressor().set_fit_request(tasks="school")
    scorer = make_task_scorer("r2").set_score_request(tasks="school")
    found = cross_validate(model, X, y, scoring=scorer, cv=CV, params={"school": tasks}, error_score="raise")
    plain = cross_validate(TaskOffsetRegressor(), X, y, cv=CV, params={"tasks": tasks}, error_score="raise")
    np.testing.assert_array_equal(found["test_score"], plain["test_score"])


def test_permutation_importance_takes_it_with_a_task_column(table):
    X, y, tasks = table
    full = np.column_stack([X, np.unique(tasks, return_inverse=True)[1]])
    model = TaskOffsetRegressor(0.0, task_column=-1).fit(full, y)
    found = permutation_importance(model, full, y, scoring=make_task_scorer("r2"), n_repeats=3, random_state=0)
    expected = permutation_importance(model, full, y, scoring="r2", n_repeats=3, random_state=0)
    np.testing.assert_array_equal(found.importances, expected.importances)
    assert found.importances_mean[-1] > 0.1


@pytest.mark.usefixtures("routing")
def test_requests_are_tasks_by_default_and_what_was_set():
    scorer = make_task_scorer("r2")
    assert scorer.get_metadata_routing().score.requests["tasks"] is True
    scorer.set_score_request(sample_weight="w")
    requests = scorer.get_metadata_routing().score.requests
    assert requests["tasks"] is True
    assert requests["sample_weight"] == "w"
    with pytest.raises(ValueError, match="2 words"):
        scorer.set_score_request(sample_weight="2 words")
    assert scorer.get_metadata_routing().score.requests["sample_weight"] == "w"
    assert "w" not in make_task_scorer("r2").get_metadata_routing().score.requests.values()


def test_set_score_request_needs_routing():
    with pytest.raises(RuntimeError, match=r"set_config\(enable_metadata_routing=True\)"):
        make_task_scorer("r2").set_score_request(tasks=True)


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("again", [copy.deepcopy, lambda scorer: pickle.loads(pickle.dumps(scorer))])
def test_copies_score_and_request_alike(table, again):
    X, y, tasks = table
    model = TaskOffsetRegressor().fit(X, y, tasks=tasks)
    scorer = make_task_scorer(mean_absolute_error, greater_is_better=False).set_score_request(sample_weight=True)
    other = again(scorer)
    assert repr(other) == repr(scorer)
    assert other(model, X, y, tasks=tasks) == scorer(model, X, y, tasks=tasks)
    assert other.get_metadata_routing().score.requests == scorer.get_metadata_routing().score.requests


@pytest.mark.usefixtures("routing")
def test_search_that_holds_it_is_cloned_and_runs_in_parallel(table):
    X, y, tasks = table
    search = GridSearchCV(TaskOffsetRegressor(), {"shrinkage": [0.0, 1.0]}, scoring=make_task_scorer("r2"), cv=CV)
    one = search.fit(X, y, tasks=tasks).cv_results_["mean_test_score"]
    two = clone(search).set_params(n_jobs=2).fit(X, y, tasks=tasks).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("scorer", "text"),
    [
        (lambda: make_task_scorer("roc_auc"), "make_task_scorer('roc_auc')"),
        (lambda: make_task_scorer(r2_score), "make_task_scorer(r2_score)"),
        (
            lambda: make_task_scorer(
                log_loss, response_method="predict_proba", greater_is_better=False, normalize=False
            ),
            "make_task_scorer(log_loss, response_method='predict_proba', greater_is_better=False, normalize=False)",
        ),
    ],
)
def test_repr_is_the_call_that_made_it(scorer, text):
    assert repr(scorer()) == text


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"score_func": "r3"}, ValueError, "r3"),
        ({"score_func": "r2", "greater_is_better": False}, ValueError, r"'score_func' is the name 'r2' of a scorer"),
        ({"score_func": "r2", "response_method": "predict_proba"}, ValueError, "which implies 'response_method'"),
        ({"score_func": "r2", "multioutput": "raw_values"}, ValueError, "leave them out, or pass the metric itself"),
        (
            {"score_func": 2},
            TypeError,
            r"'score_func' must be the name of a scorer or a metric, .*; got 2 of type int\.",
        ),
        ({"score_func": make_scorer(r2_score)}, TypeError, "'score_func' must be the name of a scorer or a metric"),
        ({"score_func": r2_score, "response_method": "guess"}, ValueError, "response_method"),
    ],
)
def test_bad_arguments_raise(arguments, error, message):
    with pytest.raises(error, match=message):
        make_task_scorer(**arguments)
