"""A shared phase that goes on for long is held against its own beginning, followed by the other blocks."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skmtl.boosting import RMTGBRegressor
from skmtl.boosting.schedules import _look_ahead
from skmtl.datasets import make_fourier_tasks


def _never(monkeypatch):
    monkeypatch.setattr(_look_ahead.LookAhead, "ends_phase", lambda self, model: False)


def _looks(monkeypatch):
    """Note which blocks are looked at; returns the list, which fills as models are fitted."""
    looked = []
    real = _look_ahead.LookAhead._follow

    def follow(self, model, block):
        looked.append(block.name)
        real(self, model, block)

    monkeypatch.setattr(_look_ahead.LookAhead, "_follow", follow)
    return looked


def _rmse(model, X, y, tasks):
    return np.sqrt(np.mean((model.predict(X, tasks=tasks) - y) ** 2))


def _fourier(scenario, seed):
    table = make_fourier_tasks(scenario, n_test_samples=300, random_state=seed)
    return (table.data, table.target, table.tasks), (table.test_data, table.test_target, table.test_tasks)


def _fit(rows, **params):
    X, y, tasks = rows
    return RMTGBRegressor(random_state=0, **params).fit(X, y, tasks=tasks)


@pytest.mark.parametrize("seed", [3, 5])
def test_shared_trees_end_where_a_few_of_each_block_come_further(seed, monkeypatch):
    """Two functions in unequal parts are the partition block's; shared trees would tell the tasks apart."""
    rows, new = _fourier(4, seed)
    model = _fit(rows)
    _never(monkeypatch)
    long = _fit(rows)
    assert model.n_iter_per_block_["shared"] == 20 and long.n_iter_per_block_["shared"] > 80
    assert _rmse(model, *new) < 0.95 * _rmse(long, *new)


def test_blocks_after_such_an_end_have_rounds_in_proportion_to_the_rows_of_a_task():
    X, y, tasks = _fourier(4, 5)[0]
    few = np.arange(len(y)) % 300 < 100  # of each task's 300
    model = _fit((X[few], y[few], tasks[few]))
    assert model.n_iter_per_block_["shared"] == 20
    assert model.n_iter_per_block_["partition"] == 170  # two for each of the 85 that are not held out


def test_a_look_that_ends_nothing_leaves_no_trace(monkeypatch):
    """Not even in what is drawn afterwards."""
    rows, (X, _, tasks) = _fourier(1, 0)
    looked = _looks(monkeypatch)
    model = _fit(rows, max_iter=120)
    assert looked == ["partition", "joint", "specific"]
    _never(monkeypatch)
    blind = _fit(rows, max_iter=120)
    assert_array_equal(model.predict(X, tasks=tasks), blind.predict(X, tasks=tasks))
    assert_array_equal(model.validation_score_, blind.validation_score_)
    assert_array_equal(model.block_sequence_, blind.block_sequence_)


@pytest.mark.parametrize("params", [{"max_iter": 79}, {"schedule": {"shared": 200, "specific": 20}}])
def test_short_phases_and_fixed_schedules_are_not_looked_at(params, monkeypatch):
    looked = _looks(monkeypatch)
    _fit(_fourier(1, 0)[0], **params)
    assert not looked


def test_without_tasks_there_is_nothing_to_look_at(monkeypatch):
    looked = _looks(monkeypatch)
    X, y, _ = _fourier(1, 0)[0]
    _fit((X, y, None))
    assert not looked
