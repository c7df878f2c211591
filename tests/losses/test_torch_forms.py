"""Laws of the torch forms: equal to the boosting form, derivatives by autograd, extremes, classes left out, weights."""

from __future__ import annotations

import numpy as np
import pytest

from skmtl.losses import CLASSIFICATION_LOSSES, ClassificationLoss, HuberLoss, LogCoshLoss, LogLoss, resolve_loss
from tests.losses._cases import CASES, COUPLED, derivatives, slope_unit

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("error")
TORCH_CASES = [case for case in CASES + COUPLED if case.loss.has_torch_form]
ROW_CASES = [case for case in TORCH_CASES if case.loss.elementwise]
every_loss = pytest.mark.parametrize("case", TORCH_CASES, ids=lambda case: case.name)
every_row_loss = pytest.mark.parametrize("case", ROW_CASES, ids=lambda case: case.name)


def tensors(case, y, raw, dtype=torch.float64):
    y = torch.as_tensor(y).long() if case.n_classes else torch.as_tensor(y, dtype=dtype)
    return torch.as_tensor(raw).to(dtype).requires_grad_(), y


def drawn(case, seed=0):
    rng = np.random.default_rng(seed)
    y = case.targets(rng)
    loss = case.prepared(y)
    return loss, y, case.raw(rng, y, loss)


@every_row_loss
def test_rows_have_the_loss_and_the_gradient_of_the_boosting_form(case):
    loss, y, raw = drawn(case)
    scores, target = tensors(case, y, raw)
    rows = loss.torch_rows(scores, target)
    assert rows.shape == (len(y),)
    if not loss.has_boosting_form:
        return
    np.testing.assert_allclose(rows.detach().numpy(), loss.row_loss(y, raw), rtol=1e-10, atol=1e-12)
    rows.sum().backward()
    gradient, _ = derivatives(loss, y, raw)
    gradient /= slope_unit(loss, y, raw)
    np.testing.assert_allclose(scores.grad.numpy(), gradient, rtol=1e-6, atol=1e-9)


@every_row_loss
def test_autograd_equals_finite_differences(case):
    loss, y, raw = drawn(case)
    scores, target = tensors(case, y[:6], raw[:6])
    assert torch.autograd.gradcheck(lambda raw: loss.torch_rows(raw, target), scores, eps=1e-6, atol=1e-5)


@every_loss
@pytest.mark.parametrize("size", [-1e4, -500.0, 0.0, 500.0, 1e4])
def test_float32_is_finite_for_extreme_predictions(case, size):
    loss, y, raw = drawn(case)
    raw = np.zeros_like(raw)
    raw[:, 0] = size
    scores, target = tensors(case, y, raw, torch.float32)
    value = loss.torch_value(scores, target)
    assert value.dtype == torch.float32
    assert value.shape == ()
    assert torch.isfinite(value)
    value.backward()
    assert torch.isfinite(scores.grad).all()


@every_loss
@pytest.mark.parametrize("seed", range(3))
def test_a_weight_is_so_many_copies(case, seed):
    rng = np.random.default_rng(seed)
    copies = rng.integers(1, 4, 40)
    loss, y, raw = drawn(case, seed)
    weighted = loss.torch_value(*tensors(case, y, raw), torch.as_tensor(copies.astype(float)))
    repeated = loss.torch_value(*tensors(case, np.repeat(y, copies), np.repeat(raw, copies, axis=0)))
    assert weighted.item() == pytest.approx(repeated.item(), rel=1e-12)


@every_loss
def test_no_rows_and_no_weight_are_zero_with_a_gradient_of_zero(case):
    loss, y, raw = drawn(case)
    for keep, weight in ((0, None), (5, torch.zeros(5, dtype=torch.float64))):
        scores, target = tensors(case, y[:keep], raw[:keep])
        value = loss.torch_value(scores, target, weight)
        value.backward()
        assert value.item() == 0.0
        assert (scores.grad == 0.0).all()


@pytest.mark.parametrize("case", [case for case in TORCH_CASES if case.n_classes], ids=lambda case: case.name)
def test_all_classes_allowed_is_no_restriction(case):
    loss, y, raw = drawn(case)
    scores, target = tensors(case, y, raw)
    allowed = torch.ones((len(y), case.n_classes), dtype=torch.bool)
    expected = loss.torch_value(scores, target).item()
    assert loss.torch_value(scores, target, None, allowed).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in TORCH_CASES
        if (case.n_classes or 0) > 2 and not case.name.startswith(("focal, alpha", "ordinal"))
    ],
    ids=lambda case: case.name,
)
def test_classes_that_are_not_allowed_are_as_if_absent(case):
    """A loss over the allowed classes alone has the same value, and the others get no gradient."""
    loss, y, raw = drawn(case)
    rows = y < case.n_classes - 1
    y, raw = y[rows], raw[rows]
    scores, target = tensors(case, y, raw)
    allowed = torch.ones(raw.shape, dtype=torch.bool)
    allowed[:, -1] = False
    value = loss.torch_value(scores, target, None, allowed)
    value.backward()
    alone = case.loss.prepare(y, None, case.n_classes - 1)
    expected = alone.torch_value(*tensors(case, y, raw[:, :-1]))
    assert value.item() == pytest.approx(expected.item(), rel=1e-12)
    assert (scores.grad[:, -1] == 0.0).all()
    assert (scores.grad[:, :-1] != 0.0).any()


def test_one_allowed_class_of_two_costs_nothing():
    raw = torch.tensor([[-3.0], [2.0]], requires_grad=True)
    rows = LogLoss().torch_rows(raw, torch.tensor([1, 0]), torch.tensor([[False, True], [True, True]]))
    rows.sum().backward()
    assert rows[0] == 0.0
    assert raw.grad[0] == 0.0
    assert rows[1].item() == pytest.approx(np.log1p(np.exp(2.0)), rel=1e-6)
    with pytest.raises(ValueError, match=r"'allowed' must have the shape"):
        LogLoss().torch_rows(raw, torch.tensor([1, 0]), torch.tensor([[True], [True]]))


def test_log_loss_equals_the_cross_entropy_of_torch():
    rng = np.random.default_rng(0)
    raw, y = torch.as_tensor(rng.normal(size=(50, 5))), torch.as_tensor(rng.integers(0, 5, 50))
    expected = torch.nn.functional.cross_entropy(raw, y, reduction="none")
    torch.testing.assert_close(LogLoss().torch_rows(raw, y), expected)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(raw[:, 0], (y > 2).double(), reduction="none")
    torch.testing.assert_close(LogLoss().torch_rows(raw[:, :1], (y > 2).long()), expected)


@pytest.mark.parametrize(("loss", "name"), [(HuberLoss(), "delta"), (LogCoshLoss(), "scale")])
def test_losses_that_learn_a_scale_ask_to_be_prepared(loss, name):
    with pytest.raises(ValueError, match=f"'{name}' is None: prepare the loss"):
        loss.torch_rows(torch.zeros((2, 1)), torch.zeros(2))


@every_loss
def test_outputs_of_a_head_are_those_of_the_boosting_form(case):
    loss = case.prepared(case.targets(np.random.default_rng(0)))
    assert loss.n_outputs_for(case.n_classes) == case.loss.n_outputs_for(case.n_classes) == loss.n_outputs
    if case.n_classes:
        assert loss.n_outputs_for(50) == (49 if case.name.startswith("ordinal") else 50)


class NoForm(ClassificationLoss):
    """A loss without any form."""


@pytest.mark.parametrize(("form", "purpose"), [("boosting", "boosting"), ("torch", "nets")])
def test_a_loss_without_the_form_is_refused_with_those_that_have_it(form, purpose):
    with pytest.raises(TypeError, match=rf"'loss' is NoForm\(\), which has no form for {purpose}\. These.*'log_loss'"):
        resolve_loss(NoForm(), CLASSIFICATION_LOSSES, form=form)
    assert isinstance(resolve_loss(NoForm(), CLASSIFICATION_LOSSES), NoForm)
    with pytest.raises(TypeError, match=r"NoForm has no form for nets\."):
        NoForm().torch_rows(None, None)
