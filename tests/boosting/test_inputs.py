"""Every way to hand in the same table gives the same model."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
from tests.boosting._cases import CASES, SHORT, answer, over

_BY_NAME = {case.name: case for case in CASES}
#: Features that single precision holds exactly.
_SOME = over([_BY_NAME[name] for name in ("regression", "gaps", "columns", "classes")])


def _round(table):
    return table._replace(X=np.round(table.X * 64) / 64)


def _pandas(X, dtype=None):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(X.shape[1])])
    return frame if dtype is None else frame.astype(dtype)


def _polars(X):
    pl = pytest.importorskip("polars")
    return pl.DataFrame({f"x{j}": [None if np.isnan(v) else v for v in X[:, j]] for j in range(X.shape[1])})


def _read_only(X):
    X = X.copy()
    X.setflags(write=False)
    return X


class _Array:
    """Something that NumPy can only turn into an array."""

    def __init__(self, values):
        self._values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self._values, dtype=dtype)


_FORMS = {
    "read-only": _read_only,
    "Fortran": np.asfortranarray,
    "read-only Fortran": lambda X: _read_only(np.asfortranarray(X)),
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2],
    "reversed": lambda X: X[:, ::-1].copy()[:, ::-1],
    "float32": lambda X: X.astype(np.float32),
    "big-endian": lambda X: X.astype(">f8"),
    "object": lambda X: X.astype(object),
    "list": lambda X: X.tolist(),
    "array-like": _Array,
    "pandas": _pandas,
    "pandas float32": lambda X: _pandas(X, "float32"),
    "pandas nullable": lambda X: _pandas(X, "Float64"),
    "pandas object": lambda X: _pandas(X, object),
    "polars": _polars,
}


@_SOME
@pytest.mark.parametrize("form", _FORMS)
def test_form_of_X_changes_nothing(case, form):
    table = _round(case.table())
    given = _FORMS[form](table.X)
    plain = case.fit(table)
    model = case.make().fit(given, table.y, tasks=table.tasks)
    assert_array_equal(answer(model, given, table.tasks), answer(plain, table.X, table.tasks))
    assert_array_equal(model.theta_, plain.theta_)


_COLUMN_FORMS = {
    "read-only": _read_only,
    "list": lambda values: values.tolist(),
    "object": lambda values: values.astype(object),
    "pandas": lambda values: pytest.importorskip("pandas").Series(values, index=np.arange(len(values))[::-1]),
    "pandas nullable": lambda values: pytest.importorskip("pandas").Series(values).convert_dtypes(),
    "polars": lambda values: pytest.importorskip("polars").Series(values.tolist()),
}


@pytest.mark.parametrize("form", _COLUMN_FORMS)
def test_form_of_y_tasks_and_weights_changes_nothing(form):
    table, give = _BY_NAME["weighted"].table(), _COLUMN_FORMS[form]
    plain = _BY_NAME["weighted"].fit(table)
    model = _BY_NAME["weighted"].make()
    model.fit(table.X, give(table.y), tasks=give(table.tasks), sample_weight=give(table.sample_weight))
    expected = plain.predict(table.X, tasks=table.tasks)
    assert_array_equal(model.predict(table.X, tasks=give(table.tasks)), expected)
    score = model.score(table.X, give(table.y), tasks=give(table.tasks), sample_weight=give(table.sample_weight))
    assert score == plain.score(table.X, table.y, tasks=table.tasks, sample_weight=table.sample_weight)


@pytest.mark.parametrize("form", _COLUMN_FORMS)
def test_form_of_classes_changes_nothing(form):
    table, give = _BY_NAME["binary"].table(), _COLUMN_FORMS[form]
    model = _BY_NAME["binary"].make().fit(table.X, give(table.y), tasks=table.tasks)
    assert model.classes_.tolist() == ["no", "yes"]
    expected = _BY_NAME["binary"].fit(table)
    assert_array_equal(answer(model, table.X, table.tasks), answer(expected, table.X, table.tasks))
    assert model.score(table.X, give(table.y), tasks=table.tasks) == expected.score(table.X, table.y, tasks=table.tasks)


@pytest.mark.parametrize("kind", ["bool", "int8", "uint16", "int64"])
def test_whole_numbers_are_features(kind):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 2 if kind == "bool" else 100, size=(80, 3)).astype(kind)
    y = X[:, 0] * 1.0 + X[:, 1]
    one = RMTGBRegressor(**SHORT).fit(X, y)
    two = RMTGBRegressor(**SHORT).fit(X.astype(float), y)
    assert_array_equal(one.predict(X), two.predict(X.astype(float)))


def test_extreme_values_are_features_like_others():
    """Only the order of the values counts, as long as each has a bin of its own."""
    rng = np.random.default_rng(1)
    ranks = rng.integers(0, 8, size=(200, 2))
    y = ranks[:, 0] + 0.1 * rng.normal(size=200)
    values = np.array([-1e300, -1e30, -1e-300, 0.0, 1e-300, 1.0, 1e30, 1e300])
    one, two = (RMTGBRegressor(**SHORT).fit(X, y) for X in (ranks, values[ranks]))
    assert_array_equal(one.predict(ranks), two.predict(values[ranks]))


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix])
@pytest.mark.parametrize("column", [None, 0])
def test_sparse_X_is_a_type_error(make, column):
    X = make(np.eye(20))
    model = RMTGBRegressor(task_column=column)
    with pytest.raises(TypeError, match=r"(?i)sparse"):
        model.fit(X, np.arange(20.0))
    fitted = RMTGBRegressor(**SHORT).fit(np.eye(20), np.arange(20.0))
    with pytest.raises(TypeError, match=r"(?i)sparse"):
        fitted.predict(X)


# Categories ----------------------------------------------------------------------------------------------------------


def _with_categories(seed=0):
    """Numbers, a column of category codes whose order says nothing, and a target that depends on both."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 3))
    X[:, 1] = rng.integers(0, 7, 200)
    y = X[:, 0] + np.isin(X[:, 1], [1, 4, 6]) * 2.0
    return X, y, rng.choice(["a", "b"], 200)


@pytest.mark.parametrize("cls", [RMTGBRegressor, RMTGBClassifier])
def test_categories_by_name_position_mask_and_dtype_are_the_same(cls):
    pd = pytest.importorskip("pandas")
    X, y, tasks = _with_categories()
    if cls is RMTGBClassifier:
        y = y > 1.0
    frame = pd.DataFrame(X, columns=list("pqr"))
    typed = frame.assign(q=frame["q"].astype(int).astype("category"))
    models = [
        (cls(**SHORT, categorical_features=["q"]), frame),
        (cls(**SHORT, categorical_features=[1]), frame),
        (cls(**SHORT, categorical_features=[False, True, False]), frame),
        (cls(**SHORT, categorical_features=np.array([1])), X),
        (cls(**SHORT, categorical_features=(1,)), X.tolist()),
        (cls(**SHORT, categorical_features=np.array([False, True, False])), X),
        (cls(**SHORT), typed),
        (
            cls(**SHORT, categorical_features="from_dtype"),
            typed.assign(q=typed["q"].cat.reorder_categories([6, 5, 4, 3, 2, 1, 0])),
        ),
    ]
    answers = [answer(model.fit(given, y, tasks=tasks), given, tasks) for model, given in models]
    for other in answers[1:]:
        assert_array_equal(other, answers[0])
    # And it is not what the codes as numbers give.
    numeric = cls(**SHORT, categorical_features=None).fit(X, y, tasks=tasks)
    assert np.any(answer(numeric, X, tasks) != answers[0])


def test_polars_categories_are_categories():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    X, y, tasks = _with_categories()
    names = np.array(["ash", "birch", "cedar", "date", "elm", "fir", "gum"])[X[:, 1].astype(int)]
    pandas = pd.DataFrame({"p": X[:, 0], "q": pd.Categorical(names)})
    expected = RMTGBRegressor(**SHORT).fit(pandas, y, tasks=tasks).predict(pandas, tasks=tasks)
    for dtype in (pl.Categorical, pl.Enum(sorted(set(names)))):
        frame = pl.DataFrame({"p": X[:, 0], "q": pl.Series(names.tolist(), dtype=dtype)})
        assert_array_equal(RMTGBRegressor(**SHORT).fit(frame, y, tasks=tasks).predict(frame, tasks=tasks), expected)


def test_polars_categories_among_numbers():
    pl = pytest.importorskip("polars")
    X, y, tasks = _with_categories()
    frame = pl.DataFrame({"p": X[:, 0], "q": X[:, 1], "r": X[:, 2]})
    expected = RMTGBRegressor(**SHORT, categorical_features=[1]).fit(X, y, tasks=tasks).predict(X, tasks=tasks)
    for which in (["q"], [1]):
        model = RMTGBRegressor(**SHORT, categorical_features=which).fit(frame, y, tasks=tasks)
        assert_array_equal(model.predict(frame, tasks=tasks), expected)


def test_text_columns_by_name_are_categories():
    pd = pytest.importorskip("pandas")
    X, y, tasks = _with_categories()
    names = np.array(["ash", "birch", "cedar", "date", "elm", "fir", "gum"])[X[:, 1].astype(int)]
    frame = pd.DataFrame({"p": X[:, 0], "q": names})
    typed = frame.assign(q=frame["q"].astype("category"))
    objects = frame.to_numpy(dtype=object)
    expected = RMTGBRegressor(**SHORT).fit(typed, y, tasks=tasks).predict(typed, tasks=tasks)
    for given, which in ((frame, ["q"]), (objects, [1])):
        model = RMTGBRegressor(**SHORT, categorical_features=which).fit(given, y, tasks=tasks)
        assert_array_equal(model.predict(given, tasks=tasks), expected)
    with pytest.raises(ValueError, match=r"'categorical_features'"):
        RMTGBRegressor(**SHORT).fit(frame, y, tasks=tasks)


def test_renaming_categories_in_order_changes_nothing():
    X, y, tasks = _with_categories()
    renamed = X.copy()
    renamed[:, 1] = np.array([-3.0, 2.5, 10.0, 11.0, 300.0, 301.0, 1e6])[X[:, 1].astype(int)]
    one, two = (RMTGBRegressor(**SHORT, categorical_features=[1]).fit(given, y, tasks=tasks) for given in (X, renamed))
    assert_array_equal(one.predict(X, tasks=tasks), two.predict(renamed, tasks=tasks))


@pytest.mark.parametrize("with_gaps", [False, True])
@pytest.mark.parametrize("frame", [False, True])
def test_an_unseen_category_is_a_missing_value(frame, with_gaps):
    X, y, tasks = _with_categories()
    if with_gaps:
        X[::9, 1] = np.nan
    unseen, missing = X.copy(), X.copy()
    unseen[:, 1], missing[:, 1] = 99.0, np.nan
    params = {**SHORT, "categorical_features": [1]}
    if frame:
        pd = pytest.importorskip("pandas")
        X, unseen, missing = (
            pd.DataFrame({"p": Z[:, 0], "q": pd.Categorical([None if np.isnan(v) else f"c{v:.0f}" for v in Z[:, 1]])})
            for Z in (X, unseen, missing)
        )
        params["categorical_features"] = "from_dtype"
    model = RMTGBRegressor(**params).fit(X, y, tasks=tasks)
    assert_array_equal(model.predict(unseen, tasks=tasks), model.predict(missing, tasks=tasks))
    assert np.all(np.isfinite(model.predict(missing, tasks=tasks)))


def test_a_column_of_names_that_mean_nothing_does_little_harm():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(800, 2)), columns=["a", "b"])
    tasks = rng.integers(4, size=800)
    y = frame["a"] + 0.5 * tasks * frame["b"] + 0.5 * rng.normal(size=800)
    frame["name"] = pd.Categorical([f"n{i}" for i in rng.permutation(np.arange(800) % 240)])
    errors = []
    for columns in (["a", "b"], ["a", "b", "name"]):
        model = RMTGBRegressor(random_state=0).fit(frame[columns][:300], y[:300], tasks=tasks[:300])
        errors.append(np.sqrt(np.mean((model.predict(frame[columns][300:], tasks=tasks[300:]) - y[300:]) ** 2)))
    assert errors[1] < 1.05 * errors[0]


def test_as_many_categories_as_bins():
    rng = np.random.default_rng(2)
    X = rng.permutation(np.repeat(np.arange(255.0), 4))[:, None]
    y = np.isin(X[:, 0], rng.choice(255, 100, replace=False)) * 1.0
    model = RMTGBRegressor(
        categorical_features=[0], max_iter=30, min_samples_leaf=1, l2_regularization=0.0, early_stopping=False
    ).fit(X, y)
    assert np.abs(model.predict(X) - y).max() < 0.1
    with pytest.raises(ValueError, match=r"'max_bins' = 200"):
        RMTGBRegressor(categorical_features=[0], max_bins=200).fit(X, y)


# Tasks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 2, -1])
@pytest.mark.parametrize("kind", ["array", "list", "pandas", "polars", "object"])
def test_task_column_equals_tasks(kind, place):
    table = _BY_NAME["regression"].table()
    X, y = table.X[:, :2], table.y
    labels = np.searchsorted(np.unique(table.tasks), table.tasks)
    position = place % 3
    wide = np.insert(X, position, labels, axis=1)
    model = RMTGBRegressor(**SHORT, task_column=place)
    if kind == "list":
        wide = wide.tolist()
    elif kind == "object":
        wide = wide.astype(object)
        wide[:, position] = table.tasks
    elif kind in {"pandas", "polars"}:
        library = pytest.importorskip(kind)
        wide = library.DataFrame({f"x{j}": (table.tasks if j == position else wide[:, j]) for j in range(3)})
    plain = RMTGBRegressor(**SHORT).fit(X, y, tasks=labels)
    expected = plain.predict(X, tasks=labels)
    model.fit(wide, y)
    assert_array_equal(model.predict(wide), expected)
    assert model.score(wide, y) == plain.score(X, y, tasks=labels)
    assert model.n_features_in_ == 3
    # The task column is no feature: it has no importance.
    assert_array_equal(np.delete(model.feature_importances_, position), plain.feature_importances_)
    assert model.feature_importances_[position] == 0.0
    if kind in {"pandas", "polars"}:
        named = RMTGBRegressor(**SHORT, task_column=f"x{position}").fit(wide, y)
        assert_array_equal(named.predict(wide), expected)
        assert named.feature_names_in_.tolist() == ["x0", "x1", "x2"]


def test_a_categorical_task_column_is_no_categorical_feature():
    pd = pytest.importorskip("pandas")
    table = _BY_NAME["categories"].table()
    wide = table.X.assign(task=pd.Categorical(table.tasks))
    model = RMTGBRegressor(**SHORT, task_column="task").fit(wide, table.y)
    plain = RMTGBRegressor(**SHORT).fit(table.X, table.y, tasks=table.tasks)
    assert_array_equal(model.predict(wide), plain.predict(table.X, tasks=table.tasks))


def test_other_parameters_count_the_task_column():
    """Positions in `categorical_features`, `monotonic_cst` and `interaction_cst` are those of X as passed."""
    X, y, tasks = _with_categories()
    codes = (tasks == "b").astype(float)
    wide = np.column_stack([codes, X])
    one = RMTGBRegressor(
        **SHORT, task_column=0, categorical_features=[2], monotonic_cst=[0, 1, 0, 0], interaction_cst=[[1, 2], [3]]
    ).fit(wide, y)
    two = RMTGBRegressor(**SHORT, categorical_features=[1], monotonic_cst=[1, 0, 0], interaction_cst=[[0, 1], [2]]).fit(
        X, y, tasks=codes
    )
    assert_array_equal(one.predict(wide), two.predict(X, tasks=codes))


_LABELS = {
    "strings": lambda codes: np.array(["x", "y", "z"])[codes],
    "objects": lambda codes: np.array(["x", "y", "z"], dtype=object)[codes],
    "bytes": lambda codes: np.array([b"x", b"y", b"z"])[codes],
    "floats": lambda codes: np.array([-1.5, 0.0, 7.25])[codes],
    "negative": lambda codes: codes - 2,
    "large": lambda codes: codes.astype(np.int64) + 2**40,
    "uint8": lambda codes: codes.astype(np.uint8),
    "list": lambda codes: codes.tolist(),
    "tuple": lambda codes: tuple(codes.tolist()),
    "datetimes": lambda codes: np.array(["2020-01-01", "2021-01-01", "2022-01-01"], dtype="M8[D]")[codes],
    "pandas category": lambda codes: pytest.importorskip("pandas").Categorical(np.array(["x", "y", "z"])[codes]),
    "pandas category Series": lambda codes: pytest.importorskip("pandas").Series(
        np.array(["x", "y", "z"])[codes], dtype="category"
    ),
    "pandas nullable": lambda codes: pytest.importorskip("pandas").array(codes, dtype="Int64"),
    "pandas string": lambda codes: pytest.importorskip("pandas").Series(
        np.array(["x", "y", "z"])[codes], dtype="string"
    ),
    "polars": lambda codes: pytest.importorskip("polars").Series(np.array(["x", "y", "z"])[codes].tolist()),
    "polars category": lambda codes: pytest.importorskip("polars").Series(
        np.array(["x", "y", "z"])[codes].tolist(), dtype=pytest.importorskip("polars").Categorical
    ),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", _LABELS)
def test_kind_of_task_labels_changes_nothing(kind, weighted):
    rng = np.random.default_rng(3)
    X, codes = rng.normal(size=(90, 2)), rng.integers(0, 3, 90)
    y = X[:, 0] * codes
    weight = rng.integers(0, 3, 90).astype(float) if weighted else None  # some zero: those rows are left out
    labels = _LABELS[kind](codes)
    plain = RMTGBRegressor(**SHORT).fit(X, y, tasks=codes, sample_weight=weight)
    model = RMTGBRegressor(**SHORT).fit(X, y, tasks=labels, sample_weight=weight)
    assert len(model.tasks_) == 3
    assert_array_equal(model.predict(X, tasks=labels), plain.predict(X, tasks=codes))
    assert_array_equal(model.predict(X[:1], tasks=labels[:1]), plain.predict(X[:1], tasks=codes[:1]))


@pytest.mark.parametrize("name", ["regression", "columns_and_tasks", "classes", "poisson"])
def test_unseen_task_gets_what_all_share_or_an_error(name):
    case = _BY_NAME[name]
    table = case.table()
    model = case.fit(table)
    rows = np.arange(20)
    part = table.take(rows)
    mixed = part.tasks.copy()
    mixed[::2] = "zz"
    said = answer(model, part.X, mixed)
    assert np.all(np.isfinite(said))
    assert_array_equal(said[1::2], answer(model, part.X, part.tasks)[1::2])
    assert_array_equal(said[::2], answer(model, part.X[::2], np.repeat("brand new", 10)))
    strict = case.fit(table, unseen_tasks="error")
    with pytest.raises(ValueError, match=r"'tasks' has 1 task that .* was not fitted on: 'zz'"):
        answer(strict, part.X, mixed)


def test_column_labels_of_y_are_the_tasks():
    pd = pytest.importorskip("pandas")
    table = _BY_NAME["columns"].table()
    frame = pd.DataFrame(table.y, columns=["height", "weight", "age"])
    model = _BY_NAME["columns"].make().fit(table.X, frame)
    assert model.tasks_.tolist() == ["height", "weight", "age"]
    assert_array_equal(model.predict(table.X), _BY_NAME["columns"].fit(table).predict(table.X))
    nullable = frame.astype("Float64")
    assert_array_equal(_BY_NAME["columns"].make().fit(table.X, nullable).predict(table.X), model.predict(table.X))


@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1], [-1, 1], [False, True], [0.0, 1.0], [7, 100]])
def test_class_labels_come_back_as_they_were(labels):
    table = _BY_NAME["binary"].table()
    y = np.array(labels)[(table.y == "yes").astype(int)]
    model = _BY_NAME["binary"].make().fit(table.X, y, tasks=table.tasks)
    assert model.classes_.tolist() == labels
    predicted = model.predict(table.X, tasks=table.tasks)
    assert predicted.dtype == y.dtype
    assert_array_equal(
        predicted == labels[1], _BY_NAME["binary"].fit(table).predict(table.X, tasks=table.tasks) == "yes"
    )


def test_extreme_values_are_features_like_others_with_tasks():
    rng = np.random.default_rng(4)
    ranks, tasks = rng.integers(0, 8, size=(200, 2)), rng.integers(0, 3, 200)
    y = ranks[:, 0] * tasks + 0.1 * rng.normal(size=200)
    values = np.array([-1e300, -1e30, -1e-300, 0.0, 1e-300, 1.0, 1e30, 1e300])
    model = RMTGBRegressor(**SHORT).fit(values[ranks], y, tasks=tasks)
    assert np.all(np.isfinite(model.predict(values[ranks], tasks=tasks)))
