"""Every loss by its name, and one of one's own, in every booster: it learns, and probabilities are probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.boosting import LightGBMClassifier, LightGBMRegressor, RMTGBClassifier, RMTGBRegressor
from skmtl.losses import (
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    AnyLoss,
    ClassificationLoss,
    CompSumLoss,
    FocalLoss,
    TaylorSoftmaxLoss,
)
from skmtl.metrics import make_task_scorer

pytest.importorskip("lightgbm")

BOOSTED = [name for name, cls in CLASSIFICATION_LOSSES.items() if cls().has_boosting_form]
BLOCKS = {"shared": 25, "partition": 3, "specific": 3}
CLASSIFIERS = {
    "rmtgb": RMTGBClassifier(schedule=BLOCKS, early_stopping=False, random_strength=0.0, random_state=0),
    "lightgbm": LightGBMClassifier(n_estimators=20, early_stopping=False, random_state=0),
}
REGRESSORS = {
    "rmtgb": RMTGBRegressor(schedule=BLOCKS, early_stopping=False, random_strength=0.0, random_state=0),
    "lightgbm": LightGBMRegressor(n_estimators=20, early_stopping=False, random_state=0),
}


def table(n_classes, n=240):
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(n, 3)), np.tile(["a", "b", "c"], n // 3)
    score = X[:, 0] + np.where(tasks == "c", 1.0, 0.0) + 0.2 * rng.normal(size=n)
    if n_classes is None:
        return X, np.exp(0.4 * score), tasks
    return X, np.searchsorted(np.quantile(score, np.arange(1, n_classes) / n_classes), score), tasks


class Brier(ClassificationLoss):
    """A loss of one's own, for two classes."""

    def initial_raw(self, y, weight=None):
        share = np.average(y, weights=weight)
        return np.array([np.log(share / (1.0 - share))])

    def derivatives(self, y, raw, weight, gradient, hessian):
        p = 1.0 / (1.0 + np.exp(-raw[:, 0]))
        w = 1.0 if weight is None else weight
        gradient[:, 0] = w * (p - y) * p * (1.0 - p)
        hessian[:, 0] = w * np.maximum((p * (1.0 - p)) ** 2, 1e-3)

    def row_loss(self, y, raw):
        return 0.5 * (1.0 / (1.0 + np.exp(-raw[:, 0])) - y) ** 2

    def inverse_link(self, raw):
        p = 1.0 / (1.0 + np.exp(-raw[:, 0]))
        return np.column_stack([1.0 - p, p])


@pytest.mark.parametrize("booster", CLASSIFIERS)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", [*BOOSTED, "own"])
def test_losses_for_classes(name, n_classes, booster):
    if n_classes == 2 and name == "z_loss":
        pytest.skip("needs three classes")
    if n_classes == 4 and name == "own":
        pytest.skip("is for two")
    X, y, tasks = table(n_classes)
    loss = Brier() if name == "own" else name
    model = sklearn.clone(CLASSIFIERS[booster]).set_params(loss=loss).fit(X, y, tasks=tasks)
    p = model.predict_proba(X, tasks=tasks)
    assert p.shape == (len(y), n_classes)
    assert ((p >= 0.0) & (p <= 1.0)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    # Far above chance.
    assert np.mean(model.predict(X, tasks=tasks) == y) > (0.85 if n_classes == 2 else 0.7)


@pytest.mark.parametrize("booster", REGRESSORS)
@pytest.mark.parametrize("name", REGRESSION_LOSSES)
def test_losses_for_numbers(name, booster):
    X, y, tasks = table(None)
    params = {"quantile": 0.5} if name == "quantile" and booster == "rmtgb" else {}
    model = sklearn.clone(REGRESSORS[booster]).set_params(loss=name, **params).fit(X, y, tasks=tasks)
    assert model.score(X, y, tasks=tasks) > 0.6


def net():
    pytest.importorskip("torch")
    pytest.importorskip("skorch")
    from skmtl.neural import MultiTaskClassifier
    from skmtl.neural.architectures import HardSharing

    small = HardSharing((32,), trunk="mlp", dropout=0.0)
    return MultiTaskClassifier(small, lr=0.01, max_epochs=25, batch_size=32, early_stopping=False, random_state=0)


@pytest.mark.parametrize("name", [*CLASSIFIERS, "net"])
def test_losses_are_searched_like_any_parameter(name):
    X, y, tasks = table(2)
    losses = [
        "log_loss",
        FocalLoss(gamma=2.0),
        CompSumLoss(0.5),
        "generalized_cross_entropy",
        AnyLoss("f1"),
        TaylorSoftmaxLoss(),
        "ordinal",
    ]
    model = make_pipeline(StandardScaler(), net() if name == "net" else CLASSIFIERS[name])
    step = model.steps[-1][0]
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_task_scorer(f1_score)
        search = GridSearchCV(model, {f"{step}__loss": losses}, scoring=scorer, cv=2, error_score="raise")
        search.fit(X, y, tasks=tasks)
        best = search.best_estimator_
        assert f1_score(y, best.predict(X, tasks=tasks)) > 0.85
    assert search.cv_results_["mean_test_score"].min() > 0.6


def test_parameters_of_a_loss_are_searched():
    X, y, tasks = table(2)
    with sklearn.config_context(enable_metadata_routing=True):
        model = LightGBMClassifier(FocalLoss(), n_estimators=5)
        search = GridSearchCV(model, {"loss__gamma": [0.0, 3.0]}, cv=2, error_score="raise").fit(X, y, tasks=tasks)
    assert search.best_params_["loss__gamma"] in {0.0, 3.0}
