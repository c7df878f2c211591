"""The search is the same for all models: trials, rows, seeds; and its result is what the fit that counts uses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import loguniform

from skmtl.benchmark._html import write_html
from skmtl.benchmark._protocol import TEST, VALIDATION, hold_out, split
from skmtl.benchmark._registry import MODELS
from skmtl.benchmark._report import render
from skmtl.benchmark._runner import run
from skmtl.benchmark._store import Store
from skmtl.benchmark._tuning import candidates, tune
from tests.benchmark._tables import MeanPerTask, make_table

pytest.importorskip("pandas")


class Shifted(MeanPerTask):
    """Predicts the mean of the task and something more, which is best at 0.3."""

    label = "Shifted"
    space = {"shift": [0.3, 1.0, 2.0, 3.0]}
    calls: list = []

    def fit(self, table, validation):
        super().fit(table, validation)
        self.calls.append((dict(self.params), table, validation, self.seed, self.n_threads))
        if self.params.get("shift") == 2.0:
            raise ValueError("no luck")

    def predict(self, X, tasks):
        return super().predict(X, tasks) + abs(self.params.get("shift", 1.5) - 0.3)


@pytest.fixture
def shifted():
    return type("Fresh", (Shifted,), {"calls": []})


@pytest.fixture
def rows():
    table = make_table(150)
    part = split(table.tasks, 3)
    return table.take(part != TEST), part[part != TEST] == VALIDATION


def test_the_best_trial_on_the_validation_rows_wins(shifted, rows):
    search = tune(shifted, *rows, n_trials=10, n_threads=2, seed=3)
    assert search.params == {"shift": 0.3}
    assert (search.n_trials, search.n_failed) == (5, 1)  # the defaults and the four there are
    assert search.seconds > 0


def test_trials_never_see_the_validation_rows_and_share_everything(shifted, rows):
    table, validation = rows
    tune(shifted, table, validation, n_trials=3, n_threads=2, seed=3)
    assert len(shifted.calls) == 3
    assert shifted.calls[0][0] == {}
    for _, seen, stop_on, seed, n_threads in shifted.calls:
        np.testing.assert_array_equal(seen.y, table.y[~validation])
        np.testing.assert_array_equal(stop_on, hold_out(seen.tasks, 3))
        assert (seed, n_threads) == (3, 2)


def test_rows_to_stop_on_are_a_share_of_every_task():
    tasks = np.repeat(["a", "b", "c"], [20, 40, 2])
    mask = hold_out(tasks, 0)
    assert [int(mask[tasks == task].sum()) for task in "abc"] == [3, 6, 0]
    np.testing.assert_array_equal(mask, hold_out(tasks, 0))
    assert not np.array_equal(mask, hold_out(tasks, 1))


def test_no_trials_or_no_space_are_the_defaults(shifted, rows):
    for model, n_trials in ((shifted, 0), (MeanPerTask, 5)):
        search = tune(model, *rows, n_trials=n_trials, n_threads=1, seed=0)
        assert (search.params, search.n_trials) == ({}, 0)
        assert np.isnan(search.seconds)
    assert shifted.calls == []


def test_all_trials_failing_is_an_error(rows):
    class Failing(Shifted):
        def fit(self, table, validation):
            raise ValueError("no luck")

    with pytest.raises(RuntimeError, match="all 2 trials failed, the first one by ValueError: no luck"):
        tune(Failing, *rows, n_trials=2, n_threads=1, seed=0)


def test_candidates_depend_on_the_seed_alone():
    space = {"rate": loguniform(0.01, 1.0), "leaves": [4, 8]}
    one, two = candidates(space, 6, 0), candidates(space, 6, 0)
    assert one == two
    assert len(one) == 6
    assert one[0] == {}
    assert all(0.01 <= params["rate"] <= 1.0 and params["leaves"] in {4, 8} for params in one[1:])
    assert candidates(space, 6, 1) != one
    assert candidates(space, 4, 0) == one[:4]  # more trials go on where fewer stopped
    json.dumps(one)


def test_a_comparison_with_trials_keeps_and_shows_them(shifted, tmp_path):
    models = {"shifted": shifted, "mean": MeanPerTask}
    store = Store(tmp_path / "fits.jsonl", {"first": "3 trials"})
    results = run({"first": make_table()}, models, n_seeds=1, n_trials=5, store=store)
    found, plain = results.runs
    assert json.loads(found.settings) == {"shift": 0.3}
    assert (found.n_trials, found.n_failed_trials, plain.n_trials, plain.settings) == (5, 1, 0, "")
    assert found.search_seconds > 0
    assert found.error == pytest.approx(plain.error)  # the settings are those of the fit that counts
    text = render(results, 1)
    assert "search, s" in text
    assert "the best of 5 trials for every model" in " ".join(text.split())
    assert "Not tuned, without settings to search: Mean per task." in " ".join(text.split())
    write_html(results, tmp_path / "report.html", "Title", 1)
    assert "<th>search, s</th>" in (tmp_path / "report.html").read_text()
    again = run({"first": make_table()}, models, n_seeds=1, n_trials=5, store=store)
    assert repr(again.runs) == repr(results.runs)


def test_without_trials_nothing_is_said_of_them():
    text = render(run({"first": make_table()}, {"mean": MeanPerTask}, n_seeds=1), 1)
    assert "search" not in text
    assert "nothing was tuned" in text


@pytest.mark.parametrize("name", sorted(name for name in MODELS if MODELS[name].space))
def test_every_setting_of_a_space_is_one_that_the_model_takes(name):
    """Extreme settings of the space change predictions: nothing is ignored."""
    model = MODELS[name]
    if model.reason_missing() is not None:
        pytest.skip(model.reason_missing())
    table = make_table(300)
    validation = split(table.tasks, 0) == VALIDATION

    def predict(params):
        fitted = model(1, 0, params)
        fitted.fit(table, validation)
        return fitted.predict(table.X, table.tasks)

    default, changed = predict({}), set()
    for setting, values in model.space.items():
        ends = (values[0], values[-1]) if isinstance(values, list) else values.interval(0.98)
        if any(not np.array_equal(predict({setting: end}), default) for end in ends):
            changed.add(setting)
    assert changed == set(model.space)
