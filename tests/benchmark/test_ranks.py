"""Mean ranks and their tests equal the textbook's."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.benchmark._ranks import rank
from skmtl.benchmark._report import Summary, comparable_means


def summaries(errors, status=None):
    return [
        Summary(name, (0,), np.array([error]), error, 1.0, 1.0, (status or {}).get(name, "ok"))
        for name, error in errors.items()
    ]


def test_mean_ranks_with_ties():
    tables = {
        "one": summaries({"a": 1.0, "b": 2.0, "c": 3.0}),
        "two": summaries({"a": 2.0, "b": 2.0, "c": 1.0}),
    }
    found = rank(tables)
    assert found.models == ["a", "c", "b"]
    np.testing.assert_allclose(found.mean_ranks, [(1 + 2.5) / 2, (3 + 1) / 2, (2 + 2.5) / 2])
    assert found.n_tables == 2


def test_critical_difference_of_the_textbook():
    # Demšar (2006), four classifiers on 14 data sets: CD = 2.569 sqrt(4 * 5 / (6 * 14)) = 1.25.
    rng = np.random.default_rng(0)
    tables = {str(i): summaries(dict(zip("abcd", rng.uniform(size=4), strict=True))) for i in range(14)}
    assert rank(tables).critical_difference == pytest.approx(1.25, abs=0.005)


def test_models_that_differ_are_told_apart_and_equal_ones_are_not():
    rng = np.random.default_rng(0)
    apart = {str(i): summaries({"a": 1 + 0.1 * rng.uniform(), "b": 2.0, "c": 3.0}) for i in range(10)}
    alike = {str(i): summaries(dict(zip("abc", rng.uniform(size=3), strict=True))) for i in range(10)}
    assert rank(apart).p_value < 0.001
    assert rank(alike).p_value > 0.05


def test_a_model_without_a_result_somewhere_is_not_ranked():
    tables = {
        "one": summaries({"a": 1.0, "b": 2.0}),
        "two": summaries({"a": 1.0, "b": np.nan}, {"b": "missing"}),
    }
    found = rank(tables)
    assert (found.models, found.left_out) == (["a"], ["b"])
    assert found.p_value is None
    assert found.critical_difference is None


def test_after_an_interruption_models_are_compared_on_the_splits_that_all_have():
    def summary(name, seeds, *errors):
        return Summary(name, seeds, np.array(errors), errors[0], 1.0, 1.0, "ok")

    # The second split is an easy one, which "b" did not get to: its mean over its own splits would be the worse one.
    one = [summary("a", (0, 1), 3.0, 0.5), summary("b", (0,), 2.0)]
    np.testing.assert_array_equal(comparable_means(one), [3.0, 2.0])
    assert rank({"one": one}).models == ["b", "a"]
    nothing_shared = [summary("a", (1,), 3.0), summary("b", (0,), 2.0)]
    assert np.isnan(comparable_means(nothing_shared)).all()


def test_models_that_are_equal_everywhere_are_alike():
    found = rank({name: summaries({"a": 0.0, "b": 0.0, "c": 0.0}) for name in ("one", "two")})
    assert found.p_value == 1.0
    np.testing.assert_array_equal(found.mean_ranks, [2.0, 2.0, 2.0])
