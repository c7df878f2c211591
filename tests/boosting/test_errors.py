"""Bad input gets a typed error that names the parameter, and leaves nothing half-fitted behind."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
from skmtl.losses import LogLoss, SquaredLoss
from tests.boosting._cases import SHORT

_BOTH = pytest.mark.parametrize("cls", [RMTGBRegressor, RMTGBClassifier])


def _table(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)), rng.integers(0, 2, n), np.array(["a", "b", "c"])[np.arange(n) % 3]


def refuses(model, error, match, X, y, **known):
    """Assert that `fit` raises, that the model stays as it was, and that a fitted model stays usable."""
    before = dict(vars(model))
    with pytest.raises(error, match=match) as raised:
        model.fit(X, y, **known)
    assert dict(vars(model)) == before
    assert all(vars(model)[name] is value for name, value in before.items())

    good_X, good_y, good_tasks = _table()
    fitted = type(model)(**SHORT).fit(good_X, good_y, tasks=good_tasks)
    expected = fitted.predict(good_X, tasks=good_tasks)
    parameters = fitted.get_params()
    fitted.set_params(**model.get_params())
    with pytest.raises(error):
        fitted.fit(X, y, **known)
    fitted.set_params(**parameters)
    assert_array_equal(fitted.predict(good_X, tasks=good_tasks), expected)
    return str(raised.value)


# Values of parameters ------------------------------------------------------------------------------------------------

#: Values that each parameter must refuse, of a wrong type or out of its range.
_WRONG = {
    "loss": ["nope", 3, None, object()],
    "quantile": [0, 1, -0.5, 2.0, "half", np.nan],
    "task_column": [1.5, ["a"], object()],
    "learning_rate": [0, -0.1, "fast", None, np.nan],
    "max_iter": [-1, 1.5, None, "many"],
    "schedule": ["random", None, 3, ["shared"]],
    "max_leaf_nodes": [1, 0, -3, 2.5, "all"],
    "max_depth": [0, -1, 1.5, "deep"],
    "min_samples_leaf": [0, -1, "few", None, np.nan],
    "l2_regularization": [-1e-9, "weak", None, np.nan],
    "max_features": [0, 0.0, 1.1, -0.5, "sqrt", None, np.nan],
    "random_strength": [-0.1, "strong", None, np.nan],
    "subsample": [0, 0.0, 1.1, -0.5, "half", None, np.nan],
    "max_bins": [1, 0, 256, 12.5, None, "many"],
    "categorical_features": [3, "some", 1.5],
    "monotonic_cst": [1, "up"],
    "interaction_cst": ["all", 3, {0: 1}],
    "class_weight": ["heavy", 3, [1, 2]],
    "task_features": ["yes", None, 2],
    "init": ["one", None, 0.5],
    "leaf_step": ["jump", None, 1],
    "theta_init": ["zeros", None, 0.5],
    "theta_update": ["adam", None, 1],
    "theta_learning_rate": [-0.1, "fast", np.nan],
    "theta_l2": [-0.1, None, "weak", np.nan],
    "early_stopping": ["yes", None, 2],
    "validation_fraction": [0, 1, -0.1, 1.5, None, 3, np.nan],
    "n_iter_no_change": [0, -1, 1.5, None],
    "tol": [-1e-9, None, "small", np.nan],
    "refit": ["yes", None, 2],
    "unseen_tasks": ["guess", None],
    "unseen_classes": ["guess", None],
    "n_jobs": [1.5, "all"],
    "warm_start": ["yes", None, 2],
    "verbose": [-1, "loud", None],
    "random_state": ["seed", -1, 1.5],
}


@_BOTH
def test_a_wrong_value_is_known_for_every_parameter(cls):
    assert set(cls().get_params()) == set(cls._parameter_constraints) <= set(_WRONG)


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        pytest.param(cls, name, value, id=f"{cls.__name__}-{name}-{'object' if type(value) is object else value}")
        for cls in (RMTGBRegressor, RMTGBClassifier)
        for name, values in _WRONG.items()
        if name in cls._parameter_constraints
        for value in values
    ],
)
def test_a_wrong_value_is_named_with_its_parameter(cls, name, value):
    X, y, tasks = _table()
    message = refuses(cls(**{name: value}), (ValueError, TypeError), re.escape(name), X, y, tasks=tasks)
    assert message.rstrip().endswith((".", "instead."))


_WRONG_IN_DETAIL = [
    ({"schedule": {"common": 3}}, r"'schedule'.*\['common'\]"),
    ({"schedule": {"shared": -1}}, "'schedule'.*-1"),
    ({"schedule": {"shared": 1.5}}, "'schedule'.*1.5"),
    ({"schedule": {"shared": True}}, "'schedule'.*True"),
    ({"schedule": {"shared": "many"}}, "'schedule'.*'many'"),
    ({"max_leaf_nodes": {"common": 3}}, r"'max_leaf_nodes'.*\['common'\]"),
    ({"max_leaf_nodes": {"shared": 1}}, r"max_leaf_nodes\['shared'\].*1"),
    ({"max_leaf_nodes": {"specific": 2.5}}, r"max_leaf_nodes\['specific'\].*2.5"),
    ({"max_leaf_nodes": {"specific": "few"}}, r"max_leaf_nodes\['specific'\].*few"),
    ({"max_depth": {"partition": 0}}, r"max_depth\['partition'\].*0"),
    ({"min_samples_leaf": {"shared": 0}}, r"min_samples_leaf\['shared'\].*0"),
    ({"min_samples_leaf": {"shared": None}}, r"min_samples_leaf\['shared'\].*None"),
    ({"l2_regularization": {"shared": -1.0}}, r"l2_regularization\['shared'\].*-1"),
    ({"l2_regularization": {"shared": np.nan}}, r"l2_regularization\['shared'\].*nan"),
    ({"max_features": {"shared": 0.0}}, r"max_features\['shared'\].*0"),
    ({"max_features": {"specific": 1.5}}, r"max_features\['specific'\].*1.5"),
    ({"theta_init": [0.0, 1.0]}, r"'theta_init'.*3.*\(2,\)"),
    ({"theta_init": [0.0, 1.0, np.nan]}, "'theta_init'"),
    ({"theta_init": ["x", "y", "z"]}, "'theta_init'"),
    ({"monotonic_cst": [1, 0]}, "monotonic_cst"),
    ({"monotonic_cst": [2, 0, 0]}, "monotonic_cst"),
    ({"monotonic_cst": {"x0": 1}}, "monotonic_cst"),
    ({"monotonic_cst": [1, 0, 0], "categorical_features": [0]}, "'monotonic_cst'.*categorical"),
    ({"interaction_cst": [[0, 3]]}, r"'interaction_cst'.*\[3\]"),
    ({"interaction_cst": [[0, -1]]}, r"'interaction_cst'.*\[-1\]"),
    ({"interaction_cst": [0, 1]}, "'interaction_cst'.*0"),
    ({"interaction_cst": [["x0"]]}, r"'interaction_cst'.*\['x0'\]"),
    ({"categorical_features": [3]}, r"'categorical_features'.*\[3\]"),
    ({"categorical_features": [-1]}, r"'categorical_features'.*\[-1\]"),
    ({"categorical_features": ["x0"]}, "'categorical_features'.*names"),
    ({"categorical_features": [True, False]}, "'categorical_features'.*2"),
    ({"categorical_features": [[0]]}, r"'categorical_features'.*\(1, 1\)"),
    ({"categorical_features": [0.5]}, "'categorical_features'.*float64"),
    ({"categorical_features": [0], "max_bins": 16}, "'max_bins' = 16"),
    ({"early_stopping": True, "validation_fraction": 1e-9}, "'validation_fraction'"),
]


@_BOTH
@pytest.mark.parametrize(("params", "match"), _WRONG_IN_DETAIL, ids=[str(params) for params, _ in _WRONG_IN_DETAIL])
def test_a_wrong_part_of_a_parameter_is_named(cls, params, match):
    X, y, tasks = _table()
    message = refuses(cls(**params), ValueError, match, X, y, tasks=tasks)
    assert message.endswith(".") or "scikit" in message or "monotonic" in message


def test_the_quantile_loss_needs_a_quantile():
    X, y, tasks = _table()
    refuses(RMTGBRegressor(loss="quantile"), ValueError, "'quantile'.*None", X, y, tasks=tasks)


@pytest.mark.parametrize(
    ("cls", "loss"), [(RMTGBRegressor, LogLoss()), (RMTGBClassifier, SquaredLoss()), (RMTGBRegressor, "log_loss")]
)
def test_a_loss_of_the_other_kind_is_refused(cls, loss):
    X, y, tasks = _table()
    refuses(cls(loss=loss), ValueError, "'loss'", X, y, tasks=tasks)


def test_class_weights_of_unknown_classes_are_refused():
    X, y, tasks = _table()
    refuses(RMTGBClassifier(class_weight={5: 1.0}), ValueError, "class", X, y, tasks=tasks)


@pytest.mark.parametrize("weights", [{0: -1.0, 1: 1.0}, {0: np.nan, 1: 1.0}, {0: 0.0, 1: 1.0}])
def test_class_weights_out_of_range_are_refused(weights):
    X, y, tasks = _table()
    refuses(RMTGBClassifier(class_weight=weights), ValueError, "'class_weight'", X, y, tasks=tasks)


def test_monotonic_constraints_are_not_for_many_classes():
    X, _, tasks = _table()
    refuses(
        RMTGBClassifier(monotonic_cst=[1, 0, 0]),
        ValueError,
        "'monotonic_cst'.*3 classes",
        X,
        np.arange(60) % 3,
        tasks=tasks,
    )


# Tables --------------------------------------------------------------------------------------------------------------


@_BOTH
@pytest.mark.parametrize("shorter", ["X", "y", "tasks", "sample_weight"])
def test_lengths_must_agree(cls, shorter):
    X, y, tasks = _table()
    given = {"X": X, "y": y, "tasks": tasks, "sample_weight": np.ones(60)}
    given[shorter] = given[shorter][:-1]
    message = refuses(cls(), ValueError, "59", given.pop("X"), given.pop("y"), **given)
    assert "60" in message
    if shorter in {"tasks", "sample_weight"}:
        assert shorter in message


_BAD_TASKS = {
    "two-dimensional": (lambda tasks: tasks.reshape(-1, 1), ValueError, r"'tasks' must be 1-D"),
    "a label": (lambda tasks: "a", ValueError, r"'tasks' must be 1-D"),
    "NaN": (lambda tasks: np.where(tasks == "a", np.nan, 1.0), ValueError, r"'tasks' has 20 missing labels"),
    "None": (lambda tasks: np.where(tasks == "a", None, tasks), ValueError, r"'tasks' has 20 missing labels"),
    "mixed": (lambda tasks: np.where(tasks == "a", 1, tasks.astype(object)), TypeError, r"'tasks'"),
}


@_BOTH
@pytest.mark.parametrize("kind", _BAD_TASKS)
def test_bad_tasks_are_named(cls, kind):
    spoil, error, match = _BAD_TASKS[kind]
    X, y, tasks = _table()
    refuses(cls(), error, match, X, y, tasks=spoil(tasks))
    if kind != "mixed":
        fitted = cls(**SHORT).fit(X, y, tasks=tasks)
        with pytest.raises(error, match=match):
            fitted.predict(X, tasks=spoil(tasks))


@_BOTH
def test_tasks_are_needed_in_predict_where_fit_had_several(cls):
    X, y, tasks = _table()
    model = cls(**SHORT).fit(X, y, tasks=tasks)
    methods = {"predict", "staged_predict", "predict_proba", "predict_log_proba", "decision_function"}
    for name in sorted(methods & set(dir(model))):
        with pytest.raises(ValueError, match=r"fitted on 3 tasks, so 'tasks'.*enable_metadata_routing"):
            list(getattr(model, name)(X))
    with pytest.raises(ValueError, match="'tasks'"):
        model.score(X, y)


@_BOTH
def test_tasks_of_another_kind_in_predict(cls):
    X, y, tasks = _table()
    model = cls(**SHORT).fit(X, y, tasks=tasks)
    with pytest.raises(TypeError, match="'tasks'"):
        model.predict(X, tasks=np.arange(60))


@_BOTH
def test_both_routes_are_refused(cls):
    X, y, tasks = _table()
    refuses(cls(task_column=0), ValueError, "both 'tasks' and 'task_column'", X, y, tasks=tasks)
    wide = np.column_stack([X, np.arange(60) % 3])
    model = cls(**SHORT, task_column=3).fit(wide, y)
    with pytest.raises(ValueError, match="both 'tasks' and 'task_column'"):
        model.predict(wide, tasks=tasks)


@_BOTH
@pytest.mark.parametrize("column", [3, -4, 100])
def test_column_position_out_of_range(cls, column):
    X, y, _ = _table()
    refuses(cls(task_column=column), ValueError, f"'task_column' is {column}, out of range", X, y)


@_BOTH
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_unknown_column_name(cls, library):
    frame = pytest.importorskip(library).DataFrame({"school": np.arange(60) % 3, "size": np.arange(60.0)})
    y = np.arange(60) % 2
    refuses(cls(task_column="schol"), ValueError, "'task_column' is 'schol'.*Did you mean 'school'", frame, y)
    refuses(cls(categorical_features=["sizes"]), ValueError, r"'categorical_features'.*\['sizes'\]", frame, y)
    model = cls(**SHORT, task_column="school").fit(frame, y)
    with pytest.raises(ValueError, match="school"):
        model.predict(frame[["size"]])


@_BOTH
def test_column_name_without_names(cls):
    X, y, _ = _table()
    refuses(cls(task_column="school"), ValueError, "'task_column' is the name 'school'", X, y)


@_BOTH
def test_missing_labels_in_the_task_column(cls):
    X, y, _ = _table()
    X[3, 0] = np.nan
    refuses(cls(task_column=0), ValueError, "'task_column'=0 names has 1 missing label", X, y)


@_BOTH
@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("form", ["array", "pandas", "categories beside"])
def test_infinity_in_X(cls, value, form):
    X, y, tasks = _table()
    good = X.copy()
    X[5, 1] = value
    params = {}
    if form == "pandas":
        pd = pytest.importorskip("pandas")
        X, good = pd.DataFrame(X), pd.DataFrame(good)
    elif form == "categories beside":
        X[:, 0], good[:, 0] = np.arange(60) % 4, np.arange(60) % 4
        params = {"categorical_features": [0]}
    refuses(cls(**params), ValueError, r"(?s)X contains infinity", X, y, tasks=tasks)
    model = cls(**SHORT, **params).fit(good, y, tasks=tasks)
    with pytest.raises(ValueError, match=r"X contains infinity"):
        model.predict(X, tasks=tasks)


@_BOTH
def test_text_in_X(cls):
    X, y, tasks = _table()
    X = X.astype(object)
    X[:, 1] = "low"
    refuses(cls(), ValueError, "'low'|string|convert", X, y, tasks=tasks)


@_BOTH
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_or_infinite_targets_in_one_dimension(cls, value):
    X, y, tasks = _table()
    y = y.astype(float)
    y[4] = value
    refuses(cls(), ValueError, r"y contains (NaN|infinity)", X, y, tasks=tasks)


def test_infinite_targets_in_two_dimensions():
    X, y, tasks = _table()
    y = np.column_stack([y, y]).astype(float)
    y[4, 1] = np.inf
    refuses(RMTGBRegressor(), ValueError, r"y contains infinity", X, y, tasks=tasks)


@_BOTH
def test_a_column_of_y_without_a_value(cls):
    X, y, tasks = _table()
    y = np.column_stack([y, np.full(60, np.nan)])
    refuses(cls(), ValueError, r"'y' has no observed value in column 1", X, y, tasks=tasks)


@_BOTH
def test_no_y(cls):
    X, _, tasks = _table()
    refuses(cls(), ValueError, "requires y to be passed, but the target y is None", X, None, tasks=tasks)


@_BOTH
def test_y_of_three_dimensions(cls):
    X, y, tasks = _table()
    refuses(cls(), ValueError, "dim", X, y.reshape(-1, 1, 1), tasks=tasks)


@pytest.mark.parametrize("y", [np.zeros(60), np.repeat("only", 60), np.ones((60, 2))], ids=["0", "only", "2-D"])
def test_one_class_overall(y):
    X, _, tasks = _table()
    refuses(RMTGBClassifier(), ValueError, "at least two classes in y. Got one class", X, y, tasks=tasks)


def test_a_class_of_weight_zero_is_no_class():
    X, y, tasks = _table()
    refuses(RMTGBClassifier(), ValueError, "one class", X, y, tasks=tasks, sample_weight=(y == 0).astype(float))


def test_continuous_targets_are_no_classes():
    X, _, tasks = _table()
    refuses(RMTGBClassifier(), ValueError, "Unknown label type", X, X[:, 0], tasks=tasks)


@pytest.mark.parametrize(("loss", "value"), [("poisson", -1.0), ("gamma", 0.0), ("gamma", -1.0)])
def test_targets_that_the_loss_does_not_know(loss, value):
    X, _, tasks = _table()
    y = np.ones(60)
    y[7] = value
    refuses(RMTGBRegressor(loss=loss), ValueError, f"loss='{loss}'.*y.*1", X, y, tasks=tasks)


def test_all_counts_zero():
    X, _, tasks = _table()
    refuses(RMTGBRegressor(loss="poisson"), ValueError, "loss='poisson'", X, np.zeros(60), tasks=tasks)


_BAD_WEIGHTS = {
    "negative": (np.where(np.arange(60) < 2, -1.0, 1.0), "2 negative weights"),
    "all zero": (np.zeros(60), "All weights are zero"),
    "NaN": (np.where(np.arange(60) < 2, np.nan, 1.0), "NaN"),
    "infinite": (np.where(np.arange(60) < 2, np.inf, 1.0), "infinity"),
    "2-D": (np.ones((60, 1)), "1D|1d|1-D"),
}


@_BOTH
@pytest.mark.parametrize("kind", _BAD_WEIGHTS)
def test_bad_weights(cls, kind):
    X, y, tasks = _table()
    weight, match = _BAD_WEIGHTS[kind]
    message = refuses(cls(), ValueError, match, X, y, tasks=tasks, sample_weight=weight)
    assert "sample" in message.lower()


@_BOTH
@pytest.mark.parametrize("form", ["array", "pandas"])
def test_no_rows_or_columns(cls, form):
    shape = pytest.importorskip("pandas").DataFrame if form == "pandas" else np.asarray
    refuses(cls(), ValueError, r"0 sample\(s\)|0 rows", shape(np.empty((0, 3))), np.empty(0))
    refuses(cls(), ValueError, r"0 feature\(s\)|0 features", shape(np.empty((10, 0))), np.arange(10) % 2)
    refuses(cls(), ValueError, r"1 sample|minimum of 2", shape(np.ones((1, 3))), np.ones(1))


@_BOTH
def test_a_task_column_alone_is_no_table(cls):
    refuses(cls(task_column=0), ValueError, r"0 feature\(s\)", np.arange(10.0)[:, None], np.arange(10) % 2)


@_BOTH
@pytest.mark.parametrize("X", [np.ones(20), 3.0, "text", None], ids=["1-D", "number", "text", "None"])
def test_what_is_no_table(cls, X):
    refuses(cls(), (ValueError, TypeError), "2D|dtype|string|NoneType|None", X, np.arange(20) % 2)


@_BOTH
def test_other_columns_in_predict(cls):
    X, y, tasks = _table()
    model = cls(**SHORT).fit(X, y, tasks=tasks)
    with pytest.raises(ValueError, match=r"2 features.*3 features"):
        model.predict(X[:, :2], tasks=tasks)
    pd = pytest.importorskip("pandas")
    named = cls(**SHORT).fit(pd.DataFrame(X, columns=list("pqr")), y, tasks=tasks)
    with pytest.raises(ValueError, match="feature names"):
        named.predict(pd.DataFrame(X, columns=list("prq")), tasks=tasks)


@_BOTH
def test_a_continued_fit_refuses_what_does_not_continue(cls):
    X, y, tasks = _table()
    model = cls(**SHORT, warm_start=True).fit(X, y, tasks=tasks)
    before = dict(vars(model))
    cases = [
        ({"schedule": {"shared": 1}}, {"X": X, "y": y, "tasks": tasks}, "rounds of block 'shared'.*1 after 6"),
        ({}, {"X": X, "y": y, "tasks": np.repeat(["a", "new"], 30)}, "'tasks' has 1 task .*'new'"),
        ({}, {"X": X, "y": np.column_stack([y, y]), "tasks": tasks}, "'y' must have the same columns"),
        ({}, {"X": X[:, :2], "y": y, "tasks": tasks}, "2 features"),
    ]
    if cls is RMTGBClassifier:
        cases.append(({}, {"X": X, "y": y + 1, "tasks": tasks}, "'y' must have no new classes"))
    for params, table, match in cases:
        model.set_params(**{"schedule": SHORT["schedule"], **params})
        with pytest.raises(ValueError, match=match):
            model.fit(**table)
        model.set_params(schedule=SHORT["schedule"])
        assert {name: value for name, value in vars(model).items() if value is not before[name]} == {}


# What looks odd and is fine ------------------------------------------------------------------------------------------


@_BOTH
@pytest.mark.parametrize("fill", [0.0, np.nan], ids=["zero", "missing"])
@pytest.mark.parametrize("params", [{}, SHORT], ids=["defaults", "short"])
def test_constant_features_give_a_constant_per_task(cls, fill, params):
    _, y, tasks = _table(600)
    X = np.full((600, 2), fill)
    y = np.where(tasks == "a", 1 - (np.arange(600) % 9 == 0), y)
    model = cls(**params).fit(X, y, tasks=tasks)
    said = model.predict_proba(X, tasks=tasks)[:, 1] if cls is RMTGBClassifier else model.predict(X, tasks=tasks)
    means = [y[tasks == task].mean() for task in "abc"]
    for task, mean in zip("abc", means, strict=True):
        assert len(np.unique(said[tasks == task])) == 1
        assert_allclose(said[tasks == task][0], mean, atol=0.1)
    assert np.all(model.feature_importances_ == 0)


@_BOTH
def test_two_rows_are_enough(cls):
    model = cls().fit([[0.0], [1.0]], [0, 1])
    assert np.all(np.isfinite(model.predict([[0.0], [1.0]])))
    model = cls().fit([[0.0], [1.0]], [0, 1], tasks=["a", "b"])
    assert np.all(np.isfinite(model.predict([[0.0], [1.0]], tasks=["a", "b"])))


@_BOTH
def test_every_row_a_task_of_its_own(cls):
    X, y, _ = _table()
    model = cls(max_iter=5).fit(X, y, tasks=np.arange(60))
    assert model.outlier_scores_.shape == (60,)
    assert np.all(np.isfinite(model.predict(X, tasks=np.arange(60))))


@_BOTH
def test_no_rounds_give_the_start(cls):
    X, y, tasks = _table()
    model = cls(schedule={}).fit(X, y, tasks=tasks)
    assert model.n_iter_ == 0
    assert_array_equal(model.feature_importances_, 0.0)
    assert list(model.staged_predict(X, tasks=tasks)) == []
    model = cls(max_iter=0).fit(X, y, tasks=tasks)
    assert model.n_iter_ == 0
    assert np.all(np.isfinite(model.predict(X, tasks=tasks)))


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma"])
def test_constant_targets_are_predicted(loss):
    X, _, tasks = _table()
    model = RMTGBRegressor(loss=loss, quantile=0.3 if loss == "quantile" else None).fit(
        X, np.full(60, 2.5), tasks=tasks
    )
    assert_allclose(model.predict(X, tasks=tasks), 2.5, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-100, 1e-12, 1e12, 1e100])
def test_targets_of_any_size(scale):
    X, _, tasks = _table()
    y = X[:, 0] * (tasks == "a") + X[:, 1]
    model = RMTGBRegressor(**SHORT).fit(X, scale * y, tasks=tasks)
    unit = RMTGBRegressor(**SHORT).fit(X, y, tasks=tasks)
    assert_allclose(model.predict(X, tasks=tasks) / scale, unit.predict(X, tasks=tasks), rtol=1e-6, atol=1e-9)
