"""Bad input gets a typed error that names the parameter, and leaves nothing half-fitted behind; faults in training."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from skorch.callbacks import Callback, EarlyStopping

from skmtl.losses import LogLoss, SquaredLoss
from skmtl.neural import MultiTaskClassifier, MultiTaskRegressor
from tests.neural._tables import SHORT

ROOT = Path(__file__).resolve().parents[2]
_BOTH = pytest.mark.parametrize("cls", [MultiTaskRegressor, MultiTaskClassifier])


def _table(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)), rng.integers(0, 2, n), np.array(["a", "b", "c"])[np.arange(n) % 3]


def refuses(model, error, match, X, y, method="fit", **known):
    """Assert that `fit` raises, and that the model stays as it was."""
    before = dict(vars(model))
    with pytest.raises(error, match=match) as raised:
        getattr(model, method)(X, y, **known)
    assert all(vars(model)[name] is value for name, value in before.items())
    assert set(vars(model)) == set(before)
    return str(raised.value)


# Values of parameters ------------------------------------------------------------------------------------------------

#: Values that each parameter must refuse, of a wrong type or out of its range.
_WRONG = {
    "architecture": ["nope", 3, None, object()],
    "loss": ["nope", 3, None, object()],
    "balancing": ["nope", 3, object()],
    "regularizer": ["nope", 3, object()],
    "output": ["nope", 3, None, "factored"],
    "task_column": [1.5, ["a"]],
    "task_weight": ["heavy", 3, {"a": -1.0}, {"zzz": 1.0}, {"a": np.nan}, {"a": 0.0, "b": 0.0, "c": 0.0}],
    "class_weight": ["heavy", 3, {0: -1.0, 1: 1.0}],
    "target_scaling": ["standard", 3],
    "categorical_features": [3, "some", [7], ["x0"]],
    "numeric_embedding": ["nope", 3],
    "optimizer": ["nope", 3, None, "lbfgs", torch.optim.LBFGS, int],
    "lr": [0, -0.1, "fast", None, np.nan],
    "lr_schedule": ["nope", 3],
    "max_epochs": [0, -1, 1.5, None],
    "batch_size": [0, -1, 1.5, None, "large"],
    "gradient_clip": [0, -1, "tight"],
    "early_stopping": ["yes", None, 2],
    "validation_fraction": [0, 1, -0.1, None, np.nan],
    "n_iter_no_change": [0, 1.5, None],
    "tol": [-1e-9, None, np.nan],
    "unseen_tasks": ["guess", None],
    "unseen_classes": ["guess", None],
    "callbacks": ["print", 3],
    "device": ["cuda:77", "nope", 3, None],
    "compile": ["yes", None],
    "net_params": [3, {"optimzer__lr": 1}, {"optimizer__wieght_decay": 0.1}, {"lr": 1}],
    "warm_start": ["yes", None],
    "verbose": [-1, "loud", None],
    "random_state": ["seed", -1],
}


@_BOTH
def test_a_wrong_value_is_known_for_every_parameter(cls):
    assert set(cls().get_params()) == set(cls._parameter_constraints) <= set(_WRONG)


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        pytest.param(cls, name, value, id=f"{cls.__name__}-{name}-{'object' if type(value) is object else value}")
        for cls in (MultiTaskRegressor, MultiTaskClassifier)
        for name, values in _WRONG.items()
        if name in cls._parameter_constraints
        for value in values
    ],
)
def test_a_wrong_value_is_named_with_its_parameter(cls, name, value):
    X, y, tasks = _table()
    wanted = {"net_params": "net_params|weight_decay"}.get(name, re.escape(name))
    message = refuses(cls(**{name: value}), (ValueError, TypeError), wanted, X, y, tasks=tasks)
    assert message.rstrip().endswith((".", "?", "]"))


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"architecture": "hard_shering"}, "Did you mean 'hard_sharing'"),
        ({"balancing": "pcgard"}, "Did you mean 'pcgrad'"),
        ({"loss": "log_los"}, "Did you mean 'log_loss'"),
        ({"regularizer": "rep_mlt"}, "Did you mean 'rep_mtl'"),
        ({"numeric_embedding": "periodical"}, "Did you mean 'periodic'"),
        ({"optimizer": "adamv"}, "Did you mean 'adam"),
        ({"net_params": {"optimizer__wieght_decay": 0.1}}, "no parameter 'wieght_decay'.*Did you mean 'weight_decay'"),
        ({"net_params": {"optimiser__weight_decay": 0.1}}, "Did you mean 'optimizer__weight_decay'"),
    ],
    ids=str,
)
def test_the_nearest_right_name_is_offered(params, match):
    X, y, tasks = _table()
    refuses(MultiTaskClassifier(**params), ValueError, match, X, y, tasks=tasks)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("architecture__hiden_sizes", "HardSharing has no parameter 'hiden_sizes'.*Did you mean 'hidden_sizes'"),
        ("loss__gama", "LogLoss has no parameter 'gama'"),
        ("architectur__hidden_sizes", "no parameter 'architectur'.*Did you mean 'architecture'"),
        ("balancing__rho", "'balancing' is None"),
    ],
)
def test_a_misspelt_nested_name_is_refused(name, match):
    with pytest.raises(ValueError, match=match):
        MultiTaskClassifier().set_params(**{name: 1})
    with pytest.raises(ValueError, match="Invalid parameter 'max_epoch'"):
        MultiTaskClassifier().set_params(max_epoch=3)


def test_the_devices_that_are_there_are_listed():
    X, y, _ = _table()
    refuses(MultiTaskRegressor(device="cuda:77"), ValueError, r"'device' is 'cuda:77'.*Found: \['cpu'", X, y)


@pytest.mark.parametrize(
    ("cls", "loss"),
    [(MultiTaskRegressor, LogLoss()), (MultiTaskClassifier, SquaredLoss()), (MultiTaskRegressor, "log_loss")],
)
def test_a_loss_of_the_other_kind_is_refused(cls, loss):
    X, y, tasks = _table()
    refuses(cls(loss=loss), ValueError, "'loss'", X, y, tasks=tasks)


class _Odd:
    """An architecture that builds what it should not."""

    def __init__(self, built):
        self.built = built

    def build(self, n_features, outputs):
        return self.built


@pytest.mark.parametrize(
    ("built", "match"), [(3, "must build a torch.nn.Module"), (torch.nn.Linear(3, 1), "'shared_parameters")]
)
def test_an_architecture_that_builds_something_else(built, match):
    X, y, _ = _table()
    refuses(MultiTaskRegressor(_Odd(built)), TypeError, match, X, y)


# Tables --------------------------------------------------------------------------------------------------------------


@_BOTH
@pytest.mark.parametrize("shorter", ["X", "y", "tasks", "sample_weight"])
def test_lengths_must_agree(cls, shorter):
    X, y, tasks = _table()
    given = {"X": X, "y": y, "tasks": tasks, "sample_weight": np.ones(60)}
    given[shorter] = given[shorter][:-1]
    message = refuses(cls(), ValueError, "59", given.pop("X"), given.pop("y"), **given)
    assert "60" in message


def _with(array, place, value):
    array = np.array(array, dtype=float if not isinstance(value, str | None) else object)
    array[place] = value
    return array


_BAD_TABLES = {
    "infinite X": (lambda X, y, t: {"X": _with(X, (5, 1), np.inf)}, ValueError, "X contains infinity"),
    "text in X": (lambda X, y, t: {"X": _with(X, (5, 1), "low")}, ValueError, "'low'|string|convert"),
    "1-D X": (lambda X, y, t: {"X": X[:, 0]}, ValueError, "2D"),
    "no rows": (lambda X, y, t: {"X": X[:0], "y": y[:0], "tasks": t[:0]}, ValueError, "0 sample|0 rows"),
    "no columns": (lambda X, y, t: {"X": X[:, :0]}, ValueError, "0 feature"),
    "one row": (lambda X, y, t: {"X": X[:1], "y": y[:1], "tasks": t[:1]}, ValueError, "1 sample|minimum of 2"),
    "NaN in y": (lambda X, y, t: {"y": _with(y, 4, np.nan)}, ValueError, "y contains NaN"),
    "infinite y": (lambda X, y, t: {"y": _with(y, 4, np.inf)}, ValueError, "y contains infinity"),
    "no y": (lambda X, y, t: {"y": None}, ValueError, "the target y is None"),
    "3-D y": (lambda X, y, t: {"y": y.reshape(-1, 1, 1)}, ValueError, "dim"),
    "empty column of y": (
        lambda X, y, t: {"y": np.column_stack([y, np.full(60, np.nan)])},
        ValueError,
        "no observed value in column 1",
    ),
    "2-D tasks": (lambda X, y, t: {"tasks": t.reshape(-1, 1)}, ValueError, "'tasks' must be 1-D"),
    "missing tasks": (lambda X, y, t: {"tasks": _with(t, 3, None)}, ValueError, "'tasks' has 1 missing label"),
    "mixed tasks": (lambda X, y, t: {"tasks": np.where(t == "a", 1, t.astype(object))}, TypeError, "'tasks'"),
    "negative weight": (lambda X, y, t: {"sample_weight": _with(np.ones(60), 3, -1.0)}, ValueError, "sample_weight"),
    "no weight": (lambda X, y, t: {"sample_weight": np.zeros(60)}, ValueError, "All weights are zero"),
    "NaN weight": (lambda X, y, t: {"sample_weight": _with(np.ones(60), 3, np.nan)}, ValueError, "NaN"),
}


@_BOTH
@pytest.mark.parametrize("kind", _BAD_TABLES)
def test_bad_tables_are_named(cls, kind):
    spoil, error, match = _BAD_TABLES[kind]
    X, y, tasks = _table()
    given = {"X": X, "y": y, "tasks": tasks} | spoil(X, y, tasks)
    refuses(cls(), error, match, given.pop("X"), given.pop("y"), **given)
    fitted = cls(**SHORT).fit(X, y, tasks=tasks)
    given = {"X": X, "y": y, "tasks": tasks} | spoil(X, y, tasks)
    refuses(fitted, error, match, given.pop("X"), given.pop("y"), **given)


@_BOTH
def test_both_routes_are_refused(cls):
    X, y, tasks = _table()
    refuses(cls(task_column=0), ValueError, "both 'tasks' and 'task_column'", X, y, tasks=tasks)


@_BOTH
def test_tasks_are_needed_in_predict_where_fit_had_several(cls):
    X, y, tasks = _table()
    model = cls(**SHORT).fit(X, y, tasks=tasks)
    for name in sorted({"predict", "predict_proba", "predict_log_proba", "decision_function"} & set(dir(model))):
        with pytest.raises(ValueError, match=r"fitted on 3 tasks, so 'tasks'.*enable_metadata_routing"):
            getattr(model, name)(X)
    with pytest.raises(TypeError, match="'tasks'"):
        model.predict(X, tasks=np.arange(60))
    with pytest.raises(ValueError, match=r"2 features.*3 features"):
        model.predict(X[:, :2], tasks=tasks)


def test_one_class_overall():
    X, _, tasks = _table()
    refuses(MultiTaskClassifier(), ValueError, "at least two classes in y. Got one class", X, np.zeros(60), tasks=tasks)
    refuses(MultiTaskClassifier(), ValueError, "Unknown label type", X, X[:, 0], tasks=tasks)


@pytest.mark.parametrize(("loss", "value"), [("poisson", -1.0), ("gamma", 0.0)])
def test_targets_that_the_loss_does_not_know(loss, value):
    X, _, tasks = _table()
    y = np.ones(60)
    y[7] = value
    refuses(MultiTaskRegressor(loss=loss), ValueError, f"loss='{loss}'.*y.*1", X, y, tasks=tasks)


@_BOTH
def test_a_continued_fit_refuses_what_does_not_continue(cls):
    X, y, tasks = _table()
    model = cls(warm_start=True, **SHORT).fit(X, y, tasks=tasks)
    cases = [
        ({"X": X, "y": y, "tasks": np.repeat(["a", "new"], 30)}, "'new'"),
        ({"X": X, "y": np.column_stack([y, y]), "tasks": tasks}, "'y' must have the same columns"),
        ({"X": X[:, :2], "y": y, "tasks": tasks}, "2 features"),
    ]
    if cls is MultiTaskClassifier:
        cases.append(({"X": X, "y": y + 1, "tasks": tasks}, "'y' must have no classes.*2"))
    for table, match in cases:
        for method in ["fit", "partial_fit"]:
            given = dict(table)
            refuses(model, ValueError, match, given.pop("X"), given.pop("y"), method=method, **given)
    model.predict(X, tasks=tasks)


# Faults in training --------------------------------------------------------------------------------------------------


def test_a_loss_that_explodes_is_named_with_its_epoch_and_remedies():
    X, y, _ = _table()
    model = MultiTaskRegressor(lr=1e38, lr_schedule=None, optimizer="sgd", random_state=0)
    message = refuses(model, ValueError, r"training loss is (nan|inf) in epoch 1\..*'lr'.*gradient_clip", X, y)
    assert "best weights" not in message


class _Explode(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch:
            with torch.no_grad():
                next(net.module_.parameters()).fill_(torch.nan)


@pytest.mark.parametrize("early_stopping", [True, False])
def test_after_an_explosion_the_best_weights_stay_usable(early_stopping):
    X, y, tasks = _table(200)
    params = {"early_stopping": early_stopping, "lr_schedule": None, "random_state": 0}
    model = MultiTaskRegressor(callbacks=[_Explode(4)], max_epochs=9, **params)
    with pytest.raises(ValueError, match=r"training loss is nan in epoch 4.*has the best weights from before"):
        model.fit(X, y, tasks=tasks)
    assert model.n_iter_ == 3
    expected = MultiTaskRegressor(max_epochs=3, **params).fit(X, y, tasks=tasks)
    assert_array_equal(model.predict(X, tasks=tasks), expected.predict(X, tasks=tasks))


class _Interrupt(Callback):
    """Ctrl-C in the middle of an epoch, or after its end."""

    def __init__(self, epoch, after=False):
        self.epoch = epoch
        self.after = after

    def on_batch_end(self, net, training, **kwargs):
        if len(net.history) == self.epoch and not self.after:
            raise KeyboardInterrupt

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == self.epoch and self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("interrupt", "where"), [(_Interrupt(4), "in epoch 4"), (_Interrupt(3, True), "after epoch 3")]
)
def test_an_interrupt_leaves_the_best_weights_so_far(interrupt, where):
    X, y, tasks = _table(200)
    params = {"early_stopping": True, "lr_schedule": None, "random_state": 0}
    model = MultiTaskRegressor(callbacks=[interrupt], max_epochs=9, **params)
    with pytest.warns(RuntimeWarning, match=f"interrupted {where}; the model has the best weights so far"):
        model.fit(X, y, tasks=tasks)
    assert model.n_iter_ == 3
    expected = MultiTaskRegressor(max_epochs=3, **params).fit(X, y, tasks=tasks)
    assert_array_equal(model.predict(X, tasks=tasks), expected.predict(X, tasks=tasks))


def test_an_interrupt_in_the_first_epoch_leaves_the_model_as_it_was():
    X, y, tasks = _table()
    model = MultiTaskRegressor(callbacks=[_Interrupt(1)], max_epochs=9)
    before = dict(vars(model))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y, tasks=tasks)
    assert vars(model) == before


def test_early_stopping_of_the_users_is_no_interrupt():
    X, y, tasks = _table(200)
    stopping = EarlyStopping(monitor="train_loss", patience=2, threshold=1e9, threshold_mode="abs")
    model = MultiTaskRegressor(callbacks=[stopping], max_epochs=9, random_state=0).fit(X, y, tasks=tasks)
    assert model.n_iter_ == 3  # the first is the best


def test_training_goes_on_after_an_interrupt():
    X, y, tasks = _table(200)
    params = {"early_stopping": False, "lr_schedule": None, "random_state": 0}
    model = MultiTaskRegressor(callbacks=[_Interrupt(2, True)], warm_start=True, max_epochs=4, **params)
    with pytest.warns(RuntimeWarning, match="interrupted after epoch 2"):
        model.fit(X, y, tasks=tasks)
    assert model.fit(X, y, tasks=tasks).n_iter_ == 6


def test_a_missing_extra_is_named():
    code = (
        "import sys\n"
        "class Block:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'torch': raise ImportError('No module named torch')\n"
        "sys.meta_path.insert(0, Block())\n"
        "import skmtl, skmtl.neural\n"
        "for get in (lambda: skmtl.MultiTaskClassifier, lambda: skmtl.neural.MultiTaskRegressor,\n"
        "            lambda: skmtl.neural.architectures, lambda: skmtl.neural.regularizers):\n"
        "    try: get()\n"
        "    except ImportError as error: print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert result.stdout.count("'torch' is needed here") == result.stdout.count('pip install "skmtl[neural]"') == 4


# What looks odd and is fine ------------------------------------------------------------------------------------------


@_BOTH
def test_odd_tables_are_fine(cls):
    X, y, tasks = _table()
    odd = {
        "a task of one row": (X, y, np.where(np.arange(60) == 7, "alone", tasks)),
        "every row a task": (X, y, np.arange(60)),
        "a task with a constant target": (X, np.where(tasks == "a", 1, y), tasks),
        "a constant column": (np.where([True, False, False], 3.0, X), y, tasks),
        "constant columns": (np.full_like(X, 0.1), y, tasks),
        "a missing column": (np.where([True, False, False], np.nan, X), y, tasks),
        "two rows": (X[:2], np.array([0, 1]), tasks[:2]),
        "equal rows": (np.repeat(X[:1], 60, axis=0), y, tasks),
    }
    for name, (features, target, labels) in odd.items():
        model = cls(batch_size=7 if name == "every row a task" else 1000, **SHORT).fit(features, target, tasks=labels)
        said = (
            model.predict_proba(features, tasks=labels)
            if cls is MultiTaskClassifier
            else model.predict(features, tasks=labels)
        )
        assert np.isfinite(said).all(), name


def test_a_constant_target_is_predicted():
    X, _, tasks = _table()
    model = MultiTaskRegressor(random_state=0).fit(X, np.full(60, 2.5), tasks=tasks)
    np.testing.assert_allclose(model.predict(X, tasks=tasks), 2.5, atol=0.02)


@_BOTH
def test_inputs_are_left_as_they_were(cls):
    X, y, tasks = _table()
    weight = np.ones(60)
    for array in (X, y, tasks, weight):
        array.flags.writeable = False
    cls(**SHORT).fit(X, y, tasks=tasks, sample_weight=weight).predict(X, tasks=tasks)
