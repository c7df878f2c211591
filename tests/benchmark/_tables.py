"""A small table and a quick model, for tests of the comparison."""

from __future__ import annotations

import numpy as np

from skmtl.benchmark._models import Model
from skmtl.benchmark._protocol import Table


class MeanPerTask(Model):
    """Predicts the mean of the task."""

    label = "Mean per task"

    def fit(self, table, validation):
        self.seen = (len(table.y), int(validation.sum()), self.n_threads)
        self.means = {task: table.y[table.tasks == task].mean() for task in np.unique(table.tasks)}

    def predict(self, X, tasks):
        return np.array([self.means[task] for task in tasks])

    def outlier_scores(self):
        return {task: 1.0 if task == "c" else 0.1 for task in self.means}


class Absent(MeanPerTask):
    """A model whose package is not there."""

    label = "Absent"
    needs = {"skmtl_absent": "lightgbm"}


def make_table(n_rows=90):
    import pandas as pd

    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "x": rng.normal(size=n_rows),
            "kind": pd.Categorical(rng.choice(["u", "v"], n_rows)),
        }
    )
    tasks = np.array(["a", "b", "c"])[np.arange(n_rows) % 3]
    y = X["x"].to_numpy() + 3.0 * (tasks == "c") + rng.normal(scale=0.1, size=n_rows)
    return Table(X, y, tasks)
