"""What reaches the estimator through the tools of scikit-learn, and what does not: one test per fact.

Where `tasks` does not arrive, the call has to raise: a quiet default would give a wrong score. Should a release of
scikit-learn pass `tasks` on in one of these places, the test says so, and the documentation can promise more.
"""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import accuracy_score, make_scorer, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.metadata_routing import get_routing_for_object

from skmtl.metrics import make_task_scorer
from tests.tasks._cases import CASE_NAMES, CASES

CV = KFold(3)
SKLEARN = tuple(map(int, sklearn.__version__.split(".")[:2]))
NEEDS_TASKS = "was fitted on 3 tasks, so 'tasks' .* is needed here too"


@pytest.fixture(params=CASES, ids=CASE_NAMES)
def case(request):
    return request.param


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(params=[False, True], ids=["routing-off", "routing-on"])
def either(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


def scores_by_hand(model, X, y, tasks):
    """Cross-validate with a plain loop that gives every call its labels."""
    scores = []
    for train, test in CV.split(X):
        fitted = clone(model).fit(X[train], y[train], tasks=tasks[train])
        scores.append(fitted.score(X[test], y[test], tasks=tasks[test]))
    return np.array(scores)


def with_task_column(X, tasks):
    """Return `X` with the codes of the tasks as its last column."""
    return np.column_stack([X, np.unique(tasks, return_inverse=True)[1]])


def voting(case, *models):
    cls = VotingClassifier if is_classifier(models[0]) else VotingRegressor
    return cls([(f"model{i}", model) for i, model in enumerate(models)])


def metric_of(case):
    return accuracy_score if case.scoring == "accuracy" else r2_score


# With routing enabled, everything that goes through the estimator's own methods gets `tasks`
# --------------------------------------------------------------------------------------------


def test_tasks_are_requested_by_default_for_the_methods_that_take_them_only(case):
    model = case.make()
    routing = get_routing_for_object(model)
    for method in ["fit", "predict", "score", "predict_proba", "predict_log_proba", "decision_function"]:
        expected = {"tasks": True} if hasattr(model, method) else {}
        requests = getattr(routing, method).requests
        assert {name: value for name, value in requests.items() if name == "tasks"} == expected
        assert hasattr(model, f"set_{method}_request") == hasattr(model, method)


@pytest.mark.usefixtures("routing")
def test_pipeline_passes_tasks_to_fit_predict_and_score(case):
    X, y, tasks = case.data()
    pipe = make_pipeline(StandardScaler(), case.make()).fit(X, y, tasks=tasks)
    scaled = StandardScaler().fit_transform(X)
    model = case.make().fit(scaled, y, tasks=tasks)
    np.testing.assert_array_equal(pipe.predict(X, tasks=tasks), model.predict(scaled, tasks=tasks))
    assert pipe.score(X, y, tasks=tasks) == model.score(scaled, y, tasks=tasks)
    for method in ["predict_proba", "predict_log_proba", "decision_function"]:
        if hasattr(model, method):
            np.testing.assert_array_equal(
                getattr(pipe, method)(X, tasks=tasks), getattr(model, method)(scaled, tasks=tasks)
            )


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_search_without_scoring_passes_tasks_to_fit_and_score(case, in_pipeline):
    X, y, tasks = case.data()
    (name, values), *_ = case.grid.items()
    model, grid = case.make(), case.grid
    if in_pipeline and SKLEARN < (1, 8):
        pytest.skip("scikit-learn before 1.8 does not pass metadata to the score of a Pipeline in a search: it raises")
    if in_pipeline:
        model = make_pipeline(StandardScaler(), model)
        grid = {f"{case.cls.__name__.lower()}__{name}": values}
    search = GridSearchCV(model, grid, cv=CV, error_score="raise").fit(X, y, tasks=tasks)
    for i, value in enumerate(values):
        expected = scores_by_hand(clone(model).set_params(**{next(iter(grid)): value}), X, y, tasks)
        found = [search.cv_results_[f"split{fold}_test_score"][i] for fold in range(3)]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert search.score(X, y, tasks=tasks) == search.best_estimator_.score(X, y, tasks=tasks)


@pytest.mark.usefixtures("routing")
def test_randomized_search_without_scoring_passes_tasks(case):
    X, y, tasks = case.data()
    search = RandomizedSearchCV(case.make(), case.grid, n_iter=1, cv=CV, random_state=0, error_score="raise")
    search.fit(X, y, tasks=tasks)
    assert np.isfinite(search.best_score_)


@pytest.mark.usefixtures("routing")
def test_cross_validation_passes_params_to_fit_and_score(case):
    X, y, tasks = case.data()
    expected = scores_by_hand(case.make(), X, y, tasks)
    found = cross_validate(case.make(), X, y, cv=CV, params={"tasks": tasks}, error_score="raise")["test_score"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    found = cross_val_score(case.make(), X, y, cv=CV, params={"tasks": tasks}, error_score="raise")
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.usefixtures("routing")
def test_learning_curve_and_validation_curve_pass_params_to_fit_and_score(case):
    X, y, tasks = case.data()
    settings = {"cv": CV, "params": {"tasks": tasks}, "error_score": "raise"}
    _, _, scores = learning_curve(case.make(), X, y, train_sizes=[1.0], **settings)
    np.testing.assert_allclose(scores[0], scores_by_hand(case.make(), X, y, tasks), rtol=1e-12)
    (name, values), *_ = case.grid.items()
    _, scores = validation_curve(case.make(), X, y, param_name=name, param_range=values, **settings)
    np.testing.assert_allclose(scores[0], scores_by_hand(case.make(**{name: values[0]}), X, y, tasks), rtol=1e-12)


# A scorer of scikit-learn hands `tasks` to nothing but its metric
# ----------------------------------------------------------------


@pytest.mark.usefixtures("routing")
def test_search_with_a_named_scorer_passes_tasks_to_fit_but_not_to_predict(case):
    X, y, tasks = case.data()
    with pytest.raises(ValueError, match=NEEDS_TASKS):
        GridSearchCV(case.make(), case.grid, scoring=case.scoring, cv=CV, error_score="raise").fit(X, y, tasks=tasks)
    search = GridSearchCV(case.make(), case.grid, scoring=case.scoring, cv=CV)
    with pytest.warns(UserWarning, match="Scoring failed"), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, y, tasks=tasks)
    assert np.isnan(search.cv_results_["mean_test_score"]).all()
    assert np.shape(search.best_estimator_.predict(X, tasks=tasks)) == (60,)  # `fit` had them


@pytest.mark.usefixtures("routing")
def test_scorer_with_a_score_request_passes_tasks_to_the_metric_but_not_to_predict(case):
    X, y, tasks = case.data()
    seen = []

    def metric(y_true, y_pred, *, tasks):
        seen.append(list(tasks))
        return metric_of(case)(y_true, y_pred)

    scorer = make_scorer(metric).set_score_request(tasks=True)
    with pytest.raises(ValueError, match=NEEDS_TASKS):
        cross_validate(case.make(), X, y, scoring=scorer, cv=CV, params={"tasks": tasks}, error_score="raise")
    assert seen == []
    # A model of one task predicts without labels, so that here the metric is reached.
    one = np.full(60, "a")
    cross_validate(case.make(), X, y, scoring=scorer, cv=CV, params={"tasks": one}, error_score="raise")
    assert seen == [["a"] * 20] * 3


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_task_scorer_passes_tasks_to_predict_alone_and_among_several(case, in_pipeline):
    X, y, tasks = case.data()
    model = make_pipeline(StandardScaler(), case.make()) if in_pipeline else case.make()
    expected = scores_by_hand(model, X, y, tasks)
    settings = {"cv": CV, "params": {"tasks": tasks}, "error_score": "raise"}
    for scorer in [make_task_scorer(metric_of(case)), make_task_scorer(case.scoring)]:
        found = cross_validate(model, X, y, scoring=scorer, **settings)["test_score"]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    several = {"one": make_task_scorer(metric_of(case)), "two": make_task_scorer(case.scoring)}
    found = cross_validate(model, X, y, scoring=several, **settings)
    np.testing.assert_allclose([found["test_one"], found["test_two"]], [expected, expected], rtol=1e-12)


@pytest.mark.usefixtures("routing")
def test_search_with_a_task_scorer_finds_what_the_search_without_scoring_finds(case):
    X, y, tasks = case.data()
    plain = GridSearchCV(case.make(), case.grid, cv=CV, error_score="raise").fit(X, y, tasks=tasks)
    for scoring in [make_task_scorer(case.scoring), {"score": make_task_scorer(metric_of(case))}]:
        search = GridSearchCV(case.make(), case.grid, scoring=scoring, refit="score", cv=CV, error_score="raise")
        search.fit(X, y, tasks=tasks)
        np.testing.assert_allclose(search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
        assert search.best_params_ == plain.best_params_
        assert search.score(X, y, tasks=tasks) == pytest.approx(plain.score(X, y, tasks=tasks))


# Where scikit-learn passes nothing to `predict`, the call raises
# ---------------------------------------------------------------


@pytest.mark.usefixtures("routing")
def test_cross_val_predict_passes_params_to_fit_only(case):
    X, y, tasks = case.data()
    with pytest.raises(ValueError, match=NEEDS_TASKS):
        cross_val_predict(case.make(), X, y, cv=CV, params={"tasks": tasks})


@pytest.mark.usefixtures("routing")
def test_predict_of_a_search_takes_no_tasks_but_that_of_its_best_estimator_does(case):
    X, y, tasks = case.data()
    search = GridSearchCV(case.make(), case.grid, cv=CV, error_score="raise").fit(X, y, tasks=tasks)
    with pytest.raises(TypeError, match="tasks"):
        search.predict(X, tasks=tasks)
    with pytest.raises(ValueError, match=NEEDS_TASKS):
        search.predict(X)
    assert np.shape(search.best_estimator_.predict(X, tasks=tasks)) == (60,)


@pytest.mark.usefixtures("routing")
def test_voting_passes_tasks_to_fit_only(case):
    X, y, tasks = case.data()
    model = voting(case, case.make(), case.make()).fit(X, y, tasks=tasks)
    with pytest.raises(TypeError, match="tasks"):
        model.predict(X, tasks=tasks)
    with pytest.raises(ValueError, match=NEEDS_TASKS):
        model.predict(X)


def test_permutation_importance_takes_no_tasks(case, either):
    X, y, tasks = case.data()
    model = case.make().fit(X, y, tasks=tasks)
    with pytest.raises(TypeError, match="tasks"):
        permutation_importance(model, X, y, tasks=tasks)
    with pytest.raises(ValueError, match=NEEDS_TASKS):
        permutation_importance(model, X, y)


# With routing disabled, `tasks` reaches `fit` at most
# ----------------------------------------------------


def test_without_routing_a_search_passes_tasks_to_fit_only(case):
    X, y, tasks = case.data()
    search = GridSearchCV(case.make(), case.grid, cv=CV)
    with pytest.warns(UserWarning, match="Scoring failed"), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, y, tasks=tasks)
    assert np.isnan(search.cv_results_["mean_test_score"]).all()
    assert np.shape(search.best_estimator_.predict(X, tasks=tasks)) == (60,)
    with pytest.raises(ValueError, match=r"set_config\(enable_metadata_routing=True\)"):
        GridSearchCV(case.make(), case.grid, cv=CV, error_score="raise").fit(X, y, tasks=tasks)


def test_without_routing_cross_validation_passes_tasks_to_fit_only(case):
    X, y, tasks = case.data()
    with pytest.raises(ValueError, match=r"set_config\(enable_metadata_routing=True\)"):
        cross_validate(case.make(), X, y, cv=CV, params={"tasks": tasks}, error_score="raise")


def test_without_routing_a_task_scorer_gets_no_tasks_either(case):
    X, y, tasks = case.data()
    scorer = make_task_scorer(case.scoring)
    with pytest.raises(ValueError, match=NEEDS_TASKS):
        cross_validate(case.make(), X, y, scoring=scorer, cv=CV, params={"tasks": tasks}, error_score="raise")


def test_without_routing_a_pipeline_takes_tasks_under_the_name_of_the_step(case):
    X, y, tasks = case.data()
    pipe = make_pipeline(StandardScaler(), case.make())
    with pytest.raises(ValueError, match="does not accept the tasks parameter"):
        pipe.fit(X, y, tasks=tasks)
    pipe.fit(X, y, **{f"{case.cls.__name__.lower()}__tasks": tasks})
    scaled = StandardScaler().fit_transform(X)
    expected = case.make().fit(scaled, y, tasks=tasks).predict(scaled, tasks=tasks)
    np.testing.assert_array_equal(pipe.predict(X, tasks=tasks), expected)
    with pytest.raises(ValueError, match=NEEDS_TASKS):
        pipe.score(X, y, tasks=tasks)  # scikit-learn drops them on the way


def test_set_fit_request_works_with_routing_enabled_only(case):
    with pytest.raises(RuntimeError, match="metadata routing is enabled"):
        case.make().set_fit_request(tasks=True)
    with sklearn.config_context(enable_metadata_routing=True):
        model = case.make().set_fit_request(tasks="school")
        assert get_routing_for_object(model).fit.requests["tasks"] == "school"


# With the labels in a column of `X`, everything works, with routing or without
# -----------------------------------------------------------------------------


def test_task_column_works_with_every_tool(case, either):
    X, y, tasks = case.data()
    full = with_task_column(X, tasks)
    model = case.make(task_column=-1)
    expected = scores_by_hand(case.make(), X, y, full[:, -1])

    found = cross_validate(model, full, y, scoring=case.scoring, cv=CV, error_score="raise")["test_score"]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    found = cross_validate(model, full, y, scoring=make_task_scorer(case.scoring), cv=CV, error_score="raise")
    np.testing.assert_allclose(found["test_score"], expected, rtol=1e-12)
    _, _, found = learning_curve(model, full, y, train_sizes=[1.0], cv=CV, error_score="raise")
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)

    predictions = cross_val_predict(model, full, y, cv=CV)
    for train, test in CV.split(X):
        one = case.make().fit(X[train], y[train], tasks=full[train, -1])
        np.testing.assert_array_equal(predictions[test], one.predict(X[test], tasks=full[test, -1]))

    search = GridSearchCV(model, case.grid, cv=CV, error_score="raise").fit(full, y)
    np.testing.assert_array_equal(search.predict(full), search.best_estimator_.predict(full))
    assert np.shape(voting(case, model, model).fit(full, y).predict(full)) == (60,)
    fitted = clone(model).fit(full, y)
    for scoring in [None, case.scoring, make_task_scorer(case.scoring)]:
        importances = permutation_importance(fitted, full, y, scoring=scoring, n_repeats=2, random_state=0)
        assert importances.importances_mean[-1] > 0  # the task is one of the columns


def test_task_column_and_tasks_agree(case):
    X, y, tasks = case.data()
    full = with_task_column(X, tasks)
    one = case.make().fit(X, y, tasks=full[:, -1])
    for task_column in [3, -1]:
        other = case.make(task_column=task_column).fit(full, y)
        np.testing.assert_array_equal(other.predict(full), one.predict(X, tasks=full[:, -1]))
        assert other.score(full, y) == one.score(X, y, tasks=full[:, -1])
        with pytest.raises(ValueError, match=r"both 'tasks' and 'task_column'=.*choose one"):
            other.predict(full, tasks=tasks)


def test_task_column_by_name_goes_through_a_pipeline_of_frames(case):
    pandas = pytest.importorskip("pandas")
    X, y, tasks = case.data()
    frame = pandas.DataFrame(X, columns=["u", "v", "w"]).assign(school=pandas.Categorical(tasks))
    before = frame.copy()
    model = case.make(task_column="school").fit(frame, y)
    one = case.make().fit(frame[["u", "v", "w"]], y, tasks=tasks)
    np.testing.assert_array_equal(model.predict(frame), one.predict(frame[["u", "v", "w"]], tasks=tasks))
    pandas.testing.assert_frame_equal(frame, before)
    scores = cross_validate(make_pipeline("passthrough", model), frame, y, cv=CV, error_score="raise")
    np.testing.assert_allclose(scores["test_score"], scores_by_hand(case.make(), X, y, tasks), rtol=1e-12)


# Laws of the contract, for every estimator
# -----------------------------------------


def test_rows_predicted_alone_equal_rows_predicted_together(case):
    X, y, tasks = case.data()
    model = case.make().fit(X, y, tasks=tasks)
    together = model.predict(X, tasks=tasks)
    alone = [model.predict(X[[row]], tasks=tasks[[row]])[0] for row in range(0, 60, 5)]
    np.testing.assert_array_equal(alone, together[::5])
    for task in "abc":
        np.testing.assert_array_equal(
            model.predict(X[tasks == task], tasks=tasks[tasks == task]), together[tasks == task]
        )


@pytest.mark.parametrize("kind", ["list", "object", "int", "category"])
def test_labels_of_another_kind_give_the_same_predictions(case, kind):
    X, y, tasks = case.data()
    expected = case.make().fit(X, y, tasks=tasks).predict(X, tasks=tasks)
    if kind == "category":
        labels = pytest.importorskip("pandas").Categorical(tasks)
    else:
        codes = np.unique(tasks, return_inverse=True)[1]
        labels = {"list": tasks.tolist(), "object": tasks.astype(object), "int": 10 * codes - 5}[kind]
    np.testing.assert_array_equal(case.make().fit(X, y, tasks=labels).predict(X, tasks=labels), expected)


def test_inputs_are_left_as_they_were(case):
    X, y, tasks = case.data()
    for array in (X, y, tasks):
        array.flags.writeable = False
    case.make().fit(X, y, tasks=tasks).predict(X, tasks=tasks)


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        (["a"] * 5, ValueError, r"'tasks' has 5 labels but X has 60 rows\."),
        (np.full((60, 2), "a"), ValueError, r"'tasks' must be 1-D, one label per row; got shape \(60, 2\)\."),
        ([None] + ["a"] * 59, ValueError, r"'tasks' has 1 missing label \(NaN or None\), in row 0\."),
        ("a", ValueError, r"'tasks' must be 1-D, one label per row; got a single str\."),
        ([1] + ["a"] * 59, TypeError, "int and str"),
    ],
)
def test_bad_labels_raise_and_leave_nothing_fitted(case, labels, error, message):
    X, y, tasks = case.data()
    model = case.make()
    with pytest.raises(error, match=message):
        model.fit(X, y, tasks=labels)
    assert not [name for name in vars(model) if name == "tasks_"]
    with pytest.raises(error, match=message):
        case.make().fit(X, y, tasks=tasks).predict(X, tasks=labels)


def test_a_single_task_needs_no_labels(case):
    X, y, _ = case.data()
    unlabelled = case.make().fit(X, y)
    labelled = case.make().fit(X, y, tasks=np.full(60, "only"))
    expected = unlabelled.predict(X)
    np.testing.assert_array_equal(labelled.predict(X), expected)
    np.testing.assert_array_equal(labelled.predict(X, tasks=np.full(60, "only")), expected)
