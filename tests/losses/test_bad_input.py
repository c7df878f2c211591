"""Input that no loss can make sense of is named by every estimator that is given it."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting import LightGBMClassifier, RMTGBClassifier
from skmtl.losses import CLASSIFICATION_LOSSES, AnyLoss, FocalLoss, OrdinalCrossEntropy, ZLoss

NAMES = ["RMTGBClassifier", "LightGBMClassifier", "MultiTaskClassifier"]
every_estimator = pytest.mark.parametrize("name", NAMES)


def estimator(name, loss):
    if name == "RMTGBClassifier":
        return RMTGBClassifier(loss, max_iter=3)
    if name == "LightGBMClassifier":
        pytest.importorskip("lightgbm")
        return LightGBMClassifier(loss, n_estimators=3)
    pytest.importorskip("torch")
    pytest.importorskip("skorch")
    from skmtl.neural import MultiTaskClassifier

    return MultiTaskClassifier(loss=loss, max_epochs=1)


def table(n_classes=3):
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 2)), np.arange(60) % n_classes, np.repeat(["a", "b"], 30)


@every_estimator
@pytest.mark.parametrize("loss", ["log_loss", FocalLoss(), AnyLoss(), OrdinalCrossEntropy()], ids=str)
def test_one_class_only(name, loss):
    X, y, tasks = table(1)
    with pytest.raises(ValueError, match=r"at least two classes in y\. Got one class: \[0\]"):
        estimator(name, loss).fit(X, y, tasks=tasks)


@every_estimator
def test_two_classes_for_the_z_loss(name):
    X, y, tasks = table(2)
    with pytest.raises(ValueError, match=r"ZLoss needs three classes or more\. Got 2"):
        estimator(name, ZLoss()).fit(X, y, tasks=tasks)


@every_estimator
def test_a_metric_that_is_not_there(name):
    X, y, tasks = table(2)
    with pytest.raises(ValueError, match=r"'metric' must be .*'f1'.* Got 'f3'"):
        estimator(name, AnyLoss("f3")).fit(X, y, tasks=tasks)


@every_estimator
def test_negative_weights(name):
    X, y, tasks = table()
    with pytest.raises(ValueError, match=r"[Nn]egative"):
        estimator(name, "log_loss").fit(X, y, tasks=tasks, sample_weight=np.where(np.arange(60) == 3, -1.0, 1.0))


@pytest.mark.parametrize("name", ["RMTGBClassifier", "MultiTaskClassifier"])
def test_labels_that_the_first_fit_did_not_have(name):
    X, y, tasks = table()
    model = estimator(name, "log_loss").set_params(warm_start=True).fit(X, y, tasks=tasks)
    with pytest.raises(ValueError, match=r"Got \[7\]"):
        model.fit(X, np.where(y == 2, 7, y), tasks=tasks)


@pytest.mark.parametrize("name", [name for name, cls in CLASSIFICATION_LOSSES.items() if cls().has_boosting_form])
@pytest.mark.parametrize("y", [[0.0, 1.0, 3.0], [-1.0, 1.0, 2.0], [0.0, np.nan, 2.0]])
def test_indices_that_are_none_of_a_class(name, y):
    with pytest.raises(ValueError, match=r"'y' must hold the index of a class, from 0 to 2\. Got"):
        CLASSIFICATION_LOSSES[name]().prepare(np.array(y), None, 3)
