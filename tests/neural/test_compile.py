"""Training steps through torch.compile."""

from __future__ import annotations

import pickle

import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skmtl.neural import MultiTaskRegressor
from skmtl.neural.architectures import HardSharing
from tests.neural._tables import SHORT, columns

_SMALL = HardSharing((8,), n_members=2, dropout=0.0)


@pytest.mark.slow  # a compiler runs: half a minute
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # torch imports its own deprecated parts
def test_a_compiled_module_trains_to_the_same_weights():
    X, y = columns(n=130)
    fits = [
        MultiTaskRegressor(_SMALL, balancing="uw", compile=compiled, batch_size=40, **SHORT).fit(X, y)
        for compiled in (False, True)
    ]
    plain, compiled = (model.predict(X) for model in fits)
    assert_allclose(compiled, plain, rtol=1e-4, atol=1e-4)
    assert_array_equal(pickle.loads(pickle.dumps(fits[1])).predict(X), compiled)


def test_compile_is_asked_for_and_gets_its_options(monkeypatch):
    seen = []

    def compile_(module, **options):
        seen.append(options)
        return module

    monkeypatch.setattr(torch, "compile", compile_)
    X, y = columns()
    options = {"compile__mode": "reduce-overhead"}
    MultiTaskRegressor(_SMALL, compile=True, net_params=options, **SHORT).fit(X, y)
    assert [found["mode"] for found in seen] == ["reduce-overhead"]
    MultiTaskRegressor(_SMALL, **SHORT).fit(X, y)
    assert len(seen) == 1


def test_what_cannot_be_compiled_says_so(monkeypatch):
    def compile_(module, **options):
        def call(*inputs):
            raise OSError("No working C++ compiler found")

        return call

    monkeypatch.setattr(torch, "compile", compile_)
    X, y = columns()
    with pytest.raises(RuntimeError, match=r"compile=True: .*No working C\+\+ compiler.*CXX.*compile=False"):
        MultiTaskRegressor(_SMALL, compile=True, **SHORT).fit(X, y)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"balancing": "pcgrad"}, "'compile'.*'pcgrad'.*'uw'"),
        ({"balancing": "gradnorm"}, "'compile'.*'gradnorm'"),
        ({"balancing": "flat_regions"}, "'compile'.*'flat_regions'"),
        ({"regularizer": "rep_mtl"}, "'compile'.*regularizer"),
    ],
    ids=str,
)
def test_several_passes_are_refused(params, match):
    X, y = columns()
    with pytest.raises(ValueError, match=match):
        MultiTaskRegressor(compile=True, **params).fit(X, y)
