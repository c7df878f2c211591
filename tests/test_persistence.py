"""A fitted estimator survives pickle, joblib and skops; skops asks for no types but the library's own."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from skmtl import RMTGBClassifier, RMTGBRegressor
from skmtl.baselines import (
    GroupedMultiTaskRegressor,
    PooledRegressor,
    SingleTaskClassifier,
    SingleTaskRegressor,
    TaskAsFeatureClassifier,
    TaskAsFeatureRegressor,
)
from skmtl.datasets import make_fourier_tasks
from skmtl.preprocessing import TaskWise

MODELS = [
    RMTGBRegressor(max_iter=10),
    RMTGBClassifier(max_iter=10),
    SingleTaskRegressor(Ridge()),
    SingleTaskClassifier(LogisticRegression()),
    PooledRegressor(Ridge()),
    TaskAsFeatureRegressor(Ridge(), encoding="target", random_state=0),
    TaskAsFeatureClassifier(LogisticRegression(), encoding="onehot"),
    GroupedMultiTaskRegressor(SingleTaskRegressor(Ridge()), grouper=[0, 1, 0]),
    TaskWise(StandardScaler()),
]
WAYS = ["pickle", "joblib", "skops"]


def there_and_back(model, way, folder):
    if way == "pickle":
        return pickle.loads(pickle.dumps(model))
    if way == "joblib":
        joblib.dump(model, folder / "model")
        return joblib.load(folder / "model")
    skops_io = pytest.importorskip("skops.io")
    written = skops_io.dumps(model)
    types = skops_io.get_untrusted_types(data=written)
    assert [name for name in types if not name.startswith("skmtl.")] == []
    return skops_io.loads(written, trusted=types)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_estimator_is_the_same_after_saving(model, way, tmp_path):
    X, y, codes = make_fourier_tasks(n_tasks=3, n_outliers=1, n_samples=50, return_X_y_tasks=True, random_state=0)
    tasks = np.array(["east", "north", "west"])[codes]
    if "Classifier" in type(model).__name__:
        y = np.where(y > 0, "yes", "no")
    model.fit(X, y, tasks=tasks)
    again = there_and_back(model, way, tmp_path)
    labels = np.where(np.arange(len(X)) % 7, tasks, "south")  # some of a task that was not there in fit
    methods = [name for name in ("predict", "predict_proba", "transform") if hasattr(model, name)]
    assert methods
    for name in methods:
        np.testing.assert_array_equal(getattr(again, name)(X, tasks=labels), getattr(model, name)(X, tasks=labels))
    assert again.get_params(deep=False).keys() == model.get_params(deep=False).keys()
    np.testing.assert_array_equal(again.tasks_, model.tasks_)
