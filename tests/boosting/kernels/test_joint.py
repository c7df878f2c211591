"""Joint trees beside a naive search over every feature, threshold and unit."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.boosting.kernels.fixed_point import to_unit_words
from skmtl.boosting.kernels.joint import JointTable, grow_joint_tree
from skmtl.boosting.kernels.joint_leaves import joint_values
from skmtl.boosting.kernels.joint_split import joint_scratch
from skmtl.boosting.kernels.types import TreeSettings, empty_nodes
from tests.boosting.kernels._from_python import unit_runs

_MODES = ["counts", "weights", "hessians", "outputs"]


def _draw(seed, mode, n=160, n_units=7, with_missing=True, categorical=False):
    rng = np.random.default_rng(seed)
    units = np.sort(rng.integers(0, n_units, n))
    units[units == 3] = 4  # one unit without rows
    n_bins = np.array([2, 5, 12], np.int32)
    bins = np.array([rng.integers(0, b + with_missing, n) for b in n_bins], np.uint8)
    k = 2 if mode == "outputs" else 1
    weight = rng.integers(1, 4, n).astype(float) if mode == "weights" else None
    gradient = rng.normal(size=(n, k)) + (bins[1][:, None] > 2) * rng.normal(size=n_units)[units][:, None]
    hessian = rng.uniform(0.1, 1.0, (n, k)) if mode in ("hessians", "outputs") else None
    if weight is not None:
        gradient = gradient * weight[:, None]
    table = JointTable(
        bins,
        n_bins,
        np.arange(3, dtype=np.int32),
        np.array([0, int(categorical), 0], np.uint8),
        np.empty((0, 3), np.uint8),
        units.astype(np.int64),
    )
    pointers = np.searchsorted(units, np.arange(n_units + 1)).astype(np.int64)
    full = hessian if hessian is not None else np.ones((n, k)) if weight is None else weight[:, None] * np.ones((1, k))
    return table, to_unit_words(gradient, hessian, weight, pointers), gradient, full, weight, n_units


def _score(g, h, l2, noise):
    return sum((gk**2 - noise * hk) / (hk + l2) for gk, hk in zip(g, h, strict=True) if hk + l2 > 0)


def _naive_gain(table, gradient, hessian, rows, goes_left, l2, noise):
    """Sum over units of what each gains alone, noise taken off."""
    gain = 0.0
    for unit in np.unique(table.units[rows]):
        own = rows[table.units[rows] == unit]
        sides = [own[goes_left[own]], own[~goes_left[own]]]
        score = sum(_score(gradient[side].sum(0), hessian[side].sum(0), l2, noise) for side in sides if len(side))
        gain += score - _score(gradient[own].sum(0), hessian[own].sum(0), l2, noise)
    return gain


def _naive_best(table, gradient, hessian, weight, rows, settings, noise):
    best, found = 0.0, None
    weight = np.ones(len(gradient)) if weight is None else weight
    for f in range(len(table.n_bins)):
        codes, n_bins = table.bins[f], table.n_bins[f]
        missing = codes == n_bins
        for missing_left in (False, True) if missing[rows].any() else (False,):
            for threshold in range(n_bins):
                goes_left = np.where(missing, missing_left, codes <= threshold)
                left = weight[rows][goes_left[rows]].sum()
                if min(left, weight[rows].sum() - left) < settings.min_weight or left == weight[rows].sum():
                    continue
                gain = _naive_gain(table, gradient, hessian, rows, goes_left, settings.l2, noise)
                if gain > best * (1 + 1e-9):
                    best, found = gain, goes_left
    return best, found


def _grow(table, data, settings, noise, rows, n_units):
    nodes = empty_nodes(2 * settings.max_leaf_nodes - 1)
    rows = rows.copy()
    shape = n_units, len(table.units), len(table.groups), data.words.shape[1], data.n_outputs, len(nodes.left)
    count = grow_joint_tree(table, data, settings, noise, rows, nodes, joint_scratch(*shape))
    return nodes, count, rows


@pytest.mark.parametrize("mode", _MODES)
@pytest.mark.parametrize("with_missing", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_the_split_is_the_best_of_all(seed, with_missing, mode):
    table, data, gradient, hessian, weight, n_units = _draw(seed, mode, with_missing=with_missing)
    settings = TreeSettings(2, 100, 10.0, 0.0, 1.5, 3)
    rows = np.arange(0, len(gradient), dtype=np.int32)[::1][: len(gradient) - seed]
    gain, goes_left = _naive_best(table, gradient, hessian, weight, rows, settings, 0.3)
    nodes, count, grown = _grow(table, data, settings, 0.3, rows, n_units)
    assert count == 3
    assert_allclose(nodes.gain[0], gain, rtol=1e-9)
    assert_array_equal(grown[nodes.start[1] : nodes.stop[1]], rows[goes_left[rows]])
    assert_array_equal(grown[nodes.start[2] : nodes.stop[2]], rows[~goes_left[rows]])


@pytest.mark.parametrize("seed", range(3))
def test_long_and_short_runs_of_rows_agree(seed):
    """A unit of many rows, searched code by code, beside the same rows dealt out to the naive search."""
    table, data, gradient, hessian, weight, n_units = _draw(seed, "counts", n=900)
    settings = TreeSettings(2, 100, 10.0, 0.0, 1.5, 3)
    rows = np.arange(900, dtype=np.int32)
    gain, _ = _naive_best(table, gradient, hessian, weight, rows, settings, 0.0)
    nodes, _, _ = _grow(table, data, settings, 0.0, rows, n_units)
    assert_allclose(nodes.gain[0], gain, rtol=1e-9)


@pytest.mark.parametrize("mode", ["counts", "outputs"])
def test_categories_are_ordered_by_the_gradient_of_all_units(mode):
    table, data, gradient, hessian, _, n_units = _draw(0, mode, categorical=True)
    table = table._replace(active=np.array([1], np.int32))
    settings = TreeSettings(2, 100, 5.0, 0.0, 1.5, 3)
    rows = np.arange(len(gradient), dtype=np.int32)
    nodes, count, grown = _grow(table, data, settings, 0.0, rows, n_units)
    assert count == 3
    codes = table.bins[1]
    means = {c: gradient[codes == c, 0].sum() / hessian[codes == c, 0].sum() for c in np.unique(codes)}
    order = sorted(means, key=means.get)
    gains = []
    for cut in range(1, len(order)):
        goes_left = np.isin(codes, order[:cut])
        if 5 <= goes_left.sum() <= len(rows) - 5:
            gains.append(_naive_gain(table, gradient, hessian, rows, goes_left, settings.l2, 0.0))
    assert_allclose(nodes.gain[0], max(gains), rtol=1e-9)
    left = set(codes[grown[nodes.start[1] : nodes.stop[1]]])
    assert left == set(order[: len(left)])


def test_larger_trees_split_the_leaf_that_gains_most():
    table, data, gradient, hessian, weight, n_units = _draw(1, "counts", n=400)
    settings = TreeSettings(4, 100, 10.0, 0.0, 1.0, 3)
    rows = np.arange(400, dtype=np.int32)
    nodes, count, grown = _grow(table, data, settings, 0.1, rows, n_units)
    assert count == 7
    for node in range(count):
        own = np.sort(grown[nodes.start[node] : nodes.stop[node]])
        gain, _ = _naive_best(table, gradient, hessian, weight, own, settings, 0.1)
        if nodes.left[node]:
            assert_allclose(nodes.gain[node], gain, rtol=1e-9)
    inner = [nodes.gain[node] for node in range(count) if nodes.left[node]]
    assert inner[0] == nodes.gain[0]


def test_interaction_groups_hold_on_every_path():
    table, data, _, _, _, n_units = _draw(2, "counts", n=600)
    groups = np.array([[1, 1, 0], [0, 0, 1]], np.uint8)
    nodes, count, _ = _grow(
        table._replace(groups=groups),
        data,
        TreeSettings(8, 100, 5.0, 0.0, 1.0, 3),
        0.0,
        np.arange(600, dtype=np.int32),
        n_units,
    )

    def used(node, path):
        if nodes.left[node] == 0:
            return [path]
        path = path | {int(nodes.feature[node])}
        return used(nodes.left[node], path) + used(nodes.left[node] + 1, path)

    assert count > 3
    assert all(path <= {0, 1} or path <= {2} for path in used(0, set()))


def test_pure_noise_is_not_split():
    """Less what chance would show, the gain of noise is as often negative: a search without that has a split always."""
    split = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        units = np.repeat(np.arange(40), 20)
        bins = rng.integers(0, 2, (1, 800)).astype(np.uint8)
        table = JointTable(
            bins,
            np.array([2], np.int32),
            np.zeros(1, np.int32),
            np.zeros(1, np.uint8),
            np.empty((0, 1), np.uint8),
            units.astype(np.int64),
        )
        gradient = rng.normal(size=(800, 1))
        data = to_unit_words(gradient, None, None, np.arange(0, 801, 20).astype(np.int64))
        rows = np.arange(800, dtype=np.int32)
        settings = TreeSettings(2, 100, 20.0, 0.0, 1.0, 1)
        assert _grow(table, data, settings, 0.0, rows, 40)[1] == 3
        split += _grow(table, data, settings, float(np.mean(gradient**2)), rows, 40)[1] == 3
    assert 2 <= split <= 17


def test_values_are_those_of_each_unit_in_each_leaf():
    table, data, gradient, hessian, _, n_units = _draw(3, "outputs")
    nodes, count, rows = _grow(
        table, data, TreeSettings(3, 100, 10.0, 0.0, 2.0, 3), 0.0, np.arange(160, dtype=np.int32), n_units
    )
    unit_row, values = np.empty(count, np.int32), np.empty((count, 2))
    unit_values, out = np.empty(((count + 1) // 2, n_units, 2)), np.zeros((160, 2))
    joint_values(nodes, count, rows, table.units, gradient, hessian, 2.0, 0.1, unit_row, values, unit_values, out)
    for node in range(count):
        if nodes.left[node]:
            assert unit_row[node] == -1
            continue
        own = rows[nodes.start[node] : nodes.stop[node]]
        assert_allclose(values[node], -0.1 * gradient[own].sum(0) / (hessian[own].sum(0) + 2.0))
        for unit in range(n_units):
            of_unit = own[table.units[own] == unit]
            expected = -0.1 * gradient[of_unit].sum(0) / (hessian[of_unit].sum(0) + 2.0)
            assert_allclose(unit_values[unit_row[node], unit], expected, atol=1e-15)
            assert_allclose(out[of_unit], np.tile(expected, (len(of_unit), 1)), atol=1e-15)


def test_runs_begin_where_the_unit_changes():
    units = np.array([0, 0, 2, 2, 2, 5], np.int64)
    runs = np.empty(7, np.int64)
    rows = np.array([1, 2, 4, 5], np.int32)
    assert unit_runs(units, rows, 0, 4, runs) == 3
    assert_array_equal(runs[:4], [0, 1, 3, 4])
