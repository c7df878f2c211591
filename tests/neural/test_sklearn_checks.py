"""The checks of scikit-learn, all of them, with no expected failure."""

from __future__ import annotations

from sklearn.utils.estimator_checks import parametrize_with_checks

from skmtl.neural import MultiTaskClassifier, MultiTaskRegressor


@parametrize_with_checks([MultiTaskRegressor(), MultiTaskClassifier()])
def test_sklearn_checks(estimator, check):
    check(estimator)
