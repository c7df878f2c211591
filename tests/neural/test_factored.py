"""Very many classes: training that computes no score, equal to one that computes all; what does not go with it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skmtl.datasets import make_extreme_classification
from skmtl.losses import AnyLoss, FocalLoss, SphericalSoftmaxLoss, TaylorSoftmaxLoss, ZLoss

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from skorch.callbacks import Callback  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from skmtl.losses.layers import SphericalOutputLayer  # noqa: E402
from skmtl.neural import FactoredOutput, MultiTaskClassifier, _factored  # noqa: E402
from skmtl.neural.architectures import HardSharing  # noqa: E402

NET = {"architecture": HardSharing((64,), trunk="mlp", dropout=0.0), "numeric_embedding": None, "random_state": 0}
LOSSES = [ZLoss(), SphericalSoftmaxLoss(), TaylorSoftmaxLoss()]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)


def table(n_classes=60, n_tasks=1, n=1200, **options):
    return make_extreme_classification(
        n_classes, n_tasks=n_tasks, n_samples=n // n_tasks, noise=0.3, random_state=0, return_X_y_tasks=True, **options
    )


@pytest.mark.parametrize(("loss", "least"), [(ZLoss(), 0.9), (SphericalSoftmaxLoss(), 0.6), (TaylorSoftmaxLoss(), 0.3)])
def test_it_learns(loss, least):
    X, y, _ = table()
    model = MultiTaskClassifier(loss=loss, output="factored", max_epochs=30, **NET).fit(X, y)
    assert model.score(X, y) > least
    p = model.predict_proba(X)
    assert p.shape == (len(y), len(np.unique(y)))
    assert ((p >= 0.0) & (p <= 1.0)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), model.classes_[p.argmax(axis=1)])


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_training_equals_that_on_all_scores(loss, weighted, monkeypatch):
    X, y, tasks = table(30, n_tasks=2, n=400)
    weight = np.random.default_rng(0).exponential(size=len(y)) if weighted else None
    models = []
    for mode in ("factored", "dense"):

        def build(self, n_classes, loss, mode=mode):
            return SphericalOutputLayer(self.width, n_classes, self.lr, loss, mode=mode, dtype=torch.float64)

        monkeypatch.setattr(FactoredOutput, "build", build)
        model = MultiTaskClassifier(loss=loss, output=FactoredOutput(16, lr=0.05), max_epochs=5, **NET)
        models.append(model.fit(X, y, tasks=tasks, sample_weight=weight))
    mine, other = models
    np.testing.assert_allclose(
        [epoch["train_loss"] for epoch in mine.history_], [epoch["train_loss"] for epoch in other.history_], rtol=1e-6
    )
    np.testing.assert_allclose(mine.predict_proba(X, tasks=tasks), other.predict_proba(X, tasks=tasks), atol=1e-5)


class Shapes(TorchDispatchMode):
    """Notes the shapes of everything that is computed."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        for value in out if isinstance(out, tuple | list) else [out]:
            if isinstance(value, torch.Tensor):
                self.seen.add(tuple(value.shape))
        return out


def test_training_computes_no_score():
    """In training and on the held-out rows nothing of the shape (rows, classes) is made; to predict, it is."""
    n_classes = 997
    rng = np.random.default_rng(0)
    y = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, 1500)])
    X = rng.normal(size=(len(y), 5))
    model = MultiTaskClassifier(
        loss=ZLoss(), output=FactoredOutput(8), max_epochs=3, early_stopping=True, n_iter_no_change=3, **NET
    )
    with Shapes() as shapes:
        model.fit(X, y)
    assert "valid_loss" in model.history_[-1]
    assert {shape for shape in shapes.seen if n_classes in shape} <= {
        (n_classes, 9),
        (9, n_classes),
        (n_classes, 1),
        (n_classes,),
    }
    with Shapes() as shapes:
        model.predict(X[:7])
    assert (7, n_classes) in shapes.seen


def test_predictions_come_in_pieces_of_rows(monkeypatch):
    X, y, tasks = table(40, n_tasks=3, n=300, classes_per_task=15)
    model = MultiTaskClassifier(loss=ZLoss(), output="factored", max_epochs=5, **NET).fit(X, y, tasks=tasks)
    rows = np.random.default_rng(0).permutation(len(y))[:50]
    expected = model.classes_[model.predict_proba(X[rows], tasks=tasks[rows]).argmax(axis=1)]
    monkeypatch.setattr(_factored, "_SCORES_AT_ONCE", 7 * 40)
    np.testing.assert_array_equal(model.predict(X[rows], tasks=tasks[rows]), expected)
    for i in rows[:5]:
        assert model.predict(X[i : i + 1], tasks=tasks[i : i + 1]) == model.predict(X, tasks=tasks)[i]
    unseen = np.full(3, 99)
    assert model.predict(X[:3], tasks=unseen).shape == (3,)


def test_tasks_keep_to_their_classes():
    X, y, tasks = table(40, n_tasks=3, n=900, classes_per_task=10)
    model = MultiTaskClassifier(loss=ZLoss(), output="factored", max_epochs=20, **NET).fit(X, y, tasks=tasks)
    p = model.predict_proba(X, tasks=tasks)
    for task in range(3):
        own = np.isin(model.classes_, y[tasks == task])
        assert (p[tasks == task][:, ~own] == 0.0).all()
    assert model.score(X, y, tasks=tasks) > 0.8


@pytest.mark.parametrize("architecture", ["hard_sharing", "mmoe", "ple", "cross_stitch"])
def test_every_architecture_gives_the_features(architecture):
    X, y, tasks = table(20, n_tasks=2, n=200)
    model = MultiTaskClassifier(architecture, ZLoss(), output="factored", max_epochs=2, random_state=0)
    assert model.fit(X, y, tasks=tasks).predict(X, tasks=tasks).shape == y.shape


class Weights(Callback):
    """Keeps the matrix of every epoch."""

    def on_train_begin(self, net, **kwargs):
        self.seen = []

    def on_epoch_end(self, net, **kwargs):
        self.seen.append(net.module_.output_layer.weight.clone())


def test_early_stopping_goes_back_to_the_best_weights_of_the_layer_too():
    X, y, _ = table(60, n=800)
    y = np.random.default_rng(0).permutation(y)  # nothing to learn: the held-out loss soon rises
    weights = Weights()
    model = MultiTaskClassifier(
        loss=ZLoss(), output=FactoredOutput(lr=0.5), max_epochs=12, n_iter_no_change=5, early_stopping=True, **NET
    )
    model.set_params(callbacks=[("weights", weights)]).fit(X, y)
    best = int(np.argmin([epoch["valid_loss"] for epoch in model.history_]))
    assert best < len(model.history_) - 1
    torch.testing.assert_close(model.net_.module_.output_layer.weight, weights.seen[best])
    assert not torch.equal(weights.seen[-1], weights.seen[best])


def test_the_layer_follows_the_schedule():
    X, y, _ = table(20, n=200)
    model = MultiTaskClassifier(
        loss=ZLoss(),
        output=FactoredOutput(lr=0.3),
        lr_schedule=lambda done: 1.0 if done < 0.5 else 0.25,
        max_epochs=2,
        **NET,
    ).fit(X, y)
    assert model.net_.module_.output_layer.lr == pytest.approx(0.3 * 0.25)
    assert list(model.net_.module_.output_layer.parameters()) == []


def test_it_goes_on_and_pickles():
    X, y, _ = table(20, n=200)
    model = MultiTaskClassifier(loss=ZLoss(), output="factored", **NET)
    losses = []
    for _ in range(6):
        model.partial_fit(X, y, classes=np.arange(20))
        losses.append(model.history_[-1]["train_loss"])
    assert losses[-1] < losses[0]
    assert len(model.classes_) == 20
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_a_nested_name_makes_an_object_of_the_name():
    model = MultiTaskClassifier(loss=ZLoss(), output="factored").set_params(output__lr=0.5, output__width=12)
    assert repr(model.output) == "FactoredOutput(lr=0.5, width=12)"
    assert clone(model).get_params()["output__lr"] == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"loss": "log_loss"},
            r"'loss' must be one of \['spherical_softmax', 'taylor_softmax', 'z_loss'\] or an object",
        ),
        ({"loss": FocalLoss()}, r"with output='factored'\. Got FocalLoss\(\)"),
        ({"loss": AnyLoss()}, r"with output='factored'\. Got AnyLoss\(\)"),
        ({"loss": TaylorSoftmaxLoss(4)}, r"Taylor softmax of order 2\) with output='factored'\. Got Taylor.*order=4\)"),
        ({"balancing": "uw"}, r"'balancing' must be None with output='factored'.* Got 'uw'"),
        ({"regularizer": "rep_mtl"}, r"'regularizer' must be None with output='factored'.* Got 'rep_mtl'"),
        ({"output": "factorised"}, r"'output' must be 'dense', 'factored' or a FactoredOutput\. .*mean 'factored'\?"),
        ({"output": 3}, r"'output' must be 'dense', 'factored' or a FactoredOutput\. Got 3"),
        ({"output": FactoredOutput(0)}, r"'width' must be an int, 1 or more\. Got 0"),
        ({"output": FactoredOutput(lr=-1.0)}, r"'lr' must be a number in \(0, inf\)\. Got -1\.0"),
        ({"output": FactoredOutput(weight_decay=-1.0)}, r"'weight_decay' must be a number in \[0, inf\)"),
    ],
)
def test_mistakes_are_named(options, message):
    X, y, tasks = table(20, n_tasks=2, n=200)
    model = MultiTaskClassifier(**{"loss": ZLoss(), "output": "factored", **options})
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, tasks=tasks)
    assert not hasattr(model, "net_")


def test_too_few_classes_and_too_many_columns_are_named():
    X, y, _ = table(20, n=200)
    model = MultiTaskClassifier(loss=ZLoss(), output="factored")
    with pytest.raises(ValueError, match=r"ZLoss needs three classes or more\. Got 2"):
        model.fit(X, y > 10)
    with pytest.raises(ValueError, match=r"'output' = 'factored' is for a 'y' of one column\. Got 2 columns"):
        model.fit(X, np.column_stack([y, y]))
