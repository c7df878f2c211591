"""A model per group of tasks equals the models fitted by hand, and helps where groups were planted."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import cross_validate
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl.baselines import (
    GroupedMultiTaskClassifier,
    GroupedMultiTaskRegressor,
    PooledRegressor,
    SingleTaskClassifier,
    SingleTaskRegressor,
)
from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
from skmtl.datasets import make_fourier_tasks
from skmtl.inspection import TaskGrouper


@parametrize_with_checks(
    [
        GroupedMultiTaskRegressor(SingleTaskRegressor(Ridge())),
        GroupedMultiTaskClassifier(SingleTaskClassifier(LogisticRegression())),
        GroupedMultiTaskRegressor(RMTGBRegressor(max_iter=30, random_state=0)),
    ],
    expected_failed_checks=lambda estimator: {},
)
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def bunch():
    return make_fourier_tasks(4, n_tasks=6, n_outliers=2, n_samples=80, n_test_samples=200, random_state=0)


def test_equals_the_models_of_the_groups(bunch):
    X, y, tasks = bunch.data, bunch.target, np.array(list("abcdef"))[bunch.tasks]
    inner = RMTGBRegressor(max_iter=20, random_state=0)
    model = GroupedMultiTaskRegressor(inner, grouper=bunch.outliers).fit(X, y, tasks=tasks)
    found = model.predict(X, tasks=tasks)
    for group in (False, True):
        rows = bunch.outliers[bunch.tasks] == group
        own = clone(inner).fit(X[rows], y[rows], tasks=tasks[rows])
        np.testing.assert_allclose(found[rows], own.predict(X[rows], tasks=tasks[rows]))
    assert model.groups_.tolist() == bunch.outliers.astype(int).tolist()
    whole = clone(inner).fit(X, y, tasks=tasks)
    np.testing.assert_allclose(model.predict(X, tasks=["z"] * len(X)), whole.predict(X, tasks=["z"] * len(X)))
    np.testing.assert_array_equal(model.predict(X[[7]], tasks=tasks[[7]]), found[[7]])


def test_groups_that_it_finds_help_where_tasks_do_not_belong_together(bunch):
    inner = PooledRegressor()
    grouped = GroupedMultiTaskRegressor(inner, grouper=TaskGrouper("stage", random_state=0))
    errors = [
        mean_squared_error(
            bunch.test_target,
            model.fit(bunch.data, bunch.target, tasks=bunch.tasks).predict(bunch.test_data, tasks=bunch.test_tasks),
        )
        for model in (grouped, inner)
    ]
    assert errors[0] < 0.7 * errors[1]
    assert (grouped.groups_ == bunch.outliers).all()
    assert isinstance(grouped.grouper_, TaskGrouper)


def test_classifier_and_a_group_of_one_class(bunch):
    y = np.where(bunch.target > 0, "yes", "no")
    y[bunch.tasks == 5] = "yes"
    groups = [0, 0, 0, 0, 0, 1]
    model = GroupedMultiTaskClassifier(RMTGBClassifier(max_iter=40, random_state=0), grouper=groups)
    model.fit(bunch.data, y, tasks=bunch.tasks)
    proba = model.predict_proba(bunch.data, tasks=bunch.tasks)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert (proba[bunch.tasks == 5] == [0.0, 1.0]).all()
    predicted = model.predict(bunch.data, tasks=bunch.tasks)
    assert (predicted[bunch.tasks == 5] == "yes").all()
    assert model.score(bunch.data, y, tasks=bunch.tasks) > 0.8


def test_columns_of_y_are_tasks(bunch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    Y = np.column_stack([X[:, 0], X[:, 0], X[:, 1]])
    Y[::3, 1] = np.nan
    model = GroupedMultiTaskRegressor(RMTGBRegressor(max_iter=60, random_state=0), grouper=[0, 0, 1]).fit(X, Y)
    assert model.predict(X).shape == (80, 3)
    assert model.score(X, Y) > 0.8


def test_in_cross_validation_and_pickled(bunch):
    model = GroupedMultiTaskRegressor(SingleTaskRegressor(Ridge()), grouper=TaskGrouper("stage", n_groups=2))
    with sklearn.config_context(enable_metadata_routing=True):
        found = cross_validate(model, bunch.data, bunch.target, params={"tasks": bunch.tasks}, cv=2)
    assert found["test_score"].shape == (2,)
    fitted = model.fit(bunch.data, bunch.target, tasks=bunch.tasks)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        again.predict(bunch.data, tasks=bunch.tasks), fitted.predict(bunch.data, tasks=bunch.tasks)
    )
    assert model.set_params(grouper__n_groups=3).grouper.n_groups == 3


def test_wrong_groups(bunch):
    with pytest.raises(ValueError, match="'grouper' as an array must hold the group of each of 6 tasks"):
        GroupedMultiTaskRegressor(Ridge(), grouper=[0, 1]).fit(bunch.data, bunch.target, tasks=bunch.tasks)
    with pytest.raises(ValueError, match="'grouper' parameter"):
        GroupedMultiTaskRegressor(Ridge(), grouper="best").fit(bunch.data, bunch.target, tasks=bunch.tasks)
