"""AnyLoss: published values, metrics of scikit-learn in the limit, derivatives, units, parameters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn import metrics

from skmtl.losses import AnyLoss, Loss
from skmtl.losses._confusion import METRICS
from tests.losses._cases import COUPLED, derivatives

P = np.array([0.9, 0.6, 0.45, 0.2, 0.55, 0.1])
Y = np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
every_case = pytest.mark.parametrize("case", COUPLED, ids=lambda case: case.name)


def metric_of(metric, L, y=Y, raw=None, n_classes=2, **params):
    raw = logit(P)[:, None] if raw is None else raw
    loss = AnyLoss(metric, L=L, **params).prepare(y, None, n_classes).bind(np.zeros(len(y), int))
    return 1.0 - loss.mean_loss(y, raw)


def bound(case, rng, n=60, n_units=3):
    y = case.targets(rng, n)
    units = np.sort(rng.integers(0, n_units, n))
    units[-3:] = n_units  # the last unit has rows of one class only
    y[-3:] = 1.0
    weight = rng.exponential(size=n) + 0.1
    loss = case.prepared(y, weight).bind(units)
    return loss, y, rng.normal(size=(n, loss.n_outputs)), weight, units


@pytest.mark.parametrize(
    ("metric", "beta", "expected"),
    [
        ("accuracy", 1.0, 0.7337903),
        ("balanced_accuracy", 1.0, 0.7337903),
        ("f1", 1.0, 0.7235852),
        ("fbeta", 2.0, 0.7073165),
        ("fbeta", 0.5, 0.7406200),
        ("gmean", 1.0, 0.7328609),
        (lambda tp, fp, tn, fn: tp, 1.0, 2.0906130),
        (lambda tp, fp, tn, fn: fp, 1.0, 0.6878714),
        (lambda tp, fp, tn, fn: fn, 1.0, 0.9093870),
        (lambda tp, fp, tn, fn: tn, 1.0, 2.3121286),
    ],
)
def test_values(metric, beta, expected):
    assert metric_of(metric, 10.0, beta=beta) == pytest.approx(expected, abs=5e-8)


@pytest.mark.parametrize("L", [1.0, 10.0, 73.0, 500.0])
@pytest.mark.parametrize("seed", range(3))
def test_soft_counts_add_up_and_balanced_classes_have_one_accuracy(L, seed):
    rng = np.random.default_rng(seed)
    raw = 2.0 * rng.normal(size=(30, 1))
    y = (rng.random(30) < 0.3).astype(float)
    y[:2] = 0.0, 1.0

    def count(function, y=y):
        return metric_of(function, L, y, raw)

    assert count(lambda tp, fp, tn, fn: tp + fn) == pytest.approx(y.sum(), rel=1e-9)
    assert count(lambda tp, fp, tn, fn: fp + tn) == pytest.approx((1.0 - y).sum(), rel=1e-9)
    even = np.arange(30) % 2.0
    assert count("balanced_accuracy", even) == pytest.approx(count("accuracy", even), rel=1e-9)


def test_values_for_the_published_steepness():
    assert metric_of("f1", 73.0) == pytest.approx(0.6749618, abs=5e-8)
    assert 1.0 - metric_of("mcc", 73.0) == pytest.approx(0.6500032, abs=5e-8)


def test_the_published_steepness_is_the_largest_that_never_reaches_one():
    def soft(L):
        return 1.0 / (1.0 + np.exp(-L * 0.5))

    assert soft(73.0) < 1.0
    assert soft(74.0) == 1.0


def sklearn_metric(name, y, given):
    tn, fp, fn, tp = metrics.confusion_matrix(y, given).ravel()
    return {
        "accuracy": lambda: metrics.accuracy_score(y, given),
        "f1": lambda: metrics.f1_score(y, given),
        "fbeta": lambda: metrics.fbeta_score(y, given, beta=2.0),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(y, given),
        "gmean": lambda: np.sqrt(tp / (tp + fn) * tn / (tn + fp)),
        "mcc": lambda: metrics.matthews_corrcoef(y, given),
        "jaccard": lambda: metrics.jaccard_score(y, given),
        "precision": lambda: metrics.precision_score(y, given),
        "recall": lambda: metrics.recall_score(y, given),
        "youden": lambda: tp / (tp + fn) + tn / (tn + fp) - 1.0,
        "kappa": lambda: metrics.cohen_kappa_score(y, given),
    }[name]()


@pytest.mark.parametrize("name", METRICS)
def test_steep_enough_it_is_the_metric_of_scikit_learn(name):
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 2, 200).astype(float), rng.normal(size=(200, 1))
    raw[np.abs(raw) < 0.01] = 0.01
    found = metric_of(name, 1e5, y, raw, beta=2.0 if name == "fbeta" else 1.0)
    assert found == pytest.approx(sklearn_metric(name, y, raw[:, 0] > 0), abs=1e-9)


@pytest.mark.parametrize("multiclass", ["sharpened", "ovr"])
@pytest.mark.parametrize(
    ("name", "average", "expected"),
    [
        ("f1", "macro", lambda y, g: metrics.f1_score(y, g, average="macro")),
        ("f1", "weighted", lambda y, g: metrics.f1_score(y, g, average="weighted")),
        ("f1", "micro", lambda y, g: metrics.f1_score(y, g, average="micro")),
        ("jaccard", "macro", lambda y, g: metrics.jaccard_score(y, g, average="macro")),
        ("recall", "macro", lambda y, g: metrics.recall_score(y, g, average="macro")),
        ("accuracy", "macro", lambda y, g: metrics.accuracy_score(y, g)),
        ("balanced_accuracy", "macro", lambda y, g: metrics.balanced_accuracy_score(y, g)),
        ("mcc", "macro", lambda y, g: metrics.matthews_corrcoef(y, g)),
        ("kappa", "macro", lambda y, g: metrics.cohen_kappa_score(y, g)),
        ("gmean", "macro", lambda y, g: np.prod(metrics.recall_score(y, g, average=None)) ** 0.25),
    ],
)
def test_steep_enough_several_classes_give_the_metric_of_scikit_learn(name, average, expected, multiclass):
    if multiclass == "ovr" and name in {"accuracy", "balanced_accuracy", "mcc", "kappa", "gmean"}:
        pytest.skip("the mean over classes against the rest is another metric")
    rng = np.random.default_rng(1)
    y = rng.integers(0, 4, 300).astype(float)
    # One score stands out: its probability is above one half, which "ovr" looks at.
    raw = 6.0 * np.eye(4)[np.where(rng.random(300) < 0.6, y.astype(int), rng.integers(0, 4, 300))]
    found = metric_of(name, 1e4, y, raw, 4, average=average, multiclass=multiclass)
    assert found == pytest.approx(expected(y, raw.argmax(axis=1)), abs=1e-9)


def test_of_two_classes_both_forms_for_several_are_the_one_for_two():
    """Softmax of (L (1 - p), L p) is the logistic function of 2 L (p - 1/2)."""
    rng = np.random.default_rng(0)
    y, raw = rng.integers(0, 2, 50).astype(float), rng.normal(size=(50, 1))
    both = np.hstack([np.zeros_like(raw), raw])
    assert metric_of("mcc", 4.0, y, both) == pytest.approx(metric_of("mcc", 8.0, y, raw), rel=1e-12)


def test_more_negative_rows_far_away_leave_f_beta_as_it_is():
    y, raw = np.r_[Y, np.zeros(500)], np.r_[logit(P), np.full(500, -40.0)][:, None]
    assert metric_of("f1", 73.0, y, raw) == pytest.approx(metric_of("f1", 73.0), abs=1e-10)


@every_case
@pytest.mark.parametrize("seed", range(2))
def test_gradient_is_the_slope_of_the_summed_loss(case, seed):
    loss, y, raw, weight, _ = bound(case, np.random.default_rng(seed))
    gradient, hessian = derivatives(loss, y, raw, weight)
    assert (hessian > 0.0).all()
    total, step = weight.sum(), 1e-5
    for i in (0, 7, 30, 59):
        for k in range(raw.shape[1]):
            move = np.zeros_like(raw)
            move[i, k] = step
            slope = loss.mean_loss(y, raw + move, weight) - loss.mean_loss(y, raw - move, weight)
            assert gradient[i, k] == pytest.approx(slope * total / (2.0 * step), rel=1e-5, abs=1e-7)


@every_case
def test_units_are_apart_and_the_gradient_is_that_of_autograd(case):
    torch = pytest.importorskip("torch")
    loss, y, raw, weight, units = bound(case, np.random.default_rng(0))
    gradient, _ = derivatives(loss, y, raw, weight)
    values = []
    for unit in range(4):
        rows = units == unit
        scores = torch.as_tensor(raw[rows]).requires_grad_()
        value = loss.torch_value(scores, torch.as_tensor(y[rows]).long(), torch.as_tensor(weight[rows]))
        value.backward()
        values.append(value.item())
        np.testing.assert_allclose(gradient[rows], scores.grad.numpy() * weight[rows].sum(), rtol=1e-6, atol=1e-9)
    expected = np.average(values, weights=np.bincount(units, weights=weight))
    assert loss.mean_loss(y, raw, weight) == pytest.approx(expected, rel=1e-10)


def unit_by_unit(loss, y, raw, weight, units, allowed):
    """Losses of all units from the NumPy form, of allowed columns alone."""
    values = np.zeros(len(allowed))
    for unit in np.unique(units[weight > 0]):
        rows, columns = units == unit, np.flatnonzero(allowed[unit])
        if len(columns) == 1:  # its probability is one
            values[unit] = 0.0 if loss.multiclass == "sharpened" else 1.0 - expit(0.5 * loss.L)
            continue
        own, scores = np.searchsorted(columns, y[rows]), raw[rows] if raw.shape[1] == 1 else raw[rows][:, columns]
        alone = loss.prepare(own, None, len(columns)).bind(np.zeros(rows.sum(), int))
        values[unit] = alone.mean_loss(own, scores, weight[rows])
    return values


@pytest.mark.parametrize("restricted", [False, True])
@pytest.mark.parametrize(
    ("n_classes", "multiclass", "average"),
    [(2, "sharpened", "macro"), (4, "sharpened", "macro"), *((4, "ovr", a) for a in ("macro", "weighted", "micro"))],
)
@pytest.mark.parametrize("metric", METRICS)
def test_all_units_at_once_are_what_they_are_one_by_one(metric, n_classes, multiclass, average, restricted):
    """Units without rows, of one class, without some classes, and rows without weight among them."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    n, n_units = 120, 7
    units = rng.choice([0, 1, 3, 4, 5], n)  # none of unit 2
    units[-4:] = 6
    allowed = np.ones((n_units, n_classes), bool)
    if restricted and n_classes > 2:
        allowed = rng.random((n_units, n_classes)) < 0.6
        allowed[np.arange(n_units), rng.integers(0, n_classes, n_units)] = True
        allowed[5] = np.arange(n_classes) == 1  # a task with a single class
    y = np.array([rng.choice(np.flatnonzero(allowed[unit])) for unit in units])
    y[-4:] = y[-1]
    weight, raw = rng.exponential(size=n), rng.normal(size=(n, 1 if n_classes == 2 else n_classes))
    weight[::7] = 0.0
    loss = AnyLoss(metric, L=9.0, multiclass=multiclass, average=average).prepare(y, None, n_classes)
    scores = torch.as_tensor(raw).requires_grad_()
    table = torch.as_tensor(allowed)[units] if restricted else None
    known = scores, torch.as_tensor(y), torch.as_tensor(units), n_units, torch.as_tensor(weight), table
    values = loss.torch_units(*known)
    np.testing.assert_allclose(values.detach(), unit_by_unit(loss, y, raw, weight, units, allowed), atol=1e-12)
    factors = torch.as_tensor(rng.random(n_units))
    (gradient,) = torch.autograd.grad((values * factors).sum(), scores)
    (expected,) = torch.autograd.grad((Loss.torch_units(loss, *known) * factors).sum(), scores)
    assert torch.isfinite(gradient).all()
    torch.testing.assert_close(gradient, expected, rtol=0.0, atol=1e-12)


@every_case
def test_a_weight_is_so_many_copies(case):
    rng = np.random.default_rng(0)
    loss, y, raw, _, units = bound(case, rng)
    copies = rng.integers(1, 4, len(y))
    gradient, hessian = derivatives(loss, y, raw, copies.astype(float))
    again = case.prepared(y).bind(np.repeat(units, copies))
    one, one_hessian = derivatives(again, np.repeat(y, copies), np.repeat(raw, copies, axis=0))
    first = np.r_[0, np.cumsum(copies)[:-1]]
    np.testing.assert_allclose(gradient, one[first] * copies[:, None], rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(hessian, one_hessian[first] * copies[:, None], rtol=1e-7)


@pytest.mark.parametrize("size", [-1e4, -30.0, 0.0, 30.0, 1e4])
@every_case
def test_extreme_scores_have_finite_derivatives(case, size):
    loss, y, raw, weight, _ = bound(case, np.random.default_rng(0))
    raw = np.zeros_like(raw)
    raw[:, 0] = size
    gradient, hessian = derivatives(loss, y, raw, weight)
    assert np.isfinite(gradient).all()
    assert np.isfinite(hessian).all()
    assert np.isfinite(loss.mean_loss(y, raw, weight))


def test_a_unit_of_one_class_is_scored_by_its_accuracy():
    y, raw = np.ones(5), np.linspace(-1.0, 1.0, 5)[:, None]
    assert metric_of("f1", 5.0, y, raw) == pytest.approx(metric_of("accuracy", 5.0, y, raw))


def test_annealing_grows_the_steepness_in_nets_and_is_refused_in_boosting():
    torch = pytest.importorskip("torch")
    loss = AnyLoss("f1", anneal=(5.0, 80.0)).prepare(Y, None, 2)
    raw, y = torch.as_tensor(logit(P)[:, None]), torch.as_tensor(Y).long()
    for progress, L in ((0.0, 5.0), (0.5, 20.0), (1.0, 80.0)):
        loss.set_progress(progress)
        assert 1.0 - loss.torch_value(raw, y).item() == pytest.approx(metric_of("f1", L), rel=1e-9)
    with pytest.raises(ValueError, match=r"'anneal' is for nets\. Got \(5\.0, 80\.0\) in boosting"):
        loss.bind(np.zeros(6, int))


def test_unbound_the_loss_of_rows_asks_for_units():
    loss = AnyLoss().prepare(Y, None, 2)
    with pytest.raises(TypeError, match="bind it to the units"):
        loss.mean_loss(Y, logit(P)[:, None])
    with pytest.raises(TypeError, match="has no form for single rows"):
        loss.torch_rows(None, None)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (AnyLoss("acuracy"), r"'metric' must be one of .* Got 'acuracy'\. Did you mean 'accuracy'\?"),
        (AnyLoss(None), "'metric' must be one of"),
        (AnyLoss(beta=0.0), r"'beta' must be a number in \(0, inf\)"),
        (AnyLoss(L="large"), r"'L' must be a number in \(0, inf\)\. Got 'large'"),
        (AnyLoss(anneal=5.0), r"'anneal' must be None or two numbers, such as \(5, 73\)\. Got 5\.0"),
        (AnyLoss(anneal=(0.0, 5.0)), r"'anneal' must be a number in \(0, inf\)"),
        (AnyLoss(multiclass="ovo"), r"'multiclass' must be one of \['sharpened', 'ovr'\]\. Got 'ovo'"),
        (AnyLoss(average=None), "'average' must be one of"),
        (AnyLoss(hessian="exact"), "'hessian' must be one of"),
    ],
)
def test_parameters_out_of_range_are_named(loss, message):
    with pytest.raises(ValueError, match=message):
        loss.prepare(Y, None, 2)
