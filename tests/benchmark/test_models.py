"""Every model of the comparison learns from the rows it is given, and predicts a row alone as among others."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.benchmark._loss_models import LOSS_MODELS
from skmtl.benchmark._models import Model
from skmtl.benchmark._protocol import VALIDATION, log_loss, split
from skmtl.benchmark._registry import MODELS
from tests.benchmark._tables import Absent, MeanPerTask, make_table

pytest.importorskip("pandas")


PLAIN = sorted(set(MODELS) - set(LOSS_MODELS))


@pytest.fixture(params=PLAIN)
def model(request):
    for package in MODELS[request.param].needs:
        pytest.importorskip(package)
    return MODELS[request.param](1, 0)


@pytest.fixture
def table():
    return make_table(300)


def test_model_beats_the_mean_of_each_task(model, table):
    validation = split(table.tasks, 0) == VALIDATION
    baseline = MeanPerTask(1, 0)
    errors = []
    for candidate in (model, baseline):
        candidate.fit(table, validation)
        errors.append(np.mean((candidate.predict(table.X, table.tasks) - table.y) ** 2))
    assert errors[0] < 0.2 * errors[1]


def test_rows_alone_equal_rows_together(model, table):
    model.fit(table, split(table.tasks, 0) == VALIDATION)
    together = model.predict(table.X, table.tasks)
    rows = np.array([7, 3, 200])
    np.testing.assert_allclose(model.predict(table.X.iloc[rows], table.tasks[rows]), together[rows])
    np.testing.assert_allclose(model.predict(table.X.iloc[[5]], table.tasks[[5]]), together[[5]])


def test_same_seed_same_predictions(model, table):
    validation = split(table.tasks, 0) == VALIDATION
    again = type(model)(1, 0)
    model.fit(table, validation)
    again.fit(table, validation)
    np.testing.assert_array_equal(model.predict(table.X, table.tasks), again.predict(table.X, table.tasks))


def test_a_task_of_two_rows_without_validation_rows(model, table):
    tasks = table.tasks.copy()
    tasks[:2] = "tiny"
    table = type(table)(table.X, table.y, tasks)
    validation = split(tasks, 0) == VALIDATION
    validation[:2] = False
    model.fit(table, validation)
    assert np.isfinite(model.predict(table.X, tasks)).all()


def test_per_task_models_know_their_own_rows_only(table):
    pytest.importorskip("lightgbm")
    validation = np.zeros(300, dtype=bool)
    validation[::6] = True
    first, second = MODELS["lightgbm_per_task"](1, 0), MODELS["lightgbm_per_task"](1, 0)
    first._find_rounds = second._find_rounds = lambda *args: 20
    first.fit(table, validation)
    y = np.where(table.tasks == "c", -table.y, table.y)
    second.fit(type(table)(table.X, y, table.tasks), validation)
    changed = first.predict(table.X, table.tasks) != second.predict(table.X, table.tasks)
    assert changed[table.tasks == "c"].all()
    assert not changed[table.tasks != "c"].any()


def test_only_the_robust_model_has_outlier_scores(model, table):
    model.fit(table, split(table.tasks, 0) == VALIDATION)
    scores = model.outlier_scores()
    assert list(scores) == (["a", "b", "c"] if model.label == "RMTGB" else [])
    assert all(0 <= value <= 1 for value in scores.values())


def test_reason_of_a_missing_package_says_what_to_install():
    assert "skmtl[lightgbm]" in Absent.reason_missing()
    assert MeanPerTask.reason_missing() is None


def test_a_package_without_its_shared_library_is_missing_too(monkeypatch):
    def fail(module, *, extra):
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr("skmtl.benchmark._models.import_optional", fail)
    assert "libgomp" in MODELS["lightgbm_task"].reason_missing()


def test_labels_are_unique():
    assert len({model.label for model in MODELS.values()}) == len(MODELS)
    assert all(issubclass(model, Model) for model in MODELS.values())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_model_of_classes_gives_probabilities_and_beats_the_shares(model, table, n_classes):
    y = np.digitize(table.y, np.quantile(table.y, np.linspace(0, 1, n_classes + 1)[1:-1]))
    table = type(table)(table.X, y, table.tasks, n_classes)
    if model.reason_unsupported(table) is not None:
        assert model.label.startswith("GPBoost")
        return
    model.fit(table, split(table.tasks, 0) == VALIDATION)
    probabilities = model.predict(table.X, table.tasks)
    assert probabilities.shape == (300, n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)
    assert log_loss(y, probabilities) < 0.6 * np.log(n_classes)


def test_a_net_that_is_interrupted_is_no_result(table, monkeypatch):
    """The estimator itself warns and keeps what it has: here Ctrl-C has to end the comparison."""
    if MODELS["net"].reason_missing() is not None:
        pytest.skip(MODELS["net"].reason_missing())
    from skorch.callbacks import Callback

    class Interrupting(Callback):
        def on_batch_begin(self, net, **kwargs):
            if len(net.history) == 2:
                raise KeyboardInterrupt

    make = MODELS["net"].make
    monkeypatch.setattr(
        MODELS["net"], "make", lambda self, table: make(self, table).set_params(callbacks=[Interrupting()])
    )
    with pytest.raises(KeyboardInterrupt):
        MODELS["net"](1, 0).fit(table, split(table.tasks, 0) == VALIDATION)
