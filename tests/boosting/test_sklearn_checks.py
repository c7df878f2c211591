"""The checks of scikit-learn, all of them."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor

#: {"EstimatorName": {"check_name": "the reason, in one sentence"}}
KNOWN_FAILURES: dict[str, dict[str, str]] = {}

ESTIMATORS = [
    RMTGBRegressor(max_iter=30),
    RMTGBClassifier(max_iter=30),
    RMTGBRegressor(),
    RMTGBClassifier(),
    RMTGBRegressor("absolute_error", max_iter=30, learning_rate=0.3),
    RMTGBRegressor(schedule={"shared": 5, "partition": 5, "specific": 5}, early_stopping=False),
    RMTGBClassifier(schedule={"shared": 5, "partition": 5, "specific": 5}, early_stopping=False),
]


@parametrize_with_checks(
    ESTIMATORS,
    expected_failed_checks=lambda estimator: KNOWN_FAILURES.get(type(estimator).__name__, {}),
)
def test_sklearn_checks(estimator, check):
    check(estimator)
