"""The picture of outlier scores shows every task, in order, and its labels never overlap."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.boosting import RMTGBRegressor
from skmtl.inspection import OutlierScoresDisplay

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def made_up_scores(n_tasks):
    rng = np.random.default_rng(n_tasks)
    return rng.uniform(size=n_tasks), [f"respondent {i}" for i in range(n_tasks)]


class Fitted(BaseEstimator):
    """What the display needs of a fitted estimator."""

    def fit(self, scores):
        self.outlier_scores_ = np.asarray(scores)
        self.tasks_ = np.arange(len(scores))
        return self


def fitted(scores):
    return Fitted().fit(scores)


def labels_of(display):
    return [text.get_text() for text in display.ax_.get_yticklabels()]


@pytest.mark.parametrize("n_tasks", [1, 3, 21, 22, 190])
@pytest.mark.parametrize("own_axes", [True, False])
def test_labels_do_not_overlap_and_are_inside_the_figure(n_tasks, own_axes):
    ax = None if own_axes else plt.subplots(figsize=(4, 3), layout="constrained")[1]
    display = OutlierScoresDisplay(*made_up_scores(n_tasks), estimator_name="Model").plot(ax=ax)
    display.figure_.canvas.draw()
    boxes = [text.get_window_extent() for text in display.ax_.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
    whole = display.figure_.bbox
    texts = [*boxes, display.ax_.title.get_window_extent(), display.ax_.xaxis.label.get_window_extent()]
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 for box in texts)
    assert all(box.y1 <= whole.y1 for box in texts)


def test_highest_score_comes_first():
    display = OutlierScoresDisplay([0.1, 0.9, 0.2], ["a", "b", "c"]).plot()
    assert labels_of(display) == ["b", "c", "a"]
    np.testing.assert_array_equal(display.ax_.collections[1].get_offsets()[:, 0], [0.9, 0.2, 0.1])
    assert display.ax_.yaxis_inverted()


@pytest.mark.parametrize("n_tasks", [3, 20, 21, 22, 190])
def test_every_task_has_a_point(n_tasks):
    scores, tasks = made_up_scores(n_tasks)
    display = OutlierScoresDisplay(scores, tasks).plot()
    points = [row[0] for collection in display.ax_.collections[1:] for row in collection.get_offsets()]
    np.testing.assert_allclose(np.sort(points), np.sort(scores))


def test_tasks_beyond_the_limit_share_a_line():
    display = OutlierScoresDisplay(*made_up_scores(10)).plot(max_tasks=4)
    assert len(labels_of(display)) == 5
    assert labels_of(display)[-1] == "6 others"


def test_a_single_task_beyond_the_limit_has_its_own_line():
    assert labels_of(OutlierScoresDisplay([0.3, 0.2, 0.1], ["a", "b", "c"]).plot(max_tasks=2)) == ["a", "b", "c"]


def test_real_estimator():
    rng = np.random.default_rng(0)
    X, tasks = rng.normal(size=(120, 2)), np.repeat(["a", "b", "c"], 40)
    model = RMTGBRegressor(max_iter=5).fit(X, X[:, 0], tasks=tasks)
    display = OutlierScoresDisplay.from_estimator(model)
    assert sorted(labels_of(display)) == ["a", "b", "c"]
    assert display.ax_.get_title() == "RMTGBRegressor"
    assert display.figure_ is display.ax_.figure


def test_name_axes_and_style_of_points():
    ax = plt.subplots()[1]
    display = OutlierScoresDisplay.from_estimator(fitted([0.1, 0.9]), name="Mine", ax=ax, color="red", s=10)
    assert display.ax_ is ax
    assert ax.get_title() == "Mine"
    points = ax.collections[1]
    np.testing.assert_array_equal(points.get_facecolor(), [[1, 0, 0, 1]])
    np.testing.assert_array_equal(points.get_sizes(), [10])


def test_plot_again_in_other_axes():
    display = OutlierScoresDisplay([0.1, 0.9], ["a", "b"]).plot()
    first = display.ax_
    assert display.plot() is display
    assert display.ax_ is not first


def test_one_column_of_a_2d_target():
    display = OutlierScoresDisplay.from_estimator(fitted([[0.1, 0.8], [0.9, 0.2]]), output=1)
    np.testing.assert_array_equal(display.outlier_scores, [0.8, 0.2])


@pytest.mark.parametrize(
    ("scores", "output", "message"),
    [
        ([[0.1, 0.8]], None, "'output' must be a position from 0 to 1, .* Got None"),
        ([[0.1, 0.8]], 2, "'output' must be a position from 0 to 1, .* Got 2"),
        ([0.1, 0.8], 0, "'output' must be None, .* Got 0"),
    ],
)
def test_output_must_fit_the_scores(scores, output, message):
    with pytest.raises(ValueError, match=message):
        OutlierScoresDisplay.from_estimator(fitted(scores), output=output)


def test_unfitted_estimator():
    with pytest.raises(NotFittedError):
        OutlierScoresDisplay.from_estimator(RMTGBRegressor())


def test_estimator_without_outlier_scores():
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    with pytest.raises(TypeError, match="'outlier_scores_', which LinearRegression does not learn"):
        OutlierScoresDisplay.from_estimator(model)
    pipeline = make_pipeline(StandardScaler(), RMTGBRegressor(max_iter=2)).fit(np.eye(9), np.arange(9.0))
    with pytest.raises(TypeError, match=r"which Pipeline does not learn. Of a Pipeline give .* estimator\[-1\]"):
        OutlierScoresDisplay.from_estimator(pipeline)
    search = GridSearchCV(RMTGBRegressor(), {"max_iter": [2]}, cv=2).fit(np.eye(9), np.arange(9.0))
    with pytest.raises(TypeError, match=r"Of a search give the best estimator, estimator\.best_estimator_"):
        OutlierScoresDisplay.from_estimator(search)
    OutlierScoresDisplay.from_estimator(search.best_estimator_)


@pytest.mark.parametrize("max_tasks", [0, 2.5, True])
def test_wrong_limit(max_tasks):
    with pytest.raises(ValueError, match="'max_tasks' must be an int of at least 1"):
        OutlierScoresDisplay([0.1], ["a"]).plot(max_tasks=max_tasks)


def test_scores_and_labels_of_different_length():
    with pytest.raises(ValueError, match="'tasks' has 1 labels but 'outlier_scores' has 2 scores"):
        OutlierScoresDisplay([0.1, 0.2], ["a"]).plot()


def test_missing_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skmtl\[plot\]"):
        OutlierScoresDisplay([0.1], ["a"]).plot()
