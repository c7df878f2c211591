"""One tree on one task is LightGBM's tree. Features are whole numbers with fewer values than bins: the bins agree.

LightGBM tries a feature no more below a node where no threshold of it had a gain. Without a penalty every threshold has
one; with a penalty the trees here stay small, so that this does not come up.
"""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor

lightgbm = pytest.importorskip("lightgbm")

N_ROWS = 2000


def table(seed, missing=0.0):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.integers(0, n, N_ROWS) for n in (2, 7, 50, 200, 200)]).astype(float)
    signal = X[:, 0] * np.sin(X[:, 1]) + 0.05 * X[:, 2] - (X[:, 3] > 90) * (X[:, 4] < 120)
    if missing:
        hidden = rng.random(X.shape) < missing
        signal += hidden[:, 3]  # that a value is missing says something
        X[hidden] = np.nan
    return X, signal, rng


def ours(cls, leaves, rows, penalty, **params):
    return cls(
        max_iter=1,
        learning_rate=1.0,
        schedule={"shared": 1},
        early_stopping=False,
        init="mean",
        max_leaf_nodes=leaves,
        min_samples_leaf=rows,
        l2_regularization=penalty,
        max_features=1.0,
        random_strength=0.0,
        **params,
    )


def theirs(X, y, leaves, rows, penalty, weight=None, **params):
    """Raw prediction of LightGBM's first tree."""
    params = {
        "learning_rate": 1.0,
        "num_leaves": leaves,
        "min_data_in_leaf": rows,
        "lambda_l2": penalty,
        "max_bin": 256,  # counts the bin for missing values
        "min_data_in_bin": 1,
        "boost_from_average": True,
        "enable_bundle": False,
        "feature_pre_filter": False,
        "force_col_wise": True,
        "num_threads": 1,
        "verbosity": -1,
        **params,
    }
    booster = lightgbm.train(params, lightgbm.Dataset(X, y, weight=weight, params=params), num_boost_round=1)
    return booster.predict(X, raw_score=True)


def share_equal(a, b):
    return np.mean(np.abs(a - b) < 1e-3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("leaves", "rows", "penalty"), [(2, 20, 0.0), (8, 20, 1.0), (31, 5, 0.0), (8, 40, 20.0)])
@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_regression_tree(seed, leaves, rows, penalty, missing):
    X, signal, rng = table(seed, missing)
    y = signal + rng.normal(size=N_ROWS)
    mine = ours(RMTGBRegressor, leaves, rows, penalty).fit(X, y).predict(X)
    assert len(np.unique(mine)) == leaves
    assert share_equal(mine, theirs(X, y, leaves, rows, penalty, objective="regression")) >= 0.99


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("leaves", "rows", "penalty"), [(8, 20, 1.0), (8, 5, 5.0), (20, 5, 0.0)])
@pytest.mark.parametrize("missing", [0.0, 0.15])
def test_tree_of_binary_log_loss(seed, leaves, rows, penalty, missing):
    X, signal, rng = table(seed, missing)
    y = (signal + rng.normal(size=N_ROWS) > 1.0).astype(int)
    mine = ours(RMTGBClassifier, leaves, rows, penalty).fit(X, y).decision_function(X)
    assert share_equal(mine, theirs(X, y, leaves, rows, penalty, objective="binary")) >= 0.99


def test_depth_limits_the_tree():
    X, signal, rng = table(0)
    y = signal + rng.normal(size=N_ROWS)
    mine = ours(RMTGBRegressor, 31, 20, 1.0, max_depth=3).fit(X, y).predict(X)
    assert share_equal(mine, theirs(X, y, 31, 20, 1.0, objective="regression", max_depth=3)) >= 0.99


def test_monotonic_constraints_of_the_basic_method():
    X, signal, rng = table(1)
    y = signal + rng.normal(size=N_ROWS)
    constraints = [0, 0, -1, 1, 0]  # against the data
    mine = ours(RMTGBRegressor, 16, 20, 1.0, monotonic_cst=constraints).fit(X, y).predict(X)
    expected = theirs(X, y, 16, 20, 1.0, objective="regression", monotone_constraints=constraints)
    assert share_equal(mine, expected) >= 0.99
