"""Several threads grow the tree that one thread grows, bit by bit, and histograms add up however the rows are split."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
from skmtl.boosting import _team as team_module
from skmtl.boosting._packs import with_packs
from skmtl.boosting._team import Memory, Team
from skmtl.boosting.kernels.types import empty_nodes
from tests.boosting.kernels._cases import LAYOUTS, SMALL, histogram_of, make_problem, make_settings
from tests.boosting.test_packs import one_hot_problem

N_ROWS = 500 if SMALL else 40_000


def make_memory(problem, settings, n_slots=30):
    """Memory for a tree on all rows."""
    n_channels = problem.words.words.shape[1]
    return Memory(
        np.arange(problem.n_rows, dtype=np.int32),
        empty_nodes(2 * settings.max_leaf_nodes - 1),
        np.empty(n_slots * int(problem.table.offsets[-1]) * n_channels, np.int64),
        np.empty((problem.n_rows, n_channels), np.int64),
        np.empty(problem.n_rows, np.int32),
        settings.max_leaf_nodes,
    )


def grow_in(memory, team, problem, settings, stop):
    """Nodes and rows of a tree, which the next one in this memory takes the place of, and its number of nodes."""
    count = team.grow_tree(problem.table, problem.words, settings, stop, memory, 5)
    return memory.nodes, memory.rows[:stop], count


def grow(problem, settings, n_threads, *, rows=None, n_slots=30, helpers=True):
    """Nodes and rows of a tree grown by a team; without `helpers` the others never come."""
    team = Team(n_threads)
    if not helpers:
        team._submit = lambda *arguments: None
    memory = make_memory(problem, settings, n_slots)
    if rows is not None:
        memory.rows[: len(rows)] = rows
    return grow_in(memory, team, problem, settings, problem.n_rows if rows is None else len(rows))


def assert_same_tree(one, other):
    assert one[2] == other[2] > 3
    np.testing.assert_array_equal(one[1], other[1])
    for name, mine, theirs in zip(one[0]._fields, one[0], other[0], strict=True):
        np.testing.assert_array_equal(mine, theirs, err_msg=name)


@pytest.mark.parametrize("layout", LAYOUTS[:1] if SMALL else [LAYOUTS[0], LAYOUTS[2], LAYOUTS[7]])
@pytest.mark.parametrize("helpers", [True, False])
@pytest.mark.parametrize("table", [{}, {"categorical": [0, 2]}])
def test_any_number_of_threads_grows_the_same_tree(layout, helpers, table):
    rng = np.random.default_rng(0)
    problem = make_problem(rng, layout, n_rows=N_ROWS, n_features=7, n_codes=60, **table)
    rows = np.flatnonzero(rng.random(N_ROWS) < 0.8).astype(np.int32)
    for limits in ({}, {"n_candidates": 3, "max_depth": 4}):
        settings = make_settings(max_leaf_nodes=25, **limits)
        for n_slots in (30, 4):
            alone = grow(problem, settings, 1, rows=rows, n_slots=n_slots)
            for n_threads in (2, 3, 5):
                other = grow(problem, settings, n_threads, rows=rows, n_slots=n_slots, helpers=helpers)
                assert_same_tree(alone, other)


@pytest.mark.parametrize("helpers", [True, False])
def test_packs_are_not_cut(helpers):
    problem = one_hot_problem(np.random.default_rng(0), LAYOUTS[0], n_rows=N_ROWS)
    packed = problem._replace(table=with_packs(problem.table))
    settings = make_settings(max_leaf_nodes=25)
    alone = grow(problem, settings, 1)
    for n_threads in (2, 3, 5):
        assert_same_tree(alone, grow(packed, settings, n_threads, helpers=helpers))


def in_other_units(problem, factor):
    """The same gradients in another unit, in the same array of words, with other limits and fewer rows."""
    words = problem.words._replace(gradient_unit=problem.words.gradient_unit * factor)
    settings = make_settings(max_leaf_nodes=25, l2=factor, min_weight=20.0 * factor, noise=0.01 * factor)
    return problem._replace(words=words), settings, int(N_ROWS / factor)


@pytest.mark.skipif(SMALL, reason="threads need compiled kernels")
@pytest.mark.parametrize("pause", [0.0, 0.05])
@pytest.mark.parametrize("n_threads", [2, 3])
def test_helpers_that_stay_are_told_what_is_new_about_a_tree(n_threads, pause, monkeypatch):
    problem = make_problem(np.random.default_rng(4), n_rows=N_ROWS, n_features=9, n_codes=60)
    settings = make_settings(max_leaf_nodes=25)
    team, memory = Team(n_threads), make_memory(problem, settings)
    submitted = []
    submit = team._submit
    monkeypatch.setattr(team, "_submit", lambda *arguments: submitted.append(submit(*arguments)))
    crew = None
    for factor in (1.0, 2.0, 1.5, 4.0, 1.0) * 8:
        changed, settings, stop = in_other_units(problem, factor)
        memory.rows[:] = np.arange(N_ROWS)
        found = grow_in(memory, team, changed, settings, stop)
        alone = grow_in(make_memory(problem, settings), Team(1), changed, settings, stop)
        assert_same_tree(alone, found)
        assert crew is None or team._crew is crew
        crew = team._crew
        time.sleep(pause)
    # Those who found nothing to do for a while have gone, and others came.
    if pause:
        assert len(submitted) > 2 * (n_threads - 1)
    for one in submitted:
        one.result()


@pytest.mark.skipif(SMALL, reason="threads need compiled kernels")
def test_helpers_leave_when_trees_have_other_arrays_and_when_they_are_needed_elsewhere():
    problem = make_problem(np.random.default_rng(5), n_rows=N_ROWS, n_features=9, n_codes=60)
    settings = make_settings(max_leaf_nodes=25)
    team = Team(3)
    alone, crews = grow(problem, settings, 1), []
    for _ in range(5):
        memory = make_memory(problem, settings)
        assert_same_tree(alone, grow_in(memory, team, problem, settings, N_ROWS))
        crews.append(team._crew)
        seen = []
        team.share(lambda part, begin, end, seen=seen: seen.append((part, begin, end)), 300, 100)
        assert sorted(seen) == [(0, 0, 100), (1, 100, 200), (2, 200, 300)]
        assert team._crew is None
    team._pool.shutdown()
    assert not any(crew.present for crew in crews)


@pytest.mark.skipif(SMALL, reason="threads need compiled kernels")
@pytest.mark.parametrize("cls", [RMTGBRegressor, RMTGBClassifier])
def test_models_are_equal_bit_by_bit_for_any_number_of_threads(cls):
    rng = np.random.default_rng(1)
    X, tasks = rng.normal(size=(12_000, 12)), rng.integers(0, 5, 12_000)
    y = X[:, 0] * tasks + X[:, 1] + rng.normal(size=12_000)
    y = y if cls is RMTGBRegressor else (y > 1).astype(int)
    rounds = {"shared": 4, "partition": 2, "specific": 2}
    fits = [
        cls(schedule=rounds, early_stopping=False, max_features=0.7, random_state=0, n_jobs=n_jobs).fit(
            X, y, tasks=tasks
        )
        for n_jobs in (1, 2, 3)
    ]
    first = fits[0]._fitted.forest.trees.nodes
    for other in fits[1:]:
        for one, two in zip(first, other._fitted.forest.trees.nodes, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("layout", LAYOUTS[:4])
def test_histograms_of_three_parts_of_the_rows_add_up(layout):
    rng = np.random.default_rng(2)
    problem = make_problem(rng, layout, n_rows=300, n_features=4)
    part = rng.integers(0, 3, 300)
    whole, total = histogram_of(problem, np.arange(300))
    parts = [histogram_of(problem, np.flatnonzero(part == p)) for p in range(3)]
    np.testing.assert_array_equal(sum(histogram for histogram, _ in parts), whole)
    np.testing.assert_array_equal(sum(sums for _, sums in parts), total)


@pytest.mark.skipif(SMALL, reason="threads need compiled kernels")
def test_an_exception_before_the_tree_sends_the_helpers_home(monkeypatch):
    problem = make_problem(np.random.default_rng(3), n_rows=N_ROWS, n_features=5, n_codes=40)
    settings = make_settings(max_leaf_nodes=8)
    grow(problem, settings, 2)  # compiles
    left, kernel = threading.Event(), team_module.grow_with_team

    def fail_in_the_owner(*arguments):
        if arguments[-1] == 0:
            raise KeyboardInterrupt
        kernel(*arguments)
        left.set()

    monkeypatch.setattr(team_module, "grow_with_team", fail_in_the_owner)
    with pytest.raises(KeyboardInterrupt):
        grow(problem, settings, 2)
    assert left.wait(20.0)


def test_parts_cover_all_items():
    for n_threads in (1, 2, 3):
        for n_items in (0, 1, 99, 100, 1000):
            seen, parts = np.zeros(n_items, int), []

            def count(part, begin, end, seen=seen, parts=parts):
                seen[begin:end] += 1
                parts.append(part)

            Team(n_threads).share(count, n_items, 100)
            assert (seen == 1).all()
            assert sorted(parts) == list(range(max(1, min(n_threads, n_items // 100))))
