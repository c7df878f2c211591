"""The fetched tables: from a folder, from the address, from the cache; anything else than the table is refused."""

from __future__ import annotations

import gzip
import inspect
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from skmtl import datasets
from skmtl.datasets import _download, _rmtgb_tables

NAMES = ["abalone", "avila", "computer", "landmine", "school"]


GIVEN = os.environ.get("SKMTL_DATASETS")


@pytest.fixture
def copies(request):
    """Folder with the real tables; where there is none, the test is skipped."""
    return Path(GIVEN) if GIVEN else request.getfixturevalue("shared_dir") / "datasets"


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch):
    monkeypatch.delenv("SKMTL_DATASETS", raising=False)


@pytest.mark.parametrize("name", NAMES)
def test_real_table_is_as_documented(name, copies, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.setenv("SKMTL_DATASETS", str(copies))
    fetch = getattr(datasets, f"fetch_{name}")
    bunch = fetch()
    source = getattr(_rmtgb_tables, f"_{name.upper()}")
    assert bunch.data.shape == source.shape
    assert bunch.target.shape == bunch.tasks.shape == source.shape[:1]
    assert bunch.target.dtype == (np.int64 if source.classifies else np.float64)
    assert bunch.feature_names == bunch.data.columns.tolist()
    assert {"task", "target"}.isdisjoint(bunch.feature_names)
    document = inspect.getdoc(fetch)
    counts = np.bincount(bunch.tasks)
    sizes = {counts.min(), counts.max(), len(counts)}
    wanted = [source.shape[0], source.shape[1], len(counts), int(bunch.target.max())]
    wanted += [] if name == "abalone" else sizes
    assert all(str(number) in document for number in wanted)
    assert "R-MTGB" in bunch.DESCR
    assert "not stated" in bunch.licence
    X, y, tasks = fetch(return_X_y_tasks=True, as_frame=False)
    np.testing.assert_array_equal(X, bunch.data.to_numpy())
    np.testing.assert_array_equal(y, bunch.target)
    np.testing.assert_array_equal(tasks, bunch.tasks)


ROWS = np.array([[0.1, 2.0, 0.0, 1.0], [0.3, 4.0, 1.0, 0.0], [1 / 3, 5.0, 1.0, 1.0]])


@pytest.fixture
def tiny(monkeypatch):
    """A table of three rows in place of a real one."""
    source = _download.Source("tiny", (3, 2), _download.digest(ROWS), "nobody", classifies=True)
    monkeypatch.setattr(_rmtgb_tables, "_ABALONE", source)
    return source


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder in place of the public address; returns it, and the list of what was asked for."""
    pooch = pytest.importorskip("pooch")
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "tiny_data.csv").write_text("u,v,Task\n" + "\n".join(",".join(map(repr, r[:3])) for r in ROWS.tolist()))
    (folder / "tiny_target.csv").write_text("target\n1\n0\n1\n")
    asked = []

    def retrieve(url, known_hash, fname, path, progressbar):
        asked.append(url)
        found = folder / url.rsplit("/", 1)[1]
        if not found.is_file():
            raise OSError("404")
        (Path(path) / fname).write_bytes(found.read_bytes())
        return str(Path(path) / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    return folder, asked


def test_download_is_kept_and_read_again(tiny, site, tmp_path):
    home = tmp_path / "home"
    X, y, tasks = datasets.fetch_abalone(data_home=home, return_X_y_tasks=True, as_frame=False)
    np.testing.assert_array_equal(X, ROWS[:, :2])
    assert (y.tolist(), tasks.tolist()) == ([1, 0, 1], [0, 1, 1])
    assert [url.rsplit("/", 3)[1:] for url in site[1]] == [
        ["Datasets", "tiny", "tiny_data.csv"],
        ["Datasets", "tiny", "tiny_target.csv"],
    ]
    again = datasets.fetch_abalone(data_home=str(home), download_if_missing=False)
    assert len(site[1]) == 2
    assert again.feature_names == ["u", "v"]
    np.testing.assert_array_equal(again.data, X)
    assert [path.name for path in home.iterdir()] == ["tiny.csv.gz"]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("tiny_data.csv", "u,v,Task\n0.1,2,0\n0.3,4,1\n", "have 2 and 3 rows"),
        ("tiny_data.csv", "u,v,Task\n0.1,2,0\n0.3,4,1\n0.3333,5,1\n", "SHA-256 digest of its values is"),
        ("tiny_data.csv", "u,Task\n0.1,0\n0.3,1\n0.3333,1\n", "it has 3 rows of 3 columns; expected 3 rows of 4"),
        ("tiny_data.csv", "u,v,Task\n0.1,2,0\n0.3,", "is no table of numbers"),
        ("tiny_target.csv", "<html>not found</html>\nx", "is no table of numbers"),
    ],
)
def test_damaged_download_is_refused_and_not_kept(tiny, site, tmp_path, file, text, message):
    (site[0] / file).write_text(text)
    with pytest.raises(OSError, match=message) as error:
        datasets.fetch_abalone(data_home=tmp_path / "home")
    assert "SKMTL_DATASETS" in str(error.value)
    assert not (tmp_path / "home").exists()


def test_offline_error_says_what_to_do(tiny, site, tmp_path):
    (site[0] / "tiny_data.csv").unlink()
    with pytest.raises(
        OSError, match=r"Cannot download .*tiny_data\.csv.* \(OSError: 404\)\. Without a connection"
    ) as error:
        datasets.fetch_abalone(data_home=tmp_path)
    assert "set the environment variable SKMTL_DATASETS" in str(error.value)


def test_no_download_where_none_is_wanted(tiny, site, tmp_path):
    with pytest.raises(FileNotFoundError, match="download_if_missing is False"):
        datasets.fetch_abalone(data_home=tmp_path, download_if_missing=False)
    assert site[1] == []


@pytest.mark.parametrize("what", ["truncated", "changed", "text"])
def test_damaged_file_is_refused(tiny, site, tmp_path, what):
    datasets.fetch_abalone(data_home=tmp_path)
    path = tmp_path / "tiny.csv.gz"
    if what == "truncated":
        path.write_bytes(path.read_bytes()[:-12])
    elif what == "changed":
        with gzip.open(path, "wt") as file:
            file.write("u,v,task,target\n0.1,2.0,0,1\n0.3,4.0,1,0\n0.33,5.0,1,1\n")
    else:
        path.write_text("not gzip")
    with pytest.raises(OSError, match=r"Delete it, and fetch the table again\."):
        datasets.fetch_abalone(data_home=tmp_path)


def test_folder_of_the_variable_goes_first_and_must_have_the_file(tiny, site, tmp_path, monkeypatch):
    datasets.fetch_abalone(data_home=tmp_path / "home")
    monkeypatch.setenv("SKMTL_DATASETS", str(tmp_path / "home"))
    assert datasets.fetch_abalone(data_home=tmp_path / "elsewhere").data.shape == (3, 2)
    monkeypatch.setenv("SKMTL_DATASETS", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"SKMTL_DATASETS is '.*', but there is no 'tiny\.csv\.gz'"):
        datasets.fetch_abalone(data_home=tmp_path / "home")


def test_missing_pooch_names_the_extra(tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"skmtl\[data\]"):
        datasets.fetch_abalone(data_home=tmp_path)


def test_wrong_argument_names_the_parameter():
    with pytest.raises(ValueError, match="'data_home' parameter"):
        datasets.fetch_school(data_home=3)
