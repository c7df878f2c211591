"""What the neural estimators promise: routes of the tasks, weights, missing targets, reproducibility, copies."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from skorch.exceptions import DeviceWarning

from skmtl.losses import CLASSIFICATION_LOSSES
from skmtl.neural import MultiTaskClassifier, MultiTaskRegressor
from skmtl.neural.architectures import Architecture, HardSharing
from skmtl.neural.architectures._registry import ARCHITECTURES
from skmtl.neural.balancing import BALANCINGS, FlatRegions, GradNorm
from skmtl.neural.embeddings import Periodic, PiecewiseLinear
from skmtl.neural.regularizers import RepMTL
from tests.neural._tables import SHORT, columns, rows_of_tasks

_BOTH = pytest.mark.parametrize("cls", [MultiTaskRegressor, MultiTaskClassifier])


def table(cls, **kwargs):
    X, y, tasks = rows_of_tasks(**kwargs)
    return X, (np.where(y > 2.0, "high", "low") if cls is MultiTaskClassifier else y), tasks


# Routes of the tasks -------------------------------------------------------------------------------------------------


@_BOTH
def test_the_routes_of_the_tasks_agree(cls):
    pd = pytest.importorskip("pandas")
    X, y, tasks = table(cls)
    expected = cls(**SHORT).fit(X, y, tasks=tasks).predict(X, tasks=tasks)
    frame = pd.DataFrame(X, columns=list("pqrs")).assign(school=pd.Categorical(tasks))
    found = cls(task_column="school", **SHORT).fit(frame, y).predict(frame)
    assert_array_equal(found, expected)
    codes = np.unique(tasks, return_inverse=True)[1]
    wide = np.column_stack([codes, X])
    assert_array_equal(cls(task_column=0, **SHORT).fit(wide, y).predict(wide), expected)


def test_a_column_of_y_is_a_task():
    X, y = columns(n=400)
    model = MultiTaskRegressor(random_state=0, max_epochs=30).fit(X, y)
    assert model.predict(X).shape == (400, 3)
    assert_array_equal(model.tasks_, [0, 1, 2])
    assert model.score(X, y) > 0.95
    full = columns(n=400, missing=0.0)[1]
    assert model.score(X, full) > 0.9  # the targets that were not observed, too


def test_a_frame_of_targets_names_the_tasks():
    pd = pytest.importorskip("pandas")
    X, y = columns()
    model = MultiTaskRegressor(**SHORT).fit(X, pd.DataFrame(y, columns=["u", "v", "w"]))
    assert_array_equal(model.tasks_, ["u", "v", "w"])
    assert {"train_u", "train_v", "train_w"} <= set(model.history_[-1])


def test_tasks_and_columns_together():
    X, y = columns()
    tasks = np.array(["a", "b"])[np.arange(120) % 2]
    model = MultiTaskRegressor(**SHORT).fit(X, y, tasks=tasks)
    assert model.predict(X, tasks=tasks).shape == (120, 3)
    assert_array_equal(model.tasks_, ["a", "b"])
    assert len(model.history_[-1]["train_task_loss"]) == 6


def test_missing_targets_say_nothing():
    X, y = columns()
    base = MultiTaskRegressor(**SHORT).fit(X, y)
    model = MultiTaskRegressor(**SHORT).fit(np.vstack([X, X[:9] + 7.0]), np.vstack([y, np.full((9, 3), np.nan)]))
    assert_array_equal(model.predict(X), base.predict(X))


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
@pytest.mark.parametrize("route", ["rows", "columns", "both"])
def test_every_architecture_learns_on_every_route(architecture, route):
    X, y, tasks = rows_of_tasks(n=240)
    known = {"tasks": tasks}
    if route != "rows":
        y = np.column_stack([y, -y])
        y[::5, 0] = np.nan
    if route == "columns":
        y, known = np.column_stack([X[:, 0], X[:, 0] + X[:, 1]]), {}
    model = MultiTaskRegressor(architecture, lr=0.005, random_state=0, max_epochs=40)
    model.fit(X, y, **known)
    assert model.score(X, y, **known) > 0.9


def test_classes_of_every_kind():
    X, y, tasks = rows_of_tasks()
    three = np.digitize(y, [1.0, 3.0])
    model = MultiTaskClassifier(random_state=0).fit(X, three, tasks=tasks)
    assert model.score(X, three, tasks=tasks) > 0.9
    p = model.predict_proba(X, tasks=tasks)
    assert p.shape == (120, 3)
    assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert_allclose(np.exp(model.predict_log_proba(X, tasks=tasks)), p)


def test_a_list_of_probabilities_for_columns_of_y():
    X, _, _ = rows_of_tasks()
    y = np.column_stack([X[:, 0] > 0, np.digitize(X[:, 1], [-0.5, 0.5])]).astype(float)
    y[::7, 0] = np.nan
    model = MultiTaskClassifier(**SHORT).fit(X, y)
    probabilities = model.predict_proba(X)
    assert [p.shape for p in probabilities] == [(120, 2), (120, 3)]
    assert [c.tolist() for c in model.classes_] == [[0.0, 1.0], [0.0, 1.0, 2.0]]
    for p in probabilities:
        assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert model.predict(X).shape == (120, 2)
    assert set(model.predict(X)[:, 0]) <= {0.0, 1.0}
    assert not hasattr(model, "decision_function")


def test_a_task_gets_no_class_that_it_never_had():
    X, y, tasks = rows_of_tasks()
    y = np.where(tasks == "a", np.where(y > 0, "x", "y"), np.where(y > 2, "y", "z"))
    model = MultiTaskClassifier(**SHORT).fit(X, y, tasks=tasks)
    p = model.predict_proba(X, tasks=tasks)
    assert (p[tasks == "a", 2] == 0).all() and (p[tasks != "a", 0] == 0).all()
    assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    shared = MultiTaskClassifier(unseen_classes="shared", **SHORT).fit(X, y, tasks=tasks)
    assert (shared.predict_proba(X, tasks=tasks) > 0).all()


def test_an_unseen_task_gets_the_mean_of_all_tasks():
    X, y, tasks = rows_of_tasks()
    model = MultiTaskRegressor(**SHORT).fit(X, y, tasks=tasks)
    of_each = [model.predict(X, tasks=np.full(120, task)) for task in "abc"]
    mixed = np.where(np.arange(120) % 2 == 0, "new", tasks)
    found = model.predict(X, tasks=mixed)
    assert_allclose(found[::2], np.mean(of_each, axis=0)[::2])
    assert_array_equal(found[1::2], model.predict(X, tasks=tasks)[1::2])
    with pytest.raises(ValueError, match="'new'"):
        model.set_params(unseen_tasks="error").predict(X, tasks=mixed)


@_BOTH
def test_rows_alone_give_what_they_give_together(cls):
    X, y, tasks = table(cls)
    model = cls(**SHORT).fit(X, y, tasks=tasks)
    method = model.predict_proba if cls is MultiTaskClassifier else model.predict
    together = method(X, tasks=tasks)
    alone = np.concatenate([method(X[[i]], tasks=tasks[[i]]) for i in range(0, 120, 11)])
    assert_array_equal(alone, together[::11])


@_BOTH
def test_neither_the_order_of_rows_nor_the_names_of_tasks_matter_in_a_small_table(cls):
    X, y, tasks = table(cls)
    expected = cls(**SHORT).fit(X, y, tasks=tasks).predict(X, tasks=tasks)
    order = np.random.default_rng(0).permutation(120)
    shuffled = cls(**SHORT).fit(X[order], y[order], tasks=tasks[order])
    assert_array_equal(shuffled.predict(X, tasks=tasks), expected)
    renamed = np.char.add("task-", tasks)
    assert_array_equal(cls(**SHORT).fit(X, y, tasks=renamed).predict(X, tasks=renamed), expected)


# Weights -------------------------------------------------------------------------------------------------------------


@_BOTH
def test_a_weight_of_two_is_the_row_twice(cls):
    X, y, tasks = table(cls)
    weight = np.random.default_rng(0).integers(0, 4, 120)
    weighted = cls(**SHORT).fit(X, y, tasks=tasks, sample_weight=weight)
    repeated = cls(**SHORT).fit(X.repeat(weight, 0), y.repeat(weight), tasks=tasks.repeat(weight))
    assert_array_equal(weighted.predict(X, tasks=tasks), repeated.predict(X, tasks=tasks))


def test_task_weights():
    X, y, tasks = rows_of_tasks()
    y = np.where(tasks == "a", y, np.where(tasks == "b", -y, 5.0 * y))
    fits = {
        weight if isinstance(weight, str | None) else "dict": MultiTaskRegressor(task_weight=weight, **SHORT)
        for weight in [None, "balanced", {"a": 100.0, "b": 0.0}]
    }
    unequal = np.concatenate([np.flatnonzero(tasks == "a")[:5], np.flatnonzero(tasks != "a")])
    for model in fits.values():
        model.fit(X[unequal], y[unequal], tasks=tasks[unequal])
    errors = {name: np.abs(model.predict(X, tasks=tasks) - y)[tasks == "a"].mean() for name, model in fits.items()}
    assert errors["dict"] < errors[None]
    assert not np.array_equal(fits["balanced"].predict(X, tasks=tasks), fits[None].predict(X, tasks=tasks))
    equal = MultiTaskRegressor(task_weight="balanced", **SHORT).fit(X, y, tasks=tasks)
    plain = MultiTaskRegressor(**SHORT).fit(X, y, tasks=tasks)
    assert_allclose(equal.predict(X, tasks=tasks), plain.predict(X, tasks=tasks))  # tasks of equal size


def test_task_weights_of_columns():
    X, y = columns()
    model = MultiTaskRegressor(task_weight={1: 0.0}, **SHORT).fit(X, y)
    other = y.copy()
    other[:, 1] *= 2.0  # keeps the order of the rows
    again = MultiTaskRegressor(task_weight={1: 0.0}, **SHORT).fit(X, other)
    assert_array_equal(model.predict(X)[:, [0, 2]], again.predict(X)[:, [0, 2]])


def test_class_weights_move_probabilities():
    X, y, tasks = table(MultiTaskClassifier)
    y = np.where(np.arange(120) % 10 == 0, "high", "low")
    means = {}
    for weight in [None, "balanced", {"high": 1.0, "low": 30.0}]:
        model = MultiTaskClassifier(class_weight=weight, **SHORT).fit(X, y, tasks=tasks)
        means[str(weight)[:8]] = model.predict_proba(X, tasks=tasks)[:, 0].mean()
    assert means["balanced"] > means["None"] + 0.2 > means["{'high':"] + 0.2


# Input ---------------------------------------------------------------------------------------------------------------


def test_frames_with_categories_and_missing_values():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    kind = rng.choice(["x", "y", "z"], 400)
    size = rng.normal(size=400)
    y = np.select([kind == "x", kind == "y"], [0.0, 5.0], -5.0) + np.where(np.isnan(size), 3.0, size)
    size[::7] = np.nan
    y[::7] += 20.0
    frame = pd.DataFrame({"size": size, "kind": pd.Categorical(kind)})
    model = MultiTaskRegressor(lr=0.005, random_state=0).fit(frame, y)
    assert model.score(frame, y) > 0.98
    by_position = MultiTaskRegressor(categorical_features=[1], lr=0.005, random_state=0)
    plain = np.column_stack([size, np.unique(kind, return_inverse=True)[1]])
    assert_allclose(by_position.fit(plain, y).predict(plain), model.predict(frame))
    strange = frame.assign(kind=pd.Categorical(["new"] * 400))
    assert np.isfinite(model.predict(strange)).all()


def test_polars_frames():
    pl = pytest.importorskip("polars")
    pd = pytest.importorskip("pandas")
    X, y, tasks = rows_of_tasks()
    data = {name: X[:, i] for i, name in enumerate("pqrs")}
    a = MultiTaskRegressor(task_column="t", **SHORT).fit(pl.DataFrame({**data, "t": tasks}), y)
    b = MultiTaskRegressor(task_column="t", **SHORT).fit(pd.DataFrame({**data, "t": tasks}), y)
    assert_array_equal(a.predict(pl.DataFrame({**data, "t": tasks})), b.predict(pd.DataFrame({**data, "t": tasks})))


@pytest.mark.parametrize("embedding", [None, "periodic", "piecewise_linear", PiecewiseLinear(3, 4), Periodic(3, 5)])
def test_embeddings_of_numbers(embedding):
    X, y, tasks = rows_of_tasks()
    model = MultiTaskRegressor(numeric_embedding=embedding, **SHORT).fit(X, y, tasks=tasks)
    assert (model.net_.module_.frontend.embed is None) is (embedding is None)
    assert np.isfinite(model.predict(X, tasks=tasks)).all()


@pytest.mark.parametrize("scale", [1e-100, 1e-12, 1e12, 1e100])
def test_targets_and_features_of_any_size(scale):
    X, y, tasks = rows_of_tasks()
    unit = MultiTaskRegressor(**SHORT).fit(X, y, tasks=tasks).predict(X, tasks=tasks)
    found = MultiTaskRegressor(**SHORT).fit(X, scale * y, tasks=tasks).predict(X, tasks=tasks)
    assert_allclose(found / scale, unit, rtol=1e-3, atol=1e-3)
    found = MultiTaskRegressor(**SHORT).fit(scale * X, y, tasks=tasks).predict(scale * X, tasks=tasks)
    assert_allclose(found, unit, rtol=1e-3, atol=1e-3)


def test_tasks_in_different_units():
    X, y, tasks = rows_of_tasks(n=240)
    factor = np.where(tasks == "a", 1e6, np.where(tasks == "b", 1e-6, 1.0))
    model = MultiTaskRegressor(lr=0.005, random_state=0).fit(X, factor * y, tasks=tasks)
    for task in "abc":
        mine = tasks == task
        assert model.score(X[mine], (factor * y)[mine], tasks=tasks[mine]) > 0.9


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        ("poisson", lambda X, t: np.random.default_rng(0).poisson(np.exp(0.5 * X[:, 0] + t))),
        ("gamma", lambda X, t: np.exp(0.5 * X[:, 0] + t)),
        ("absolute_error", lambda X, t: X[:, 0] + t),
        ("huber", lambda X, t: X[:, 0] + t),
        ("quantile", lambda X, t: X[:, 0] + t),
    ],
)
def test_other_losses_for_numbers(loss, y):
    X, _, tasks = rows_of_tasks(n=300)
    target = y(X, np.unique(tasks, return_inverse=True)[1])
    model = MultiTaskRegressor(loss=loss, random_state=0, lr=0.003).fit(X, target, tasks=tasks)
    predicted = model.predict(X, tasks=tasks)
    assert np.corrcoef(predicted, target)[0, 1] > 0.8
    if loss in {"poisson", "gamma"}:
        assert (predicted > 0).all()


@pytest.mark.parametrize("loss", sorted(CLASSIFICATION_LOSSES))
def test_every_loss_for_classes(loss):
    X, y, tasks = rows_of_tasks(n=150)
    y = np.digitize(y, [1.0, 3.0])
    y[tasks == "a"] = np.minimum(y[tasks == "a"], 1)  # a task that lacks a class
    model = MultiTaskClassifier(loss=loss, lr=0.01, max_epochs=40, batch_size=75, random_state=0).fit(X, y, tasks=tasks)
    assert model.score(X, y, tasks=tasks) > 0.85
    p = model.predict_proba(X, tasks=tasks)
    assert ((p >= 0) & (p <= 1)).all()
    assert_allclose(p.sum(axis=1), 1.0, rtol=1e-9)
    assert (p[tasks == "a", 2] == 0).all()


# The other axes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("balancing", BALANCINGS)
def test_every_balancing_method_trains(balancing):
    for package, names in [("clarabel", {"cagrad"}), ("ecos", {"nash_mtl"})]:
        if balancing in names:
            pytest.importorskip(package)
    X, y = columns()
    y = np.column_stack([y, y[:, :1] - y[:, 1:2]])  # as many tasks as any method needs
    model = MultiTaskRegressor(balancing=balancing, max_epochs=2, batch_size=40, random_state=0).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert model.history_[-1]["train_loss"] < model.history_[0]["train_loss"] * 1.5
    assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    again = clone(model).fit(X, y)
    assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize("balancing", ["pcgrad", "uw", FlatRegions(rho=0.1), GradNorm()])
def test_batches_that_lack_tasks_break_nothing(balancing):
    X, y, tasks = rows_of_tasks(n=100, n_tasks=7)
    model = MultiTaskRegressor(balancing=balancing, batch_size=3, max_epochs=1, random_state=0)
    assert np.isfinite(model.fit(X, y, tasks=tasks).predict(X, tasks=tasks)).all()


def test_the_regularizer_acts_and_weights_of_zero_do_not():
    X, y = columns(missing=0.0)
    plain = MultiTaskRegressor(balancing="mean", **SHORT).fit(X, y).predict(X)
    zero = MultiTaskRegressor(balancing="mean", regularizer=RepMTL(0.0, 0.0), **SHORT).fit(X, y).predict(X)
    assert_array_equal(zero, plain)
    acts = MultiTaskRegressor(balancing="mean", regularizer="rep_mtl", **SHORT).fit(X, y).predict(X)
    assert np.isfinite(acts).all() and not np.array_equal(acts, plain)


class Linear(Architecture):
    """An architecture of a user."""

    def __init__(self, bias=True):
        self.bias = bias

    def build(self, n_features, outputs):
        return LinearModule(n_features, outputs, self.bias)


class LinearModule(torch.nn.Module):
    def __init__(self, n_features, outputs, bias):
        super().__init__()
        self.shape = tuple(outputs)
        self.linear = torch.nn.Linear(n_features, outputs.n_units * outputs.n_values, bias)

    def forward(self, x, tasks):
        return self.linear(x).view(len(x), *self.shape)[torch.arange(len(x)), tasks]

    def shared_parameters(self):
        return []


def test_an_architecture_of_the_users_plugs_in():
    X, y, tasks = rows_of_tasks()
    model = MultiTaskRegressor(Linear(), lr=0.03, random_state=0).fit(X, y, tasks=tasks)
    assert model.score(X, y, tasks=tasks) > 0.95
    search = GridSearchCV(MultiTaskRegressor(Linear(), **SHORT), {"architecture__bias": [True, False]}, cv=2)
    assert search.fit(X, y).best_params_


# Parameters ----------------------------------------------------------------------------------------------------------


def test_nested_names_reach_the_parts_also_where_they_are_strings():
    model = MultiTaskClassifier("mmoe", balancing="flat_regions", regularizer="rep_mtl")
    model.set_params(
        architecture__n_experts=3,
        balancing__rho=0.2,
        regularizer__tau=0.5,
        loss__one_output_per_class=True,
        numeric_embedding__n_bins=8,
        optimizer__weight_decay=0.5,
    )
    assert model.architecture.n_experts == 3
    assert model.balancing.rho == 0.2
    assert model.regularizer.tau == 0.5
    assert model.loss.one_output_per_class is True
    assert model.numeric_embedding.n_bins == 8
    assert model.net_params == {"optimizer__weight_decay": 0.5}
    params = model.get_params()
    assert params["architecture__n_experts"] == 3 and params["optimizer__weight_decay"] == 0.5
    copied = clone(model)
    assert copied.architecture is not model.architecture
    assert copied.get_params()["architecture__n_experts"] == 3
    # Part and nested name in one call, as a search over both makes it.
    model.set_params(architecture__hidden_sizes=(5,), architecture="hard_sharing")
    assert model.architecture.hidden_sizes == (5,)


def test_a_search_over_all_axes():
    X, y, tasks = rows_of_tasks()
    wide = np.column_stack([X, np.unique(tasks, return_inverse=True)[1]])
    grid = {
        "architecture": [HardSharing((8,), n_members=2)],
        "architecture__dropout": [0.0, 0.3],
        "balancing": [None, "uw"],
        "optimizer__weight_decay": [0.0],
    }
    search = GridSearchCV(MultiTaskRegressor(task_column=4, **SHORT), grid, cv=KFold(2), error_score="raise", n_jobs=2)
    search.fit(wide, y)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_estimator_.net_.optimizer_.param_groups[0]["weight_decay"] == 0.0


@pytest.mark.parametrize("architecture", sorted(ARCHITECTURES))
def test_the_embedding_of_the_task_is_searched_alike_in_all_architectures(architecture):
    X, y, tasks = rows_of_tasks()
    wide = np.column_stack([X, np.unique(tasks, return_inverse=True)[1]])
    model = MultiTaskRegressor(architecture, task_column=4, **SHORT)
    search = GridSearchCV(model, {"architecture__task_size": [0, 2, "auto"]}, cv=KFold(2), error_score="raise")
    search.fit(wide, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 3


# Training ------------------------------------------------------------------------------------------------------------


def test_early_stopping_ends_with_the_weights_that_were_best():
    X, y, tasks = rows_of_tasks(n=700)
    y = y + np.random.default_rng(1).normal(size=700) * 5.0
    model = MultiTaskRegressor(random_state=0, lr=0.01, n_iter_no_change=3).fit(X, y, tasks=tasks)
    losses = [epoch["valid_loss"] for epoch in model.history_]
    assert len(losses) < 60
    assert len(losses) - 1 - int(np.argmin(losses)) == 3
    shorter = clone(model).set_params(max_epochs=60, n_iter_no_change=1000).fit(X, y, tasks=tasks)
    assert shorter.n_iter_ == 60
    best = int(np.argmin([epoch["valid_loss"] for epoch in shorter.history_]))
    assert best == int(np.argmin(losses))  # the same weights, restored
    assert_array_equal(shorter.predict(X, tasks=tasks), model.predict(X, tasks=tasks))


def test_every_task_keeps_rows_on_both_sides_of_the_validation():
    _, y, tasks = rows_of_tasks(n=600)
    tasks = np.where(np.arange(600) < 2, "rare", tasks)
    model = MultiTaskRegressor(early_stopping=True, validation_fraction=0.4, **SHORT)
    held_out = model._held_out(np.unique(tasks, return_inverse=True)[1], y[:, None], 0)
    for task in np.unique(tasks):
        mine = held_out[tasks == task]
        assert not mine.all()
        if len(mine) > 2:
            assert 0.35 < mine.mean() < 0.45


def test_the_learning_rate_follows_its_schedule():
    X, y, tasks = rows_of_tasks()
    for schedule in ["constant", "cosine", "flat_cosine", None, lambda done: 0.5]:
        model = MultiTaskRegressor(lr_schedule=schedule, max_epochs=10, random_state=0).fit(X, y, tasks=tasks)
        rates = [epoch["lr"] for epoch in model.history_]
        if schedule in {"cosine", "flat_cosine"}:
            assert rates[-1] < 0.1 * max(rates)
        else:
            assert set(rates) == {0.001 if schedule in {None, "constant"} else 0.0005}


def test_gradients_are_clipped():
    X, y, tasks = rows_of_tasks()
    params = {"optimizer": "sgd", "net_params": {"optimizer__momentum": 0.0, "optimizer__nesterov": False}}
    model = MultiTaskRegressor(gradient_clip=1e-9, lr=1.0, max_epochs=1, random_state=0, **params)
    model.fit(X, y, tasks=tasks)
    still = MultiTaskRegressor(lr=1e-30, max_epochs=1, random_state=0, **params).fit(X, y, tasks=tasks)
    assert_allclose(model.predict(X, tasks=tasks), still.predict(X, tasks=tasks), rtol=1e-4)


@_BOTH
def test_warm_start_goes_on(cls):
    X, y, tasks = table(cls)
    model = cls(warm_start=True, **SHORT).fit(X, y, tasks=tasks)
    first = model.history_[-1]["train_loss"]
    assert model.n_iter_ == 3
    model.fit(X, y, tasks=tasks)
    assert model.n_iter_ == 6
    assert model.history_[-1]["train_loss"] < first
    cold = model.set_params(warm_start=False).fit(X, y, tasks=tasks)
    assert cold.n_iter_ == 3


@_BOTH
def test_partial_fit_is_one_epoch(cls):
    X, y, tasks = table(cls, n=600)
    model = cls(random_state=0)
    for n in range(1, 4):
        model.partial_fit(X, y, tasks=tasks)
        assert model.n_iter_ == n
    losses = [epoch["train_loss"] for epoch in model.history_]
    assert losses[2] < losses[0]


def test_partial_fit_takes_the_classes_to_come():
    X, y, tasks = table(MultiTaskClassifier)
    low = y == "low"
    model = MultiTaskClassifier(random_state=0)
    model.partial_fit(X[low], y[low], classes=["high", "low"], tasks=tasks[low])
    assert_array_equal(model.classes_, ["high", "low"])
    model.partial_fit(X, y, tasks=tasks)
    assert (model.predict_proba(X, tasks=tasks)[tasks == "c"] > 1e-4).all()


def test_a_line_per_epoch_with_a_column_per_task(capsys):
    X, y, tasks = rows_of_tasks()
    MultiTaskRegressor(verbose=1, **SHORT).fit(X, y, tasks=tasks)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert {"train_a", "train_b", "train_c", "train_loss", "lr", "dur"} <= set(lines[0].split())
    MultiTaskRegressor(**SHORT).fit(X, y, tasks=tasks)
    assert capsys.readouterr().out == ""


def test_a_bar_on_request(capsys):
    pytest.importorskip("tqdm")
    X, y, tasks = rows_of_tasks()
    model = MultiTaskRegressor(verbose="bar", **SHORT).fit(X, y, tasks=tasks)
    seen = capsys.readouterr()
    assert seen.out == "" and "3/3" in seen.err
    pickle.dumps(model)


def test_callbacks_of_skorch_are_called():
    skorch = pytest.importorskip("skorch")

    class Count(skorch.callbacks.Callback):
        n_batches = n_gradients = 0

        def on_batch_end(self, net, training, **kwargs):
            self.n_batches += training

        def on_grad_computed(self, net, named_parameters, **kwargs):
            self.n_gradients += 1

    X, y, tasks = rows_of_tasks()
    count = Count()
    MultiTaskRegressor(callbacks=[count], batch_size=40, **SHORT).fit(X, y, tasks=tasks)
    assert count.n_batches == count.n_gradients == 9


# The same again ------------------------------------------------------------------------------------------------------


@_BOTH
def test_equal_seeds_give_equal_models_and_the_generators_stay_as_they_were(cls):
    X, y, tasks = table(cls)
    architecture = HardSharing((16,), dropout=0.3)
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first = cls(architecture, **SHORT).fit(X, y, tasks=tasks)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    torch.manual_seed(4)
    second = cls(architecture, **SHORT).fit(X, y, tasks=tasks)
    for one, other in zip(first.net_.module_.parameters(), second.net_.module_.parameters(), strict=True):
        assert torch.equal(one, other)
    other = cls(architecture, max_epochs=3, random_state=1).fit(X, y, tasks=tasks)
    one, another = (m.net_.module_.core.task_input.embedding.detach().numpy() for m in (first, other))
    assert not np.array_equal(one, another)


@_BOTH
def test_copies_predict_the_same(cls, tmp_path):
    joblib = pytest.importorskip("joblib")
    X, y, tasks = table(cls, n=600)
    model = cls(**SHORT).fit(X, y, tasks=tasks)
    expected = model.predict(X, tasks=tasks)
    joblib.dump(model, tmp_path / "model")
    for copied in [pickle.loads(pickle.dumps(model)), copy.deepcopy(model), joblib.load(tmp_path / "model")]:
        assert_array_equal(copied.predict(X, tasks=tasks), expected)
        copied.set_params(warm_start=True).fit(X, y, tasks=tasks)  # and can be trained on
        assert copied.n_iter_ == 6


def test_a_pickle_holds_no_training_rows():
    X, y, tasks = rows_of_tasks(n=200)
    small = len(pickle.dumps(MultiTaskRegressor(**SHORT).fit(X, y, tasks=tasks)))
    X, y, tasks = rows_of_tasks(n=4000)
    large = len(pickle.dumps(MultiTaskRegressor(**SHORT).fit(X, y, tasks=tasks)))
    assert large < small + 10_000  # 4000 rows of 4 numbers would be 64 000


def test_a_model_of_a_gpu_loads_where_there_is_none(monkeypatch):
    """Without a GPU: tensors are written as if they lay on one, which torch alone refuses to read."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    X, y, tasks = rows_of_tasks()
    y = np.column_stack([y, -y])
    for balancing in (None, "uw", "gradnorm", "gradvac"):  # the last two have state
        model = MultiTaskRegressor(balancing=balancing, **SHORT).fit(X, y, tasks=tasks)
        expected = model.predict(X, tasks=tasks)
        with monkeypatch.context() as patch:
            patch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
            model.net_.device = "cuda"
            written = pickle.dumps(model)
            alone = pickle.dumps(model.net_.module_)
        with pytest.raises(RuntimeError, match="deserialize object on a CUDA device"):
            pickle.loads(alone)
        with pytest.warns(DeviceWarning, match="cpu"):
            moved = pickle.loads(written)
        assert str(moved.net_.device) == "cpu"
        assert_array_equal(moved.predict(X, tasks=tasks), expected)
        moved.set_params(device="cpu").partial_fit(X, y, tasks=tasks)
        assert moved.net_.module is moved.net_.module_


def test_a_pickle_holds_the_weights_once():
    X, y, tasks = rows_of_tasks()
    model = MultiTaskRegressor(optimizer="sgd", **SHORT).set_params(optimizer__momentum=0.0, optimizer__nesterov=False)
    module = model.fit(X, y, tasks=tasks).net_.module_
    n_bytes = 4 * sum(parameter.numel() for parameter in module.parameters())
    assert len(pickle.dumps(model)) < n_bytes + 40_000


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(
    ("architecture", "balancing"),
    [*((name, None) for name in sorted(ARCHITECTURES)), *(("hard_sharing", name) for name in BALANCINGS)],
)
def test_a_gpu_gives_what_the_cpu_gives(architecture, balancing):
    for package, names in [("clarabel", {"cagrad"}), ("ecos", {"nash_mtl"})]:
        if balancing in names:
            pytest.importorskip(package)
    if balancing == "graddrop":
        pytest.skip("draws its random numbers on the device")
    X, y = columns(n=240)
    y = np.column_stack([y, y[:, :1] - y[:, 1:2]])  # as many tasks as any method needs
    if architecture == "hard_sharing":
        architecture = HardSharing(dropout=0.0)  # dropout draws its random numbers on the device
    params = {"optimizer": "sgd", "balancing": balancing, **SHORT}
    fits = {device: MultiTaskRegressor(architecture, device=device, **params).fit(X, y) for device in ["cpu", "cuda"]}
    assert_allclose(fits["cuda"].predict(X), fits["cpu"].predict(X), rtol=1e-3, atol=1e-3)
    moved = pickle.loads(pickle.dumps(fits["cuda"]))
    assert_allclose(moved.predict(X), fits["cuda"].predict(X))
