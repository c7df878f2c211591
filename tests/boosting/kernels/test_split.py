"""The best split of a node over features of both kinds."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.boosting.kernels.random import seed_of
from skmtl.boosting.kernels.types import empty_nodes
from tests.boosting.kernels._cases import LAYOUTS, SEEDS, histogram_of, make_problem, make_settings
from tests.boosting.kernels._from_python import candidate_features, find_split, goes_left
from tests.boosting.kernels._naive import best_split


def find(problem, rows, settings, features=None, bounds=(-np.inf, np.inf), state=1):
    """Nodes with the split in node 1, and its gain."""
    features = np.arange(len(problem.table.n_bins)) if features is None else np.asarray(features)
    histograms, total = histogram_of(problem, rows)
    size = len(histograms)
    histograms = np.concatenate([np.full(2 * size, 5, np.int64), histograms])  # slot 2
    nodes = empty_nodes(2)
    nodes.lower[1], nodes.upper[1] = bounds
    gain = find_split(
        problem.table,
        problem.words,
        settings,
        histograms,
        2,
        total,
        nodes,
        1,
        features.astype(np.int32),
        state,
    )
    return nodes, gain


def left_mask(problem, nodes, node, rows):
    f = nodes.feature[node]
    return np.array(
        [
            goes_left(
                code,
                problem.table.n_bins[f],
                nodes.threshold[node],
                nodes.missing_left[node],
                nodes.categorical[node],
                nodes.left_codes[node],
            )
            for code in problem.table.bins[f, rows]
        ]
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_equals_the_best_over_all_features(layout, seed, missing):
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, layout, n_features=4, missing=missing, categorical=[1, 3])
    settings = make_settings(min_weight=3.0)
    for size in (12, 60):
        rows = np.sort(rng.choice(60, size, replace=False))
        for bounds in ((-np.inf, np.inf), (-0.2, 0.2)):
            nodes, gain = find(problem, rows, settings, bounds=bounds)
            expected = best_split(problem, rows, settings, range(4), *bounds)
            if expected is None:
                assert (gain, nodes.feature[1]) == (0.0, -1)
                continue
            assert gain == pytest.approx(expected[0], rel=1e-9)
            assert nodes.feature[1] == expected[1]
            mask = left_mask(problem, nodes, 1, rows)
            np.testing.assert_array_equal(rows[mask], expected[2])
            assert nodes.feature[0] == -1  # other nodes are left alone


@pytest.mark.parametrize("seed", SEEDS)
def test_equals_the_best_over_many_features_of_few_codes(seed):
    """More thresholds than are scored at a time; the best is not always among the first."""
    rng = np.random.default_rng(seed)
    problem = make_problem(rng, n_features=150, n_codes=5, missing=0.01)
    settings, chosen = make_settings(min_weight=3.0), rng.permutation(150)
    for features in (np.sort(chosen), np.sort(chosen[:100]), np.sort(chosen[:7])):
        nodes, gain = find(problem, np.arange(60), settings, features)
        expected = best_split(problem, np.arange(60), settings, features)
        assert gain == pytest.approx(expected[0], rel=1e-9)
        assert nodes.feature[1] == expected[1]
        mask = left_mask(problem, nodes, 1, np.arange(60))
        np.testing.assert_array_equal(np.arange(60)[mask], expected[2])


@pytest.mark.parametrize("seed", SEEDS)
def test_looks_at_candidates_only(seed):
    problem = make_problem(np.random.default_rng(seed), n_features=4, categorical=[2])
    rows = np.arange(60)
    for features in ([0], [2], [1, 3]):
        nodes, gain = find(problem, rows, make_settings(), features)
        expected = best_split(problem, rows, make_settings(), features)
        assert gain == pytest.approx(expected[0], rel=1e-9)
        assert nodes.feature[1] == expected[1]


@pytest.mark.parametrize("layout", [(1, False, False), (1, True, True), (2, False, True)])
@pytest.mark.parametrize("seed", SEEDS)
def test_missing_values_to_come_go_with_the_heavier_child(layout, seed):
    """Only where the node has none to learn from."""
    rng = np.random.default_rng(seed)
    for categorical in ([], [0]):
        problem = make_problem(rng, layout, n_features=1, missing=0.0, categorical=categorical)
        rows = np.arange(60)
        nodes, gain = find(problem, rows, make_settings())
        assert gain > 0.0
        mask = left_mask(problem, nodes, 1, rows)
        weight = problem.weight
        assert nodes.missing_left[1] == (weight[mask].sum() > weight[~mask].sum())
        missing = problem.table.n_bins[0]
        arguments = nodes.threshold[1], nodes.missing_left[1], nodes.categorical[1], nodes.left_codes[1]
        assert goes_left(missing, missing, *arguments) == bool(nodes.missing_left[1])


def test_of_equal_splits_the_first_feature_is_taken():
    problem = make_problem(np.random.default_rng(0), n_features=1)
    table = problem.table
    twice = problem.replace_table(
        bins=np.repeat(table.bins, 2, axis=0),
        n_bins=np.repeat(table.n_bins, 2),
        offsets=np.append(table.offsets, 2 * table.offsets[-1]),
        active=np.arange(2, dtype=np.int32),
        categorical=np.zeros(2, np.uint8),
        monotonic=np.zeros(2, np.int8),
        groups=np.zeros((0, 2), np.uint8),
    )
    for features in ([0, 1], [1, 0]):
        assert find(twice, np.arange(60), make_settings(), features)[0].feature[1] == 0


def test_noise_decides_between_features_but_is_no_part_of_the_gain():
    problem = make_problem(np.random.default_rng(3), n_features=4)
    rows = np.arange(60)
    gains = {}
    for f in range(4):
        nodes, gain = find(problem, rows, make_settings(), [f])[:2]
        gains[int(nodes.feature[1])] = gain
    gains.pop(-1, None)
    assert len(gains) > 1
    counts = dict.fromkeys(gains, 0)
    for seed in range(400):
        nodes, gain = find(problem, rows, make_settings(noise=1e6), state=seed_of(seed))[:2]
        feature = int(nodes.feature[1])
        counts[feature] += 1
        assert gain == gains[feature]
    # Far more noise than gain: each feature as often as any other.
    assert min(counts.values()) > 0.75 * 400 / len(counts)
    nodes, gain = find(problem, rows, make_settings(noise=1e-9))[:2]
    assert gain == max(gains.values())


def test_nodes_too_light_or_without_signal_are_not_split():
    problem = make_problem(np.random.default_rng(0), (1, False, True))
    rows = np.arange(60)
    light = make_settings(min_weight=problem.weight.sum() / 2 + 0.5)
    assert find(problem, rows, light)[1] == 0.0
    assert find(problem, rows, light)[0].feature[1] == -1
    flat = problem._replace(words=problem.words._replace(words=problem.words.words.copy()))
    flat.words.words[:, 0] = (3 << flat.words.shift) + 1  # every gradient the same multiple of the weight
    flat.words.words[:, 1] = flat.words.words[0, 1]
    assert find(flat, rows, make_settings(l2=0.0))[1] == 0.0


def candidates_of(problem, n_candidates, open_groups=(), state=1):
    out = np.full(len(problem.table.n_bins), -1, np.int32)
    open_groups = np.array(open_groups, np.uint8)
    n, state = candidate_features(problem.table, make_settings(n_candidates=n_candidates), open_groups, out, state)
    return out[:n].tolist(), state


def test_interaction_groups_choose_the_candidates():
    groups = [[1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1]]
    problem = make_problem(np.random.default_rng(0), n_features=5, groups=groups)
    assert candidates_of(problem, 5, [1, 1, 1]) == ([0, 1, 2, 3, 4], 1)
    assert candidates_of(problem, 5, [1, 1, 0]) == ([0, 1, 2], 1)
    assert candidates_of(problem, 5, [0, 1, 0]) == ([1, 2], 1)
    assert candidates_of(problem, 5, [0, 0, 0]) == ([], 1)


def test_inactive_features_are_no_candidates():
    problem = make_problem(np.random.default_rng(0), n_features=5).replace_table(active=np.array([1, 3], np.int32))
    assert candidates_of(problem, 5) == ([1, 3], 1)


def test_sampled_candidates_are_distinct_ascending_and_all_come_up():
    problem = make_problem(np.random.default_rng(0), n_features=6)
    state, seen = 99, np.zeros(6)
    for _ in range(300):
        chosen, state = candidates_of(problem, 2, state=state)
        assert len(chosen) == 2
        assert chosen[0] < chosen[1]
        seen[chosen] += 1
    assert seen.min() > 60
