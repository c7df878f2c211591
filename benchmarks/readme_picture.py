"""Draw the picture of the README: errors in 65 schools, by how many pupils of each school were learned from.

``python benchmarks/readme_picture.py`` prints the numbers and writes ``doc/readme.png``. A fifth of the pupils of every
school is for the test; of the others each model sees at most so many pupils of each school, drawn at random. LightGBM
is that of ``python -m skmtl.benchmark``, with its early stopping and second fit.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skmtl import RMTGBRegressor
from skmtl.benchmark._lightgbm import LightGBMPerTask, LightGBMTask
from skmtl.benchmark._protocol import Table, hold_out
from skmtl.datasets import load_exam
from skmtl.inspection import TaskGainsDisplay
from skmtl.model_selection import task_train_test_split

PUPILS = (5, 10, 20, 40)
SEEDS = range(10)
OURS, TOGETHER, ALONE = "skmtl: RMTGBRegressor", "LightGBM, school as a category", "LightGBM, one model per school"
COLOURS = {ALONE: "tab:red", TOGETHER: "tab:orange", OURS: "tab:blue"}


def predictions(name, X, y, school, X_test, school_test, seed):
    """Predictions for the test pupils."""
    if name == OURS:
        model = RMTGBRegressor(random_state=seed, n_jobs=1).fit(X, y, tasks=school)
        return model.predict(X_test, tasks=school_test)
    peer = {TOGETHER: LightGBMTask, ALONE: LightGBMPerTask}[name](n_threads=1, seed=seed)
    peer.fit(Table(X, y, school), hold_out(school, seed))
    return peer.predict(X_test, school_test)


def study():
    """Squared errors of the test pupils for each model and number of pupils, by seed; and the schools of the pupils."""
    data = load_exam(return_X_y_tasks=True)
    squares = {(name, n): [] for name in COLOURS for n in PUPILS}
    schools = []
    for seed in SEEDS:
        X, X_test, y, y_test, school, school_test = task_train_test_split(
            *data[:2], tasks=data[2], test_size=0.2, random_state=seed
        )
        schools.append(school_test)
        order = np.random.default_rng(seed).permutation(len(y))
        place = np.empty(len(y), int)  # of each pupil among those of the school
        for task in np.unique(school):
            own = order[school[order] == task]
            place[own] = np.arange(len(own))
        for name, n in squares:
            kept = place < n
            found = predictions(name, X[kept], y[kept], school[kept], X_test, school_test, seed)
            squares[name, n].append((y_test - found) ** 2)
    return squares, schools


def draw(squares, schools):
    """The picture."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", width_ratios=[5, 4])
    for name, colour in COLOURS.items():
        by_seed = np.array([[np.sqrt(np.mean(rows)) for rows in squares[name, n]] for n in PUPILS])
        mean, error = by_seed.mean(axis=1), by_seed.std(axis=1, ddof=1) / np.sqrt(len(SEEDS))
        print(f"{name:<32}", *(f"{m:.4f} ± {e:.4f}" for m, e in zip(mean, error, strict=True)))
        left.errorbar(PUPILS, mean, error, label=name, color=colour, marker="o", capsize=3)
    left.set(xscale="log", xlabel="Pupils of each school to learn from, at most", ylabel="RMSE of the exam score (sd)")
    left.set_xticks(PUPILS, PUPILS)
    left.minorticks_off()
    left.legend(frameon=False)
    left.set_title("Fewer pupils, more to gain from other schools")
    n = PUPILS[-1]
    school = np.concatenate(schools)
    labels = np.unique(school)
    scores = [
        [np.sqrt(np.mean(np.concatenate(squares[name, n])[school == label])) for label in labels]
        for name in (OURS, ALONE)
    ]
    display = TaskGainsDisplay(
        *scores, labels, greater_is_better=False, score_name="RMSE", name=OURS, baseline_name="one model per school"
    ).plot(ax=right)
    gains = np.subtract(scores[1], scores[0])
    display.ax_.set(
        title=f"{np.sum(gains > 0)} schools gain, {np.sum(gains < 0)} lose",
        ylabel=f"{len(labels)} schools",
        xlabel=f"Gain in RMSE over one model per school\n({n} pupils or fewer, all splits together)",
    )
    right.locator_params(axis="x", nbins=5)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    path = Path(__file__).resolve().parents[1] / "doc" / "readme.png"
    draw(*study()).savefig(path, dpi=110, metadata={"Software": None})
    print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")
