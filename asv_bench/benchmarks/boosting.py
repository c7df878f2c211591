"""Time of a fit and of a prediction of the boosters, over the number of rows and of tasks.

Run with ``pip install asv virtualenv``, then ``asv run`` in this folder.
"""

from __future__ import annotations

import numpy as np

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor


class _Boosting:
    params = ([1_000, 10_000], [2, 20])
    param_names = ("n_samples", "n_tasks")

    def setup(self, n_samples, n_tasks):
        rng = np.random.default_rng(0)
        self.X = rng.normal(size=(n_samples, 20))
        self.tasks = rng.integers(0, n_tasks, n_samples)
        self.y = self.X[:, 0] + rng.normal(size=n_tasks)[self.tasks] + rng.normal(size=n_samples)
        self.model = self.make_model().fit(self.X, self.target(), tasks=self.tasks)  # compiles before timing

    def make_model(self):
        return RMTGBRegressor(max_iter=50, early_stopping=False, random_state=0)

    def target(self):
        return self.y


class FitRegressor(_Boosting):
    def time_fit(self, n_samples, n_tasks):
        self.make_model().fit(self.X, self.target(), tasks=self.tasks)


class PredictRegressor(_Boosting):
    def time_predict(self, n_samples, n_tasks):
        self.model.predict(self.X, tasks=self.tasks)


class FitClassifier(_Boosting):
    def make_model(self):
        return RMTGBClassifier(max_iter=50, early_stopping=False, random_state=0)

    def target(self):
        return (self.y > 0).astype(np.intp)

    def time_fit(self, n_samples, n_tasks):
        self.make_model().fit(self.X, self.target(), tasks=self.tasks)
