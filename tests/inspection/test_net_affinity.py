"""Affinities of nets: tasks that agree, tasks that were planted, values of a net that can be worked out by hand."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge

torch = pytest.importorskip("torch")
pytest.importorskip("skorch")

from skmtl.inspection import TaskAffinityDisplay, TaskGrouper, net_affinity  # noqa: E402
from skmtl.neural import MultiTaskClassifier, MultiTaskRegressor  # noqa: E402
from skmtl.neural.architectures import Architecture  # noqa: E402

GROUPS = np.array([0, 0, 0, 1, 1, 1])
SMALL = {"numeric_embedding": None, "max_epochs": 15, "random_state": 0}


class Linear(Architecture):
    """One linear map for all tasks, which starts from zero; `share=False` says that they share nothing."""

    def __init__(self, share=True):
        self.share = share

    def build(self, n_features, outputs):
        return LinearModule(n_features, outputs, self.share)


class LinearModule(torch.nn.Module):
    def __init__(self, n_features, outputs, share):
        super().__init__()
        self.n_columns, self.share = outputs.n_columns, share
        self.linear = torch.nn.Linear(n_features, outputs.n_values, bias=False)
        torch.nn.init.zeros_(self.linear.weight)

    def forward(self, x, tasks):
        return self.linear(x)[:, None, :].expand(-1, self.n_columns, -1)

    def shared_parameters(self):
        return [self.linear.weight] if self.share else []


@pytest.fixture
def planted():
    """Six tasks, the first three on other features than the last three."""
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(360, 4)), np.repeat(np.arange(6), 60)
    weights = np.array([[1.0, 1.0, 0.0, 0.0], [-1.0, -1.0, 1.0, 0.0]])
    return X, (X * weights[GROUPS[tasks]]).sum(axis=1) + 0.1 * rng.normal(size=360), tasks


def twins():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    y = X @ [1.0, -1.0, 0.5]
    return np.vstack([X, X, X]), np.r_[y, y, -y], np.repeat(["a", "b", "opposite"], 40)


def test_identical_tasks_have_cosine_one_and_opposite_ones_minus_one():
    X, y, tasks = twins()
    net = MultiTaskRegressor(Linear(), **SMALL, target_scaling=None)
    found = net_affinity(net, X, y, tasks=tasks, measure="cosine", random_state=0)
    assert found.task.tolist() == ["a", "b", "opposite"]
    assert found.rounds.shape == (15, 3, 3)
    np.testing.assert_allclose(found.rounds[:, 0, 1], 1.0)
    np.testing.assert_allclose(found.rounds[0], [[1, 1, -1], [1, 1, -1], [-1, -1, 1]])
    np.testing.assert_allclose(found.rounds.mean(axis=0), found.affinity)


def test_first_lookahead_of_a_linear_net_by_hand():
    X, y, tasks = twins()
    net = MultiTaskRegressor(Linear(), **{**SMALL, "max_epochs": 1}, target_scaling=None)
    found = net_affinity(net, X, y, tasks=tasks, learning_rate=0.05, random_state=0)
    fitted = net.fit(X, y, tasks=tasks)  # what the net is trained on: scaled features, and targets less the start
    scaled = fitted._fitted.preprocessor.transform(X).numbers.astype(np.float64)
    start = fitted.net_.criterion_.start.numpy()[:, 0].astype(np.float64)
    parts = [(scaled[tasks == task], y[tasks == task] - start[i]) for i, task in enumerate(found.task)]
    steps = [0.05 * part.T @ target / len(target) for part, target in parts]  # of half the squared error
    expected = [
        [1.0 - np.mean((target - part @ step) ** 2) / np.mean(target**2) for part, target in parts] for step in steps
    ]
    np.testing.assert_allclose(found.rounds[0], expected, rtol=1e-4)
    assert found.affinity[0, 1] > 0 > found.affinity[0, 2]


@pytest.mark.parametrize("measure", ["lookahead", "cosine"])
@pytest.mark.parametrize("cls", [MultiTaskRegressor, MultiTaskClassifier])
def test_planted_groups_help_their_own(measure, cls, planted):
    X, y, tasks = planted
    y = y if cls is MultiTaskRegressor else y > 0
    affinity = net_affinity(cls(**SMALL), X, y, tasks=tasks, measure=measure, every=3, random_state=0).affinity
    same, off = GROUPS[:, None] == GROUPS, ~np.eye(6, dtype=bool)
    assert affinity[same & off].min() > affinity[~same].max()


@pytest.mark.parametrize("method", ["lookahead", "cosine"])
def test_grouper_recovers_planted_groups_and_the_display_draws_them(method, planted):
    X, y, tasks = planted
    grouper = TaskGrouper(method, estimator=MultiTaskRegressor(**SMALL), random_state=0).fit(X, y, tasks=tasks)
    np.testing.assert_array_equal(grouper.labels_, GROUPS)
    pytest.importorskip("matplotlib")
    display = TaskAffinityDisplay(grouper.affinity_, grouper.tasks_, groups=grouper.labels_).plot()
    assert np.isfinite(display.image_.get_array()).sum() == 30


def test_measuring_changes_nothing(planted):
    X, y, tasks = planted
    net = MultiTaskRegressor(**SMALL)
    net_affinity(net, X, y, tasks=tasks, random_state=0)
    assert not hasattr(net, "net_")
    assert net.callbacks is None
    net.fit(X, y, tasks=tasks)
    before, weights = net.predict(X, tasks=tasks), copy.deepcopy(net.net_.module_.state_dict())
    one = net_affinity(net, X, y, tasks=tasks, when="end", random_state=0)
    two = net_affinity(net, X, y, tasks=tasks, when="end", random_state=0)
    np.testing.assert_array_equal(one.affinity, two.affinity)
    assert one.rounds.shape == (1, 6, 6)
    np.testing.assert_array_equal(net.predict(X, tasks=tasks), before)
    assert all(torch.equal(value, weights[name]) for name, value in net.net_.module_.state_dict().items())


def test_training_goes_on_as_if_nothing_had_been_measured(planted):
    """Each round is at the weights that an unmeasured training has: its end is that of another fit."""
    X, y, tasks = planted
    long = net_affinity(MultiTaskRegressor(**SMALL, lr_schedule=None), X, y, tasks=tasks, random_state=0)
    short = MultiTaskRegressor(**{**SMALL, "max_epochs": 5}, lr_schedule=None).fit(X, y, tasks=tasks)
    found = net_affinity(short, X, y, tasks=tasks, when="end", random_state=0)
    np.testing.assert_allclose(found.rounds[0], long.rounds[5], rtol=1e-4, atol=1e-9)


def test_columns_of_y_are_tasks_too(planted):
    X, _, _ = planted
    Y = np.column_stack([X[:, 0], X[:, 0] + X[:, 1], -X[:, 0]])
    Y[:30, 1] = np.nan
    found = net_affinity(MultiTaskRegressor(Linear(), **SMALL), X, Y, measure="cosine", every=5, random_state=0)
    assert found.rounds.shape == (3, 3, 3)
    assert found.rounds[0, 0, 1] > 0.5
    assert found.rounds[0, 0, 2] == pytest.approx(-1.0)
    tasks = np.repeat(["s", "t"], 180)
    both = net_affinity(MultiTaskRegressor(**SMALL), X, Y, tasks=tasks, every=15, random_state=0)
    assert both.task.tolist() == ["s_0", "s_1", "s_2", "t_0", "t_1", "t_2"]


def test_wrong_arguments(planted):
    X, y, tasks = planted
    with pytest.raises(TypeError, match="'estimator' must be a MultiTaskClassifier or MultiTaskRegressor"):
        net_affinity(Ridge(), X, y, tasks=tasks)
    with pytest.raises(NotFittedError):
        net_affinity(MultiTaskRegressor(), X, y, tasks=tasks, when="end")
    with pytest.raises(ValueError, match="There must be at least two tasks"):
        net_affinity(MultiTaskRegressor(**SMALL), X, y)
    with pytest.raises(ValueError, match="'architecture' must share parameters"):
        net_affinity(MultiTaskRegressor(Linear(share=False), **SMALL), X, y, tasks=tasks)
    with pytest.raises(ValueError, match="'measure' parameter"):
        net_affinity(MultiTaskRegressor(), X, y, tasks=tasks, measure="angle")
