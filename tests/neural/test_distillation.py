"""Nets that learn from a teacher: what they gain, what they leave alone, and gradients that give way."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skmtl.boosting import RMTGBClassifier
from skmtl.losses import BinaryKLLoss, DualHeadDistillationLoss

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from skmtl.neural import MultiTaskClassifier  # noqa: E402
from skmtl.neural._data import Batch  # noqa: E402
from skmtl.neural._objective import Objective  # noqa: E402
from skmtl.neural.architectures import HardSharing, Outputs  # noqa: E402
from skmtl.neural.balancing._aligned import AlignedParts  # noqa: E402
from tests.neural._tables import rows_of_tasks  # noqa: E402

SMALL = {"architecture": HardSharing((16,), trunk="mlp"), "max_epochs": 5, "random_state": 0}


def table(n=240):
    X, y, tasks = rows_of_tasks(n)
    return X, np.array(["high", "low", "mid"])[np.searchsorted([0.0, 3.0], y)], tasks


def test_a_net_can_learn_from_the_teacher_alone():
    """Labels are of no use here: they are shuffled, and only the teacher knows the right ones."""
    X, y, tasks = table(600)
    teacher = RMTGBClassifier(random_state=0).fit(X, y, tasks=tasks)
    shuffled = np.random.default_rng(0).permutation(y)
    model = MultiTaskClassifier(loss=BinaryKLLoss(teacher), max_epochs=20, random_state=0)
    model.fit(X, shuffled, tasks=tasks)
    assert model.score(X, y, tasks=tasks) > 0.85
    p = model.predict_proba(X, tasks=tasks)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_first_head_predicts(n_classes, align):
    X, y, tasks = table()
    y = y if n_classes == 3 else y == "mid"
    teacher = RandomForestClassifier(20, random_state=0).fit(X, y)
    loss = DualHeadDistillationLoss(teacher, align_gradients=align)
    model = MultiTaskClassifier(loss=loss, max_epochs=30, random_state=0).fit(X, y, tasks=tasks)
    p = model.predict_proba(X, tasks=tasks)
    assert p.shape == (len(y), n_classes)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert model.score(X, y, tasks=tasks) > 0.85


def objectives(align=False, alpha=1.0, n_columns=1):
    """A module for two tasks and three classes, a batch, and both objectives: cross-entropy, and with a teacher."""
    torch.manual_seed(0)
    outputs = Outputs(2, n_columns, 6)
    module = HardSharing((8,), trunk="mlp", dropout=0.0).build(4, outputs)
    call = module.forward
    module.forward = lambda numbers, categories, tasks: call(numbers, tasks)
    n = 30
    batch = Batch(
        torch.randn(n, 4), torch.empty(n, 0), torch.arange(n) % 2, torch.randint(3, (n, n_columns)), None
    ).with_given(3.0 * torch.randn(n, n_columns, 3))
    loss = DualHeadDistillationLoss(LogisticRegression(), alpha=alpha, align_gradients=align)
    return module, batch, Objective(loss.prepare(np.arange(3.0), None, 3), outputs, None, None)


def gradients(module, value):
    parameters = list(module.parameters())
    found = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
    return torch.cat(
        [(torch.zeros_like(p) if g is None else g).flatten() for g, p in zip(found, parameters, strict=True)]
    )


def equal_heads(module):
    """Give the second head the weights of the first."""
    for weight in (module.common.weight.data.T, module.heads.last.weight.data.mT.transpose(0, -1)):
        weight[3:] = weight[:3]
    module.common.bias.data[3:] = module.common.bias.data[:3]
    module.heads.last.bias.data[..., 3:] = module.heads.last.bias.data[..., :3]


@pytest.mark.parametrize("n_columns", [1, 2])
def test_without_the_teachers_part_training_is_that_of_plain_cross_entropy(n_columns):
    """Equal gradients of the trunk and the first head, and none of the second, step after step."""
    outcomes = []
    for plain in (False, True):
        module, batch, objective = objectives(alpha=0.0, n_columns=n_columns)
        optimiser = torch.optim.SGD(module.parameters(), lr=0.5)
        for _ in range(20):
            optimiser.zero_grad()
            raw = objective.raw(module, batch)
            if plain:
                value = torch.nn.functional.cross_entropy(raw[..., :3].reshape(-1, 3), batch.y.reshape(-1))
            else:
                value = objective.losses(raw, batch).total
            value.backward()
            optimiser.step()
        outcomes.append(torch.cat([p.detach().flatten() for p in module.parameters()]))
    torch.testing.assert_close(*outcomes)


@pytest.mark.parametrize("seed", [2, 3, 4, 5])  # in which the two parts disagree
def test_the_second_part_gives_way_to_the_first(seed):
    module, batch, objective = objectives(align=True, alpha=50.0)
    torch.manual_seed(seed)
    for p in module.parameters():
        torch.nn.init.normal_(p)
    batch = batch.with_given(
        20.0 - 40.0 * torch.nn.functional.one_hot(batch.y, 3).float()
    )  # a teacher that is always wrong
    equal_heads(module)
    losses = objective.losses(objective.raw(module, batch), batch)
    first, second = (gradients(module, part) for part in losses.parts)
    torch.testing.assert_close(losses.total, losses.parts[0] + losses.parts[1])
    shared = module.shared_parameters()
    known = {id(p) for p in shared}
    own = [p for p in module.parameters() if id(p) not in known]
    AlignedParts().backward(lambda: losses, shared, own)
    step = torch.cat([p.grad.flatten() for p in module.parameters()])
    assert first @ second < 0  # or there would be nothing to give way
    assert step @ first >= first @ first * (1 - 1e-5)
    torch.testing.assert_close(step, first + second - (first @ second) / (first @ first) * first, rtol=1e-4, atol=1e-4)


def test_parts_that_agree_are_added_up():
    module, batch, objective = objectives(align=True)
    batch = batch.with_given(5.0 * torch.nn.functional.one_hot(batch.y, 3).float())
    equal_heads(module)
    losses = objective.losses(objective.raw(module, batch), batch)
    first, second = (gradients(module, part) for part in losses.parts)
    assert first @ second > 0
    AlignedParts().backward(lambda: losses, list(module.parameters()), [])
    torch.testing.assert_close(torch.cat([p.grad.flatten() for p in module.parameters()]), first + second)


def test_rows_and_the_logits_of_the_teacher_stay_together(monkeypatch):
    """Weights of zero, equal rows and gaps in y leave rows out; the rest keep what the teacher says of them."""
    X, y, _ = table(60)
    X = np.concatenate([X, X[:10]])
    y = np.column_stack([np.append(y, y[:10]), np.append(y, y[:10])]).astype(object)
    y[5, 0] = np.nan
    y[7] = np.nan
    weight = np.ones(70)
    weight[20:25] = 0.0
    teacher = RandomForestClassifier(5, random_state=0).fit(X[:60], table(60)[1])
    seen = []

    class Pair:
        def __init__(self):
            self.classes_ = [teacher.classes_] * 2

        def fit(self, X, y):
            return self

        def predict_proba(self, X):
            return [teacher.predict_proba(X)] * 2

        def __sklearn_tags__(self):
            return teacher.__sklearn_tags__()

    original = MultiTaskClassifier._train

    def train(self, data, valid, epochs):
        seen.append(data)
        return original(self, data, valid, epochs)

    monkeypatch.setattr(MultiTaskClassifier, "_train", train)
    model = MultiTaskClassifier(loss=BinaryKLLoss(Pair()), numeric_embedding=None, **SMALL)
    model.fit(X, y, sample_weight=weight)
    (data,) = seen
    assert len(data) == 70 - 5 - 1 - 8  # no weight; no target; equal to others
    expected = BinaryKLLoss(Pair()).row_inputs(X, None, model._classes)
    numbers = model._fitted.preprocessor.transform(X).numbers
    for row, given in zip(data.numbers.numpy(), data.given.numpy(), strict=True):
        (where,) = np.nonzero((numbers == row).all(axis=1))
        np.testing.assert_allclose(given, expected[where[0]], rtol=1e-6)


def test_temperature_and_alpha_are_searched_with_the_teacher_kept():
    X, y, tasks = table()
    teacher = RMTGBClassifier(max_iter=5, random_state=0).fit(X, y, tasks=tasks)
    model = MultiTaskClassifier(loss=DualHeadDistillationLoss(teacher), **SMALL)
    with sklearn.config_context(enable_metadata_routing=True):
        search = GridSearchCV(model, {"loss__alpha": [0.1, 1.0]}, cv=2, error_score="raise").fit(X, y, tasks=tasks)
    assert search.best_estimator_.loss.teacher is teacher


def test_the_column_of_tasks_stays_in_x_for_a_teacher_that_reads_it_there():
    pd = pytest.importorskip("pandas")
    X, y, tasks = table()
    frame = pd.DataFrame(X, columns=list("wxyz")).assign(task=tasks)
    teacher = RMTGBClassifier(task_column="task", max_iter=5, random_state=0).fit(frame, y)
    model = MultiTaskClassifier(loss=BinaryKLLoss(teacher), task_column="task", **SMALL).fit(frame, y)
    assert model.predict(frame).shape == y.shape


def test_mistakes_are_named_and_leave_the_estimator_as_it_was():
    X, y, tasks = table()
    teacher = RandomForestClassifier(5, random_state=0).fit(X, y)
    model = MultiTaskClassifier(loss=DualHeadDistillationLoss(teacher, align_gradients=True), balancing="uw", **SMALL)
    with pytest.raises(ValueError, match=r"'balancing' must be None with align_gradients=True\. Got 'uw'"):
        model.fit(X, y, tasks=tasks)
    other = MultiTaskClassifier(loss=BinaryKLLoss(teacher), **SMALL)
    with pytest.raises(ValueError, match="'teacher' must know the classes of y, and no others"):
        other.fit(X, np.where(y == "mid", "medium", y), tasks=tasks)
    assert not hasattr(other, "net_")
    with pytest.raises(TypeError, match="'teacher' must be a fitted classifier"):
        MultiTaskClassifier(loss=BinaryKLLoss(), **SMALL).fit(X, y)
