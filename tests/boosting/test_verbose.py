"""The progress bar."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
from tests.boosting._cases import SHORT


def _table():
    rng = np.random.default_rng(0)
    return rng.normal(size=(60, 2)), rng.integers(0, 2, 60), np.repeat(["a", "b"], 30)


@pytest.mark.parametrize("cls", [RMTGBRegressor, RMTGBClassifier])
@pytest.mark.parametrize("verbose", [1, 2, True])
def test_a_bar_shows_rounds_and_losses(cls, verbose, capsys):
    pytest.importorskip("tqdm")
    X, y, tasks = _table()
    cls(**SHORT, verbose=verbose).fit(X, y, tasks=tasks)
    out, err = capsys.readouterr()
    assert out == ""
    assert "13/13" in err
    assert "round" in err
    assert "train=" in err
    assert err.rstrip().rpartition("\r")[2].startswith("specific")


def test_the_bar_shows_the_validation_loss_where_there_is_one(capsys):
    pytest.importorskip("tqdm")
    X, y, tasks = _table()
    RMTGBRegressor(**{**SHORT, "early_stopping": True}, refit=False, verbose=1).fit(X, y, tasks=tasks)
    assert "validation=" in capsys.readouterr().err


def test_the_bar_is_closed_when_a_fit_fails(capsys, monkeypatch):
    tqdm = pytest.importorskip("tqdm.auto")
    closed = []
    close = tqdm.tqdm.close
    monkeypatch.setattr(tqdm.tqdm, "close", lambda self: (closed.append(True), close(self)))
    X, y, tasks = _table()
    model = RMTGBRegressor(**{**SHORT, "early_stopping": True, "validation_fraction": 1e-9}, verbose=1)
    with pytest.raises(ValueError, match="'validation_fraction'"):
        model.fit(X, y, tasks=tasks)
    assert closed


@pytest.mark.parametrize("verbose", [0, False])
def test_nothing_is_written_without_verbose(verbose, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)  # nor is tqdm needed
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    X, y, tasks = _table()
    RMTGBRegressor(**SHORT, verbose=verbose).fit(X, y, tasks=tasks)
    assert capsys.readouterr() == ("", "")


def test_without_tqdm_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    X, y, tasks = _table()
    model = RMTGBRegressor(**SHORT, verbose=1)
    with pytest.raises(ImportError, match=r"skmtl\[progress\]"):
        model.fit(X, y, tasks=tasks)
    assert set(vars(model)) == set(model.get_params())


@pytest.mark.parametrize("cls", [RMTGBRegressor, RMTGBClassifier])
def test_the_bar_changes_nothing(cls):
    pytest.importorskip("tqdm")
    X, y, tasks = _table()
    one, two = (cls(**SHORT, verbose=v).fit(X, y, tasks=tasks) for v in (0, 1))
    assert np.array_equal(one.train_score_, two.train_score_)
