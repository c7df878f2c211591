"""The partition block: two ensembles, a weight between them for each task, and what the published code got wrong."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor, published_settings
from skmtl.boosting._forest import INLIER, OUTLIER, SHARED, SPECIFIC
from skmtl.boosting._grower import TreeGrower
from skmtl.boosting._theta import gradient_step, newton_step, outlier_scores
from skmtl.losses import GammaLoss, HuberLoss, LogLoss, PoissonLoss, SquaredLoss
from tests.boosting._cases import CASES, SHORT, answer, over

_BY_NAME = {case.name: case for case in CASES}
_PARTITIONED = over([_BY_NAME[name] for name in ("regression", "weighted", "poisson", "columns", "binary", "classes")])


def _halves(loss, n_classes, seed, y_of):
    """Rows of three units, the parts of their raw prediction, and a prepared loss."""
    rng = np.random.default_rng(seed)
    units = np.sort(rng.integers(0, 3, 60))
    y = y_of(rng)
    prepared = loss.prepare(y, None, n_classes)
    base, inlier, outlier = rng.normal(size=(3, 60, prepared.n_outputs))
    return units, y, prepared, base, inlier, outlier, rng.normal(size=3)


_LOSSES = {
    "squared": (SquaredLoss(), None, lambda rng: rng.normal(size=60)),
    "huber": (HuberLoss(0.7), None, lambda rng: rng.normal(size=60)),
    "poisson": (PoissonLoss(), None, lambda rng: rng.poisson(2.0, 60).astype(float)),
    "gamma": (GammaLoss(), None, lambda rng: rng.gamma(2.0, size=60)),
    "binary": (LogLoss(), 2, lambda rng: (np.arange(60) % 2).astype(float)),
    "classes": (LogLoss(), 4, lambda rng: (np.arange(60) % 4).astype(float)),
    "one output per class": (LogLoss(one_output_per_class=True), 2, lambda rng: (np.arange(60) % 2).astype(float)),
}


@pytest.mark.parametrize("name", _LOSSES)
def test_gradient_step_follows_finite_differences_of_the_loss(name):
    loss, n_classes, y_of = _LOSSES[name]
    units, y, prepared, base, inlier, outlier, theta = _halves(loss, n_classes, 0, y_of)

    def total(theta):
        s = expit(theta)[units][:, None]
        return prepared.row_loss(y, base + (1.0 - s) * inlier + s * outlier).sum()

    s = expit(theta)[units][:, None]
    gradient, hessian = np.empty_like(base), np.empty_like(base)
    prepared.derivatives(y, base + (1.0 - s) * inlier + s * outlier, None, gradient, hessian)
    step = gradient_step(theta, gradient, outlier - inlier, units, 1.0) - theta
    for unit in range(3):
        up, down = theta.copy(), theta.copy()
        up[unit] += 1e-5
        down[unit] -= 1e-5
        assert_allclose(step[unit], -(total(up) - total(down)) / 2e-5, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", _LOSSES)
def test_small_newton_step_goes_down(name):
    loss, n_classes, y_of = _LOSSES[name]
    units, y, prepared, base, inlier, outlier, theta = _halves(loss, n_classes, 1, y_of)

    def total(theta):
        s = expit(theta)[units][:, None]
        return prepared.row_loss(y, base + (1.0 - s) * inlier + s * outlier).sum()

    s = expit(theta)[units][:, None]
    gradient, hessian = np.empty_like(base), np.empty_like(base)
    prepared.derivatives(y, base + (1.0 - s) * inlier + s * outlier, None, gradient, hessian)
    moved = newton_step(theta, theta, gradient, hessian, outlier - inlier, units, None, 0.01, 0.0)
    assert total(moved) < total(theta)


def test_whole_newton_step_of_the_squared_loss_is_the_best_weight():
    rng = np.random.default_rng(2)
    units = np.repeat([0, 1], 50)
    inlier, outlier = rng.normal(size=(2, 100, 1))
    best = np.array([0.3, 0.8])
    y = ((1 - best[units])[:, None] * inlier + best[units][:, None] * outlier)[:, 0]
    raw = 0.5 * (inlier + outlier)
    gradient = raw - y[:, None]
    theta = newton_step(np.zeros(2), np.zeros(2), gradient, np.ones((100, 1)), outlier - inlier, units, None, 1.0, 0.0)
    assert_allclose(expit(theta), best)


@_PARTITIONED
def test_swapping_the_ensembles_changes_nothing_but_signs(case):
    table = case.table()
    shape = case.fit(table).theta_.shape
    start = np.random.default_rng(3).normal(size=shape)
    one, other = case.fit(table, theta_init=start), case.fit(table, theta_init=-start)
    assert_allclose(other.theta_, -one.theta_, rtol=1e-9)
    assert_allclose(answer(other, table.X, table.tasks), answer(one, table.X, table.tasks), rtol=1e-9, atol=1e-12)
    assert_allclose(other.outlier_scores_, one.outlier_scores_, rtol=1e-9)


def test_outlier_scores_have_the_majority_of_the_rows_below_one_half():
    theta, weights = np.array([2.0, 1.0, -3.0]), np.array([10.0, 10.0, 5.0])
    assert_allclose(outlier_scores(theta, weights), expit([-2.0, -1.0, 3.0]))
    assert_allclose(outlier_scores(theta, weights), outlier_scores(-theta, weights))
    assert_allclose(outlier_scores(theta, np.array([1.0, 1.0, 5.0])), expit(theta))


@_PARTITIONED
def test_scores_lie_in_the_unit_interval_with_the_majority_below(case):
    model = case.fit()
    scores, weight = model.outlier_scores_.ravel(), model._fitted.unit_weight
    assert np.all((scores >= 0) & (scores <= 1))
    assert weight[scores < 0.5].sum() >= 0.5 * weight.sum()


def test_prediction_is_the_sum_of_the_four_parts():
    """F = F_shared + (1 - s) F_in + s F_out + F_task: theta moved by hand moves predictions along a line in s."""
    case = _BY_NAME["regression"]
    table = case.table()
    model = case.fit(table)

    def predict_with(theta):
        model._fitted = model._fitted._replace(theta=np.full(4, theta))
        return model.predict(table.X, tasks=table.tasks)

    inlier, outlier, half = predict_with(-np.inf), predict_with(np.inf), predict_with(0.0)
    assert_allclose(half, 0.5 * (inlier + outlier), rtol=1e-12)
    assert np.any(np.abs(inlier - outlier) > 0.1)


@pytest.mark.parametrize("init", ["task", "mean"])
def test_newton_update_of_theta_does_not_depend_on_the_unit_of_y(init):
    """The published step is a sum over rows in the square of the unit of y; ours is not."""
    table = _BY_NAME["regression"].table()
    small, large = (_BY_NAME["regression"].fit(table._replace(y=scale * table.y), init=init) for scale in (1.0, 1000.0))
    assert_allclose(large.theta_, small.theta_, rtol=1e-6)
    assert_allclose(
        large.predict(table.X, tasks=table.tasks), 1000.0 * small.predict(table.X, tasks=table.tasks), rtol=1e-6
    )


def test_newton_step_does_not_depend_on_the_number_of_rows():
    """The published step is a sum over the rows of a task, so that it grows with the task."""
    rng = np.random.default_rng(7)
    units, often = np.sort(rng.integers(0, 3, 40)), np.repeat(np.arange(40), 5)
    theta, gradient, difference = rng.normal(size=3), rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    hessian = rng.random((40, 2))
    once = newton_step(theta, theta, gradient, hessian, difference, units, None, 0.3, 0.0)
    repeated = (values[often] for values in (gradient, hessian, difference, units))
    assert_allclose(newton_step(theta, theta, *repeated, None, 0.3, 0.0), once)


def test_a_unit_whose_rows_say_little_stays_where_theta_started():
    """The pull is measured by the noise, so that it does not fade with the difference between the ensembles."""
    rng = np.random.default_rng(8)
    units, start = np.repeat([0, 1], 50), np.array([-1.0, 1.5])
    gradient, hessian = rng.normal(size=(100, 1)), np.ones((100, 1))
    theta = np.array([0.0, 0.5])
    for _ in range(200):
        theta = newton_step(theta, start, gradient, hessian, np.full((100, 1), 1e-6), units, None, 0.3, 16.0)
    assert_allclose(theta, start, atol=1e-3)


def test_pull_is_the_prior_of_a_normal_mean():
    """Squared loss, one step of full length: the posterior mean with prior variance 1 / l2 and noise variance phi."""
    rng = np.random.default_rng(9)
    units, d = np.zeros(80, int), rng.normal(size=(80, 1))
    residual = rng.normal(size=(80, 1))  # y less the prediction at s = 1/2
    phi = np.mean(residual**2)
    moved = newton_step(np.zeros(1), np.zeros(1), -residual, np.ones((80, 1)), d, units, None, 1.0, 16.0)
    posterior = 0.5 + np.sum(d * residual) / phi / (np.sum(d**2) / phi + 16.0)
    assert_allclose(expit(moved), posterior)


def test_start_is_drawn_from_the_seed_of_the_estimator():
    """The published code draws theta from the global generator, whatever `random_state`."""
    table = _BY_NAME["regression"].table()

    def theta(seed, random_state):
        np.random.seed(seed)  # noqa: NPY002
        settings = published_settings(n_rounds=(2, 2, 0))
        return RMTGBRegressor(**settings, random_state=random_state).fit(table.X, table.y, tasks=table.tasks).theta_

    assert_array_equal(theta(0, 5), theta(1, 5))
    assert np.all(theta(0, 5) != theta(0, 6))


def test_share_of_the_rows_drawn_stays_the_same(monkeypatch):
    """In the published code the rows of a round are drawn from those of the round before, until none is left."""
    drawn: dict[int, list[np.ndarray]] = {part: [] for part in (SHARED, OUTLIER, INLIER, SPECIFIC)}
    grow, grow_units = TreeGrower.grow, TreeGrower.grow_units

    def spy_grow(self, target, settings, shrinkage, rows, part, *rest, **more):
        drawn[part].append(rows.copy())
        return grow(self, target, settings, shrinkage, rows, part, *rest, **more)

    def spy_units(self, target, settings, shrinkage, rows, *rest, **more):
        drawn[SPECIFIC].append(rows.copy())
        return grow_units(self, target, settings, shrinkage, rows, *rest, **more)

    monkeypatch.setattr(TreeGrower, "grow", spy_grow)
    monkeypatch.setattr(TreeGrower, "grow_units", spy_units)
    table = _BY_NAME["regression"].table()
    _BY_NAME["regression"].fit(table, subsample=0.4)
    assert len(drawn[SHARED]) >= 6
    assert len(drawn[OUTLIER]) == 4
    assert len(drawn[SPECIFIC]) == 3
    for rows in chain(*drawn.values()):
        assert len(rows) == len(np.unique(rows)) == round(0.4 * table.n_rows)
    assert len(np.unique(np.concatenate(drawn[SHARED]))) > 0.8 * table.n_rows
    for outlier, inlier in zip(drawn[OUTLIER], drawn[INLIER], strict=True):
        assert_array_equal(outlier, inlier)  # the two trees of a round see the same rows


@pytest.mark.parametrize("leaves", [2, 5, 9])
def test_trees_have_the_leaves_asked_for(leaves):
    """The published code grows stumps whatever it is told."""
    table = _BY_NAME["single"].table()
    params = {**SHORT, "schedule": {"shared": 1}, "max_leaf_nodes": leaves, "min_samples_leaf": 1}
    model = RMTGBRegressor(**params).fit(table.X, table.y)
    assert len(np.unique(model.predict(table.X))) == leaves


def test_all_tasks_equal_leaves_no_outlier():
    """Tasks with the same rows have the same residuals: nothing to tell them apart."""
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(80, 3)), rng.normal(size=80)
    model = RMTGBRegressor(**SHORT).fit(np.tile(X, (3, 1)), np.tile(y, 3), tasks=np.repeat([0, 1, 2], 80))
    assert_allclose(model.theta_, 0.0, atol=1e-6)
    assert_allclose(model.outlier_scores_, 0.5, atol=1e-6)


def test_a_corrupted_task_barely_moves_the_others():
    """Robustness: one task of eight has its targets turned round, and the others are predicted nearly as well."""
    rng = np.random.default_rng(5)

    def target(X):
        return np.sin(3 * X[:, 0]) + X[:, 1] * (X[:, 2] > 0)

    X, tasks = rng.uniform(-1, 1, size=(1600, 3)), np.repeat(np.arange(8), 200)
    X_new, tasks_new = rng.uniform(-1, 1, size=(700, 3)), np.repeat(np.arange(7), 100)
    y = target(X) + 0.3 * rng.normal(size=1600)
    turned = np.where(tasks == 7, -y, y)

    def error(y, **params):
        model = RMTGBRegressor(random_state=0, **params).fit(X, y, tasks=tasks)
        return np.sqrt(np.mean((model.predict(X_new, tasks=tasks_new) - target(X_new)) ** 2))

    assert error(turned) < 1.5 * error(y)
    # Without the partition block, and with nothing else that tells tasks apart, it is averaged into all.
    pooled = {"schedule": {"shared": 200}, "early_stopping": False, "init": "mean", "task_features": False}
    assert error(turned) < 0.7 * error(turned, **pooled)


def test_unseen_task_has_the_mean_weight_and_no_trees_of_its_own():
    case = _BY_NAME["columns_and_tasks"]
    table = case.table()
    model = case.fit(table, schedule={"specific": 3})
    unseen = model.predict(table.X, tasks=np.repeat("new", table.n_rows))
    # Only the starts of the tasks are left, and their weighted mean.
    assert_allclose(unseen, np.broadcast_to(unseen[0], unseen.shape), rtol=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_task_never_gives_probability_to_a_class_that_it_never_had(classes):
    rng = np.random.default_rng(6)
    X, tasks = rng.normal(size=(120, 2)), np.repeat(["a", "b", "c"], 40)
    y = rng.integers(0, classes, 120)
    y[tasks == "b"] = 0
    y[tasks == "c"] = np.where(y[tasks == "c"] == classes - 1, 0, y[tasks == "c"])
    zero = RMTGBClassifier(**SHORT).fit(X, y, tasks=tasks)
    shared = RMTGBClassifier(**SHORT, unseen_classes="shared").fit(X, y, tasks=tasks)
    for task in "abc":
        where = {"tasks": np.repeat(task, 120)}
        had = np.isin(zero.classes_, y[tasks == task])
        p_zero, p_shared = zero.predict_proba(X, **where), shared.predict_proba(X, **where)
        assert np.all(p_zero[:, ~had] == 0)
        assert np.all(p_shared > 0)
        assert_allclose(p_zero.sum(axis=1), 1.0)
        assert_allclose(p_shared.sum(axis=1), 1.0)
        assert_allclose(p_zero[:, had], p_shared[:, had] / p_shared[:, had].sum(axis=1, keepdims=True))
        assert set(zero.predict(X, **where)) <= set(zero.classes_[had])
    unseen = zero.predict_proba(X, tasks=np.repeat("d", 120))
    assert np.all(unseen > 0)
