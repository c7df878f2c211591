"""Labels of every kind are learned and looked up alike; labels that cannot be right raise."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pytest

from skmtl.tasks import learn_tasks, look_up_tasks

# Three labels, of which the first and the last are equal and sort behind the second, from whatever can hold them.
STRINGS = {
    "list": lambda: ["b", "a", "b"],
    "tuple": lambda: ("b", "a", "b"),
    "array": lambda: np.array(["b", "a", "b"]),
    "object": lambda: np.array(["b", "a", "b"], dtype=object),
    "numpy-items": lambda: [np.str_("b"), "a", np.str_("b")],
    "pandas-series": lambda: pandas().Series(["b", "a", "b"], index=[7, 7, 2]),
    "pandas-object": lambda: pandas().Series(["b", "a", "b"], dtype=object),
    "pandas-string": lambda: pandas().array(["b", "a", "b"], dtype="string"),
    "pandas-categorical": lambda: pandas().Categorical(["b", "a", "b"], categories=["z", "b", "a"]),
    "pandas-category": lambda: pandas().Series(["b", "a", "b"], dtype="category"),
    "pandas-index": lambda: pandas().Index(["b", "a", "b"]),
    "polars-series": lambda: polars().Series(["b", "a", "b"]),
    "polars-categorical": lambda: polars().Series(["b", "a", "b"], dtype=polars().Categorical),
    "polars-enum": lambda: polars().Series(["b", "a", "b"], dtype=polars().Enum(["b", "a"])),
}
INTEGERS = {
    "list": lambda: [2, 1, 2],
    "int8": lambda: np.array([2, 1, 2], dtype=np.int8),
    "uint64": lambda: np.array([2, 1, 2], dtype=np.uint64),
    "strided": lambda: np.array([2, 0, 1, 0, 2])[::2],
    "object": lambda: np.array([2, np.int32(1), 2], dtype=object),
    "pandas-Int64": lambda: pandas().array([2, 1, 2], dtype="Int64"),
    "pandas-UInt8-series": lambda: pandas().Series([2, 1, 2], dtype="UInt8"),
    "pandas-categorical": lambda: pandas().Categorical([2, 1, 2]),
    "pandas-object": lambda: pandas().Series([2, 1, 2], dtype="Int64").astype(object),
    "polars-series": lambda: polars().Series([2, 1, 2]),
}
FLOATS = {
    "list": lambda: [2.0, 1.0, 2.0],
    "float32": lambda: np.array([2, 1, 2], dtype=np.float32),
    "mixed": lambda: [2, 1.0, np.int64(2)],
    "pandas-Float64": lambda: pandas().array([2, 1, 2], dtype="Float64"),
}
BOOLEANS = {
    "list": lambda: [True, False, True],
    "array": lambda: np.array([True, False, True]),
    "pandas-boolean": lambda: pandas().array([True, False, True], dtype="boolean"),
    "polars-series": lambda: polars().Series([True, False, True]),
}
OTHERS = {
    "dates": lambda: [dt.date(2020, 1, 1), dt.date(2019, 1, 1), dt.date(2020, 1, 1)],
    "datetime64": lambda: np.array(["2020", "2019", "2020"], dtype="M8[Y]"),
    "datetime64-items": lambda: list(np.array(["2020", "2019", "2020"], dtype="M8[Y]")),
    "timedelta64-items": lambda: list(np.array([2, 1, 2], dtype="m8[D]")),
    "timedelta64": lambda: np.array([2, 1, 2], dtype="m8[D]"),
    "with-zone": lambda: pandas().Series(pandas().to_datetime(["2020", "2019", "2020"])).dt.tz_localize("UTC"),
    "tuples": lambda: pandas().Series([(2, 1), (1, 9), (2, 1)]),
    "bytes": lambda: np.array([b"b", b"a", b"b"]),
    "beyond-64-bits": lambda: [2**70, 2**69, 2**70],
    "beyond-int64": lambda: np.array([2**63 + 2, 2**63 + 1, 2**63 + 2], dtype=np.uint64),
    "far-apart": lambda: [2**40, -(2**40), 2**40],
}


def pandas():
    return pytest.importorskip("pandas")


def polars():
    return pytest.importorskip("polars")


def cases(group):
    return [pytest.param(make, id=name) for name, make in group.items()]


@pytest.mark.parametrize(
    ("group", "dtype", "expected"),
    [
        (STRINGS, "U", ["a", "b"]),
        (INTEGERS, np.int64, [1, 2]),
        (FLOATS, np.float64, [1.0, 2.0]),
        (BOOLEANS, bool, [False, True]),
    ],
    ids=["strings", "integers", "floats", "booleans"],
)
def test_equal_labels_are_learned_alike_whatever_holds_them(group, dtype, expected):
    for make in group.values():
        tasks, codes = learn_tasks(make(), 3, owner="Model")
        assert tasks.dtype.kind == np.dtype(dtype).kind
        assert tasks.tolist() == expected
        assert codes.tolist() == [1, 0, 1]


@pytest.mark.parametrize("fitted", cases(STRINGS))
@pytest.mark.parametrize("given", cases(STRINGS))
def test_strings_are_looked_up_whatever_held_them_in_fit(fitted, given):
    tasks, _ = learn_tasks(fitted(), 3, owner="Model")
    assert look_up_tasks(given(), tasks, 3, unseen="error", owner="Model").tolist() == [1, 0, 1]


@pytest.mark.parametrize("fitted", cases({**INTEGERS, "float-list": FLOATS["list"], "float32": FLOATS["float32"]}))
@pytest.mark.parametrize("given", cases({**INTEGERS, **{f"float-{name}": make for name, make in FLOATS.items()}}))
def test_numbers_are_looked_up_by_value_whatever_held_them_in_fit(fitted, given):
    tasks, _ = learn_tasks(fitted(), 3, owner="Model")
    assert look_up_tasks(given(), tasks, 3, unseen="error", owner="Model").tolist() == [1, 0, 1]


@pytest.mark.parametrize("make", cases(BOOLEANS))
def test_booleans_equal_zero_and_one(make):
    tasks, _ = learn_tasks(make(), 3, owner="Model")
    for labels in [make(), [1, 0, 1], [1.0, 0.0, 1.0]]:
        assert look_up_tasks(labels, tasks, 3, unseen="error", owner="Model").tolist() == [1, 0, 1]
    assert look_up_tasks([2], tasks, 1, unseen="shared", owner="Model").tolist() == [-1]
    assert look_up_tasks(make(), np.array([0, 1]), 3, unseen="error", owner="Model").tolist() == [1, 0, 1]


@pytest.mark.parametrize("make", cases(OTHERS))
def test_other_labels_with_an_order_are_learned_and_looked_up(make):
    tasks, codes = learn_tasks(make(), 3, owner="Model")
    assert len(tasks) == 2
    assert sorted(tasks.tolist()) == tasks.tolist()
    assert codes.tolist() == [1, 0, 1]
    assert look_up_tasks(make(), tasks, 3, unseen="error", owner="Model").tolist() == [1, 0, 1]
    assert look_up_tasks(make(), tasks[:1], 3, unseen="shared", owner="Model").tolist() == [-1, 0, -1]


@pytest.mark.parametrize("low", [-3, 0, 10**12])
@pytest.mark.parametrize("step", [1, 7, 10**9])
def test_integer_codes_equal_those_of_numpy_unique(low, step):
    labels = low + step * np.random.default_rng(0).integers(0, 30, 200)
    tasks, codes = learn_tasks(labels, 200, owner="Model")
    expected_tasks, expected_codes = np.unique(labels, return_inverse=True)
    np.testing.assert_array_equal(tasks, expected_tasks)
    np.testing.assert_array_equal(codes, expected_codes)
    assert codes.dtype == np.intp


def test_no_labels_are_a_single_task():
    tasks, codes = learn_tasks(None, 3, owner="Model")
    assert tasks.tolist() == [0]
    assert tasks.dtype == np.int64
    assert codes.tolist() == [0, 0, 0]
    assert codes.dtype == np.intp
    assert look_up_tasks(None, tasks, 2, unseen="error", owner="Model").tolist() == [0, 0]


def test_labels_may_be_left_out_after_a_fit_on_one_task_only():
    assert look_up_tasks(None, np.array(["a"]), 2, unseen="error", owner="Model").tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"Model was fitted on 2 tasks, so 'tasks' .* is needed here too") as caught:
        look_up_tasks(None, np.array(["a", "b"]), 2, unseen="shared", owner="Model")
    assert "set_config(enable_metadata_routing=True)" in str(caught.value)
    assert "'task_column'" in str(caught.value)


def test_labels_given_to_a_model_fitted_without_are_looked_up_like_any():
    tasks, _ = learn_tasks(None, 3, owner="Model")
    assert look_up_tasks([0, 5, 0.0], tasks, 3, unseen="shared", owner="Model").tolist() == [0, -1, 0]
    with pytest.raises(TypeError, match=r"a model fitted without labels has the single task 0"):
        look_up_tasks(["a"], tasks, 1, unseen="shared", owner="Model")


@pytest.mark.parametrize("labels", [["a", "b", "c", "b"], [1, 2, 3, 2], [1.5, 2.5, 3.5, 2.5]])
def test_rows_looked_up_alone_equal_rows_looked_up_together(labels):
    known = np.array(labels[:2])
    together = look_up_tasks(labels, known, 4, unseen="shared", owner="Model")
    alone = [look_up_tasks([label], known, 1, unseen="shared", owner="Model")[0] for label in labels]
    assert together.tolist() == alone == [0, 1, -1, 1]
    assert together.dtype == np.intp


@pytest.mark.parametrize(
    ("fitted", "given", "named"),
    [
        (["b", "a"], list("cdefghi"), "'c', 'd', 'e', 'f', 'g', ..."),
        ([2, 1], np.arange(3, 10), "3, 4, 5, 6, 7, ..."),
        ([2.0, 1.0], np.arange(3.0, 10.0), "3.0, 4.0, 5.0, 6.0, 7.0, ..."),
        ([2, 1], 2.0 ** np.arange(2, 9), "4.0, 8.0, 16.0, 32.0, 64.0, ..."),
        ([2**70, 2**69], [*range(7)], "0, 1, 2, 3, 4, ..."),
    ],
)
def test_unseen_tasks_raise_where_asked_and_five_are_named(fitted, given, named):
    tasks, _ = learn_tasks(fitted, 2, owner="Model")
    labels = [*given, *fitted, *given]
    assert look_up_tasks(labels, tasks, 16, unseen="shared", owner="Model").tolist() == [-1] * 7 + [1, 0] + [-1] * 7
    message = f"'tasks' has 7 tasks that Model was not fitted on: {named}. Leave these rows out"
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        look_up_tasks(labels, tasks, 16, unseen="error", owner="Model")
    assert 'unseen_tasks="shared"' in str(caught.value)


def test_empty_labels_of_no_rows_are_looked_up():
    assert look_up_tasks([], np.array(["a", "b"]), 0, unseen="error", owner="Model").tolist() == []


@pytest.mark.parametrize(
    ("fitted", "given", "message"),
    [
        (["1", "2"], [1, 2], r"labels of type str, but 'tasks' holds int: 1, 2\. Convert"),
        ([1, 2], ["1", "2"], r"labels of type int, but 'tasks' holds str: '1', '2'\. Convert"),
        ([1, 2], [1, "2"], "labels of type int, but 'tasks' holds int and str"),
        ([1.0, 2.0], np.array(["2020", "2021"], dtype="M8[Y]"), "labels of type float, but 'tasks' holds datetime64"),
        (["1", "2"], [[1], [2, 3]], "labels of type str, but 'tasks' holds list"),
        ([dt.date(2020, 1, 1)] * 2, ["2020-01-01"] * 2, "labels of type date, but 'tasks' holds str"),
    ],
)
def test_labels_of_another_type_than_in_fit_raise_even_if_unseen_tasks_may_come(fitted, given, message):
    tasks, _ = learn_tasks(fitted, 2, owner="Model")
    for unseen in ["shared", "error"]:
        with pytest.raises(TypeError, match=f"Model was fitted on task {message}"):
            look_up_tasks(given, tasks, 2, unseen=unseen, owner="Model")


BAD_SHAPES = {
    "scalar": (lambda: "a", r"'tasks' must be 1-D, one label per row; got a single str\."),
    "number": (lambda: 3, r"'tasks' must be 1-D, one label per row; got a single int\."),
    "generator": (lambda: (label for label in "aba"), r"got a single generator\."),
    "set": (lambda: {"a", "b"}, r"got a single set\."),
    "too-short": (lambda: ["a"], r"'tasks' has 1 label but X has 3 rows\."),
    "too-long": (lambda: ["a"] * 5, r"'tasks' has 5 labels but X has 3 rows\."),
    "column": (lambda: np.zeros((3, 1)), r"must be 1-D, .*; got shape \(3, 1\)\. Pass it through numpy\.ravel\."),
    "matrix": (lambda: np.zeros((3, 2)), r"must be 1-D, one label per row; got shape \(3, 2\)\.$"),
    "frame": (lambda: pandas().DataFrame({"school": ["a", "b", "a"]}), r"must be 1-D, .*; got shape \(3, 1\)\."),
    "nested": (lambda: [np.zeros((2, 2)), np.zeros((2, 3)), np.zeros((2, 2))], r"got nested sequences\."),
    "nan": (lambda: [1.0, np.nan, 2.0], r"'tasks' has 1 missing label \(NaN or None\), in row 1\."),
    "nans": (lambda: np.array([np.nan] * 3), r"'tasks' has 3 missing labels \(NaN or None\), in rows 0, 1, 2\."),
    "none": (lambda: ["a", None, "b"], r"'tasks' has 1 missing label \(NaN or None\), in row 1\."),
    "nan-string": (lambda: ["a", float("nan"), "b"], r"in row 1\. Leave these rows out, or give them a label"),
    "numpy-nan": (lambda: np.array(["a", np.float64("nan"), "b"], dtype=object), r"in row 1\."),
    "nat": (lambda: np.array(["2020", "NaT", "2021"], dtype="M8[Y]"), r"in row 1\."),
    "masked": (lambda: np.ma.array([1, 2, 1], mask=[0, 1, 0]), r"in row 1\."),
    "pandas-int": (lambda: pandas().array([1, None, 2], dtype="Int64"), r"in row 1\."),
    "pandas-string": (lambda: pandas().array(["a", None, "b"], dtype="string"), r"in row 1\."),
    "pandas-category": (lambda: pandas().Categorical(["a", None, "b"]), r"in row 1\."),
    "pandas-category-int": (lambda: pandas().Series([1, None, 2], dtype="category"), r"in row 1\."),
    "pandas-nat": (lambda: pandas().Series(pandas().to_datetime(["2020", None, "2021"])), r"in row 1\."),
    "pandas-zone": (lambda: pandas().to_datetime(["2020", None, "2021"]).tz_localize("UTC"), r"in row 1\."),
    "polars-string": (lambda: polars().Series(["a", None, "b"]), r"in row 1\."),
    "polars-int": (lambda: polars().Series([1, None, 2]), r"in row 1\."),
}


@pytest.mark.parametrize(("make", "message"), [pytest.param(*value, id=name) for name, value in BAD_SHAPES.items()])
def test_labels_that_are_not_one_per_row_raise_in_fit_and_in_predict(make, message):
    with pytest.raises(ValueError, match=message):
        learn_tasks(make(), 3, owner="Model")
    for known in [np.array([1, 2]), np.array(["a", "b"])]:
        with pytest.raises(ValueError, match=message):
            look_up_tasks(make(), known, 3, unseen="shared", owner="Model")


def test_five_rows_of_missing_labels_are_named():
    with pytest.raises(ValueError, match=r"'tasks' has 8 missing labels .* in rows 2, 3, 4, 5, 6, \.\.\.\. Leave"):
        learn_tasks([1, 2] + [None] * 8, 10, owner="Model")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a", 1, 2], r"cannot sort the labels in 'tasks', which are of type int and str\. Give all labels one type"),
        (["a", 1, b"c"], "of type bytes, int and str"),
        (np.array([1j, 2, 3]), "of type complex"),
        ([[1], [2, 3], [1]], r"'tasks' must hold hashable labels, .*; got values of type list\."),
        ([{}, {}, {}], r"'tasks' must hold hashable labels, .*; got values of type dict\."),
    ],
)
def test_labels_without_an_order_or_a_hash_raise(labels, message):
    with pytest.raises(TypeError, match=message):
        learn_tasks(labels, 3, owner="Model")


def test_labels_without_a_hash_raise_in_predict_too():
    known, _ = learn_tasks([dt.date(2020, 1, 1)], 1, owner="Model")
    with pytest.raises(TypeError, match="'tasks' must hold hashable labels"):
        look_up_tasks([[1], [2, 3]], known, 2, unseen="shared", owner="Model")


@pytest.mark.parametrize("group", [STRINGS, INTEGERS, FLOATS, BOOLEANS, OTHERS])
def test_labels_are_left_as_they_were(group):
    for make in group.values():
        labels, twin = make(), make()
        if isinstance(labels, np.ndarray):
            labels.flags.writeable = False
        tasks, _ = learn_tasks(labels, 3, owner="Model")
        look_up_tasks(labels, tasks, 3, unseen="error", owner="Model")
        assert list(labels) == list(twin)
        assert not np.may_share_memory(tasks, np.asarray(labels))
