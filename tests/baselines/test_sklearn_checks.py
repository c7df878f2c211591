"""The checks of scikit-learn, all of them."""

from __future__ import annotations

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl import baselines as b

#: {"EstimatorName": {"check_name": "the reason, in one sentence"}}
KNOWN_FAILURES: dict[str, dict[str, str]] = {}

ESTIMATORS = [
    b.SingleTaskRegressor(Ridge()),
    b.PooledRegressor(Ridge()),
    b.TaskAsFeatureRegressor(Ridge(), encoding="onehot"),
    b.SingleTaskClassifier(LogisticRegression()),
    b.PooledClassifier(DecisionTreeClassifier(random_state=0)),
    b.TaskAsFeatureClassifier(LogisticRegression(), encoding="target", random_state=0),
    b.SingleTaskRegressor(HistGradientBoostingRegressor(max_iter=5)),
    b.TaskAsFeatureClassifier(HistGradientBoostingClassifier(max_iter=5)),
]


@parametrize_with_checks(
    ESTIMATORS,
    expected_failed_checks=lambda estimator: KNOWN_FAILURES.get(type(estimator).__name__, {}),
)
def test_sklearn_checks(estimator, check):
    check(estimator)
