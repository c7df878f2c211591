"""Noise in the choice of splits: what it is measured in, and which trees have it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
from skmtl.boosting._model import _FADING, GrowingModel

_SHARED = {"schedule": {"shared": 20}, "early_stopping": False, "min_samples_leaf": 4, "random_state": 0}


def _table(n=120):
    rng = np.random.default_rng(0)
    X = rng.integers(8, size=(n, 6)).astype(float)
    return X, X @ np.array([1.0, 0.9, 0.8, 0.7, 0.0, 0.0]) + rng.normal(scale=3.0, size=n), np.arange(n) % 3


def _features(model):
    """Feature at the root of every tree."""
    trees = model._fitted.forest.trees
    return trees.nodes.feature[trees.roots]


def test_it_changes_which_features_are_split_on():
    X, y, _ = _table()
    without = RMTGBRegressor(**_SHARED, max_features=1.0, random_strength=0.0).fit(X, y)
    with_noise = RMTGBRegressor(**_SHARED, max_features=1.0, random_strength=1e3).fit(X, y)
    assert len(np.unique(_features(with_noise)[:10])) > len(np.unique(_features(without)[:10]))
    again = RMTGBRegressor(**_SHARED, max_features=1.0, random_strength=1e3).fit(X, y)
    assert_array_equal(again.predict(X), with_noise.predict(X))
    other = RMTGBRegressor(**{**_SHARED, "random_state": 1}, max_features=1.0, random_strength=1e3).fit(X, y)
    assert np.any(other.predict(X) != with_noise.predict(X))


def test_it_has_the_unit_of_the_gain():
    X, y, tasks = _table()
    params = {**_SHARED, "schedule": {"shared": 5, "partition": 5}}
    model = RMTGBRegressor(**params).fit(X, y, tasks=tasks)
    larger = RMTGBRegressor(**params).fit(X, 1024.0 * y, tasks=tasks)
    assert_array_equal(_features(larger), _features(model))
    assert_allclose(larger.predict(X, tasks=tasks), 1024.0 * model.predict(X, tasks=tasks), rtol=1e-9)


@pytest.mark.parametrize("cls", [RMTGBRegressor, RMTGBClassifier])
def test_a_weight_of_two_is_the_row_twice(cls):
    X, y, _ = _table()
    y = y if cls is RMTGBRegressor else (y > y.mean()).astype(int)
    rng = np.random.default_rng(1)
    weight = rng.integers(1, 4, len(y))
    weighted = cls(**_SHARED, random_strength=5.0).fit(X, y, sample_weight=weight)
    repeated = cls(**_SHARED, random_strength=5.0).fit(np.repeat(X, weight, axis=0), np.repeat(y, weight))
    assert_array_equal(_features(weighted), _features(repeated))
    predict = "predict" if cls is RMTGBRegressor else "predict_proba"
    assert_allclose(getattr(weighted, predict)(X), getattr(repeated, predict)(X), rtol=1e-6)


def test_rows_of_no_weight_have_no_say():
    X, y, _ = _table()
    weight = np.ones(len(y))
    weight[::3] = 0.0
    changed = np.where(weight > 0.0, y, 1e3)
    models = [RMTGBRegressor(**_SHARED).fit(X, target, sample_weight=weight) for target in (y, changed)]
    assert_array_equal(models[0].predict(X), models[1].predict(X))


def test_joint_and_specific_trees_have_none():
    X, y, tasks = _table()
    own = {**_SHARED, "schedule": {"joint": 4, "specific": 4}}
    models = [RMTGBRegressor(**own, random_strength=strength).fit(X, y, tasks=tasks) for strength in (0.0, 50.0)]
    assert_array_equal(models[0].predict(X, tasks=tasks), models[1].predict(X, tasks=tasks))


def test_it_fades_as_the_model_grows(monkeypatch):
    X, y, _ = _table()
    found = []
    noise = GrowingModel.noise
    monkeypatch.setattr(GrowingModel, "noise", lambda model: found.append(noise(model)) or found[-1])
    RMTGBRegressor(**_SHARED, learning_rate=0.5, random_strength=2.0).fit(X, y)
    # The dispersion at the start is the variance of y; later less is left to explain.
    assert_allclose(found[0], 2.0 * y.var(), rtol=1e-12)
    faded = found[0] * np.exp(-0.5 * np.arange(20) / _FADING)
    assert (np.array(found) <= faded * (1.0 + 1e-12)).all()
    assert found[-1] > 0.0
