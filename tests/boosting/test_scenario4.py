"""Planted outliers are found: two tasks of ten share another function than the rest."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor, published_settings
from skmtl.datasets import make_fourier_tasks

_ESTIMATORS = {"regression": RMTGBRegressor, "classification": RMTGBClassifier}


def _scores(problem, seed, **params):
    bunch = make_fourier_tasks(scenario=4, problem=problem, random_state=seed)
    model = _ESTIMATORS[problem](random_state=seed, **params).fit(bunch.data, bunch.target, tasks=bunch.tasks)
    return model.outlier_scores_[bunch.outliers], model.outlier_scores_[~bunch.outliers]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("problem", _ESTIMATORS)
def test_defaults_separate_planted_outliers(problem, seed):
    outliers, inliers = _scores(problem, seed)
    assert outliers.min() > 0.8
    assert inliers.max() < 0.2


@pytest.mark.parametrize("problem", _ESTIMATORS)
def test_published_settings_separate_planted_outliers_nearly_always(problem):
    settings = published_settings(classifier=problem == "classification", n_rounds=(20, 50, 50))
    found = [
        outliers.min() > inliers.max() for outliers, inliers in (_scores(problem, s, **settings) for s in range(10))
    ]
    assert np.sum(found) >= 9
