"""Averages over tasks: from predictions, and as a scorer; both equal a plain loop."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import sklearn
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss, mean_absolute_error, mean_squared_error, r2_score, roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.multioutput import MultiOutputClassifier
from sklearn.tree import DecisionTreeClassifier

from skmtl.metrics import averaged_task_score, make_task_scorer, task_scores
from tests.tasks._estimator import TaskOffsetClassifier, TaskOffsetRegressor

AVERAGES = ["macro", "micro", "worst"]


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    tasks = rng.permutation(np.repeat(["a", "b", "c"], [40, 15, 5]))
    X = rng.normal(size=(60, 2))
    return X, X[:, 0] + 2.0 * (tasks == "b") + rng.normal(size=60), tasks


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def by_hand(y, predicted, tasks, metric, average):
    if average == "micro":
        return metric(y, predicted)
    scores = [metric(y[tasks == task], predicted[tasks == task]) for task in np.unique(tasks)]
    return np.mean(scores) if average == "macro" else np.max(scores)


@pytest.mark.parametrize("average", AVERAGES)
def test_average_of_an_error(table, average):
    X, y, tasks = table
    found = averaged_task_score(y, X[:, 0], tasks, mean_absolute_error, average=average, greater_is_better=False)
    assert found == pytest.approx(by_hand(y, X[:, 0], tasks, mean_absolute_error, average))


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("score_func", ["neg_mean_absolute_error", mean_absolute_error])
def test_scorer_equals_the_average_of_the_predictions(table, average, score_func):
    X, y, tasks = table
    model = TaskOffsetRegressor().fit(X, y, tasks=tasks)
    settings = {} if isinstance(score_func, str) else {"greater_is_better": False}
    scorer = make_task_scorer(score_func, average=average, **settings)
    predicted = model.predict(X, tasks=tasks)
    assert scorer(model, X, y, tasks=tasks) == pytest.approx(
        -by_hand(y, predicted, tasks, mean_absolute_error, average)
    )


@pytest.mark.parametrize("average", AVERAGES)
def test_scorer_of_probabilities(table, average):
    X, y, tasks = table
    y = np.where(y > 1, "yes", "no")
    model = TaskOffsetClassifier().fit(X, y, tasks=tasks)
    positive = model.predict_proba(X, tasks=tasks)[:, 1]
    scorer = make_task_scorer("roc_auc", average=average)
    scores = [roc_auc_score(y[tasks == task], positive[tasks == task]) for task in "abc"]
    expected = {"macro": np.mean(scores), "worst": np.min(scores), "micro": roc_auc_score(y, positive)}
    assert scorer(model, X, y, tasks=tasks) == pytest.approx(expected[average])


def test_scorer_predicts_once(table):
    X, y, tasks = table
    model = TaskOffsetRegressor().fit(X, y, tasks=tasks)
    calls = []

    class Counting(TaskOffsetRegressor):
        def predict(self, X, *, tasks=None):
            calls.append(len(X))
            return super().predict(X, tasks=tasks)

    counting = Counting()
    counting.__dict__.update(vars(model))
    make_task_scorer("r2", average="worst")(counting, X, y, tasks=tasks)
    assert calls == [60]


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("whose", ["scorer", "estimator"])
def test_tasks_in_a_column(table, average, whose):
    X, y, tasks = table
    with_column = np.column_stack([X, np.unique(tasks, return_inverse=True)[1]])
    by_column = TaskOffsetRegressor(task_column=-1).fit(with_column, y)
    scorer = make_task_scorer("r2", average=average, task_column=-1 if whose == "scorer" else None)
    model = TaskOffsetRegressor().fit(X, y, tasks=tasks)
    assert scorer(by_column, with_column, y) == pytest.approx(scorer(model, X, y, tasks=tasks))


@pytest.mark.usefixtures("routing")
def test_in_a_search_and_in_cross_validation(table):
    X, y, tasks = table
    scoring = {average: make_task_scorer("neg_mean_squared_error", average=average) for average in AVERAGES}
    cv = KFold(3)
    found = cross_validate(TaskOffsetRegressor(), X, y, scoring=scoring, cv=cv, params={"tasks": tasks})
    for fold, (train, test) in enumerate(cv.split(X)):
        model = TaskOffsetRegressor().fit(X[train], y[train], tasks=tasks[train])
        predicted = model.predict(X[test], tasks=tasks[test])
        for average in AVERAGES:
            expected = -by_hand(y[test], predicted, tasks[test], mean_squared_error, average)
            assert found[f"test_{average}"][fold] == pytest.approx(expected)
    search = GridSearchCV(TaskOffsetRegressor(), {"shrinkage": [0.0, 1.0]}, scoring=scoring["worst"], cv=cv)
    assert search.fit(X, y, tasks=tasks).best_params_ == {"shrinkage": 0.0}


def test_permutation_importance_with_bound_tasks(table):
    X, y, tasks = table
    model = TaskOffsetRegressor().fit(X, y, tasks=tasks)
    scorer = partial(make_task_scorer("r2", average="micro"), tasks=tasks)
    found = permutation_importance(model, X, y, scoring=scorer, n_repeats=3, random_state=0)
    assert found.importances_mean[0] > 0.2 > abs(found.importances_mean[1])


@pytest.mark.parametrize("average", AVERAGES)
def test_columns_of_a_target_with_gaps(average):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2))
    y = np.column_stack([X[:, 0], X[:, 1]]) + 0.3 * rng.normal(size=(50, 2))
    model = LinearRegression().fit(X, y)
    y[::3, 1] = np.nan
    seen = ~np.isnan(y)
    scores = [mean_squared_error(y[seen[:, j], j], model.predict(X)[seen[:, j], j]) for j in range(2)]
    pooled = mean_squared_error(y[seen], model.predict(X)[seen])
    expected = {"macro": np.mean(scores), "worst": np.max(scores), "micro": pooled}[average]
    found = averaged_task_score(y, model.predict(X), None, mean_squared_error, average=average, greater_is_better=False)
    assert found == pytest.approx(expected)
    assert make_task_scorer("neg_mean_squared_error", average=average)(model, X, y) == pytest.approx(-expected)


def test_columns_of_class_labels_with_probabilities():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0.5]).astype(float)
    model = MultiOutputClassifier(DecisionTreeClassifier(max_depth=1)).fit(X, y)
    y[::4, 0] = np.nan
    seen = ~np.isnan(y)
    proba = model.predict_proba(X)
    expected = np.mean([log_loss(y[seen[:, j], j], proba[j][seen[:, j]], labels=[0, 1]) for j in range(2)])
    assert make_task_scorer("neg_log_loss", average="macro")(model, X, y) == pytest.approx(-expected)
    with pytest.raises(ValueError, match="cannot pool the probabilities"):
        make_task_scorer("neg_log_loss", average="micro")(model, X, y)


def test_labels_of_columns_are_their_names():
    pd = pytest.importorskip("pandas")
    y = pd.DataFrame({"left": [1.0, np.nan], "right": [1.0, 2.0]})
    scores = task_scores(y, y.fillna(0.0) + 1.0, None, mean_absolute_error)
    assert scores.task.tolist() == ["left", "right"]
    assert scores.n_rows.tolist() == [1, 2]


def test_tasks_without_a_score_are_left_out_of_the_mean():
    y, tasks = np.array([0, 1, 0, 1, 1, 1]), np.repeat(["a", "b"], [4, 2])
    with pytest.warns(sklearn.exceptions.UndefinedMetricWarning):
        found = averaged_task_score(y, np.array([0.1, 0.9, 0.2, 0.8, 0.5, 0.5]), tasks, roc_auc_score)
    assert found == 1.0
    with pytest.warns(sklearn.exceptions.UndefinedMetricWarning):
        assert np.isnan(averaged_task_score([1.0, 2.0], [1.0, 2.0], ["a", "b"], r2_score))


def test_tiny_tasks_may_be_kept_from_being_the_worst():
    scores = task_scores([1.0, 1.0, 1.0], [2.0, 1.5, 1.5], ["a", "b", "b"], mean_absolute_error)
    assert scores.worst(greater_is_better=False) == 1.0
    assert scores.worst(greater_is_better=False, min_rows=2) == 0.5
    assert scores.worst(greater_is_better=False, min_rows=9) == 1.0
    assert scores.worst(greater_is_better=True) == 0.5


def test_weights_reach_the_metric(table):
    X, y, tasks = table
    weight = np.random.default_rng(1).integers(1, 4, 60).astype(float)
    repeated = np.repeat(np.arange(60), weight.astype(int))
    for average in AVERAGES:
        weighted = averaged_task_score(
            y, X[:, 0], tasks, mean_absolute_error, average=average, greater_is_better=False, sample_weight=weight
        )
        twice = averaged_task_score(
            y[repeated], X[repeated, 0], tasks[repeated], mean_absolute_error, average=average, greater_is_better=False
        )
        assert weighted == pytest.approx(twice)
    model = TaskOffsetRegressor().fit(X, y, tasks=tasks)
    scorer = make_task_scorer("neg_mean_absolute_error", average="worst")
    assert scorer(model, X, y, tasks=tasks, sample_weight=weight) == pytest.approx(
        scorer(model, X[repeated], y[repeated], tasks=tasks[repeated])
    )


def test_repr_shows_average_and_column():
    assert repr(make_task_scorer(r2_score, average="macro", task_column="school")) == (
        "make_task_scorer(r2_score, average='macro', task_column='school')"
    )


def test_wrong_arguments(table):
    X, y, tasks = table
    with pytest.raises(ValueError, match=r"'average' must be 'macro', 'micro' or 'worst'\. Got 'mean'"):
        make_task_scorer("r2", average="mean")
    with pytest.raises(ValueError, match="'average' must be"):
        averaged_task_score(y, y, tasks, r2_score, average=None)
    with pytest.raises(ValueError, match="'greater_is_better' must be True or False"):
        averaged_task_score(y, y, tasks, r2_score, average="worst")
    with pytest.raises(ValueError, match=r"average='macro' needs to know the task of each row"):
        make_task_scorer("r2", average="macro")(LinearRegression().fit(X, y), X, y)
    with pytest.raises(ValueError, match="'y_true' has missing values"):
        task_scores([[1.0, np.nan]], [[1.0, 1.0]], ["a"], r2_score)
