"""The baselines equal the plain loops that they stand for, on every route by which tasks come in."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skmtl.baselines import (
    PooledClassifier,
    PooledRegressor,
    SingleTaskClassifier,
    SingleTaskRegressor,
    TaskAsFeatureClassifier,
    TaskAsFeatureRegressor,
)
from skmtl.metrics import make_task_scorer

REGRESSORS = [
    SingleTaskRegressor(Ridge()),
    PooledRegressor(Ridge()),
    TaskAsFeatureRegressor(Ridge(), encoding="onehot"),
    TaskAsFeatureRegressor(Ridge(), encoding="target", random_state=0),
    TaskAsFeatureRegressor(HistGradientBoostingRegressor(max_iter=5)),
]
CLASSIFIERS = [
    SingleTaskClassifier(LogisticRegression()),
    PooledClassifier(LogisticRegression()),
    TaskAsFeatureClassifier(LogisticRegression(), encoding="onehot"),
    TaskAsFeatureClassifier(LogisticRegression(), encoding="target", random_state=0),
    TaskAsFeatureClassifier(HistGradientBoostingClassifier(max_iter=5)),
]


def name_of(model):
    return f"{type(model).__name__}-{getattr(model, 'encoding', '')}"


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    tasks = rng.permutation(np.repeat(["a", "b", "c"], [40, 30, 20]))
    X = rng.normal(size=(90, 3))
    sign = np.where(tasks == "b", -1.0, 1.0)
    return X, sign * X[:, 0] + 2.0 * (tasks == "c") + 0.1 * rng.normal(size=90), tasks


def labels_of(y):
    return np.array(["low", "middle", "high"])[np.digitize(y, [-0.5, 1.0])]


def test_single_task_is_a_loop_over_the_tasks(table):
    X, y, tasks = table
    model = SingleTaskRegressor(Ridge()).fit(X, y, tasks=tasks)
    for task in "abc":
        rows = tasks == task
        own = Ridge().fit(X[rows], y[rows])
        np.testing.assert_array_equal(model.predict(X[rows], tasks=tasks[rows]), own.predict(X[rows]))
    np.testing.assert_allclose(model.predict(X, tasks=["z"] * 90), Ridge().fit(X, y).predict(X))


def test_pooled_is_the_estimator_on_all_rows(table):
    X, y, tasks = table
    model = PooledRegressor(Ridge()).fit(X, y, tasks=tasks)
    np.testing.assert_array_equal(model.predict(X, tasks=tasks), Ridge().fit(X, y).predict(X))


def test_onehot_is_the_estimator_with_columns_of_the_tasks(table):
    X, y, tasks = table
    model = TaskAsFeatureRegressor(Ridge(), encoding="onehot").fit(X, y, tasks=tasks)
    extended = np.column_stack([X, (tasks[:, None] == np.array(["a", "b", "c"])).astype(float)])
    np.testing.assert_allclose(model.predict(X, tasks=tasks), Ridge().fit(extended, y).predict(extended))
    unseen = np.column_stack([X, np.zeros((90, 3))])
    np.testing.assert_allclose(model.predict(X, tasks=["z"] * 90), Ridge().fit(extended, y).predict(unseen))


def test_category_is_the_estimator_with_a_categorical_column(table):
    pd = pytest.importorskip("pandas")
    X, y, tasks = table
    model = TaskAsFeatureRegressor(HistGradientBoostingRegressor(max_iter=20)).fit(X, y, tasks=tasks)
    frame = pd.DataFrame(X, columns=["x0", "x1", "x2"]).assign(task=pd.Categorical(tasks))
    direct = HistGradientBoostingRegressor(max_iter=20, categorical_features="from_dtype").fit(frame, y)
    np.testing.assert_allclose(model.predict(X, tasks=tasks), direct.predict(frame))
    assert np.isfinite(model.predict(X, tasks=["z"] * 90)).all()


def test_category_is_refused_by_an_estimator_that_knows_none(table):
    X, y, tasks = table
    with pytest.raises(ValueError, match="task 0"):
        TaskAsFeatureRegressor(Ridge()).fit(X, y, tasks=tasks)


class RecordingTree(DecisionTreeRegressor):
    """Keeps the rows that it was fitted to."""

    def fit(self, X, y, **kwargs):
        self.seen_ = np.array(X)
        return super().fit(X, y, **kwargs)


def test_target_encoding_holds_no_target_of_its_own_row():
    # Tasks of a single row each: all that a row can be told is the mean of the other folds.
    rng = np.random.default_rng(0)
    y, tasks = rng.normal(size=60), np.arange(60)
    model = TaskAsFeatureRegressor(RecordingTree(), encoding="target", random_state=0)
    model.fit(np.zeros((60, 1)), y, tasks=tasks)
    seen = model.estimator_.seen_[:, -1]
    assert len(np.unique(seen.round(9))) == 5
    assert abs(np.corrcoef(seen, y)[0, 1]) < 0.6


@pytest.mark.parametrize("model", REGRESSORS + CLASSIFIERS, ids=name_of)
def test_metadata_routing_changes_nothing(table, model):
    X, y, tasks = table
    y = labels_of(y) if is_classifier(model) else y
    expected = clone(model).fit(X, y, tasks=tasks).predict(X, tasks=tasks)
    with sklearn.config_context(enable_metadata_routing=True):
        found = clone(model).fit(X, y, tasks=tasks).predict(X, tasks=tasks)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("model", REGRESSORS + CLASSIFIERS, ids=name_of)
def test_a_single_task_is_the_estimator_itself(table, model):
    X, y, _ = table
    y = y if model in REGRESSORS else labels_of(y)
    found = clone(model).fit(X, y)
    direct = clone(model.estimator).fit(X, y)
    np.testing.assert_array_equal(found.predict(X), direct.predict(X))
    assert found.tasks_.tolist() == [0]
    if hasattr(direct, "predict_proba"):
        np.testing.assert_array_equal(found.predict_proba(X), direct.predict_proba(X))


@pytest.mark.parametrize("model", REGRESSORS + CLASSIFIERS, ids=name_of)
def test_rows_alone_and_shuffled_tasks_renamed(table, model):
    X, y, tasks = table
    y = y if model in REGRESSORS else labels_of(y)
    fitted = clone(model).fit(X, y, tasks=tasks)
    together = fitted.predict(X, tasks=tasks)
    for i in (0, 44, 89):
        alone = fitted.predict(X[[i]], tasks=tasks[[i]])[0]
        assert alone == (together[i] if y.dtype.kind == "U" else pytest.approx(together[i]))
    renamed = np.select([tasks == "a", tasks == "b"], [1, 2], 3)
    again = clone(model).fit(X, y, tasks=renamed).predict(X, tasks=renamed)
    np.testing.assert_array_equal(again, together)


@pytest.mark.parametrize("model", REGRESSORS + CLASSIFIERS, ids=name_of)
def test_tasks_in_a_column(table, model):
    pd = pytest.importorskip("pandas")
    X, y, tasks = table
    y = y if model in REGRESSORS else labels_of(y)
    frame = pd.DataFrame(X, columns=["u", "v", "w"])
    frame.insert(1, "school", tasks)
    by_column = clone(model).set_params(task_column="school").fit(frame, y)
    by_label = clone(model).fit(frame.drop(columns="school"), y, tasks=tasks)
    found, expected = by_column.predict(frame), by_label.predict(frame.drop(columns="school"), tasks=tasks)
    np.testing.assert_array_equal(found, expected)
    assert cross_val_predict(by_column, frame, y, cv=3).shape == (90,)


@pytest.mark.parametrize("model", REGRESSORS, ids=name_of)
def test_columns_of_y_with_gaps_are_tasks(table, model):
    X, y, _ = table
    both = np.column_stack([y, -y])
    both[::3, 1] = np.nan
    found = clone(model).fit(X, both).predict(X)
    seen = ~np.isnan(both)
    rows, columns = np.nonzero(seen)
    long = clone(model).fit(X[rows], both[seen], tasks=columns)
    expected = np.column_stack([long.predict(X, tasks=np.full(90, j)) for j in range(2)])
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("model", CLASSIFIERS, ids=name_of)
def test_columns_of_class_labels(table, model):
    X, y, _ = table
    both = np.column_stack([(y > 0).astype(float), 2.0 * (X[:, 1] > 0)])
    both[::4, 0] = np.nan
    fitted = clone(model).fit(X, both)
    assert [classes.tolist() for classes in fitted.classes_] == [[0.0, 1.0], [0.0, 2.0]]
    probabilities = fitted.predict_proba(X)
    assert [p.shape for p in probabilities] == [(90, 2), (90, 2)]
    for p in probabilities:
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
    predicted = fitted.predict(X)
    assert predicted.shape == (90, 2)
    assert 0.0 <= fitted.score(X, both) <= 1.0
    assert make_task_scorer("neg_log_loss", average="macro")(fitted, X, both) < 0.0
    if isinstance(model, SingleTaskClassifier):
        assert set(predicted[:, 1]) == {0.0, 2.0}
        assert fitted.score(X, both) > 0.8


def test_columns_and_labels_together(table):
    X, y, tasks = table
    both = np.column_stack([y, -2.0 * y])
    both[::5, 1] = np.nan
    for model in REGRESSORS:
        found = clone(model).fit(X, both, tasks=tasks).predict(X, tasks=tasks)
        for j in range(2):
            seen = ~np.isnan(both[:, j])
            own = clone(model).fit(X[seen], both[seen, j], tasks=tasks[seen])
            np.testing.assert_allclose(found[:, j], own.predict(X, tasks=tasks), atol=1e-10)


def test_names_of_columns_are_the_tasks(table):
    pd = pytest.importorskip("pandas")
    X, y, _ = table
    assert SingleTaskRegressor(Ridge()).fit(X, pd.DataFrame({"p": y, "q": y})).tasks_.tolist() == ["p", "q"]


def test_tiny_constant_and_one_class_tasks_are_ordinary_data():
    X, tasks = np.arange(8.0)[:, None], np.array(["a", "a", "a", "b", "c", "c", "c", "c"])
    model = SingleTaskRegressor(KNeighborsRegressor(2)).fit(X, np.arange(8.0), tasks=tasks)
    assert model.predict([[0.0]], tasks=["b"]).tolist() == [3.0]
    y = np.array(["u", "u", "u", "v", "u", "v", "u", "w"])
    classifier = SingleTaskClassifier(DecisionTreeClassifier()).fit(X, y, tasks=tasks)
    np.testing.assert_array_equal(classifier.predict_proba(X[:5], tasks=tasks[:5])[:4], np.eye(3)[[0, 0, 0, 1]])
    assert classifier.predict(X, tasks=tasks).tolist() == y.tolist()
    larger = SingleTaskRegressor(KNeighborsRegressor(1), min_rows=4).fit(X, np.arange(8.0), tasks=tasks)
    assert larger.predict([[0.0]], tasks=["a"]).tolist() == [1.0]  # the mean of three rows


def test_a_class_that_a_task_never_had_gets_no_probability(table):
    X, y, tasks = table
    labels = labels_of(y)
    labels[(tasks == "a") & (labels == "high")] = "middle"
    model = SingleTaskClassifier(LogisticRegression()).fit(X, labels, tasks=tasks)
    proba = model.predict_proba(X, tasks=tasks)
    assert model.classes_.tolist() == ["high", "low", "middle"]
    had = {(task, label) for task, label in zip(tasks, labels, strict=True)}
    assert ("a", "high") not in had
    expected = np.array([[(task, label) in had for label in model.classes_] for task in tasks])
    np.testing.assert_array_equal(proba > 0, expected)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)


@pytest.mark.parametrize("model", REGRESSORS + CLASSIFIERS, ids=name_of)
def test_weight_of_two_is_the_row_twice(table, model):
    if getattr(model, "encoding", "") == "target":
        pytest.skip("the folds differ when rows are repeated")
    X, y, tasks = table
    y = y if model in REGRESSORS else labels_of(y)
    weight = np.random.default_rng(2).integers(0, 3, 90)
    repeated = np.repeat(np.arange(90), weight)
    if "HistGradient" in type(model.estimator).__name__:
        model = clone(model).set_params(estimator__min_samples_leaf=1, estimator__max_leaf_nodes=4)
        weight, repeated = np.minimum(weight, 1), np.flatnonzero(weight)  # it bins and counts rows, not weights
    one = clone(model).fit(X, y, tasks=tasks, sample_weight=weight.astype(float))
    two = clone(model).fit(X[repeated], y[repeated], tasks=tasks[repeated])
    if y.dtype.kind == "f":
        np.testing.assert_allclose(one.predict(X, tasks=tasks), two.predict(X, tasks=tasks), rtol=1e-6)
    else:
        np.testing.assert_allclose(one.predict_proba(X, tasks=tasks), two.predict_proba(X, tasks=tasks), atol=1e-3)


@pytest.mark.parametrize("model", REGRESSORS[:4], ids=name_of)
def test_sparse_frames_of_pandas_and_of_polars(table, model):
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    X, y, tasks = table
    expected = clone(model).fit(X, y, tasks=tasks).predict(X, tasks=tasks)
    frame = pd.DataFrame(X, columns=["u", "v", "w"], index=range(90, 0, -1))
    for same in (frame, pl.DataFrame(X, schema=["u", "v", "w"]), sparse.csr_matrix(X), X.tolist()):
        found = clone(model).fit(same, y, tasks=tasks).predict(same, tasks=tasks)
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_category_needs_a_dense_table_or_pandas(table):
    pl = pytest.importorskip("polars")
    X, y, tasks = table
    with pytest.raises(TypeError, match="needs a pandas DataFrame or an array, but X is a polars DataFrame"):
        TaskAsFeatureRegressor().fit(pl.DataFrame(X), y, tasks=tasks)
    with pytest.raises(TypeError, match="needs a dense X"):
        TaskAsFeatureRegressor().fit(sparse.csr_matrix(X), y, tasks=tasks)


def test_the_column_of_the_task_takes_no_name_that_is_there(table):
    pd = pytest.importorskip("pandas")
    X, y, tasks = table
    frame = pd.DataFrame(X, columns=["task", "_task", "task_1"])
    model = TaskAsFeatureRegressor(HistGradientBoostingRegressor(max_iter=3)).fit(frame, y, tasks=tasks)
    assert model.estimator_.feature_names_in_.tolist() == ["task", "_task", "task_1", "__task"]


def test_tasks_are_fitted_in_parallel_with_the_same_result(table):
    X, y, tasks = table
    one = SingleTaskRegressor(Ridge()).fit(X, y, tasks=tasks)
    two = SingleTaskRegressor(Ridge(), n_jobs=2).fit(X, y, tasks=tasks)
    np.testing.assert_array_equal(one.predict(X, tasks=tasks), two.predict(X, tasks=tasks))


@pytest.mark.parametrize("encoding", ["single", "category", "onehot"])
def test_lightgbm(table, encoding):
    lightgbm = pytest.importorskip("lightgbm")
    X, y, tasks = table
    inner = lightgbm.LGBMRegressor(n_estimators=10, min_child_samples=3, verbose=-1, n_jobs=1)
    model = SingleTaskRegressor(inner) if encoding == "single" else TaskAsFeatureRegressor(inner, encoding=encoding)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="X does not have valid feature names")  # LightGBM's own
        assert model.fit(X, y, tasks=tasks).score(X, y, tasks=tasks) > 0.6
        labels = labels_of(y)
        inner = lightgbm.LGBMClassifier(n_estimators=10, min_child_samples=3, verbose=-1, n_jobs=1)
        classifier = (
            SingleTaskClassifier(inner) if encoding == "single" else TaskAsFeatureClassifier(inner, encoding=encoding)
        )
        assert classifier.fit(X, labels, tasks=tasks).score(X, labels, tasks=tasks) > 0.8


def test_search_over_the_estimator_inside(table):
    X, y, tasks = table
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(
            SingleTaskRegressor(Ridge()),
            {"estimator": [Ridge(), DecisionTreeRegressor(max_depth=1)]},
            cv=3,
            scoring=make_task_scorer("r2", average="worst"),
        ).fit(X, y, tasks=tasks)
    assert isinstance(search.best_params_["estimator"], Ridge)
    assert clone(SingleTaskRegressor(Ridge())).set_params(estimator__alpha=3.0).estimator.alpha == 3.0


def test_default_estimators_clone_and_pickle(table):
    X, y, tasks = table
    for cls in (SingleTaskRegressor, PooledRegressor, TaskAsFeatureRegressor):
        model = clone(cls()).fit(X, y, tasks=tasks)
        again = pickle.loads(pickle.dumps(model))
        np.testing.assert_array_equal(model.predict(X, tasks=tasks), again.predict(X, tasks=tasks))
    assert isinstance(PooledClassifier().fit(X, labels_of(y), tasks=tasks).estimator_, HistGradientBoostingClassifier)


def test_probabilities_only_where_the_estimator_has_them(table):
    X, y, tasks = table
    model = SingleTaskClassifier(LinearSVC()).fit(X, labels_of(y), tasks=tasks)
    assert not hasattr(model, "predict_proba")
    assert model.score(X, labels_of(y), tasks=tasks) > 0.8


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        (SingleTaskRegressor(Ridge(), unseen_tasks="error"), {}, "was not fitted on: 'z'"),
        (TaskAsFeatureRegressor(Ridge(), encoding="onehot", unseen_tasks="error"), {}, "was not fitted on: 'z'"),
        (SingleTaskRegressor(Ridge(), unseen_tasks="nothing"), {}, "'unseen_tasks' parameter"),
        (SingleTaskRegressor(Ridge(), min_rows=0), {}, "'min_rows' parameter"),
        (TaskAsFeatureRegressor(encoding="ordinal"), {}, "'encoding' parameter"),
        (SingleTaskRegressor("ridge"), {}, "'estimator' parameter"),
        (
            PooledRegressor(KNeighborsRegressor()),
            {"sample_weight": np.ones(90)},
            "KNeighborsRegressor takes no weights",
        ),
        (PooledRegressor(Ridge()), {"sample_weight": -np.ones(90)}, "'sample_weight' must not be negative. Found 90"),
        (PooledRegressor(Ridge(), task_column=0), {}, "got both 'tasks' and 'task_column'"),
    ],
    ids=str,
)
def test_wrong_arguments(table, model, settings, message):
    X, y, tasks = table
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, tasks=tasks, **settings).predict(X[:1], tasks=["z"])


def test_several_tasks_need_labels_to_predict(table):
    X, y, tasks = table
    for model in (*REGRESSORS, *CLASSIFIERS):
        fitted = clone(model).fit(X, y if model in REGRESSORS else labels_of(y), tasks=tasks)
        with pytest.raises(ValueError, match=r"was fitted on 3 tasks, so 'tasks' .* is needed here too"):
            fitted.predict(X)


def test_too_few_rows_for_a_target_encoding():
    X, y, tasks = np.zeros((3, 1)), ["u", "v", "v"], ["a", "b", "b"]
    with pytest.raises(ValueError, match="'encoding'='target' needs at least two rows, and two of each class"):
        TaskAsFeatureClassifier(LogisticRegression(), encoding="target").fit(X, y, tasks=tasks)


def test_linear_offsets_are_found(table):
    X, y, tasks = table
    pooled = PooledRegressor(LinearRegression()).fit(X, y, tasks=tasks).score(X, y, tasks=tasks)
    single = SingleTaskRegressor(LinearRegression()).fit(X, y, tasks=tasks).score(X, y, tasks=tasks)
    assert single > 0.98 > 0.7 > pooled
