"""Features of the tasks: means of features over the rows of a task."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.boosting import RMTGBRegressor
from skmtl.boosting._task_features import TaskFeatures


def _learn(values, codes, weight=None, n_tasks=None, ordered=None):
    ordered = np.ones(values.shape[1], bool) if ordered is None else ordered
    return TaskFeatures.learn(values, weight, codes, codes.max() + 1 if n_tasks is None else n_tasks, ordered, 255)


def _tasks_apart(rng, n=200, n_tasks=4):
    codes = rng.integers(0, n_tasks, n)
    return rng.normal(size=(n, 3)) + np.array([3.0, 0.0, -2.0]) * codes[:, None], codes


@pytest.mark.parametrize("seed", range(3))
def test_codes_are_ordered_like_the_means(seed):
    rng = np.random.default_rng(seed)
    values, codes = _tasks_apart(rng)
    values[rng.random(values.shape) < 0.1] = np.nan
    features = _learn(values, codes)
    assert_array_equal(features.source, [0, 2])
    for row, f in zip(features.codes, features.source, strict=True):
        means = [np.nanmean(values[codes == t, f]) for t in range(4)]
        assert_array_equal(row[:-1], np.argsort(np.argsort(means)))


def test_means_that_differ_by_chance_are_left_out():
    kept = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        kept += len(_learn(rng.normal(size=(300, 4)), rng.integers(0, 10, 300)).source)
    assert kept <= 2  # 200 tests at one in a thousand


def test_constant_categorical_and_missing_features_have_no_mean():
    rng = np.random.default_rng(0)
    values, codes = _tasks_apart(rng)
    values = np.column_stack([values[:, 0], np.ones(200), np.full(200, np.nan), values[:, 2]])
    ordered = np.array([True, True, True, False])
    assert_array_equal(_learn(values, codes, ordered=ordered).source, [0])


def test_a_constant_within_each_task_is_kept():
    codes = np.repeat([0, 1, 2], 20)
    features = _learn(np.array([5.0, 1.0, 3.0])[codes][:, None], codes)
    assert_array_equal(features.codes[0, :-1], [2, 0, 1])


def test_weight_two_is_the_row_twice():
    rng = np.random.default_rng(1)
    values, codes = _tasks_apart(rng)
    weight = rng.integers(1, 4, 200)
    often = np.repeat(np.arange(200), weight)
    weighted, repeated = _learn(values, codes, weight.astype(float)), _learn(values[often], codes[often])
    assert_array_equal(weighted.source, repeated.source)
    assert_array_equal(weighted.codes, repeated.codes)


def test_unseen_task_has_the_mean_of_all_rows():
    codes = np.repeat([0, 1, 2], [10, 10, 80])
    values = np.array([0.0, 10.0, 4.0])[codes][:, None] + np.linspace(-1, 1, 100)[:, None]
    features = _learn(values, codes)
    bins = np.zeros((1, 2), np.uint8)
    extended = features.extend(bins, np.array([2, -1]))
    assert extended[1, 0] == extended[1, 1]  # 4.2 lies in the bin of the third task


def test_an_effect_of_the_kind_of_task_reaches_tasks_of_few_rows():
    """The slope depends on the mean of a feature; tasks of four rows cannot show it themselves."""
    rng = np.random.default_rng(2)
    level = rng.choice([-2.0, 2.0], 150)
    sizes = np.where(np.arange(150) < 100, 30, 4)
    tasks = np.repeat(np.arange(150), sizes)
    X = np.column_stack([level[tasks] + rng.normal(size=len(tasks)), rng.normal(size=len(tasks))])
    y = np.sign(level[tasks]) * X[:, 1] + 0.1 * rng.normal(size=len(tasks))
    test = np.column_stack([level + rng.normal(size=150), rng.normal(size=150)])
    truth = np.sign(level) * test[:, 1]
    errors = {}
    for used in (True, False):
        model = RMTGBRegressor(task_features=used, schedule={"shared": 200}, random_state=0).fit(X, y, tasks=tasks)
        errors[used] = np.mean((model.predict(test, tasks=np.arange(150)) - truth)[100:] ** 2)
    assert errors[True] < 0.5 * errors[False]


def test_importance_goes_to_the_column_whose_mean_it_is():
    rng = np.random.default_rng(3)
    tasks = np.repeat(np.arange(40), 30)
    level = rng.normal(size=40)
    X = np.column_stack([rng.normal(size=1200), level[tasks] + rng.normal(size=1200)])
    y = np.sign(level[tasks]) * X[:, 0]
    model = RMTGBRegressor(init="mean", schedule={"shared": 50}, random_state=0).fit(X, y, tasks=tasks)
    assert model.feature_importances_.shape == (2,)
    assert_allclose(model.feature_importances_.sum(), 1.0)
    assert model.feature_importances_[1] > 0.2
