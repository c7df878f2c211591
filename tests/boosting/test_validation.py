"""Held-out rows, early stopping, and the second fit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmtl._shared.validation import validation_rows
from skmtl.boosting import RMTGBClassifier, RMTGBRegressor, _training
from skmtl.boosting._effects import UnitEffects
from skmtl.boosting.schedules import _replay


def _table(n=900, n_tasks=6, seed=0):
    rng = np.random.default_rng(seed)
    X, tasks = rng.normal(size=(n, 4)), rng.integers(0, n_tasks, n)
    y = np.sin(2 * X[:, 0]) + 0.5 * tasks + rng.normal(size=n)
    return X, y, tasks


def test_tasks_of_one_row_stay_known_with_early_stopping():
    X, y, tasks = _table()
    tasks[:3] = [100, 101, 102]
    model = RMTGBRegressor(early_stopping=True, random_state=0).fit(X, y, tasks=tasks)
    assert set(model.tasks_) >= {100, 101, 102}
    assert np.all(np.isfinite(model.predict(X, tasks=tasks)))


def test_rare_classes_stay_known_with_early_stopping():
    X, y, tasks = _table()
    labels = np.where(y > 1.0, "high", "low").astype(object)
    labels[5] = "rare"
    model = RMTGBClassifier(early_stopping=True, max_iter=20, random_state=0).fit(X, labels, tasks=tasks)
    assert model.classes_.tolist() == ["high", "low", "rare"]


def test_blocks_end_at_the_round_with_the_least_held_out_loss():
    X, y, tasks = _table()
    model = RMTGBRegressor(early_stopping=True, refit=False, schedule="sequential", random_state=0)
    model.fit(X, y, tasks=tasks)
    scores = model.validation_score_
    assert len(scores) == model.n_iter_ + 1 == len(model.train_score_)
    start = 0
    for rounds in model.n_iter_per_block_.values():
        # No earlier round of the block is better than its last by more than `tol`.
        assert scores[start + rounds] >= scores[start : start + rounds + 1].max() - 1e-7 * (rounds + 1)
        start += rounds
    assert 0 < model.n_iter_per_block_["shared"] < 1000


@pytest.mark.parametrize(("many_rows", "n_steps"), [(20_000, 3), (500, 4)])
def test_second_fit_goes_through_the_rounds_of_a_fast_search_in_several_steps(many_rows, n_steps, monkeypatch):
    monkeypatch.setattr(_replay, "_MANY_ROWS", many_rows)
    X, y, _ = _table()
    stopped = RMTGBRegressor(early_stopping=True, random_state=0).fit(X, y)
    search = RMTGBRegressor(early_stopping=True, refit=False, learning_rate=0.2, random_state=0).fit(X, y)
    assert stopped.n_iter_ == search.n_iter_ > 5
    assert_array_equal(stopped.validation_score_, search.validation_score_)
    rounds, rate = {"shared": n_steps * stopped.n_iter_}, 1.0 / n_steps * 0.2
    fixed = RMTGBRegressor(early_stopping=False, schedule=rounds, learning_rate=rate, random_state=0).fit(X, y)
    assert_array_equal(stopped.predict(X), fixed.predict(X))
    assert_array_equal(stopped.train_score_, fixed.train_score_[::n_steps])


def test_a_search_takes_no_steps_beyond_what_they_aim_at():
    X, y, _ = _table()
    stopped = RMTGBRegressor(early_stopping=True, learning_rate=0.8, random_state=0).fit(X, y)
    search = RMTGBRegressor(early_stopping=True, learning_rate=0.8, refit=False, random_state=0).fit(X, y)
    assert_array_equal(stopped.validation_score_, search.validation_score_)
    assert len(stopped._fitted.forest.trees) == 2 * stopped.n_iter_ > 0


def test_joint_and_specific_rounds_are_gone_through_in_steps_of_the_learning_rate():
    X, y, tasks = _table()
    model = RMTGBRegressor(early_stopping=True, schedule="sequential", random_state=0, max_iter=6, tol=0.0)
    model.fit(X, y, tasks=tasks)
    kept = model.n_iter_per_block_
    assert kept["shared"] > 0 and kept["joint"] + kept["specific"] > 0
    n_own = 2 * kept["joint"] + 2 * len(np.unique(tasks)) * kept["specific"]
    assert len(model._fitted.forest.trees) == 3 * kept["shared"] + 6 * kept["partition"] + n_own


def test_rounds_given_one_by_one_are_gone_through_in_half_steps():
    X, y, tasks = _table()
    # Without effects of the tasks, which move once a round and not with each half step.
    common = {"init": "mean", "random_state": 0}
    stopped = RMTGBRegressor(early_stopping=True, schedule={"shared": 1000}, **common).fit(X, y, tasks=tasks)
    half = {"early_stopping": False, "schedule": {"shared": 2 * stopped.n_iter_}, "learning_rate": 0.05}
    fixed = RMTGBRegressor(**half, **common).fit(X, y, tasks=tasks)
    assert_array_equal(stopped.predict(X, tasks=tasks), fixed.predict(X, tasks=tasks))
    stages = list(stopped.staged_predict(X, tasks=tasks))
    assert len(stages) == stopped.n_iter_
    for stage, twice in zip(stages, list(fixed.staged_predict(X, tasks=tasks))[1::2], strict=True):
        assert_array_equal(stage, twice)
    assert_array_equal(stopped.train_score_, fixed.train_score_[::2])


def test_effects_of_tasks_move_once_a_round(monkeypatch):
    X, y, tasks = _table()
    calls = []
    estimate = UnitEffects.estimate
    monkeypatch.setattr(UnitEffects, "estimate", lambda *args: calls.append(1) or estimate(*args))
    params = {"early_stopping": True, "schedule": "sequential", "max_iter": 6, "tol": 0.0, "random_state": 0}
    once = RMTGBRegressor(refit=False, **params).fit(X, y, tasks=tasks)
    n_once = len(calls)
    RMTGBRegressor(**params).fit(X, y, tasks=tasks)
    assert len(calls) == 2 * n_once + once.n_iter_per_block_["shared"]


def test_second_fit_starts_theta_where_the_search_did(monkeypatch):
    X, y, tasks = _table()
    probes = []
    probe = _training.probe_theta
    monkeypatch.setattr(_training, "probe_theta", lambda *args: probes.append(probe(*args)) or probes[-1])
    model = RMTGBRegressor(early_stopping=True, random_state=0).fit(X, y, tasks=tasks)
    assert len(probes) == 1
    assert_array_equal(model._fitted.theta_start, probes[0])


def test_late_rounds_of_a_block_become_two_steps(monkeypatch):
    monkeypatch.setattr(_replay, "_LATE", 4)
    X, y, tasks = _table()
    model = RMTGBRegressor(early_stopping=True, random_state=0, max_iter=7, tol=0.0, schedule="sequential")
    model.fit(X, y, tasks=tasks)
    kept = model.n_iter_per_block_
    assert kept["shared"] == 7 and kept["partition"] > 4  # or the last line says little
    n_steps = {block: 3 * min(kept[block], 4) + 2 * max(kept[block] - 4, 0) for block in ("shared", "partition")}
    n_own = 2 * kept["joint"] + 2 * len(np.unique(tasks)) * kept["specific"]
    assert len(model._fitted.forest.trees) == n_steps["shared"] + 2 * n_steps["partition"] + n_own


def test_second_fit_has_the_rounds_of_the_first_and_more_trees_where_they_draw():
    X, y, tasks = _table()
    rounds = {"shared": 5, "partition": 4, "joint": 3, "specific": 2}
    found = {"early_stopping": True, "tol": 0.0, "n_iter_no_change": 100, "schedule": rounds, "random_state": 0}
    once = RMTGBRegressor(refit=False, **found).fit(X, y, tasks=tasks)
    twice = RMTGBRegressor(**found).fit(X, y, tasks=tasks)
    assert twice.n_iter_per_block_ == once.n_iter_per_block_
    assert_array_equal(twice.block_sequence_, once.block_sequence_)
    kept = once.n_iter_per_block_
    assert kept["shared"] == 5 and kept["partition"] > 0  # or the next line says little
    n_own = kept["joint"] + 6 * kept["specific"]
    assert len(once._fitted.forest.trees) == kept["shared"] + 2 * kept["partition"] + n_own
    assert len(twice._fitted.forest.trees) == 2 * kept["shared"] + 4 * kept["partition"] + n_own


def test_held_out_rows_do_not_reach_the_model_without_a_second_fit():
    X, y, tasks = _table()
    params = {"early_stopping": True, "refit": False, "schedule": {"shared": 5, "specific": 5}, "n_iter_no_change": 5}
    model = RMTGBRegressor(**params, random_state=0).fit(X, y, tasks=tasks)
    order = np.argsort(tasks, kind="stable")
    held_out = order[validation_rows(tasks[order], 0.15, np.random.default_rng([model._fitted.seed, 0]))]
    changed = y.copy()
    changed[held_out] += np.random.default_rng(1).normal(scale=1e-3, size=len(held_out))
    other = RMTGBRegressor(**params, random_state=0).fit(X, changed, tasks=tasks)
    rounds = min(model.n_iter_per_block_["shared"], other.n_iter_per_block_["shared"])
    assert rounds > 0
    assert_allclose(model.train_score_[: rounds + 1], other.train_score_[: rounds + 1], rtol=1e-12)


def test_auto_stops_from_500_rows_on():
    X, y, tasks = _table(500)
    assert len(RMTGBRegressor(max_iter=3, random_state=0).fit(X, y, tasks=tasks).validation_score_) > 0
    X, y, tasks = _table(499)
    model = RMTGBRegressor(random_state=0).fit(X, y, tasks=tasks)
    assert len(model.validation_score_) == 0
    assert model.n_iter_ == 100
    assert model.n_iter_per_block_["shared"] > 50
    model.set_params(schedule="sequential").fit(X, y, tasks=tasks)
    assert model.n_iter_per_block_ == dict.fromkeys(("shared", "partition", "joint", "specific"), 100)


def test_a_single_task_has_the_shared_block_only():
    X, y, _ = _table(300)
    for schedule in ("adaptive", "sequential"):
        rounds = RMTGBRegressor(schedule=schedule, random_state=0).fit(X, y).n_iter_per_block_
        assert rounds == {"shared": 100, "partition": 0, "joint": 0, "specific": 0}


def test_a_fraction_that_leaves_nothing_to_stop_by_is_an_error():
    X, y, tasks = _table(12, n_tasks=3)
    tasks = np.arange(12)  # one row per task: all stay in training
    with pytest.raises(ValueError, match="'validation_fraction'"):
        RMTGBRegressor(early_stopping=True).fit(X, y, tasks=tasks)


@pytest.mark.parametrize("refit", [True, False])
def test_outlier_scores_are_those_of_the_start_where_no_partition_round_helps(refit):
    X, y, tasks = _table()
    # Nothing is an improvement of so much, so that every block ends with no rounds.
    model = RMTGBRegressor(early_stopping=True, refit=refit, tol=1e9, n_iter_no_change=2, random_state=0)
    model.fit(X, y, tasks=tasks)
    assert model.n_iter_ == 0
    assert_allclose(np.ptp(model.outlier_scores_), np.ptp(1 / (1 + np.exp(-model._fitted.theta_start))))
    assert np.ptp(model.outlier_scores_) > 0.4
