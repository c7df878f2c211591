"""The factored layer equals the dense one; its invariants, its limits."""

from __future__ import annotations

import io
import pickle
import time

import pytest

from skmtl.losses import TaylorSoftmaxLoss, ZLoss

torch = pytest.importorskip("torch")
layers = pytest.importorskip("skmtl.losses.layers")

LOSSES = [ZLoss(), ZLoss(a=0.3, b=1.5), "taylor_softmax", "spherical_softmax", "squared_error"]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=str)


def pair(loss, d=6, n_classes=40, **options):
    """A factored and a dense layer with the same weights."""
    made = []
    for mode in ("factored", "dense"):
        torch.manual_seed(0)
        options = {"scale": 0.3, "dtype": torch.float64, "lr": 0.05, **options}
        made.append(layers.SphericalOutputLayer(d, n_classes, loss=loss, mode=mode, **options))
    return made


def batches(n, d=6, n_classes=40, rows=5):
    """Batches in which some classes come more than once."""
    generator = torch.Generator().manual_seed(1)
    for _ in range(n):
        h = torch.randn((rows, d), generator=generator, dtype=torch.float64)
        y = torch.randint(n_classes, (rows,), generator=generator)
        y[-1] = y[0]
        yield h.requires_grad_(), y


def train(layer, n, **shape):
    values, gradients = [], []
    for h, y in batches(n, **shape):
        value = layer(h, y)
        value.backward()
        values.append(value.detach())
        gradients.append(h.grad)
    return torch.stack(values), torch.stack(gradients)


@every_loss
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_factored_and_dense_agree_over_two_hundred_steps(loss, weight_decay):
    factored, dense = pair(loss, weight_decay=weight_decay, stabilize_period=50, refresh_period=10_000)
    for mine, other in zip(train(factored, 200), train(dense, 200), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(factored.weight, dense.weight, rtol=1e-8, atol=1e-10)
    matrix, W = factored.matrix, factored.weight
    assert (matrix.Q - W.T @ W).norm() < 1e-8
    assert (matrix.w - W.sum(0)).norm() < 1e-8
    assert (matrix.U @ matrix.U_inverse - torch.eye(len(matrix.U))).norm() < 1e-8
    h = torch.randn(3, 6)
    torch.testing.assert_close(factored.scores(h), dense.scores(h), rtol=1e-8, atol=1e-10)


@every_loss
def test_loss_and_gradient_are_those_of_autograd_on_all_scores(loss):
    layer, _ = pair(loss, bias=False)
    layer.eval()
    W = layer.weight.clone()
    h, y = next(iter(batches(1)))
    value = layer(h, y)
    value.backward()
    plain = h.detach().clone().requires_grad_()
    scores = plain @ W.T
    if loss == "squared_error":
        expected = ((scores - torch.nn.functional.one_hot(y, 40)) ** 2).sum(1).mean()
    else:
        expected = layer.loss.torch_rows(scores, y).mean()
    expected.backward()
    torch.testing.assert_close(value, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(h.grad, plain.grad, rtol=1e-8, atol=1e-11)
    torch.testing.assert_close(layer.weight, W)


@every_loss
def test_the_step_is_that_of_sgd_on_the_weights(loss):
    layer, _ = pair(loss, bias=False)
    W = layer.weight.clone().requires_grad_()
    h, y = next(iter(batches(1)))
    layer(h, y).backward()
    scores = h.detach() @ W.T
    if loss == "squared_error":
        ((scores - torch.nn.functional.one_hot(y, 40)) ** 2).sum(1).mean().backward()
    else:
        layer.loss.torch_rows(scores, y).mean().backward()
    torch.testing.assert_close(layer.weight, W.detach() - 0.05 * W.grad, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("stretch", [[8.0], [0.05, 9.0], [9.0] * 5])
def test_stabilising_leaves_the_weights_and_brings_singular_values_back(stretch):
    layer, _ = pair(ZLoss())
    train(layer, 3)
    matrix = layer.matrix
    factor = torch.ones(7, dtype=torch.float64)
    factor[: len(stretch)] = torch.tensor(stretch)
    rotation = torch.linalg.qr(torch.randn(7, 7, dtype=torch.float64)).Q
    matrix.U.copy_(rotation @ (factor[:, None] * (rotation.T @ matrix.U)))
    before = matrix.weight().clone()
    matrix.stabilize()
    torch.testing.assert_close(matrix.weight(), before, rtol=1e-12, atol=1e-12)
    values = torch.linalg.svdvals(matrix.U)
    assert ((values >= 0.5) & (values <= 2.0)).all()
    torch.testing.assert_close(matrix.U @ matrix.U_inverse, torch.eye(7, dtype=torch.float64))


def test_a_large_learning_rate_is_looked_after_out_of_turn():
    factored, dense = pair("squared_error", lr=0.2, stabilize_period=10_000, refresh_period=500)
    torch.testing.assert_close(train(factored, 300, rows=20)[0], train(dense, 300, rows=20)[0], rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(factored.weight, dense.weight, rtol=1e-6, atol=1e-8)


def test_squared_error_comes_to_least_squares():
    layer, _ = pair("squared_error", d=3, n_classes=5, lr=0.25)
    generator = torch.Generator().manual_seed(0)
    h = torch.randn((30, 3), generator=generator, dtype=torch.float64)
    y = torch.randint(5, (30,), generator=generator)
    for _ in range(2500):
        layer(h, y).backward()
    design = torch.cat([h, torch.ones((30, 1), dtype=torch.float64)], dim=1)
    expected = torch.linalg.lstsq(design, torch.nn.functional.one_hot(y, 5).double()).solution.T
    torch.testing.assert_close(layer.weight, expected, rtol=1e-6, atol=1e-8)


def test_a_net_before_the_layer_learns_alike_with_both():
    generator = torch.Generator().manual_seed(0)
    X = torch.randn((200, 5), generator=generator)
    y = (X[:, :3] > 0).long() @ torch.tensor([1, 2, 4])
    outcomes = []
    for layer in pair(ZLoss(b=1.5), d=32, n_classes=8, lr=0.5, scale=0.01):
        torch.manual_seed(0)
        trunk = torch.nn.Sequential(torch.nn.Linear(5, 32), torch.nn.Tanh())
        optimiser = torch.optim.SGD(trunk.parameters(), lr=0.5)
        for _ in range(150):
            optimiser.zero_grad()
            layer(trunk(X), y).backward()
            optimiser.step()
        assert (layer.scores(trunk(X)).argmax(1) == y).float().mean() > 0.5
        assert list(layer.parameters()) == []
        outcomes.append(trunk[0].weight.detach())
    torch.testing.assert_close(*outcomes, rtol=1e-4, atol=1e-5)


def test_weights_of_rows_are_copies():
    one, _ = pair(ZLoss())
    two, _ = pair(ZLoss())
    h, y = next(iter(batches(1)))
    value = one(h, y, torch.tensor([2.0, 1.0, 1.0, 3.0, 1.0], dtype=torch.float64))
    again = torch.tensor([0, 0, 1, 2, 3, 3, 3, 4])
    other = two(h[again], y[again])
    value.backward()
    other.backward()
    torch.testing.assert_close(value, other)
    torch.testing.assert_close(one.weight, two.weight)


def test_state_survives_pickle_and_state_dict():
    layer, _ = pair(ZLoss())
    train(layer, 10)
    copy = pickle.loads(pickle.dumps(layer))
    fresh, _ = pair(ZLoss())
    buffer = io.BytesIO()
    torch.save(layer.state_dict(), buffer)
    buffer.seek(0)
    fresh.load_state_dict(torch.load(buffer))
    for other in (copy, fresh):
        torch.testing.assert_close(other.weight, layer.weight)
        h, y = next(iter(batches(1)))
        torch.testing.assert_close(other(h, y), layer(h, y))
    assert layer.to("meta").matrix.V.device.type == "meta"


def test_a_step_costs_about_the_same_for_ten_times_the_classes():
    def least(n_classes):
        layer = layers.ZLossOutputLayer(64, n_classes, lr=0.01)
        h, y = torch.randn(32, 64, requires_grad=True), torch.randint(n_classes, (32,))
        times = []
        for _ in range(30):
            begin = time.perf_counter()
            layer(h, y).backward()
            times.append(time.perf_counter() - begin)
        return min(times)

    assert least(100_000) < 5.0 * least(10_000)


def test_backward_comes_once_after_each_forward():
    layer, _ = pair(ZLoss())
    (h, y), (g, z) = batches(2)
    first, second = layer(h, y), layer(g, z)
    first.backward()
    with pytest.raises(RuntimeError, match="have changed since this forward pass"):
        second.backward()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "log_loss"}, "'loss' must be one of"),
        ({"loss": TaylorSoftmaxLoss(order=4)}, r"Taylor softmax of order 2\)\. Got TaylorSoftmaxLoss\(order=4\)"),
        ({"mode": "sparse"}, "'mode' must be one of"),
        ({"lr": -1.0}, r"'lr' must be a number in \[0, inf\)"),
        ({"n_classes": 2}, "ZLoss needs three classes or more"),
        ({"stabilize_period": 0}, "'stabilize_period' must be an int, 1 or more"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        layers.SphericalOutputLayer(**{"in_features": 4, "n_classes": 10, "lr": 0.1, **options})


def test_classes_out_of_range_are_named():
    layer, _ = pair(ZLoss())
    with pytest.raises(ValueError, match=r"'y' must hold classes from 0 to 39\. Got 3 to 40"):
        layer(torch.zeros((2, 6)), torch.tensor([3, 40]))
