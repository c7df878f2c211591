"""A long comparison is safe: what is finished is kept, what is left goes on, one failure costs nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from skmtl.benchmark._report import render
from skmtl.benchmark._runner import run
from skmtl.benchmark._store import Store, fingerprint
from tests.benchmark._tables import Absent, MeanPerTask, make_table

pytest.importorskip("pandas")


class Counted(MeanPerTask):
    """Counts the fits that matter; those of the warm-up are on the same rows, before."""

    fits = 0

    def fit(self, table, validation):
        type(self).fits += 1
        super().fit(table, validation)


@pytest.fixture
def counted():
    return type("Fresh", (Counted,), {"fits": 0, "label": "Counted"})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "fits.jsonl", {"first": "here"})


def without_times(runs):
    return [dataclasses.replace(found, fit_seconds=0.0, predict_seconds=0.0) for found in runs]


def test_second_start_fits_nothing_again(counted, store):
    tables, models = {"first": make_table()}, {"mean": counted, "absent": Absent}
    one = run(tables, models, n_seeds=2, store=store)
    made = counted.fits
    two = run(tables, models, n_seeds=2, store=store)
    assert counted.fits == made == 3  # a warm-up and two seeds
    assert repr(two.runs) == repr(one.runs)
    assert two.outlier_scores == one.outlier_scores
    three = run(tables, models, n_seeds=3, store=store)
    assert counted.fits == made + 2
    assert repr(three.runs[:4]) == repr(one.runs)


def test_results_of_another_table_or_setting_are_not_reused(counted, store):
    run({"first": make_table()}, {"mean": counted}, n_seeds=1, store=store)
    other = Store(store.path, {"first": "elsewhere"})
    assert other.load() == []
    assert len(store.load()) == 1
    assert fingerprint(make_table()) == fingerprint(make_table())
    changed = make_table()
    changed.y[0] += 1.0
    assert fingerprint(changed) != fingerprint(make_table()) != fingerprint(make_table(45))


def test_a_line_that_was_cut_off_is_passed_over(counted, store):
    run({"first": make_table()}, {"mean": counted}, n_seeds=2, store=store)
    text = store.path.read_text()
    store.path.write_text(text[:-20])
    assert [found.seed for found, _ in store.load()] == [0]
    run({"first": make_table()}, {"mean": counted}, n_seeds=2, store=store)
    assert sorted(found.seed for found, _ in store.load()) == [0, 1]


class Failing(MeanPerTask):
    """Fails on every table with a message."""

    label = "Failing"

    def fit(self, table, validation):
        raise ValueError("no luck")


class OnlySmall(MeanPerTask):
    """Is not for large tables."""

    label = "Only small"

    @classmethod
    def reason_unsupported(cls, table):
        return "is for fewer than 50 rows" if len(table.y) >= 50 else None


def test_a_model_that_fails_is_reported_and_the_others_go_on(store):
    models = {"failing": Failing, "mean": MeanPerTask}
    with pytest.warns(RuntimeWarning, match=r"Failing failed on 'first', seed 0 \(ValueError: no luck\)"):
        results = run({"first": make_table()}, models, n_seeds=1, store=store)
    assert [found.status for found in results.runs] == ["failed", "ok"]
    text = render(results, 1)
    assert "Failed: Failing on first. ValueError: no luck" in text
    assert [found.model for found, _ in store.load()] == ["mean"]  # the failure is tried again


def test_a_model_that_is_not_for_a_table_says_so():
    tables = {"large": make_table(90), "small": make_table(45)}
    results = run(tables, {"small": OnlySmall}, n_seeds=1)
    assert [(found.table, found.status) for found in results.runs] == [("large", "unsupported"), ("small", "ok")]
    assert "Unsupported: Only small on large. is for fewer than 50 rows" in render(results, 1)


def test_ctrl_c_leaves_what_is_finished(store):
    class Stopping(MeanPerTask):
        calls = 0

        def fit(self, table, validation):
            type(self).calls += 1
            if self.calls == 4:  # after the warm-up and two fits
                raise KeyboardInterrupt
            super().fit(table, validation)

    results = run({"first": make_table()}, {"mean": Stopping}, n_seeds=5, store=store)
    assert results.interrupted
    assert [found.seed for found in results.runs] == [0, 1]
    assert "Interrupted: not all fits were made." in render(results, 1)
    again = run({"first": make_table()}, {"mean": Stopping}, n_seeds=5, store=store)
    assert [found.seed for found in again.runs] == [0, 1, 2, 3, 4]
    assert not again.interrupted


def test_ctrl_c_in_the_warm_up_leaves_what_an_earlier_start_finished(store):
    run({"first": make_table()}, {"mean": MeanPerTask}, n_seeds=1, store=store)

    class Stopping(MeanPerTask):
        def fit(self, table, validation):
            raise KeyboardInterrupt

    results = run({"first": make_table()}, {"mean": Stopping}, n_seeds=2, store=store)
    assert results.interrupted
    assert [found.seed for found in results.runs] == [0]


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_fits_at_the_same_time_give_the_same(backend, store):
    tables = {"first": make_table(), "second": make_table(45)}
    models = {"mean": MeanPerTask, "absent": Absent}
    said = []
    one = run(tables, models, n_seeds=2)
    two = run(
        tables, models, n_seeds=2, n_jobs=2, backend=backend, advance=lambda *told: said.append(told), store=store
    )
    assert repr(without_times(two.runs)) == repr(without_times(one.runs))
    assert len(said) == 8


def test_numbers_survive_the_file(store):
    table = make_table()
    tasks = np.unique(table.tasks, return_inverse=True)[1]
    table = type(table)(table.X, table.y, tasks)
    one = run({"first": table}, {"mean": MeanPerTask}, n_seeds=1, store=store)
    ((found, scores),) = store.load()
    assert repr(found) == repr(one.runs[0])  # NaN differs from itself
    assert scores == {0: 0.1, 1: 0.1, 2: 0.1}
