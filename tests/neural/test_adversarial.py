"""Nets trained to withstand changes of the features: what moves, and what it is worth."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.losses import SmoothAdversarialCompSumLoss

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from skmtl.neural import MultiTaskClassifier  # noqa: E402
from skmtl.neural._surroundings import Surroundings  # noqa: E402
from tests.neural._tables import rows_of_tasks  # noqa: E402


def table(n=240):
    X, y, tasks = rows_of_tasks(n)
    return X, np.searchsorted([0.0, 3.0], y), tasks


def mixed():
    """Numbers with gaps and without, a constant, and a category."""
    pd = pytest.importorskip("pandas")
    X, y, tasks = table()
    X = pd.DataFrame(X, columns=list("abcd"))
    X.loc[::3, "b"] = np.nan
    X["c"] = 1.0
    X["kind"] = pd.Categorical(np.where(X["d"] > 0, "one", "two"))
    return X, y, tasks


def test_only_known_numbers_move(monkeypatch):
    seen = []
    original = SmoothAdversarialCompSumLoss._worst_shift

    def look(self, around, y, allowed):
        shift = original(self, around, y, allowed)
        seen.append((around.batch, shift))
        return shift

    monkeypatch.setattr(SmoothAdversarialCompSumLoss, "_worst_shift", look)
    X, y, tasks = mixed()
    model = MultiTaskClassifier(loss=SmoothAdversarialCompSumLoss(gamma=0.3), max_epochs=2, random_state=0)
    model.fit(X, y, tasks=tasks)
    assert model._fitted.preprocessor.n_numbers == 5  # a, b, c, d, and where b is missing
    for batch, shift in seen:
        assert shift.shape == batch.numbers.shape == (len(batch), 5)
        assert (shift[:, [2, 4]] == 0.0).all()
        missing = batch.numbers[:, 4] == 1.0
        assert missing.any()
        assert (shift[missing, 1] == 0.0).all()
        assert (shift[~missing, 1] != 0.0).any()
        assert (shift[:, [0, 3]].abs() > 0.29).float().mean() > 0.8
        assert batch.categories.shape[1] == 1


def test_surroundings_leave_the_module_as_it_was():
    X, y, tasks = mixed()
    model = MultiTaskClassifier(loss="smooth_adversarial_comp_sum", max_epochs=1, random_state=0)
    model.fit(X, y, tasks=tasks)
    net = model.net_
    data = model._tensors(
        model._fitted.preprocessor,
        np.zeros((4, 5)),
        None,
        np.zeros(4, int),
        np.zeros((4, 1)),
        None,
        model._fitted.scale,
        3,
    )
    module = net.module_.train()
    first = net.criterion_.raw(module, data)
    representation = module.representation
    around = Surroundings(net.criterion_, module, data, net.criterion_.movable)
    torch.testing.assert_close(around.raw(), around.raw(torch.zeros_like(data.numbers)))
    assert module.training
    assert module.representation is representation
    assert around.raw().shape == (first.shape[0] * first.shape[1], 3)


def reach(model, X, y, tasks, gamma):
    """Mean movement of the margins under the ascent, beside their mean size."""
    net, fitted = model.net_, model._fitted
    codes = np.searchsorted(model.tasks_, tasks)
    data = model._tensors(fitted.preprocessor, X, None, codes, y[:, None].astype(float), None, fitted.scale, 3)
    net.module_.requires_grad_(False)
    around = Surroundings(net.criterion_, net.module_, data, net.criterion_.movable)
    members = len(around.raw()) // len(y)
    own = torch.as_tensor(y).repeat_interleave(members)
    probe = SmoothAdversarialCompSumLoss(gamma=gamma, nu=1.0)
    torch.manual_seed(0)
    moved = probe.torch_rows(around.raw(), own, around=around) - probe.torch_rows(around.raw(), own)
    scores = around.raw()
    return float(moved.mean() / (scores - scores.mean(dim=1, keepdim=True)).norm(dim=1).mean())


def test_margins_move_less_after_training_against_it():
    X, y, tasks = table()
    reaches, scores = [], []
    for nu in (0.0, 0.2):
        loss = SmoothAdversarialCompSumLoss(nu=nu, gamma=0.3, steps=4)
        model = MultiTaskClassifier(loss=loss, max_epochs=15, random_state=0).fit(X, y, tasks=tasks)
        reaches.append(reach(model, X, y, tasks, 0.3))
        scores.append(model.score(X, y, tasks=tasks))
    assert reaches[1] < 0.7 * reaches[0]
    assert min(scores) > 0.85


@pytest.mark.parametrize("options", [{"balancing": "pcgrad"}, {"balancing": "famo"}, {"regularizer": "rep_mtl"}])
def test_it_goes_with_balancing_and_regularizers_and_is_repeatable(options):
    X, y, tasks = table(90)
    state = torch.get_rng_state()
    found = []
    for _ in range(2):
        loss = SmoothAdversarialCompSumLoss(norm=2, steps=2)
        model = MultiTaskClassifier(loss=loss, max_epochs=2, random_state=0, **options).fit(X, y, tasks=tasks)
        found.append(model.predict_proba(X, tasks=tasks))
    np.testing.assert_array_equal(*found)
    assert torch.equal(torch.get_rng_state(), state)


def test_columns_of_y_are_attacked_together():
    X, y, _ = table(90)
    both = np.column_stack([y, y > 0])
    model = MultiTaskClassifier(loss="smooth_adversarial_comp_sum", max_epochs=2, random_state=0).fit(X, both)
    assert model.predict(X).shape == (90, 2)


def test_a_table_of_categories_alone_has_nothing_to_move():
    pd = pytest.importorskip("pandas")
    X, y, tasks = table(90)
    X = pd.DataFrame({"kind": pd.Categorical(np.where(X[:, 0] > 0, "one", "two"))})
    losses = []
    for loss in ("smooth_adversarial_comp_sum", "log_loss"):
        model = MultiTaskClassifier(loss=loss, max_epochs=2, random_state=0).fit(X, y, tasks=tasks)
        losses.append([epoch["train_loss"] for epoch in model.history_])
    np.testing.assert_allclose(*losses, rtol=1e-6)
