"""A model exported for a task, to ONNX or treelite, predicts what the estimator predicts for the rows of that task."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor, to_onnx, to_treelite
from skmtl.losses import OrdinalCrossEntropy, QuantilesLoss

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
ALL_BLOCKS = {"shared": 6, "partition": 6, "joint": 6, "specific": 6}


def table(n=600, seed=0):
    """Two numbers with gaps, a category with gaps, a feature whose mean differs between tasks, four tasks."""
    rng = np.random.default_rng(seed)
    tasks = rng.permutation(np.repeat(["a", "b", "c", "d"], n // 4))
    X = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n)})
    X["level"] = rng.normal(size=n) + np.select([tasks == "a", tasks == "b"], [2.0, -2.0], 0.0)
    X["kind"] = pd.Categorical(rng.choice(["p", "q", "r", "s"], n))
    X.loc[rng.uniform(size=n) < 0.2, "x"] = np.nan
    X.loc[rng.uniform(size=n) < 0.2, "kind"] = np.nan
    y = np.where(np.isnan(X["x"]), 1.5, X["x"]) + X["kind"].isin(["q", "r"]) * np.where(tasks == "d", -2.0, 1.0)
    y = y + 0.3 * X["level"] * (tasks == "c") + 0.1 * rng.normal(size=n)
    return X, y.to_numpy(), tasks


class Exported:
    """An exported model as a reader without skmtl has it: a file, what it says of itself, and a runtime."""

    def __init__(self, file, description, run):
        self.file, self.description, self.run = file, description, run

    def inputs(self, X):
        """The inputs, made from nothing but what the model says of itself."""
        out = np.empty((len(X), len(self.description["categories"])))
        for f, categories in enumerate(self.description["categories"]):
            names = self.description["features"]
            column = X.iloc[:, f] if names is None else X[names[f]]
            codes = column if categories is None else pd.Index(categories).get_indexer(column)
            out[:, f] = codes if categories is None else np.where(codes < 0, np.nan, codes)
        return out

    def predict(self, X):
        return self.run(self.inputs(X))


def with_treelite(estimator, *args, **options):
    treelite = pytest.importorskip("treelite")
    file = to_treelite(estimator, *args, **options).serialize_bytes()
    model = treelite.Model.deserialize_bytes(file)
    description = json.loads(model.get_header_accessor().get_field("attributes"))
    probability = len(description["classes"] or []) == 2 and not options.get("raw")

    def run(inputs):
        found = treelite.gtil.predict(model, inputs, nthread=1)[:, 0]
        return np.hstack([1.0 - found, found]) if probability else found

    return Exported(file, description, run)


def with_onnx(estimator, *args, **options):
    onnx = pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    model = to_onnx(estimator, *args, **options)
    onnx.checker.check_model(model, full_check=True)
    file = model.SerializeToString()
    session = onnxruntime.InferenceSession(file)
    description = json.loads(session.get_modelmeta().custom_metadata_map["skmtl"])

    def run(inputs):
        (found,) = session.run(None, {"X": inputs})
        return found

    return Exported(file, description, run)


@pytest.fixture(params=[with_onnx, with_treelite], ids=["onnx", "treelite"])
def export(request):
    return request.param


@pytest.mark.parametrize("task", ["a", "b", "c", "d", "not seen"])
@pytest.mark.parametrize("schedule", ["adaptive", ALL_BLOCKS], ids=["adaptive", "all blocks"])
def test_regressor_of_each_task(task, schedule, export):
    X, y, tasks = table()
    model = RMTGBRegressor(schedule=schedule, max_iter=40, random_state=0).fit(X, y, tasks=tasks)
    expected = model.predict(X, tasks=np.full(len(X), task))
    found = export(model, task).predict(X)
    np.testing.assert_allclose(found[:, 0], expected, **CLOSE)
    assert np.ptp(expected) > 1


def test_the_tested_model_has_every_kind_of_tree():
    X, y, tasks = table()
    model = RMTGBRegressor(schedule=ALL_BLOCKS, random_state=0).fit(X, y, tasks=tasks)
    nodes = model._fitted.forest.trees.nodes
    assert set(model._fitted.forest.trees.parts.tolist()) == {0, 1, 2, 3, 4}
    assert nodes.categorical.any() and nodes.missing_left.any()
    assert np.any(nodes.feature >= len(model._plan.positions))  # splits on the mean of a task
    assert len(np.unique(model.theta_)) > 1


def test_models_of_two_tasks_differ(export):
    X, y, tasks = table()
    model = RMTGBRegressor(schedule=ALL_BLOCKS, random_state=0).fit(X, y, tasks=tasks)
    assert np.abs(export(model, "c").predict(X) - export(model, "d").predict(X)).max() > 0.1


def test_categories_that_fit_did_not_see_are_missing_values(export):
    X, y, tasks = table()
    model = RMTGBRegressor(schedule=ALL_BLOCKS, random_state=0).fit(X, y, tasks=tasks)
    new = X.assign(kind=pd.Categorical(["other"] * len(X)))
    expected = model.predict(new, tasks=np.full(len(X), "d"))
    exported = export(model, "d")
    np.testing.assert_allclose(exported.predict(new)[:, 0], expected, **CLOSE)
    for code in (17.0, -1.0):  # numbers beyond the list, or below it
        inputs = exported.inputs(X)
        inputs[:, 3] = code
        np.testing.assert_allclose(exported.run(inputs)[:, 0], expected, **CLOSE)


def test_missing_values_where_fit_saw_none(export):
    X, y, tasks = table()
    model = RMTGBRegressor(schedule=ALL_BLOCKS, random_state=0).fit(X.fillna({"x": 0.0}), y, tasks=tasks)
    holes = X.assign(z=np.nan, level=np.nan)
    expected = model.predict(holes, tasks=np.full(len(X), "b"))
    np.testing.assert_allclose(export(model, "b").predict(holes)[:, 0], expected, **CLOSE)


def test_values_at_the_thresholds_go_the_same_way(export):
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(300, 2)), 1)
    y = np.sin(3 * X[:, 0]) + X[:, 1]
    model = RMTGBRegressor(max_iter=30, random_state=0).fit(X, y)
    cuts = [cut for cuts in model._plan.binner.cuts for cut in cuts]
    at = np.array([value for cut in cuts for value in (np.nextafter(cut, -9), cut, np.nextafter(cut, 9))])
    rows = np.column_stack([at, np.roll(at, 1)])
    found = export(model).run(rows)[:, 0]
    np.testing.assert_allclose(found, model.predict(rows), **CLOSE)


@pytest.mark.parametrize("loss", ["poisson", "gamma", "huber", "quantile"])
def test_links_of_regression_losses(loss, export):
    X, y, tasks = table()
    model = RMTGBRegressor(loss, quantile=0.7 if loss == "quantile" else None, max_iter=20, random_state=0)
    model.fit(X, np.exp(0.3 * y), tasks=tasks)
    expected = model.predict(X, tasks=np.full(len(X), "b"))
    np.testing.assert_allclose(export(model, "b").predict(X)[:, 0], expected, **CLOSE)


@pytest.mark.parametrize("loss", ["log_loss", "focal", "any_loss"])
@pytest.mark.parametrize("task", ["a", "c", "not seen"])
def test_probabilities_of_two_classes(loss, task, export):
    X, y, tasks = table()
    model = RMTGBClassifier(loss, max_iter=20, random_state=0).fit(X, np.where(y > 1, "yes", "no"), tasks=tasks)
    exported = export(model, task)
    assert exported.description["classes"] == ["no", "yes"]
    expected = model.predict_proba(X, tasks=np.full(len(X), task))
    np.testing.assert_allclose(exported.predict(X), expected, **CLOSE)


@pytest.mark.parametrize("task", ["a", "d", "not seen"])
def test_probabilities_of_three_classes(task, export):
    X, y, tasks = table()
    target = np.digitize(y, [0.0, 1.0])
    model = RMTGBClassifier(max_iter=20, random_state=0).fit(X, target, tasks=tasks)
    expected = model.predict_proba(X, tasks=np.full(len(X), task))
    np.testing.assert_allclose(export(model, task).predict(X), expected, **CLOSE)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("unseen_classes", ["zero", "shared"])
def test_classes_that_a_task_lacks(n_classes, unseen_classes, export):
    X, y, tasks = table()
    target = np.digitize(y, [0.0, 1.0][: n_classes - 1])
    for task, kept in (("a", 0), ("b", n_classes - 1)):
        target[tasks == task] = kept
    model = RMTGBClassifier(max_iter=20, unseen_classes=unseen_classes, random_state=0).fit(X, target, tasks=tasks)
    for task in ("a", "b", "c", "not seen"):
        expected = model.predict_proba(X, tasks=np.full(len(X), task))
        found = export(model, task).predict(X)
        np.testing.assert_allclose(found, expected, **CLOSE)


def test_raw_predictions_of_a_loss_with_a_link_of_its_own(export):
    X, y, tasks = table()
    model = RMTGBClassifier(OrdinalCrossEntropy(), max_iter=20, random_state=0)
    model.fit(X, np.digitize(y, [0.0, 1.0]), tasks=tasks)
    with pytest.raises(ValueError, match="raw=True"):
        export(model, "a")
    expected = model.decision_function(X, tasks=np.full(len(X), "a"))
    np.testing.assert_allclose(export(model, "a", raw=True).predict(X), expected, **CLOSE)


def test_several_quantiles_have_no_link_in_treelite(export):
    X, y, tasks = table()
    model = RMTGBRegressor(QuantilesLoss((0.2, 0.8)), max_iter=10, random_state=0).fit(X, y, tasks=tasks)
    with pytest.raises(ValueError, match=r"QuantilesLoss.*raw=True"):
        export(model, "a")
    assert export(model, "a", raw=True).predict(X).shape == (len(X), 2)


def test_columns_of_y(export):
    X, y, _ = table()
    both = np.column_stack([y, y**2])
    both[::3, 1] = np.nan
    model = RMTGBRegressor(max_iter=30, random_state=0).fit(X, both)
    for column in (0, 1):
        found = export(model, column=column).predict(X)
        np.testing.assert_allclose(found[:, 0], model.predict(X)[:, column], **CLOSE)


def test_columns_of_y_for_each_task(export):
    X, y, tasks = table()
    model = RMTGBRegressor(schedule=ALL_BLOCKS, random_state=0).fit(X, np.column_stack([y, -y]), tasks=tasks)
    for task in ("b", "not seen"):
        expected = model.predict(X, tasks=np.full(len(X), task))
        for column in (0, 1):
            found = export(model, task, column=column).predict(X)
            np.testing.assert_allclose(found[:, 0], expected[:, column], **CLOSE)


def test_the_task_column_is_no_input(export):
    X, y, tasks = table()
    frame = X.copy()
    frame.insert(1, "school", tasks)
    model = RMTGBRegressor(task_column="school", max_iter=20, random_state=0).fit(frame, y)
    exported = export(model, "b")
    assert exported.description["features"] == ["x", "z", "level", "kind"]
    assert exported.description["categories"] == [None, None, None, ["p", "q", "r", "s"]]
    np.testing.assert_allclose(exported.predict(X)[:, 0], model.predict(frame.assign(school="b")), **CLOSE)


def test_labels_of_other_types(export):
    X, y, tasks = table()
    days = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"])[
        np.unique(tasks, return_inverse=True)[1]
    ]
    model = RMTGBRegressor(max_iter=5, random_state=0).fit(X, y, tasks=np.asarray(days))
    assert export(model, np.datetime64("2020-01-02")).description["task"].startswith("2020-01-02")
    model.fit(X, y, tasks=np.unique(tasks, return_inverse=True)[1])
    assert export(model, np.int64(2)).description["task"] == 2


def test_no_tree_at_all(export):
    X, y, tasks = table()
    model = RMTGBRegressor(max_iter=0, random_state=0).fit(X, y, tasks=tasks)
    np.testing.assert_allclose(
        export(model, "c").predict(X)[:, 0], model.predict(X, tasks=np.full(len(X), "c")), **CLOSE
    )


def test_raw_predictions_of_two_classes(export):
    X, y, tasks = table()
    model = RMTGBClassifier(max_iter=10, random_state=0).fit(X, y > 1, tasks=tasks)
    expected = model.decision_function(X, tasks=np.full(len(X), "c"))
    np.testing.assert_allclose(export(model, "c", raw=True).predict(X)[:, 0], expected, **CLOSE)


def test_what_cannot_be_exported(export):
    X, y, tasks = table()
    model = RMTGBRegressor(max_iter=5, unseen_tasks="error", random_state=0)
    with pytest.raises(ValueError, match="not fitted"):
        export(model, "a")
    model.fit(X, y, tasks=tasks)
    with pytest.raises(ValueError, match="'tasks'"):
        export(model)
    with pytest.raises(ValueError, match="zz"):
        export(model, "zz")
    with pytest.raises(ValueError, match="'column' must be from 0 to 0"):
        export(model, "a", column=1)
    with pytest.raises(TypeError, match="Got DataFrame"):
        export(X, "a")
