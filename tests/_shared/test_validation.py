"""Which rows are held out to stop by: some of every task, whatever the classes of a task."""

import importlib

import numpy as np
import pytest

from skmtl._shared.validation import validation_rows

#: Where each estimator takes the function from, and parameters for a short fit.
ESTIMATORS = {
    "RMTGBClassifier": ("skmtl.boosting", "skmtl.boosting._training", {"max_iter": 2}),
    "LightGBMClassifier": ("skmtl.boosting", "skmtl.boosting._lightgbm_base", {"n_estimators": 2}),
    "MultiTaskClassifier": ("skmtl.neural", "skmtl.neural._base", {"max_epochs": 1}),
}


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_every_group_stays_in_training(fraction, seed):
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(40), rng.integers(1, 30, 40)))
    mask = validation_rows(groups, fraction, rng)
    assert mask.dtype == bool
    assert set(groups[~mask]) == set(range(40))


@pytest.mark.parametrize("fraction", [0.1, 0.3])
def test_shares_hold_for_large_groups_and_for_many_small_ones_together(fraction):
    rng = np.random.default_rng(0)
    large = np.repeat([0, 1], 1000)
    mask = validation_rows(large, fraction, rng)
    for group in (0, 1):
        assert abs(mask[large == group].mean() - fraction) <= 0.001
    small = np.repeat(np.arange(5000), 4)
    assert abs(validation_rows(small, fraction, rng).mean() - fraction) < 0.01


def test_no_class_is_held_out_as_a_whole():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        classes = np.zeros(200, int)
        classes[:3] = [1, 2, 2]
        mask = validation_rows(np.zeros(200, int), 0.5, rng, classes)
        assert set(classes[~mask]) == {0, 1, 2}


def test_held_out_rows_of_a_task_may_have_classes_that_it_lacks_in_training():
    """As new rows will have: otherwise a task with a rare class would look too certain."""
    rng = np.random.default_rng(0)
    units, classes = np.repeat(np.arange(50), 20), np.zeros(1000, int)
    classes[::20] = 1  # one row of each task
    mask = validation_rows(units, 0.3, rng, classes)
    assert 5 < classes[mask].sum() < 30


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_only_row_of_a_class_in_a_task_may_be_held_out(name, monkeypatch):
    """As a new row may have a class that its task lacks in training; else a rare class would look too certain."""
    module, place, params = ESTIMATORS[name]
    if name == "MultiTaskClassifier":
        pytest.importorskip("torch")
    if name == "LightGBMClassifier":
        pytest.importorskip("lightgbm")
    used = importlib.import_module(place)
    masks = []
    choose = used.validation_rows
    monkeypatch.setattr(used, "validation_rows", lambda *args: masks.append((args, choose(*args))) or masks[-1][1])
    rng = np.random.default_rng(0)
    tasks = np.repeat(np.arange(60), 20)
    y = np.where(np.arange(1200) % 20 == 0, "rare", "common")
    y[:2] = "once"  # a class of two rows in one task
    model = getattr(importlib.import_module(module), name)(
        early_stopping=True, validation_fraction=0.3, random_state=0, **params
    )
    model.fit(rng.normal(size=(1200, 2)), y, tasks=tasks)
    (units, _, _, classes), mask = masks[0]
    held_out = np.bincount(np.asarray(classes, int)[mask], minlength=3)
    sizes = np.bincount(np.asarray(classes, int))
    rare = int(np.argsort(sizes)[1])
    assert 5 < held_out[rare] < 35
    assert np.all(held_out < sizes)
    assert len(np.unique(units[~mask])) == 60
