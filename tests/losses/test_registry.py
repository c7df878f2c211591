"""Names, messages and parameters of losses."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone

from skmtl.losses import (
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    GammaLoss,
    HuberLoss,
    LogLoss,
    Loss,
    PoissonLoss,
    QuantileLoss,
    SquaredLoss,
    resolve_loss,
)

ALL = {**REGRESSION_LOSSES, **CLASSIFICATION_LOSSES}


@pytest.mark.parametrize("name", ALL)
def test_a_name_gives_a_fresh_object(name):
    loss = resolve_loss(name, ALL)
    assert type(loss) is ALL[name]
    assert loss is not resolve_loss(name, ALL)


def test_parameters_go_to_the_named_loss():
    assert resolve_loss("quantile", REGRESSION_LOSSES, quantile=0.9).quantile == 0.9


def test_an_object_is_cloned():
    mine = HuberLoss(delta=2.0)
    loss = resolve_loss(mine, REGRESSION_LOSSES)
    assert loss is not mine
    assert loss.delta == 2.0


@pytest.mark.parametrize(
    ("loss", "hint"),
    [
        ("squared_eror", " Did you mean 'squared_error'?"),
        ("quantil", " Did you mean 'quantile'?"),
        ("xyz", ""),
        (None, ""),
        (3, ""),
        (["huber"], None),
        (SquaredLoss, None),
        (LogLoss(), None),
    ],
)
def test_unknown_losses_are_named_with_those_that_will_do(loss, hint):
    names = sorted(REGRESSION_LOSSES)
    message = f"'loss' must be one of {names} or an object of their classes. Got {loss!r}."
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        resolve_loss(loss, REGRESSION_LOSSES)
    if hint is not None:
        assert str(error.value) == message + hint


@pytest.mark.parametrize("name", ALL)
def test_losses_are_cloned_pickled_and_printed_as_estimators_are(name):
    loss = ALL[name]()
    assert clone(loss).get_params() == loss.get_params()
    assert pickle.loads(pickle.dumps(loss)).get_params() == loss.get_params()
    assert repr(loss) == f"{type(loss).__name__}()"


def test_parameters_show_and_can_be_set():
    assert repr(QuantileLoss(quantile=0.25)) == "QuantileLoss(quantile=0.25)"
    assert repr(HuberLoss(delta=2.0)) == "HuberLoss(delta=2.0)"
    assert QuantileLoss().set_params(quantile=0.1).line_search == 0.1
    assert repr(clone(LogLoss(one_output_per_class=True))) == "LogLoss(one_output_per_class=True)"


@pytest.mark.parametrize("name", ALL)
def test_preparing_leaves_the_loss_as_it_is_and_the_copy_pickles(name):
    loss = ALL[name]()
    y = np.array([1.0, 2.0, 0.5, 1.0]) if name in REGRESSION_LOSSES else np.array([0.0, 1.0, 2.0, 0.0])
    before = dict(vars(loss))
    prepared = loss.prepare(y, None, None if name in REGRESSION_LOSSES else 3)
    assert vars(loss) == before
    assert prepared is not loss
    again = pickle.loads(pickle.dumps(prepared))
    np.testing.assert_array_equal(again.initial_raw(y), prepared.initial_raw(y))


@pytest.mark.parametrize("quantile", [0.0, 1.0, -0.1, 1.5, np.nan, "0.5", None])
def test_quantiles_outside_the_open_interval_are_refused(quantile):
    with pytest.raises(ValueError, match=r"'quantile' must lie strictly between 0 and 1\. Got "):
        QuantileLoss(quantile).prepare(np.zeros(3))


@pytest.mark.parametrize("delta", [0.0, -1.0, np.nan, "1"])
def test_deltas_that_are_not_positive_are_refused(delta):
    with pytest.raises(ValueError, match=r"'delta' must be a positive number or None\. Got "):
        HuberLoss(delta).prepare(np.zeros(3))


@pytest.mark.parametrize(
    ("y", "found"),
    [([1.0, -1.0, -2.0], "Found 2 negative values"), ([0.0, 0.0], r"Found 0 negative values and the sum 0\.")],
)
def test_poisson_refuses_negative_targets_and_all_zeros(y, found):
    with pytest.raises(ValueError, match=r"loss='poisson' requires non-negative y with a positive sum\. " + found):
        PoissonLoss().prepare(np.array(y))
    PoissonLoss().prepare(np.array([0.0, 0.5]))


def test_gamma_refuses_targets_that_are_not_positive():
    with pytest.raises(ValueError, match=r"loss='gamma' requires strictly positive y\. Found 2 values that are not\."):
        GammaLoss().prepare(np.array([0.0, -1.0, 2.0]))


@pytest.mark.parametrize("method", ["initial_raw", "row_loss", "derivatives"])
def test_a_loss_without_a_form_for_boosting_says_so(method):
    arguments = {"initial_raw": 1, "row_loss": 2, "derivatives": 5}[method]
    with pytest.raises(TypeError, match=r"Loss has no form for boosting\."):
        getattr(Loss(), method)(*[None] * arguments)
