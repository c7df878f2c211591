"""Learning curves show what the estimator recorded, and which block made each round."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from skmtl.boosting import RMTGBRegressor
from skmtl.datasets import make_fourier_tasks
from skmtl.inspection import BlockCurvesDisplay

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def legend_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_curves_and_rounds_of_blocks():
    blocks = ["shared", "joint", "shared", "own"]
    display = BlockCurvesDisplay([9.0, 5.0, 4.0, 2.0, 1.5], [9.0, 6.0, 7.0], blocks, name="Model").plot()
    train, validation = display.ax_.lines
    np.testing.assert_array_equal(train.get_ydata(), [9.0, 5.0, 4.0, 2.0, 1.5])
    np.testing.assert_array_equal(validation.get_ydata(), [9.0, 6.0, 7.0])
    assert legend_of(display) == [
        "training rows",
        "held-out rows",
        "shared: 2 rounds, loss -6",
        "joint: 1 rounds, loss -1",
        "own: 1 rounds, loss -0.5",
    ]
    assert display.ax_.get_title() == "Model"
    strips = [c for c in display.ax_.collections if len(c.get_paths()) and c.get_label().startswith("shared")]
    spans = [sorted({float(x) for x, _ in path.vertices}) for path in strips[0].get_paths()]
    assert [(span[0], span[-1]) for span in spans] == [(0.0, 1.0), (2.0, 3.0)]


@pytest.mark.parametrize("early_stopping", [True, False])
def test_real_estimator(early_stopping):
    X, y, tasks = make_fourier_tasks(n_tasks=3, n_outliers=1, n_samples=80, return_X_y_tasks=True, random_state=0)
    model = RMTGBRegressor(max_iter=20, early_stopping=early_stopping, random_state=0).fit(X, y, tasks=tasks)
    display = BlockCurvesDisplay.from_estimator(model)
    np.testing.assert_allclose(display.ax_.lines[0].get_ydata(), -model.train_score_)
    assert ("held-out rows" in legend_of(display)) == early_stopping
    made = {text.split(":")[0]: int(text.split()[1]) for text in legend_of(display) if "rounds" in text}
    assert sum(made.values()) == model.n_iter_


def test_a_model_without_rounds():
    display = BlockCurvesDisplay([1.0], None, []).plot()
    assert legend_of(display) == ["training rows"]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="'train_loss' has 2 entries; expected 3"):
        BlockCurvesDisplay([1.0, 2.0], None, ["shared", "shared"]).plot()
    with pytest.raises(NotFittedError):
        BlockCurvesDisplay.from_estimator(RMTGBRegressor())
    with pytest.raises(TypeError, match="'train_score_', which LinearRegression does not learn"):
        BlockCurvesDisplay.from_estimator(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]))
