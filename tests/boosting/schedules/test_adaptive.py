"""Which blocks the adaptive schedule gives rounds to, and on which rows it judges them."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor
from skmtl.boosting._model import GrowingModel
from skmtl.boosting.schedules import AdaptiveSchedule


def _rmse(model, X, y, tasks):
    return np.sqrt(np.mean((model.predict(X, tasks=tasks) - y) ** 2))


def _common(rng, tasks):
    """One function for all tasks."""
    X = rng.normal(size=(len(tasks), 4))
    return X, np.sin(2 * X[:, 0]) + X[:, 1]


def _two_kinds(rng, tasks):
    """Every task mixes the same two functions, one of which is the other upside down."""
    X = rng.normal(size=(len(tasks), 4))
    share = np.linspace(-1, 1, 20)[tasks]
    return X, share * 3 * np.sin(2 * X[:, 0]) * (X[:, 1] > 0)


def _same_place(rng, tasks):
    """All tasks change at the same two places, each by an amount of its own; tasks are small."""
    X = rng.normal(size=(len(tasks), 12))
    sizes = np.random.default_rng(9).normal(scale=2.0, size=(100, 2))
    return X, sizes[tasks, 0] * (X[:, 0] > 0) + sizes[tasks, 1] * (X[:, 1] > 0)


def _own_place(rng, tasks):
    """Every task changes at a place and along features of its own."""
    X = rng.normal(size=(len(tasks), 6))
    own = np.random.default_rng(8)
    first, second = own.integers(0, 6, 12), own.integers(0, 6, 12)
    rows, cut = np.arange(len(tasks)), own.normal(size=12)
    return X, 3.0 * ((X[rows, first[tasks]] > cut[tasks]) ^ (X[rows, second[tasks]] > -cut[tasks]))


_PLANTED = {
    "shared": (_common, 20, 50),
    "partition": (_two_kinds, 20, 100),
    "joint": (_same_place, 100, 15),
    "specific": (_own_place, 12, 250),
}


def _draw(name, seed):
    function, n_tasks, size = _PLANTED[name]
    rng = np.random.default_rng(seed)
    tasks = np.repeat(np.arange(n_tasks), size)
    X, y = function(rng, tasks)
    return X, y + 0.2 * rng.normal(size=len(y)), tasks


@pytest.mark.parametrize("name", _PLANTED)
def test_the_block_that_alone_can_explain_the_data_is_found(name):
    """Without that block the error on new rows is larger; with it the schedule does as well as any choice of blocks."""
    X, y, tasks = _draw(name, 0)
    X_new, y_new, _ = _draw(name, 1)
    model = RMTGBRegressor(random_state=0).fit(X, y, tasks=tasks)
    assert model.n_iter_per_block_[name] > 0
    others = {block: 300 for block in _PLANTED if block != name}
    without = RMTGBRegressor(schedule=others, random_state=0).fit(X, y, tasks=tasks)
    # Shared trees are the only ones that can be replaced by others, at a price.
    assert _rmse(model, X_new, y_new, tasks) < 0.97 * _rmse(without, X_new, y_new, tasks)


def _rows_seen(monkeypatch, **params):
    """Fit, and note for every scored step the rows that it was fitted on, and those that it was scored on."""
    X, y, tasks = _draw("joint", 0)
    seen = []
    gain = GrowingModel.out_of_bag_gain

    def noting_gain(self, step):
        own = self.loss.row_loss
        scored = []
        self.loss.row_loss = lambda y, raw: (scored.append(y), own(y, raw))[1]
        try:
            return gain(self, step)
        finally:
            del self.loss.row_loss
            seen.append((self.train.y[step.rows], scored[0]))

    monkeypatch.setattr(GrowingModel, "out_of_bag_gain", noting_gain)
    model = RMTGBRegressor(**params, random_state=0).fit(X, y + 1e-9 * np.arange(len(y)), tasks=tasks)
    return model, seen


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("subsample", [0.5, 1.0])
def test_no_step_is_scored_on_rows_that_it_was_fitted_to(early_stopping, subsample, monkeypatch):
    """Targets all differ, so that they tell which rows were used."""
    params = {"early_stopping": early_stopping, "subsample": subsample, "max_iter": 30}
    _, seen = _rows_seen(monkeypatch, **params)
    assert len(seen) > 10
    for fitted, scored in seen:
        assert len(scored) > 0
        assert len(np.intersect1d(fitted, scored)) == 0


def test_held_out_rows_change_nothing_but_the_choice_of_rounds(monkeypatch):
    """The opening looks at held-out rows only to stop: scores of its steps are the same whatever they hold."""
    _, seen = _rows_seen(monkeypatch, early_stopping=True, refit=False)
    X, y, tasks = _draw("joint", 0)
    order = np.argsort(tasks, kind="stable")
    from skmtl._shared.validation import validation_rows

    model = RMTGBRegressor(early_stopping=True, refit=False, random_state=0).fit(X, y, tasks=tasks)
    held_out = order[validation_rows(tasks[order], 0.1, np.random.default_rng([model._fitted.seed, 0]))]
    values = (y + 1e-9 * np.arange(len(y)))[held_out]
    for fitted, scored in seen:
        assert len(np.intersect1d(values, np.concatenate([fitted, scored]))) == 0


@pytest.mark.parametrize("cls", [RMTGBRegressor, RMTGBClassifier])
def test_the_second_fit_takes_the_blocks_in_the_order_that_twice_the_learning_rate_finds(cls):
    X, y, tasks = _draw("joint", 0)
    y = y if cls is RMTGBRegressor else (y > 0).astype(int)
    model = cls(random_state=0).fit(X, y, tasks=tasks)
    first = cls(random_state=0, learning_rate=0.2, refit=False).fit(X, y, tasks=tasks)
    assert_array_equal(model.block_sequence_, first.block_sequence_)
    assert_array_equal(model.validation_score_, first.validation_score_)
    assert len(model.train_score_) == model.n_iter_ + 1
    assert model.block_sequence_[0] == "shared"


def test_max_iter_bounds_the_rounds_of_each_block():
    X, y, tasks = _draw("joint", 0)
    model = RMTGBRegressor(max_iter=7, early_stopping=False, random_state=0).fit(X, y, tasks=tasks)
    assert model.n_iter_ == 7
    model = RMTGBRegressor(max_iter=7, early_stopping=True, random_state=0).fit(X, y, tasks=tasks)
    assert max(model.n_iter_per_block_.values()) == 7
    # The shared block, which comes first, does not use up the rounds of the others.
    assert model.n_iter_per_block_["joint"] == 7
    assert RMTGBRegressor(max_iter=0, random_state=0).fit(X, y, tasks=tasks).n_iter_ == 0


def test_a_refused_block_waits_longer_each_time():
    schedule = AdaptiveSchedule([_Named("shared"), _Named("other")], 100, {}, None, 0.0, _Silent())
    model = _Scored({"shared": 1.0, "other": -1.0})
    schedule.run(model)
    assert len(model.sequence) == 100
    assert set(model.sequence) == {"shared"}
    tried = np.flatnonzero(np.array(model.asked) == "other")
    gaps = np.diff(tried)
    assert np.all(np.diff(gaps) > 0)


def test_a_step_must_clearly_beat_the_shared_block():
    for gain, kept in ((1.4, False), (1.6, True)):
        schedule = AdaptiveSchedule([_Named("shared"), _Named("other")], 20, {}, None, 0.0, _Silent())
        model = _Scored({"shared": 1.0, "other": gain})
        schedule.run(model)
        assert ("other" in model.sequence) == kept


class _Silent:
    def update(self, model, block):
        pass


class _Named:
    def __init__(self, name):
        self.name = name

    def step(self, model):
        model.asked.append(self.name)
        return self.name


class _Scored:
    """A model whose blocks always gain the same."""

    validation = None
    subsample = 1.0

    def __init__(self, gains):
        self.gains, self.sequence, self.asked = gains, [], []

    def begin_round(self):
        pass

    def out_of_bag_gain(self, step):
        return self.gains[step], 0.1

    def keep(self, step):
        self.sequence.append(step)
