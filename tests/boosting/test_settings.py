"""What "auto" means for the trees of each block, and how a dict sets blocks apart."""

import pytest

from skmtl.boosting import RMTGBRegressor
from skmtl.boosting._settings import resolve_settings


def _settings(total=5000.0, n_features=(20, 10), mean_hessian=1.0, **params):
    return resolve_settings({**RMTGBRegressor().get_params(), **params}, total, n_features, mean_hessian)


@pytest.mark.parametrize(("total", "leaves"), [(10, 8), (5000, 8), (20_000, 16), (1_000_000, 31)])
def test_shared_trees_grow_with_the_table(total, leaves):
    settings = _settings(total)
    assert settings.shared.max_leaf_nodes == settings.partition.max_leaf_nodes == leaves
    assert settings.specific.max_leaf_nodes == 4


def test_automatic_penalties_are_counted_in_rows_and_given_ones_are_not():
    assert _settings(mean_hessian=0.1).shared.l2 == pytest.approx(2.0)
    assert _settings(mean_hessian=0.1).specific.l2 == pytest.approx(0.5)
    assert _settings(mean_hessian=0.1, l2_regularization=3.0).shared.l2 == 3.0


def test_small_tables_may_have_smaller_leaves():
    assert _settings(5000).shared.min_weight == 20.0
    assert _settings(50).shared.min_weight == 10.0
    assert _settings(3).shared.min_weight == 2.0


def test_a_number_holds_for_all_blocks_and_a_dict_for_those_that_it_names():
    for block in _settings(max_leaf_nodes=16, max_depth=3, min_samples_leaf=7, max_features=0.5):
        assert (block.max_leaf_nodes, block.max_depth, block.min_weight) == (16, 3, 7.0)
    settings = _settings(max_leaf_nodes={"specific": 2}, min_samples_leaf={"shared": 1})
    assert [block.max_leaf_nodes for block in settings] == [8, 8, 2, 2]
    assert [block.min_weight for block in settings] == [1.0, 20.0, 20.0, 3.0]


def test_shares_of_features_are_of_those_that_the_block_has():
    settings = _settings(max_features=0.5)
    assert [block.n_candidates for block in settings] == [10, 10, 5, 5]
    assert _settings(n_features=(1, 1), max_features=0.01).shared.n_candidates == 1


@pytest.mark.parametrize(("n", "candidates"), [(1, 1), (4, 3), (6, 4), (8, 6), (10, 6), (12, 6), (20, 10), (100, 50)])
def test_shared_trees_look_at_half_of_the_features_but_not_at_too_few(n, candidates):
    settings = _settings(n_features=(n, n))
    assert [block.n_candidates for block in settings] == [candidates, candidates, n, n]
