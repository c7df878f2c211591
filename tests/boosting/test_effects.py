"""Effects of the tasks: shrunken by as much as they are uncertain, and kept up to date."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
from skmtl.boosting._effects import UnitEffects
from skmtl.losses import AbsoluteLoss, HuberLoss, LogLoss, PoissonLoss, SquaredLoss


def _effects(loss, y, units, n_units, weight=None, n_classes=None):
    prepared = loss.prepare(y, weight, n_classes)
    constant = prepared.initial_raw(y, weight)
    offset = np.tile(constant, (len(y), 1))
    effects = UnitEffects(prepared, y, weight, units, n_units)
    for _ in range(20):
        effects.values = effects.estimate(offset)
    return effects.values, constant


def _draw(rng, n_units, size, spread):
    units = np.repeat(np.arange(n_units), size)
    truth = spread * rng.normal(size=n_units)
    return truth[units] + rng.normal(size=n_units * size), units, truth


@pytest.mark.parametrize("size", [2, 10, 100])
def test_squared_loss_has_the_estimate_of_the_one_way_layout(size):
    """With equal sizes: the mean residual times one less the ratio of mean squares (James and Stein, positive part)."""
    y, units, _ = _draw(np.random.default_rng(0), 30, size, 0.7)
    effects, constant = _effects(SquaredLoss(), y, units, 30)
    mean = y.reshape(30, size).mean(axis=1)
    between = size * mean.var(ddof=1)
    within = y.reshape(30, size).var(axis=1, ddof=1).mean()
    assert_allclose(effects[:, 0], max(0.0, 1.0 - within / between) * (mean - constant[0]), atol=1e-6)


def test_effects_are_nearer_the_truth_than_means_and_than_nothing():
    y, units, truth = _draw(np.random.default_rng(1), 200, 4, 0.5)
    effects, _ = _effects(SquaredLoss(), y, units, 200)
    centred = truth - truth.mean()
    error = np.mean((effects[:, 0] - centred) ** 2)
    means = np.bincount(units, weights=y) / 4 - y.mean()
    assert error < np.mean((means - centred) ** 2)
    assert error < np.mean(centred**2)


@pytest.mark.parametrize("loss", [SquaredLoss(), AbsoluteLoss(), HuberLoss()])
def test_without_differences_between_tasks_effects_all_but_vanish(loss):
    rng = np.random.default_rng(2)
    y, units = rng.normal(size=3000), np.repeat(np.arange(30), 100)
    effects, _ = _effects(loss, y, units, 30)
    assert np.abs(effects).max() < 0.1


@pytest.mark.parametrize("loss", [SquaredLoss(), AbsoluteLoss(), HuberLoss()])
def test_large_tasks_keep_nearly_all_of_their_location(loss):
    rng = np.random.default_rng(3)
    units = np.repeat([0, 1, 2], 5000)
    y = np.array([-3.0, 0.0, 3.0])[units] + rng.normal(size=15000)
    effects, constant = _effects(loss, y, units, 3)
    assert_allclose(constant[0] + effects[:, 0], [-3.0, 0.0, 3.0], atol=0.15)


def test_log_loss_effects_are_random_intercepts():
    """At the solution the penalised gradient of every task vanishes."""
    rng = np.random.default_rng(4)
    units = np.repeat(np.arange(20), 40)
    y = (rng.random(800) < 1 / (1 + np.exp(-rng.normal(size=20)[units]))).astype(float)
    loss = LogLoss().prepare(y, None, 2)
    constant = loss.initial_raw(y)
    fitted = UnitEffects(loss, y, None, units, 20)
    for _ in range(20):
        fitted.values = fitted.estimate(np.tile(constant, (800, 1)))
    gradient, hessian = np.empty((800, 1)), np.empty((800, 1))
    loss.derivatives(y, constant + fitted.values[units], None, gradient, hessian)
    penalised = np.bincount(units, weights=gradient[:, 0]) + fitted.values[:, 0] / fitted.variance[0]
    assert_allclose(penalised, 0.0, atol=1e-3)


def test_weight_two_is_the_row_twice():
    rng = np.random.default_rng(5)
    y, units, _ = _draw(rng, 8, 20, 1.0)
    weight = rng.integers(1, 4, len(y))
    often = np.repeat(np.arange(len(y)), weight)
    for loss, targets in ((SquaredLoss(), y), (AbsoluteLoss(), y), (PoissonLoss(), np.exp(y))):
        weighted, _ = _effects(loss, targets, units, 8, weight.astype(float))
        repeated, _ = _effects(loss, targets[often], units[often], 8)
        assert_allclose(weighted, repeated, rtol=1e-9, atol=1e-12)


def test_one_row_per_task_and_tasks_without_rows_have_no_effect():
    assert_array_equal(_effects(SquaredLoss(), np.array([1.0, 2.0, 4.0]), np.arange(3), 3)[0], 0.0)
    y, units = np.array([0.0, 0.2, 5.0, 5.2]), np.array([0, 0, 2, 2])
    effects, _ = _effects(SquaredLoss(), y, units, 3)
    assert effects[1, 0] == 0.0
    assert effects[0, 0] < 0.0 < effects[2, 0]


def test_effects_follow_the_trees():
    """Tasks differ in X alone: what looks like an effect at first is gone once the trees know X."""
    rng = np.random.default_rng(6)
    tasks = np.repeat(np.arange(20), 60)
    X = rng.normal(size=20)[tasks][:, None] + rng.normal(size=(1200, 1))
    y = 2.0 * X[:, 0] + 0.1 * rng.normal(size=1200)
    model = RMTGBRegressor(schedule={"shared": 200}, task_features=False, random_state=0).fit(X, y, tasks=tasks)
    left = np.abs(model._fitted.start - model._fitted.constant).max()
    means = np.abs(np.bincount(tasks, weights=y) / 60 - y.mean()).max()
    assert left < 0.1 * means


@pytest.mark.parametrize("cls", [RMTGBRegressor, RMTGBClassifier])
@pytest.mark.parametrize("seed", range(8))
def test_effects_of_a_finished_model_are_settled_however_soon_it_stopped(cls, seed):
    """Features that say nothing, and held-out rows that end the fit at once or not: tasks differ all the same."""
    rng = np.random.default_rng(seed)
    tasks = np.repeat(np.arange(3), 200)
    y = (rng.random(600) < np.array([0.2, 0.5, 0.8])[tasks]).astype(float)
    model = cls(random_state=seed).fit(np.zeros((600, 1)), y, tasks=tasks)
    rows = np.zeros((3, 1))
    said = (
        model.predict_proba(rows, tasks=range(3))[:, 1]
        if cls is RMTGBClassifier
        else model.predict(rows, tasks=range(3))
    )
    assert_allclose(said, [y[tasks == task].mean() for task in range(3)], atol=0.05)
