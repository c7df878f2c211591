"""One copy of a transformer per task equals a plain loop over the tasks."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler, OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl.preprocessing import TaskWise
from tests.tasks._estimator import TaskOffsetRegressor


@parametrize_with_checks(
    [
        TaskWise(StandardScaler()),
        TaskWise(SimpleImputer()),
        TaskWise(MinMaxScaler(), min_rows=3),
        TaskWise(KBinsDiscretizer(encode="ordinal")),
    ],
    expected_failed_checks=lambda estimator: {},
)
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    tasks = rng.permutation(np.repeat(["a", "b", "c"], [20, 10, 5]))
    scale = np.where(tasks == "a", 1.0, 10.0)
    return rng.normal(size=(35, 2)) * scale[:, None] + scale[:, None], tasks


@pytest.mark.parametrize("transformer", [StandardScaler(), MinMaxScaler(), SimpleImputer()])
@pytest.mark.parametrize("form", ["array", "frame", "sparse"])
def test_equals_a_loop_over_the_tasks(table, transformer, form):
    X, tasks = table
    if isinstance(transformer, SimpleImputer):
        X = X.copy()
        X[::4, 0] = np.nan
    if form == "frame":
        pd = pytest.importorskip("pandas")
        X = pd.DataFrame(X, columns=["u", "v"])
    if form == "sparse":
        X = sparse.csr_matrix(X)
        transformer = clone(transformer)
        if isinstance(transformer, StandardScaler):
            transformer.set_params(with_mean=False)
        if isinstance(transformer, MinMaxScaler):
            pytest.skip("takes no sparse data")
    found = TaskWise(transformer).fit(X, tasks=tasks).transform(X, tasks=tasks)
    found = found.toarray() if sparse.issparse(found) else np.asarray(found)
    for task in "abc":
        rows = np.flatnonzero(tasks == task)
        own = X.iloc[rows] if form == "frame" else X[rows]
        expected = clone(transformer).fit_transform(own)
        expected = expected.toarray() if sparse.issparse(expected) else np.asarray(expected)
        np.testing.assert_allclose(found[rows], expected)


def test_a_row_alone_equals_the_row_among_others(table):
    X, tasks = table
    model = TaskWise(StandardScaler()).fit(X, tasks=tasks)
    together = model.transform(X, tasks=tasks)
    for i in range(0, 35, 7):
        np.testing.assert_array_equal(model.transform(X[[i]], tasks=tasks[[i]])[0], together[i])


def test_unseen_and_small_tasks_use_the_pooled_copy(table):
    X, tasks = table
    pooled = StandardScaler().fit(X)
    model = TaskWise(StandardScaler(), min_rows=6).fit(X, tasks=tasks)
    np.testing.assert_allclose(model.transform(X, tasks=["z"] * 35), pooled.transform(X))
    np.testing.assert_allclose(model.transform(X, tasks=tasks)[tasks == "c"], pooled.transform(X)[tasks == "c"])
    assert model.transformers_[2] is model.pooled_
    with pytest.raises(ValueError, match="was not fitted on: 'z'"):
        TaskWise(StandardScaler(), unseen_tasks="error").fit(X, tasks=tasks).transform(X[:1], tasks=["z"])


class LeaveOneOutMean(TransformerMixin, BaseEstimator):
    """Like a target encoder: the rows of `fit_transform` are encoded without their own target."""

    def fit(self, X, y):
        self.mean_ = np.mean(y)
        return self

    def transform(self, X):
        return np.full((len(X), 1), self.mean_)

    def fit_transform(self, X, y):
        self.mean_ = np.nan  # must not become the state of the copy that is kept
        return ((np.sum(y) - np.asarray(y)) / (len(y) - 1))[:, None]


def test_fit_transform_is_that_of_the_transformer():
    tasks, y = np.repeat(["a", "b"], 4), np.arange(8.0)
    model = TaskWise(LeaveOneOutMean())
    found = model.fit_transform(np.zeros((8, 1)), y, tasks=tasks)
    np.testing.assert_allclose(found[:4, 0], [6 / 3, 5 / 3, 4 / 3, 3 / 3])
    np.testing.assert_allclose(model.transform(np.zeros((2, 1)), tasks=["a", "b"])[:, 0], [1.5, 5.5])


def test_target_encoder():
    rng = np.random.default_rng(0)
    tasks, X = np.repeat(["a", "b"], 50), rng.choice(["u", "v"], (100, 1))
    y = (X[:, 0] == "u") * np.where(tasks == "a", 1.0, -1.0)
    model = TaskWise(TargetEncoder(target_type="continuous", smooth=1e-9))
    assert model.fit_transform(X, y, tasks=tasks).shape == (100, 1)
    np.testing.assert_allclose(model.transform(X, tasks=tasks)[:, 0], y, atol=1e-6)


def test_weights_are_split_with_the_rows(table):
    X, tasks = table
    weight = np.random.default_rng(1).uniform(size=35)
    model = TaskWise(StandardScaler()).fit(X, tasks=tasks, sample_weight=weight)
    rows = tasks == "b"
    np.testing.assert_allclose(model.transformers_[1].mean_, np.average(X[rows], axis=0, weights=weight[rows]))


def test_task_column_of_an_array_is_appended(table):
    X, tasks = table
    codes = np.unique(tasks, return_inverse=True)[1]
    found = TaskWise(StandardScaler(), task_column=0).fit_transform(np.column_stack([codes, X]))
    np.testing.assert_allclose(found[:, :2], TaskWise(StandardScaler()).fit_transform(X, tasks=tasks))
    np.testing.assert_array_equal(found[:, 2], codes)


def test_task_column_of_a_frame_keeps_name_and_type(table):
    pd = pytest.importorskip("pandas")
    X, tasks = table
    frame = pd.DataFrame({"u": X[:, 0], "school": pd.Categorical(tasks), "v": X[:, 1]}, index=range(100, 135))
    model = TaskWise(StandardScaler(), task_column="school").fit(frame)
    found = model.transform(frame)
    assert found.columns.tolist() == ["u", "v", "school"] == model.get_feature_names_out().tolist()
    assert found["school"].dtype == frame["school"].dtype
    assert found.index.equals(frame.index)
    np.testing.assert_allclose(found[["u", "v"]], TaskWise(StandardScaler()).fit_transform(X, tasks=tasks))


def test_in_a_pipeline_by_column(table):
    pd = pytest.importorskip("pandas")
    X, tasks = table
    y = X[:, 0] + X[:, 1]
    frame = pd.DataFrame({"u": X[:, 0], "v": X[:, 1], "school": tasks})
    model = make_pipeline(TaskWise(StandardScaler(), task_column="school"), TaskOffsetRegressor(task_column="school"))
    search = GridSearchCV(model, {"taskoffsetregressor__shrinkage": [0.0, 0.9]}, cv=3).fit(frame, y)
    scaled = TaskWise(StandardScaler()).fit(X, tasks=tasks)
    direct = TaskOffsetRegressor(shrinkage=search.best_params_["taskoffsetregressor__shrinkage"])
    direct.fit(scaled.transform(X, tasks=tasks), y, tasks=tasks)
    np.testing.assert_allclose(search.predict(frame), direct.predict(scaled.transform(X, tasks=tasks), tasks=tasks))


def test_in_a_pipeline_by_metadata(table):
    X, tasks = table
    y = X[:, 0]
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(TaskWise(StandardScaler()), TaskOffsetRegressor()).fit(X, y, tasks=tasks)
        found = model.predict(X, tasks=tasks)
    scaled = TaskWise(StandardScaler()).fit_transform(X, tasks=tasks)
    np.testing.assert_allclose(found, TaskOffsetRegressor().fit(scaled, y, tasks=tasks).predict(scaled, tasks=tasks))
    with sklearn.config_context(enable_metadata_routing=True):
        plain = make_pipeline(TaskWise(StandardScaler()), LinearRegression()).fit(X, y, tasks=tasks)
        assert plain.predict(X, tasks=tasks).shape == (35,)


def test_frames_out_where_they_are_asked_for(table):
    pd = pytest.importorskip("pandas")
    X, tasks = table
    frame = pd.DataFrame(X, columns=["u", "v"])
    model = TaskWise(StandardScaler()).set_output(transform="pandas")
    found = model.fit(frame, tasks=tasks).transform(frame, tasks=tasks)
    assert found.columns.tolist() == ["u", "v"]
    np.testing.assert_allclose(found, TaskWise(StandardScaler()).fit_transform(X, tasks=tasks))
    inner = TaskWise(StandardScaler().set_output(transform="pandas"))
    pd.testing.assert_frame_equal(inner.fit_transform(frame, tasks=tasks), found)


def test_different_numbers_of_columns_are_explained():
    X, tasks = [["u"], ["v"], ["u"]], ["a", "a", "b"]
    with pytest.raises(ValueError, match=r"returns 2 columns for task 'a' but 1 for task 'b'\. Fix the columns"):
        TaskWise(OneHotEncoder()).fit_transform(X, tasks=tasks)
    fixed = TaskWise(OneHotEncoder(categories=[["u", "v"]])).fit_transform(X, tasks=tasks)
    np.testing.assert_array_equal(fixed.toarray(), [[1, 0], [0, 1], [1, 0]])


def test_clone_and_pickle(table):
    X, tasks = table
    model = clone(TaskWise(StandardScaler())).fit(X, tasks=tasks)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model.transform(X, tasks=tasks), again.transform(X, tasks=tasks))
    assert model.set_params(transformer__with_mean=False).transformer.with_mean is False


def test_wrong_arguments(table):
    X, tasks = table
    with pytest.raises(ValueError, match="'min_rows' parameter"):
        TaskWise(StandardScaler(), min_rows=0).fit(X, tasks=tasks)
    with pytest.raises(ValueError, match="'transformer' parameter"):
        TaskWise(LinearRegression()).fit(X, tasks=tasks)
    with pytest.raises(ValueError, match="got both 'tasks' and 'task_column'"):
        TaskWise(StandardScaler(), task_column=0).fit(X, tasks=tasks)
    with pytest.raises(ValueError, match="'y' has 3 rows but X has 35 rows"):
        TaskWise(StandardScaler()).fit(X, [1, 2, 3], tasks=tasks)
    with pytest.raises(ValueError, match=r"so 'tasks' .* is needed here too"):
        TaskWise(StandardScaler()).fit(X, tasks=tasks).transform(X)
    with pytest.raises(TypeError, match="to which the task column cannot be appended"):
        TaskWise(OneHotEncoder(), task_column=1).fit_transform([[1, 0], [1, 0]])
