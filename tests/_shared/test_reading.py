"""Reading X: an array that needs no check goes the short way, and is read as on the long one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmtl import RMTGBRegressor
from skmtl._shared import reading


@pytest.fixture
def model():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    return RMTGBRegressor(schedule={"shared": 3}, early_stopping=False).fit(X, X[:, 0]), X


def _long_way(monkeypatch):
    """Make the checks of scikit-learn tell that they were called."""
    calls = []
    checked = reading.validate_data
    monkeypatch.setattr(reading, "validate_data", lambda *args, **kw: calls.append(1) or checked(*args, **kw))
    return calls


def test_plain_array_is_not_checked_twice(model, monkeypatch):
    fitted, X = model
    expected, calls = fitted.predict(X.tolist()), _long_way(monkeypatch)
    for same in (X, np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2]):
        np.testing.assert_array_equal(fitted.predict(same), expected)
    assert not calls


def test_missing_values_are_read_on_the_short_way(model, monkeypatch):
    fitted, X = model
    X = np.where(X > 1.0, np.nan, X)
    expected, calls = fitted.predict(X.tolist()), _long_way(monkeypatch)
    np.testing.assert_array_equal(fitted.predict(X), expected)
    assert not calls


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda X: np.where(X > 1.0, np.inf, X), "infinity"),
        (lambda X: X[:, :2], "2 features, but RMTGBRegressor is expecting 3"),
        (lambda X: X[:0], "0 sample"),
        (lambda X: X[0], "Expected 2D array"),
        (lambda X: X + 0j, "Complex"),
    ],
)
def test_what_is_wrong_with_an_array_is_said(model, change, error):
    fitted, X = model
    with pytest.raises(ValueError, match=error):
        fitted.predict(change(X))


def test_other_containers_go_the_long_way(model, monkeypatch):
    fitted, X = model
    calls = _long_way(monkeypatch)
    for n, other in enumerate((X.astype(np.float32), X.tolist(), X.astype(object), np.ma.array(X)), 1):
        fitted.predict(other)
        assert len(calls) == n


def test_lost_names_are_warned_of(model):
    fitted, X = model
    fitted.fit(pd.DataFrame(X, columns=list("abc")), X[:, 0])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        fitted.predict(X)
