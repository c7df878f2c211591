"""Peers besides LightGBM, each with the task as it likes it."""

from __future__ import annotations

import io
import warnings
from typing import Any, ClassVar

import numpy as np
from scipy.stats import loguniform

from skmtl._optional import import_optional
from skmtl.benchmark._models import (
    LEARNING_RATE,
    MAX_ROUNDS,
    PATIENCE,
    EarlyStopped,
    as_probabilities,
    of_all_classes,
    with_task,
)
from skmtl.benchmark._protocol import Table, log_loss


class HistGradientBoosting(EarlyStopped):
    """Histogram gradient boosting of scikit-learn; of 500 rounds the best on the validation rows."""

    label = "HistGradientBoosting, task as category"
    needs: ClassVar = {"pandas": "data"}
    max_rounds: ClassVar[int] = 500
    space: ClassVar = {
        "learning_rate": loguniform(0.03, 0.3),
        "max_leaf_nodes": [4, 8, 15, 31, 63],
        "min_samples_leaf": [2, 5, 10, 20, 50],
        "l2_regularization": [0.0, 0.1, 1.0, 10.0],
        "max_features": [0.5, 0.75, 1.0],
    }

    @classmethod
    def reason_unsupported(cls, table: Table) -> str | None:
        """Refuse more tasks than it has bins for categories."""
        n_tasks = len(np.unique(table.tasks))
        return f"takes at most 255 categories, and there are {n_tasks} tasks" if n_tasks > 255 else None

    def search(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds; the model keeps all that were tried."""
        self.labels, self.n_classes = np.unique(table.tasks), table.n_classes
        X = with_task(table.X, table.tasks, self.labels)
        search = self.model = self._make(self.max_rounds).fit(X[~validation], table.y[~validation])
        held_out, y = X[validation], table.y[validation]
        if table.n_classes is None:
            losses = [np.mean((values - y) ** 2) for values in search.staged_predict(held_out)]
        else:
            losses = [
                log_loss(y, of_all_classes(values, search.classes_, table.n_classes))
                for values in search.staged_predict_proba(held_out)
            ]
        self.n_rounds = int(np.argmin(losses)) + 1

    def refit(self, table: Table) -> None:
        """Fit to all rows for the rounds found."""
        self.model = self._make(self.n_rounds).fit(with_task(table.X, table.tasks, self.labels), table.y)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        X = with_task(X, tasks, self.labels)
        if self.n_classes is None:
            return self.model.predict(X)
        return of_all_classes(self.model.predict_proba(X), self.model.classes_, self.n_classes)

    def _make(self, n_rounds):
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        cls = HistGradientBoostingRegressor if self.n_classes is None else HistGradientBoostingClassifier
        settings = {
            "learning_rate": LEARNING_RATE,
            "max_leaf_nodes": 15,
            "categorical_features": "from_dtype",
            "early_stopping": False,
            "random_state": self.seed,
            **self.params,
        }
        return cls(max_iter=n_rounds, **settings)


class XGBoostTask(EarlyStopped):
    """XGBoost with the task as a category."""

    label = "XGBoost, task as category"
    needs: ClassVar = {"xgboost": "peers", "pandas": "data"}
    space: ClassVar = {
        "learning_rate": loguniform(0.03, 0.3),
        "max_leaves": [4, 8, 15, 31, 63],
        "min_child_weight": [1.0, 2.0, 5.0, 10.0, 20.0],
        "reg_lambda": [0.1, 1.0, 10.0],
        "colsample_bytree": [0.5, 0.75, 1.0],
        "subsample": [0.7, 1.0],
    }

    def search(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds."""
        self.xgboost = import_optional("xgboost", extra="peers")
        self.labels, self.n_classes = np.unique(table.tasks), table.n_classes
        train, held_out = (
            self._matrix(table.X[rows], table.tasks[rows], table.y[rows]) for rows in (~validation, validation)
        )
        self.model = self.xgboost.train(
            self._settings(),
            train,
            num_boost_round=MAX_ROUNDS,
            evals=[(held_out, "validation")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        self.n_rounds = self.model.best_iteration + 1

    def refit(self, table: Table) -> None:
        """Fit to all rows for the rounds found."""
        everything = self._matrix(table.X, table.tasks, table.y)
        self.model = self.xgboost.train(self._settings(), everything, num_boost_round=self.n_rounds)

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        values = self.model.predict(self._matrix(X, tasks), iteration_range=(0, self.n_rounds))
        return as_probabilities(values.astype(np.float64), self.n_classes)

    def _settings(self):
        settings: dict[str, Any] = {
            "learning_rate": LEARNING_RATE,
            "tree_method": "hist",
            "grow_policy": "lossguide",
            "max_leaves": 15,
            "max_depth": 0,
            "nthread": self.n_threads,
            "seed": self.seed,
            **self.params,
        }
        if self.n_classes is None:
            return {**settings, "objective": "reg:squarederror", "eval_metric": "rmse"}
        if self.n_classes == 2:
            return {**settings, "objective": "binary:logistic", "eval_metric": "logloss"}
        return {**settings, "objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": self.n_classes}

    def _matrix(self, X, tasks, y=None):
        return self.xgboost.DMatrix(with_task(X, tasks, self.labels), label=y, enable_categorical=True)


class CatBoostTask(EarlyStopped):
    """CatBoost with the task as a category."""

    label = "CatBoost, task as category"
    needs: ClassVar = {"catboost": "peers", "pandas": "data"}
    space: ClassVar = {
        "learning_rate": loguniform(0.03, 0.3),
        "depth": [3, 4, 6, 8],
        "l2_leaf_reg": [1.0, 3.0, 10.0],
        "random_strength": [0.1, 1.0, 10.0],
    }

    def search(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds."""
        self.catboost = import_optional("catboost", extra="peers")
        self.n_classes = table.n_classes
        train, held_out = (
            self._pool(table.X[rows], table.tasks[rows], table.y[rows]) for rows in (~validation, validation)
        )
        self.model = self._make(MAX_ROUNDS)
        stop = {"eval_set": held_out, "early_stopping_rounds": PATIENCE, "use_best_model": True}
        self.model.fit(train, **stop, **self._silence())
        self.n_rounds = self.model.get_best_iteration() + 1

    def refit(self, table: Table) -> None:
        """Fit to all rows for the rounds found."""
        self.model = self._make(self.n_rounds)
        self.model.fit(self._pool(table.X, table.tasks, table.y), **self._silence())

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        if self.n_classes is None:
            return self.model.predict(self._pool(X, tasks), thread_count=self.n_threads)
        values = self.model.predict_proba(self._pool(X, tasks), thread_count=self.n_threads)
        return of_all_classes(values, self.model.classes_, self.n_classes)

    def _make(self, n_rounds):
        settings = {
            "iterations": n_rounds,
            "learning_rate": LEARNING_RATE,
            "thread_count": self.n_threads,
            "random_seed": self.seed,
            "allow_writing_files": False,
            "verbose": False,
            **self.params,
        }
        if self.n_classes is None:
            return self.catboost.CatBoostRegressor(**settings)
        if self.n_classes > 2:
            settings |= {"loss_function": "MultiClass", "class_names": list(range(self.n_classes))}
        return self.catboost.CatBoostClassifier(**settings)

    @staticmethod
    def _silence():
        """Return where its remarks go, which `verbose` does not keep back."""
        return {"log_cout": io.StringIO(), "log_cerr": io.StringIO()}

    def _pool(self, X, tasks, y=None):
        categories = [name for name in X.columns if str(X[name].dtype) == "category"]
        texts = {name: X[name].astype(object).where(X[name].notna(), "missing").astype(str) for name in categories}
        X = X.assign(**texts, task_label=tasks.astype(str))
        return self.catboost.Pool(X, y, cat_features=[*categories, "task_label"])


class GPBoostEffect(EarlyStopped):
    """GPBoost: trees and a random intercept of each task. Targets are standardised."""

    label = "GPBoost, task as random effect"
    needs: ClassVar = {"gpboost": "peers", "pandas": "data"}
    space: ClassVar = {
        "learning_rate": loguniform(0.03, 0.3),
        "num_leaves": [4, 8, 15, 31, 63],
        "min_data_in_leaf": [2, 5, 10, 20, 50],
        "lambda_l2": [0.0, 0.1, 1.0, 10.0],
        "feature_fraction": [0.5, 0.75, 1.0],
    }

    @classmethod
    def reason_unsupported(cls, table: Table) -> str | None:
        """Refuse more than two classes."""
        return "has no likelihood for many classes" if table.n_classes not in {None, 2} else None

    def search(self, table: Table, validation: np.ndarray) -> None:
        """Find the number of rounds, by the validation error of trees and random effects together."""
        self.gpboost = import_optional("gpboost", extra="peers")
        regression = table.n_classes is None
        self.n_classes = table.n_classes
        # As they are, targets in the thousands keep it from learning anything.
        self.shift, self.scale = (float(table.y.mean()), float(table.y.std()) or 1.0) if regression else (0.0, 1.0)
        categories = [i for i, name in enumerate(table.X.columns) if str(table.X[name].dtype) == "category"]
        self.categories: Any = categories or "auto"
        effects = self._effects(table.tasks[~validation])
        effects.set_prediction_data(group_data_pred=table.tasks[validation])
        train = self._dataset(table.take(~validation))
        with warnings.catch_warnings():
            # The validation set takes over which columns are categories from the training set, as it should.
            warnings.filterwarnings("ignore", "Overriding the parameters from Reference", UserWarning)
            warnings.filterwarnings("ignore", "categorical_column in param dict", UserWarning)
            self.model = self.gpboost.train(
                self._settings(),
                train,
                gp_model=effects,
                num_boost_round=MAX_ROUNDS,
                valid_sets=[self._dataset(table.take(validation), reference=train)],
                early_stopping_rounds=PATIENCE,
                categorical_feature=self.categories,
                use_gp_model_for_validation=True,
                verbose_eval=False,
            )
        self.n_rounds = self.model.best_iteration

    def refit(self, table: Table) -> None:
        """Fit to all rows for the rounds found."""
        self.model = self.gpboost.train(
            self._settings(),
            self._dataset(table),
            gp_model=self._effects(table.tasks),
            categorical_feature=self.categories,
            num_boost_round=self.n_rounds,
        )

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        out = self.model.predict(self._matrix(X), group_data_pred=tasks, predict_var=False, pred_latent=False)
        return as_probabilities(self.shift + self.scale * out["response_mean"], self.n_classes)

    def _settings(self):
        return {
            "metric": "rmse" if self.n_classes is None else "binary_logloss",
            "learning_rate": LEARNING_RATE,
            "num_leaves": 15,
            "num_threads": self.n_threads,
            "seed": self.seed,
            "verbose": -1,
            **self.params,
        }

    def _effects(self, tasks):
        likelihood = "gaussian" if self.n_classes is None else "bernoulli_logit"
        return self.gpboost.GPModel(group_data=tasks, likelihood=likelihood, num_parallel_threads=self.n_threads)

    def _dataset(self, table, **options):
        y = (table.y - self.shift) / self.scale
        return self.gpboost.Dataset(self._matrix(table.X), y, categorical_feature=self.categories, **options)

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
