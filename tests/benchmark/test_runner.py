"""A comparison runs every model on every table and seed, on the same rows, and reports all of them."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from skmtl.benchmark import _plot
from skmtl.benchmark._protocol import TEST, split
from skmtl.benchmark._report import render, summarise, write_csv
from skmtl.benchmark._runner import run
from tests.benchmark._tables import Absent, MeanPerTask, make_table

pytest.importorskip("pandas")

MODELS = {"mean": MeanPerTask, "absent": Absent}


WORDS = {"first": ("tasks", "units"), "second": ("tasks", "units")}


@pytest.fixture
def results():
    return run({"first": make_table(), "second": make_table(45)}, MODELS, n_seeds=2, n_threads=1, words=WORDS)


def test_every_table_model_and_seed_has_one_run(results):
    found = sorted((run.table, run.model, run.seed) for run in results.runs)
    assert found == sorted((t, m, s) for t in ["first", "second"] for m in MODELS for s in [0, 1])


def test_errors_equal_those_of_the_model_fitted_by_hand(results):
    table = make_table()
    part = split(table.tasks, 1)
    model = MeanPerTask(1, 1)
    model.fit(table.take(part != TEST), np.zeros(int(np.sum(part != TEST)), dtype=bool))
    test = table.take(part == TEST)
    expected = np.sqrt(np.mean((model.predict(test.X, test.tasks) - test.y) ** 2))
    found = next(run for run in results.runs if (run.table, run.model, run.seed) == ("first", "mean", 1))
    assert found.error == pytest.approx(expected)
    assert (found.n_tasks, found.n_train, found.n_test) == (3, 72, 18)
    assert found.fit_seconds > 0
    assert found.predict_seconds > 0


def test_models_get_all_training_rows_and_the_same_validation_rows(monkeypatch):
    seen = []

    class Recorder(MeanPerTask):
        def fit(self, table, validation):
            super().fit(table, validation)
            seen.append((self.seed, self.seen))

    run({"first": make_table()}, {"one": Recorder, "two": Recorder}, n_seeds=1, n_threads=2)
    warm_up, (first, second) = seen[::2], seen[1::2]  # each model warms up right before its first fit
    assert [rows[0] for _, rows in warm_up] == [90, 90]
    assert first == second == (0, (72, 12, 2))


def test_progress_is_told_of_every_fit():
    said = []
    run({"first": make_table()}, {"mean": MeanPerTask}, n_seeds=2, advance=lambda *told: said.append(told))
    assert [text for text, _ in said] == ["first, Mean per task, seed 0", "first, Mean per task, seed 1"]
    assert said[0][1] is None
    assert said[1][1] > 0.0


def test_missing_model_is_reported_not_dropped(results, tmp_path):
    assert list(results.missing) == ["absent"]
    text = render(results, 1)
    assert text.count("missing\n") == 2  # once per table
    assert "Missing: Absent. 'skmtl_absent' is needed" in text
    write_csv(results, tmp_path / "scores.csv", 1)
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == "absent"]
    assert len(rows) == 4
    assert {(row["status"], row["error"], row["fit_seconds"]) for row in rows} == {("missing", "", "")}


def test_csv_holds_every_run(results, tmp_path):
    write_csv(results, tmp_path / "scores.csv", 3)
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(results.runs)
    columns = {"table", "model", "seed", "n_tasks", "error", "worst_task", "worst_task_error", "fit_seconds"}
    assert columns | {"predict_seconds", "n_threads", "versions"} <= set(rows[0])
    for row, found in zip(rows, results.runs, strict=True):
        if found.status == "ok":
            assert float(row["error"]) == found.error
            assert row["worst_task"] == found.worst_task
        assert row["n_threads"] == "3"
        assert "scikit-learn " in row["versions"]


def test_summary_is_over_the_seeds(results):
    summary = summarise(results)["first"][0]
    errors = [run.error for run in results.runs if (run.table, run.model) == ("first", "mean")]
    assert summary.mean == pytest.approx(np.mean(errors))
    assert summary.sd == pytest.approx(np.std(errors, ddof=1))


def test_report_shows_scores_units_and_the_most_outlying_tasks(results):
    lines = render(results, 1).splitlines()
    text = "\n".join(lines)
    assert "first: 90 rows, 3 tasks; errors in units" in text
    assert "2 splits" in text
    assert "1 thread per model" in text
    summary = summarise(results)["first"][0]
    assert f"{summary.mean:.4f} ± {summary.sd:.4f}" in text
    header = next(i for i, line in enumerate(lines) if line.startswith("  Most outlying tasks"))
    assert lines[header + 1] == "    c: 1.000 (30 rows)"
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("scores", "line"),
    [
        ({"a": 0.5, "b": 0.5, "c": 0.5}, "  No outlying tasks by RMTGB: all have the outlier score 0.500."),
        ({"a": 0.9, "b": 0.9, "c": 0.9, "d": 0.9, "e": 0.9, "f": 0.1}, "    and 2 more with the last score"),
    ],
)
def test_equal_outlier_scores_are_said_to_be_equal(results, scores, line):
    results.outlier_scores["first"] = {task: [value, value] for task, value in scores.items()}
    results.task_sizes["first"] = dict.fromkeys(scores, 30)
    assert line in render(results, 1).splitlines()


def test_one_seed_has_no_spread():
    text = render(run({"first": make_table()}, {"mean": MeanPerTask}, n_seeds=1), 1)
    table = text.partition("first:")[2].splitlines()[3]
    assert "±" not in table
    assert "1 split," in text


def test_a_model_with_fewer_splits_than_others_says_so(results):
    first = [run for run in results.runs if run.seed == 0]
    results.runs = [run for run in results.runs if run.table == "first" or run.seed == 0]
    text = render(results, 1)
    error = next(run.error for run in first if (run.table, run.model) == ("second", "mean"))
    assert f"{error:.4f} (1 split)" in text.partition("second:")[2]
    assert "(1 split)" not in text.partition("second:")[0]


def test_picture_has_one_line_of_panels_per_table(results, tmp_path, monkeypatch):
    figure_module = pytest.importorskip("matplotlib.figure")
    made = []

    class Kept(figure_module.Figure):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(figure_module, "Figure", Kept)
    _plot.write_picture(results, tmp_path / "scores.png")
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")
    (figure,) = made
    assert len(figure.axes) == 4
    errors, times = figure.axes[:2]
    assert errors.get_title("left") == "first: 90 rows, 3 tasks"
    assert "units" in errors.get_xlabel()
    assert "in s" in times.get_xlabel()
    assert [text.get_text() for text in errors.get_yticklabels()] == ["Mean per task", "Absent (missing)"]
    figure.draw_without_rendering()  # places everything anew: the file had another resolution
    whole = figure.bbox
    for ax in figure.axes:
        labels = [text.get_window_extent() for text in ax.get_yticklabels() if text.get_visible()]
        boxes = [
            *labels,
            ax.xaxis.label.get_window_extent(),
            *(text.get_window_extent() for text in ax.texts if text.get_text()),
        ]
        assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 for box in boxes)
    # Labels of neighbouring panels keep out of each other's way.
    boxes = [ax.xaxis.label.get_window_extent() for ax in (errors, times)]
    assert boxes[0].x1 < boxes[1].x0
