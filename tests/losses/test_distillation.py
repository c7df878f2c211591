"""Distillation losses: values of the paper's formulas, their laws, what teachers say, and what is wrong with one."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skmtl._shared.classes import TaskClasses
from skmtl.boosting import LightGBMClassifier, RMTGBClassifier, RMTGBRegressor
from skmtl.losses import BinaryKLLoss, DualHeadDistillationLoss

torch = pytest.importorskip("torch")
S, T = torch.tensor([[1.0, -2.0, 0.5]], dtype=torch.float64), torch.tensor([[2.0, -1.0, -0.5]], dtype=torch.float64)
LABEL = torch.tensor([0])
#: A loss only looks at the teacher of a fit: these tests hand it the logits.
KL, NORM = BinaryKLLoss(norm=False), BinaryKLLoss()
BOTH = pytest.mark.parametrize("loss", [KL, NORM], ids=["kl", "norm"])


def value_and_gradient(loss, s, t):
    s = s.clone().requires_grad_()
    rows = loss.torch_rows(s, torch.zeros(len(s), dtype=torch.int64), given=t)
    rows.sum().backward()
    return rows.detach(), s.grad


@pytest.mark.parametrize(
    ("loss", "value", "gradient"),
    [(KL, 0.3415515, [-0.2172, -0.2172, 0.2487]), (NORM, 0.3711576, [-0.2449, -0.2449, 0.2449])],
    ids=["kl", "norm"],
)
def test_values_of_the_binary_kl(loss, value, gradient):
    rows, slope = value_and_gradient(loss, S, T)
    assert rows.item() == pytest.approx(value, abs=5e-8)
    np.testing.assert_allclose(slope[0], gradient, atol=5e-5)


@BOTH
def test_gradients_are_those_of_the_closed_forms(loss):
    rng = np.random.default_rng(0)
    s, t = (torch.as_tensor(rng.normal(size=(7, 4)) * 3.0) for _ in range(2))
    _, slope = value_and_gradient(loss, s, t)
    expected = (s / 2).sigmoid() - (t / 2).sigmoid() if loss is KL else ((s - t) / 2).sigmoid() - 0.5
    torch.testing.assert_close(slope, 2.0 * expected)
    given = torch.as_tensor(t)
    assert torch.autograd.gradcheck(lambda raw: loss.torch_rows(raw, None, given=given), s.requires_grad_())


@BOTH
def test_the_teachers_own_logits_cost_nothing(loss):
    rows, slope = value_and_gradient(loss, T, T)
    torch.testing.assert_close(rows, torch.zeros(1, dtype=torch.float64), atol=1e-15, rtol=0.0)
    torch.testing.assert_close(slope, torch.zeros_like(T), atol=1e-15, rtol=0.0)


def test_the_normed_form_knows_differences_alone_and_is_square_then_absolute():
    torch.testing.assert_close(NORM.torch_rows(S + 3.0, LABEL, given=T + 3.0), NORM.torch_rows(S, LABEL, given=T))
    assert abs(KL.torch_rows(S + 3.0, LABEL, given=T + 3.0) - KL.torch_rows(S, LABEL, given=T)) > 0.01
    zero = torch.zeros((1, 1), dtype=torch.float64)
    assert NORM.torch_rows(zero + 1e-2, LABEL, given=zero).item() == pytest.approx(1e-4 / 8.0, rel=1e-4)
    assert NORM.torch_rows(zero + 80.0, LABEL, given=zero).item() == pytest.approx(80.0 - 4.0 * np.log(2.0), rel=1e-12)


@BOTH
def test_a_shift_of_the_net_counts_unlike_in_a_softmax(loss):
    assert abs(loss.torch_rows(S + 1.0, LABEL, given=T) - loss.torch_rows(S, LABEL, given=T)) > 0.01
    of_softmax = [
        torch.nn.functional.kl_div(s.log_softmax(1), T.softmax(1), reduction="batchmean") for s in (S + 1.0, S)
    ]
    torch.testing.assert_close(*of_softmax)


@BOTH
@pytest.mark.parametrize("size", [-1e4, 1e4])
def test_extreme_logits_are_finite(loss, size):
    rows, slope = value_and_gradient(loss, torch.tensor([[size, 0.0, -size]]), torch.tensor([[-size, size, 0.0]]))
    assert torch.isfinite(rows).all()
    assert torch.isfinite(slope).all()


def test_classes_that_a_task_lacks_do_not_count():
    allowed = torch.tensor([[True, True, False]])
    expected = NORM.torch_rows(S[:, :2], LABEL, given=T[:, :2])
    torch.testing.assert_close(NORM.torch_rows(S, LABEL, allowed, given=T), expected)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_two_heads_are_a_cross_entropy_and_a_distance(n_classes):
    rng = np.random.default_rng(0)
    loss = DualHeadDistillationLoss(alpha=0.5, gamma=2.0)
    n_first = 1 if n_classes == 2 else n_classes
    assert loss.n_outputs_for(n_classes) == n_first + n_classes
    raw = torch.as_tensor(rng.normal(size=(20, n_first + n_classes)))
    t, y = torch.as_tensor(rng.normal(size=(20, n_classes))), torch.as_tensor(rng.integers(0, n_classes, 20))
    first, second = raw[:, :n_first], raw[:, n_first:]
    scores = first if n_classes > 2 else torch.cat([torch.zeros_like(first), first], dim=1)
    expected = 2.0 * torch.nn.functional.cross_entropy(scores, y, reduction="none")
    expected += 0.5 * NORM.torch_rows(second, y, given=t)
    torch.testing.assert_close(loss.torch_rows(raw, y, given=t), expected)
    probabilities = loss.inverse_link(raw.numpy())
    np.testing.assert_allclose(probabilities, torch.softmax(scores, dim=1).numpy())


def table(n=90):
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(n, 3)), np.tile(["a", "b", "c"], n // 3)
    return X, np.array(["high", "low", "mid"])[np.searchsorted([-0.5, 0.5], X[:, 0] + X[:, 1] * (tasks == "b"))], tasks


def classes(*columns):
    labels = np.unique(np.concatenate(columns))
    of_column = np.array([np.isin(labels, own) for own in columns])
    return TaskClasses(labels, of_column, of_column)


TEACHERS = {
    "forest": RandomForestClassifier(10, random_state=0),
    "linear, in a pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    "booster": RMTGBClassifier(max_iter=5, early_stopping=False, random_state=0),
}


@pytest.mark.parametrize("name", TEACHERS)
def test_logits_are_centred_logarithms_of_the_teachers_probabilities(name):
    X, y, _ = table()
    teacher = clone(TEACHERS[name]).fit(X, y)
    found = NORM.set_params(teacher=teacher).row_inputs(X, None, classes(y))
    assert found.shape == (len(y), 1, 3)
    np.testing.assert_allclose(found.sum(axis=2), 0.0, atol=1e-12)
    p = np.maximum(teacher.predict_proba(X), 1e-3 / 3.0)
    np.testing.assert_allclose(BinaryKLLoss().inverse_link(found[:, 0]), p / p.sum(axis=1, keepdims=True), rtol=1e-9)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_teacher_without_probabilities_is_asked_for_its_decision_function(n_classes):
    X, y, _ = table()
    y = y if n_classes == 3 else y == "mid"
    teacher = RidgeClassifier().fit(X, y)
    found = BinaryKLLoss(teacher).row_inputs(X, None, classes(y))[:, 0]
    scores = teacher.decision_function(X)
    np.testing.assert_allclose(found if n_classes == 3 else found[:, 1] - found[:, 0], scores)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_teacher_of_several_tasks_is_told_the_tasks(in_pipeline):
    X, y, tasks = table()
    model = LightGBMClassifier(n_estimators=5, min_child_samples=5, random_state=0)
    teacher = make_pipeline(StandardScaler(), model) if in_pipeline else model
    if in_pipeline:
        teacher.fit(X, y, lightgbmclassifier__tasks=tasks)
    else:
        teacher.fit(X, y, tasks=tasks)
    found = BinaryKLLoss(teacher).row_inputs(X, tasks, classes(y))
    np.testing.assert_allclose(
        BinaryKLLoss().inverse_link(found[:, 0]), teacher.predict_proba(X, tasks=tasks), atol=1e-3
    )
    with pytest.raises(ValueError, match=r"so 'tasks' .* is needed here too"):
        BinaryKLLoss(teacher).row_inputs(X, None, classes(y))


def test_columns_of_y_have_their_own_classes():
    X, y, _ = table()
    both = np.column_stack([y, np.where(X[:, 1] > 0, "high", "none")])
    teacher = RandomForestClassifier(5, random_state=0).fit(X, both)
    found = BinaryKLLoss(teacher).row_inputs(X, None, classes(*both.T))
    assert found.shape == (len(y), 2, 4)
    assert (found[:, 0, 3] == 0.0).all()
    assert (found[:, 1, 1:3] == 0.0).all()
    np.testing.assert_allclose(found.sum(axis=2), 0.0, atol=1e-12)
    with pytest.raises(ValueError, match=r"as many columns of y as there are now, 1\. RandomForestClassifier has 2"):
        BinaryKLLoss(teacher).row_inputs(X, None, classes(y))


def test_a_teacher_with_other_classes_is_refused():
    X, y, _ = table()
    for own in (y[y != "mid"], np.append(y, "none"), np.arange(3)):
        message = (
            r"'teacher' must know the classes of y, and no others\. y has .* RidgeClassifier has \['high', 'low', "
        )
        with pytest.raises(ValueError, match=message):
            BinaryKLLoss(RidgeClassifier().fit(X, y)).row_inputs(X, None, classes(own))


def test_a_teacher_with_scores_for_pairs_of_classes_is_refused():
    X, y, _ = table()
    y = np.where((y == "mid") & (X[:, 2] > 0), "more", y)
    teacher = SVC(decision_function_shape="ovo").fit(X, y)
    with pytest.raises(ValueError, match=r"a score for each of its 4 classes\. The decision function of SVC has 6"):
        BinaryKLLoss(teacher).row_inputs(X, None, classes(y))


@pytest.mark.parametrize("teacher", [None, "forest", RandomForestClassifier, RMTGBRegressor(), 3])
@pytest.mark.parametrize("make", [BinaryKLLoss, DualHeadDistillationLoss])
def test_what_is_no_classifier_is_refused(make, teacher):
    with pytest.raises(TypeError, match="'teacher' must be a fitted classifier with 'predict_proba' or"):
        make(teacher).prepare(np.array([0.0, 1.0]), None, 2)


def test_a_teacher_that_is_not_fitted_says_so():
    X, y, _ = table()
    with pytest.raises(ValueError, match="not fitted yet"):
        BinaryKLLoss(RandomForestClassifier()).row_inputs(X, None, classes(y))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"temperature": 0.0}, r"'temperature' must be a number in \(0, inf\)\. Got 0\.0"),
        ({"alpha": -1.0}, r"'alpha' must be a number in \[0, inf\)"),
        ({"gamma": np.nan}, r"'gamma' must be a number in \[0, inf\)"),
        ({"norm": 2}, r"'norm' must be True or False\. Got 2"),
    ],
)
def test_parameters_out_of_range_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        DualHeadDistillationLoss(RidgeClassifier(), **parameters).prepare(np.array([0.0, 1.0]), None, 2)


def test_the_logits_of_the_teacher_are_needed():
    with pytest.raises(ValueError, match="BinaryKLLoss needs the logits of the teacher, 'given'"):
        NORM.torch_rows(S, LABEL)


@pytest.mark.parametrize("make", [BinaryKLLoss, DualHeadDistillationLoss])
def test_copies_have_the_same_teacher_and_prepared_ones_none(make):
    teacher = RidgeClassifier().fit([[0.0], [1.0]], [0, 1])
    loss = make(teacher, temperature=3.0)
    assert clone(loss).teacher is teacher
    assert clone(loss).temperature == 3.0
    prepared = loss.prepare(np.array([0.0, 1.0]), None, 2)
    assert loss.teacher is teacher
    assert prepared.teacher is None
    assert pickle.loads(pickle.dumps(prepared)).temperature == 3.0


@pytest.mark.parametrize("booster", [RMTGBClassifier, LightGBMClassifier])
@pytest.mark.parametrize("make", [BinaryKLLoss, DualHeadDistillationLoss])
def test_boosters_refuse_it(make, booster):
    X, y, _ = table()
    with pytest.raises(
        TypeError, match=rf"'loss' is {make.__name__}\(.*which has no form for boosting\. These have one"
    ):
        booster(make(RidgeClassifier().fit(X, y))).fit(X, y)
