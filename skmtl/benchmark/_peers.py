"""Peers besides LightGBM, each with the task as it likes it; and the list of all models.

All stop early on the validation rows and are fitted again on all rows for the rounds found.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from skmtl._optional import import_optional
from skmtl.benchmark._models import (
    MAX_ROUNDS,
    PATIENCE,
    RMTGB,
    LightGBMPerTask,
    LightGBMTask,
    Model,
    as_probabilities,
    of_all_classes,
)
from skmtl.benchmark._protocol import Table, log_loss

_LEARNING_RATE = 0.05


def _with_task(X: Any, tasks: np.ndarray, labels: np.ndarray) -> Any:
    """Return the features with the task as a category."""
    pandas = import_optional("pandas", extra="data")
    return X.assign(task_label=pandas.Categorical(tasks, categories=labels))


class HistGradientBoosting(Model):
    """Histogram gradient boosting of scikit-learn; of 500 rounds the best on the validation rows."""

    label = "HistGradientBoosting, task as category"
    needs: ClassVar = {"pandas": "data"}
    n_rounds: ClassVar[int] = 500

    @classmethod
    def reason_unsupported(cls, table: Table) -> str | None:
        """Refuse more tasks than it has bins for categories."""
        n_tasks = len(np.unique(table.tasks))
        return f"takes at most 255 categories, and there are {n_tasks} tasks" if n_tasks > 255 else None

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds, then fit to all rows."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        self.labels, self.n_classes = np.unique(table.tasks), table.n_classes
        cls = HistGradientBoostingRegressor if table.n_classes is None else HistGradientBoostingClassifier
        settings = {
            "learning_rate": _LEARNING_RATE,
            "max_leaf_nodes": 15,
            "categorical_features": "from_dtype",
            "early_stopping": False,
            "random_state": self.seed,
        }
        X = _with_task(table.X, table.tasks, self.labels)
        search = cls(max_iter=self.n_rounds, **settings).fit(X[~validation], table.y[~validation])
        held_out, y = X[validation], table.y[validation]
        if table.n_classes is None:
            losses = [np.mean((values - y) ** 2) for values in search.staged_predict(held_out)]
        else:
            losses = [
                log_loss(y, of_all_classes(values, search.classes_, table.n_classes))
                for values in search.staged_predict_proba(held_out)
            ]
        self.model = cls(max_iter=int(np.argmin(losses)) + 1, **settings).fit(X, table.y)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        X = _with_task(X, tasks, self.labels)
        if self.n_classes is None:
            return self.model.predict(X)
        return of_all_classes(self.model.predict_proba(X), self.model.classes_, self.n_classes)


class XGBoostTask(Model):
    """XGBoost with the task as a category."""

    label = "XGBoost, task as category"
    needs: ClassVar = {"xgboost": "peers", "pandas": "data"}

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds, then fit to all rows."""
        self.xgboost = import_optional("xgboost", extra="peers")
        self.labels, self.n_classes = np.unique(table.tasks), table.n_classes
        settings: dict[str, Any] = {
            "learning_rate": _LEARNING_RATE,
            "tree_method": "hist",
            "grow_policy": "lossguide",
            "max_leaves": 15,
            "max_depth": 0,
            "nthread": self.n_threads,
            "seed": self.seed,
        }
        if table.n_classes is None:
            settings |= {"objective": "reg:squarederror", "eval_metric": "rmse"}
        elif table.n_classes == 2:
            settings |= {"objective": "binary:logistic", "eval_metric": "logloss"}
        else:
            settings |= {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": table.n_classes}
        train, held_out, everything = (
            self._matrix(table.X[rows], table.tasks[rows], table.y[rows])
            for rows in (~validation, validation, np.ones(len(table.y), dtype=bool))
        )
        search = self.xgboost.train(
            settings,
            train,
            num_boost_round=MAX_ROUNDS,
            evals=[(held_out, "validation")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        self.model = self.xgboost.train(settings, everything, num_boost_round=search.best_iteration + 1)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        return as_probabilities(self.model.predict(self._matrix(X, tasks)).astype(np.float64), self.n_classes)

    def _matrix(self, X, tasks, y=None):
        return self.xgboost.DMatrix(_with_task(X, tasks, self.labels), label=y, enable_categorical=True)


class CatBoostTask(Model):
    """CatBoost with the task as a category."""

    label = "CatBoost, task as category"
    needs: ClassVar = {"catboost": "peers", "pandas": "data"}

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds, then fit to all rows."""
        self.catboost = import_optional("catboost", extra="peers")
        self.n_classes = table.n_classes
        problem = {None: "RMSE", 2: "Logloss"}.get(table.n_classes, "MultiClass")
        settings = {
            "loss_function": problem,
            "learning_rate": _LEARNING_RATE,
            "thread_count": self.n_threads,
            "random_seed": self.seed,
            "allow_writing_files": False,
            "verbose": False,
        }
        train, held_out, everything = (
            self._pool(table.X[rows], table.tasks[rows], table.y[rows])
            for rows in (~validation, validation, np.ones(len(table.y), dtype=bool))
        )
        search = self.catboost.CatBoost({**settings, "iterations": MAX_ROUNDS})
        search.fit(train, eval_set=held_out, early_stopping_rounds=PATIENCE)
        self.model = self.catboost.CatBoost({**settings, "iterations": search.get_best_iteration() + 1})
        self.model.fit(everything)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        kind = "RawFormulaVal" if self.n_classes is None else "Probability"
        values = self.model.predict(self._pool(X, tasks), prediction_type=kind)
        if self.n_classes is None or values.shape[1] == self.n_classes:
            return values
        classes = np.asarray(self.model.classes_, dtype=np.intp)
        return of_all_classes(values, classes, self.n_classes)

    def _pool(self, X, tasks, y=None):
        texts = [name for name in X.columns if str(X[name].dtype) == "category"]
        X = X.assign(task_label=tasks.astype(str), **{name: X[name].astype(str) for name in texts})
        return self.catboost.Pool(X, label=y, cat_features=["task_label", *texts])


class GPBoostEffect(Model):
    """GPBoost: trees and a random intercept of each task. Targets are standardised."""

    label = "GPBoost, task as random effect"
    needs: ClassVar = {"gpboost": "peers"}

    @classmethod
    def reason_unsupported(cls, table: Table) -> str | None:
        """Refuse more than two classes."""
        return "has no likelihood for many classes" if table.n_classes not in {None, 2} else None

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds, then fit to all rows."""
        gpboost = import_optional("gpboost", extra="peers")
        regression = table.n_classes is None
        self.n_classes = table.n_classes
        self.shift, self.scale = (float(table.y.mean()), float(table.y.std()) or 1.0) if regression else (0.0, 1.0)
        y = (table.y - self.shift) / self.scale
        matrix = self._matrix(table.X)
        settings = {
            "metric": "rmse" if regression else "binary_logloss",
            "learning_rate": _LEARNING_RATE,
            "num_leaves": 15,
            "num_threads": self.n_threads,
            "seed": self.seed,
            "verbose": -1,
        }

        def effects(rows):
            return gpboost.GPModel(
                group_data=table.tasks[rows],
                likelihood="gaussian" if regression else "bernoulli_logit",
                num_parallel_threads=self.n_threads,
            )

        effect = effects(~validation)
        effect.set_prediction_data(group_data_pred=table.tasks[validation])
        train = gpboost.Dataset(matrix[~validation], y[~validation])
        search = gpboost.train(
            settings,
            train,
            gp_model=effect,
            num_boost_round=MAX_ROUNDS,
            valid_sets=[gpboost.Dataset(matrix[validation], y[validation], reference=train)],
            early_stopping_rounds=PATIENCE,
            use_gp_model_for_validation=True,
            verbose_eval=False,
        )
        self.model = gpboost.train(
            settings,
            gpboost.Dataset(matrix, y),
            gp_model=effects(np.ones(len(y), dtype=bool)),
            num_boost_round=search.best_iteration,
        )

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        out = self.model.predict(self._matrix(X), group_data_pred=tasks, predict_var=False, pred_latent=False)
        return as_probabilities(self.shift + self.scale * out["response_mean"], self.n_classes)

    def _matrix(self, X):
        """Return features as numbers; a category is the position of its value."""
        columns = []
        for name in X.columns:
            column = X[name]
            if str(column.dtype) == "category":
                codes = column.cat.codes.to_numpy(np.float64)
                columns.append(np.where(codes < 0, np.nan, codes))
            else:
                columns.append(column.to_numpy(np.float64))
        return np.column_stack(columns)


MODELS: dict[str, type[Model]] = {
    "rmtgb": RMTGB,
    "lightgbm_task": LightGBMTask,
    "xgboost_task": XGBoostTask,
    "catboost_task": CatBoostTask,
    "hist_gradient_boosting": HistGradientBoosting,
    "gpboost": GPBoostEffect,
    "lightgbm_per_task": LightGBMPerTask,
}
