"""The task column leaves `X` and comes back as labels; everything else stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from skmtl.tasks import learn_tasks, take_tasks

LABELS = ["b", "a", "b", "c"]


@pytest.fixture
def pandas_frame():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({"u": [1.0, 2.0, 3.0, 4.0], "school": LABELS, "v": [5, 6, 7, 8]}, index=[9, 9, 3, 0])


@pytest.fixture
def polars_frame():
    polars = pytest.importorskip("polars")
    return polars.DataFrame({"u": [1.0, 2.0, 3.0, 4.0], "school": LABELS, "v": [5, 6, 7, 8]})


@pytest.fixture(params=["pandas", "polars"])
def frame(request):
    return request.getfixturevalue(f"{request.param}_frame")


@pytest.mark.parametrize("tasks", [None, [1, 2], "not checked here"])
@pytest.mark.parametrize("X", [[1, 2], [[1.0], [2.0]], np.zeros(3), None, scipy.sparse.eye(2)])
def test_without_a_task_column_everything_passes_untouched(X, tasks):
    features, labels = take_tasks(X, tasks, None, owner="Model")
    assert features is X
    assert labels is tasks


@pytest.mark.parametrize("task_column", ["school", 1, -2, np.int64(1), np.str_("school")])
def test_column_of_a_frame_by_name_and_by_position(frame, task_column):
    features, labels = take_tasks(frame, None, task_column, owner="Model")
    assert type(features) is type(frame)
    assert list(features.columns) == ["u", "v"]
    np.testing.assert_array_equal(features["v"].to_numpy(), [5, 6, 7, 8])
    assert learn_tasks(labels, 4, owner="Model")[0].tolist() == ["a", "b", "c"]


def test_frame_is_left_as_it_was(pandas_frame):
    pandas = pytest.importorskip("pandas")
    before = pandas_frame.copy()
    features, labels = take_tasks(pandas_frame, None, "school", owner="Model")
    features.iloc[:, :] = 0
    assert labels.tolist() == LABELS
    pandas.testing.assert_frame_equal(pandas_frame, before)
    assert features.index.tolist() == [9, 9, 3, 0]


@pytest.mark.parametrize("dtype", ["category", "string", object])
def test_column_of_any_dtype(pandas_frame, dtype):
    typed = pandas_frame.astype({"school": dtype})
    _, labels = take_tasks(typed, None, "school", owner="Model")
    tasks, codes = learn_tasks(labels, 4, owner="Model")
    assert tasks.tolist() == ["a", "b", "c"]
    assert codes.tolist() == [1, 0, 1, 2]


def test_dtypes_of_the_other_columns_are_kept(pandas_frame):
    typed = pandas_frame.assign(w=pandas_frame["school"].astype("category")).astype({"v": "Int64"})
    features, _ = take_tasks(typed, None, "school", owner="Model")
    assert features.dtypes.equals(typed.dtypes.drop("school"))


@pytest.mark.parametrize(("task_column", "expected"), [(10, [1, 4]), (0, [2, 5]), (2, [3, 6])])
def test_integer_is_a_label_where_all_column_labels_are_integers(task_column, expected):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame([[1, 2, 3], [4, 5, 6]], columns=[10, 0, 2])
    features, labels = take_tasks(frame, None, task_column, owner="Model")
    assert labels.tolist() == expected
    assert task_column not in features.columns
    with pytest.raises(ValueError, match=r"'task_column' is 1, which is not a column of X\. .* 3 columns: 10, 0, 2\."):
        take_tasks(frame, None, 1, owner="Model")


@pytest.mark.parametrize("task_column", [2, -1])
def test_integer_is_a_position_where_columns_are_numbered_or_named(task_column):
    pandas = pytest.importorskip("pandas")
    for columns in [None, ["a", "b", "c"], ["a", 2, 0]]:
        frame = pandas.DataFrame([[1, 2, 3], [4, 5, 6]], columns=columns)
        assert take_tasks(frame, None, task_column, owner="Model")[1].tolist() == [3, 6]


@pytest.mark.parametrize(("task_column", "others"), [(0, [1, 2]), (1, [0, 2]), (-1, [0, 1]), (-3, [1, 2])])
@pytest.mark.parametrize("order", ["C", "F"])
def test_column_of_an_array(task_column, others, order):
    X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], order=order)
    X.flags.writeable = False
    features, labels = take_tasks(X, None, task_column, owner="Model")
    np.testing.assert_array_equal(features, X[:, others])
    np.testing.assert_array_equal(labels, X[:, task_column])
    assert not np.may_share_memory(features, X)


def test_column_of_lists_keeps_labels_and_numbers_apart():
    features, labels = take_tasks([[1.5, "a"], [2.5, "b"]], None, -1, owner="Model")
    assert features.tolist() == [[1.5], [2.5]]
    assert labels.tolist() == ["a", "b"]
    features, labels = take_tasks([[1.5, 7], [2.5, 8]], None, 1, owner="Model")
    assert features.dtype == np.float64
    assert labels.tolist() == [7.0, 8.0]


def test_column_of_an_object_array():
    X = np.array([[1.5, "a"], [2.5, "b"]], dtype=object)
    features, labels = take_tasks(X, None, 1, owner="Model")
    assert features.tolist() == [[1.5], [2.5]]
    assert labels.tolist() == ["a", "b"]


def test_rows_taken_alone_equal_rows_taken_together(frame):
    _, together = take_tasks(frame, None, "school", owner="Model")
    alone = [take_tasks(frame[row : row + 1], None, "school", owner="Model")[1][0] for row in range(4)]
    assert alone == list(together)


@pytest.mark.parametrize("X", [np.zeros((3, 2)), [[1, 2], [3, 4]], None])
def test_both_routes_raise(X):
    message = r"^Model got both 'tasks' and 'task_column'='school'; choose one: "
    with pytest.raises(ValueError, match=message):
        take_tasks(X, [1, 2], "school", owner="Model")


@pytest.mark.parametrize("task_column", [1.0, True, np.bool_(False), ["school"], ("a", "b"), b"school"])
def test_task_column_of_another_type_raises(frame, task_column):
    with pytest.raises(TypeError, match=r"'task_column' must be the name \(str\) or the position \(int\) .* got"):
        take_tasks(frame, None, task_column, owner="Model")


def test_unknown_name_lists_columns_and_the_nearest(frame):
    message = (
        r"'task_column' is 'schol', which is not a column of X\. Did you mean 'school'\? "
        r"X has 3 columns: 'u', 'school', 'v'\."
    )
    with pytest.raises(ValueError, match=message):
        take_tasks(frame, None, "schol", owner="Model")
    with pytest.raises(ValueError, match=r"not a column of X\. X has 3 columns"):
        take_tasks(frame, None, "something else", owner="Model")


def test_unknown_name_lists_five_columns_at_most():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.zeros((1, 9)), columns=[f"x{i}" for i in range(9)])
    with pytest.raises(ValueError, match=r"X has 9 columns: 'x0', 'x1', 'x2', 'x3', 'x4', \.\.\.\.$"):
        take_tasks(frame, None, "z", owner="Model")


def test_name_of_two_columns_raises(pandas_frame):
    twice = pandas_frame.set_axis(["school", "school", "v"], axis=1)
    with pytest.raises(ValueError, match=r"'task_column' is 'school', but X has 2 columns of this name\."):
        take_tasks(twice, None, "school", owner="Model")
    features, labels = take_tasks(twice, None, 1, owner="Model")  # the position tells them apart
    assert features.columns.tolist() == ["school", "v"]
    assert labels.tolist() == LABELS


@pytest.mark.parametrize("X", [np.zeros((2, 3)), [[1, 2], [3, 4]]], ids=["array", "list"])
def test_name_for_an_array_raises(X):
    message = rf"'task_column' is the name 'school', but X is a {type(X).__name__} without column names\."
    with pytest.raises(ValueError, match=message):
        take_tasks(X, None, "school", owner="Model")


@pytest.mark.parametrize("task_column", [3, -4, 100])
def test_position_out_of_range_raises(frame, task_column):
    message = rf"'task_column' is {task_column}, out of range for an X with 3 columns; expected an int from -3 to 2\."
    for X in [frame, np.zeros((2, 3)), [[1, 2, 3]]]:
        with pytest.raises(ValueError, match=message):
            take_tasks(X, None, task_column, owner="Model")


@pytest.mark.parametrize("X", [np.zeros(3), [1, 2, 3], np.zeros((2, 3, 4)), 5])
def test_task_column_of_an_array_that_is_not_2d_raises(X):
    with pytest.raises(ValueError, match=r"'task_column' needs a 2-D X, but Model got an X of shape \("):
        take_tasks(X, None, 0, owner="Model")


@pytest.mark.parametrize("make", [scipy.sparse.csr_matrix, scipy.sparse.coo_array])
def test_task_column_of_a_sparse_matrix_raises(make):
    with pytest.raises(TypeError, match=r"'task_column' needs a dense X, but Model got a sparse c.*X\.toarray\(\)\."):
        take_tasks(make(np.eye(3)), None, 0, owner="Model")


def test_missing_labels_in_the_column_raise_and_name_it(frame):
    holes = [None, "a", None, "c"]
    holed = frame.assign(school=holes) if hasattr(frame, "assign") else frame.with_columns(school=np.array(holes))
    message = r"^The column that 'task_column'='school' names has 2 missing labels \(NaN or None\), in rows 0, 2\."
    with pytest.raises(ValueError, match=message):
        take_tasks(holed, None, "school", owner="Model")
    with pytest.raises(ValueError, match=r"^The column that 'task_column'=0 names has 1 missing label"):
        take_tasks(np.array([[np.nan, 1.0], [0.0, 1.0]]), None, 0, owner="Model")
