"""The estimators for which the task contract is tested, with small tables to test it on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
from tests.tasks._estimator import TaskOffsetClassifier, TaskOffsetRegressor

SHORT = {"schedule": {"shared": 3, "partition": 2, "specific": 2}, "random_state": 0}


class Case(NamedTuple):
    """An estimator, the parameters that make it quick, and two settings to search over."""

    cls: Callable[..., Any]
    params: dict[str, Any]
    grid: dict[str, list]

    def make(self, **params: Any) -> Any:
        return self.cls(**self.params, **params)

    def data(self, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return `X`, `y` and `tasks` of 60 rows of three tasks that differ in their level."""
        rng = np.random.default_rng(seed)
        X, codes = rng.normal(size=(60, 3)), np.repeat([0, 1, 2], 20)
        rng.shuffle(codes)
        y = X[:, 0] + 2.0 * codes + 0.1 * rng.normal(size=60)
        if is_classifier(self.make()):
            y = np.where(y > 2.0, "high", "low")
        return X, y, np.array(["a", "b", "c"])[codes]

    @property
    def scoring(self) -> str:
        """Name of the scorer of scikit-learn that is what ``score`` computes."""
        return "accuracy" if is_classifier(self.make()) else "r2"


CASES = [
    Case(TaskOffsetRegressor, {}, {"shrinkage": [0.0, 0.9]}),
    Case(TaskOffsetClassifier, {}, {"shrinkage": [0.0, 0.9]}),
    Case(RMTGBRegressor, SHORT, {"learning_rate": [0.3, 0.01]}),
    Case(RMTGBClassifier, SHORT, {"learning_rate": [0.3, 0.01]}),
]
CASE_NAMES = [case.cls.__name__ for case in CASES]
