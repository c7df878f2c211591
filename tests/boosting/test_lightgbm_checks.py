"""The checks of scikit-learn, all of them, for the estimators on LightGBM."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl.boosting import LightGBMClassifier, LightGBMRegressor

pytest.importorskip("lightgbm")

#: {"EstimatorName": {"check_name": "the reason, in one sentence"}}
KNOWN_FAILURES: dict[str, dict[str, str]] = {}


@parametrize_with_checks(
    [LightGBMRegressor(), LightGBMClassifier(), LightGBMRegressor("absolute_error"), LightGBMClassifier("focal")],
    expected_failed_checks=lambda estimator: KNOWN_FAILURES.get(type(estimator).__name__, {}),
)
def test_sklearn_checks(estimator, check):
    check(estimator)
