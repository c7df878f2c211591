"""When a phase ends, and where it goes back to."""

import numpy as np
import pytest

from skmtl.boosting._model import mean_gain
from skmtl.boosting.schedules._phase import Phase


class _Model:
    """A model whose held-out losses follow a script."""

    def __init__(self, losses):
        self.script, self.round = losses, 0

    @property
    def validation_loss(self):
        return self.script[: self.round + 1]

    def validation_gain(self, before):
        return mean_gain(before, self.validation_losses())

    def validation_losses(self):
        return self.script[self.round] + np.array([0.1, -0.1, 0.0, 0.0])

    def save(self):
        return self.round

    def restore(self, saved):
        self.round = saved


def _run(losses, **params):
    model = _Model(losses)
    phase = Phase(model, **params)
    for model.round in range(1, len(losses)):
        if phase.is_over(model):
            break
    last = model.round
    phase.end(model)
    return last, model.round


def test_it_ends_after_so_many_rounds_without_improvement_and_goes_back_to_the_best():
    assert _run([1.0, 0.9, 0.8, 0.85, 0.85, 0.85, 0.1], patience=3, tol=0.0) == (5, 2)
    assert _run([1.0, 0.9, 0.89, 0.88, 0.0], patience=2, tol=0.05) == (3, 1)


def test_a_wary_phase_gives_up_sooner_while_little_has_been_gained():
    losses = [1.0] * 30
    assert _run(losses, patience=20, tol=0.0)[0] == 20
    assert _run(losses, patience=20, tol=0.0, wary=True)[0] == 5
    assert _run([1.0, 0.9, 0.8, *[0.9] * 30], patience=20, tol=0.0, wary=True)[0] == 2 + 7
    assert _run(losses, patience=3, tol=0.0, wary=True)[0] == 3


@pytest.mark.parametrize(("spread", "kept"), [(0.01, True), (10.0, False)])
def test_a_wary_phase_keeps_only_what_exceeds_its_standard_error(spread, kept):
    model = _Model([1.0, 0.9])
    changed = spread * np.array([1.0, -1.0, 1.0, -1.0])
    model.validation_losses = lambda: model.script[model.round] + (changed if model.round else 0.0)
    phase = Phase(model, 5, 0.0, wary=True)
    model.round = 1
    assert not phase.is_over(model)
    phase.end(model)
    assert model.round == int(kept)


def test_a_wary_phase_ends_where_rounds_gain_next_to_nothing():
    """A thousand rounds of a hundred-thousandth each are not worth their trees; the shared block may have them."""
    losses = [1.0, *(0.9 - 1e-5 * np.arange(100))]
    assert _run(losses, patience=10, tol=0.0)[0] == 100
    last, kept = _run(losses, patience=10, tol=0.0, wary=True)
    assert last == 1 + 10
    assert kept == last  # what little they gained before the end is kept
