"""The four synthetic scenarios of the published generator: multi-task beside pooled and single-task boosting.

    python benchmarks/scenarios.py [--seeds 10]

Ten tasks of 300 training rows, 300 test rows each. All three are `RMTGBRegressor` with its defaults: given the tasks,
given all rows without tasks, and one model per task. Root mean squared error over all test rows, mean and standard
deviation over seeds; also the error after 150 rounds without early stopping, and for scenario 4 how often both planted
tasks have the highest outlier scores.
"""

from __future__ import annotations

import argparse

import numpy as np
from sklearn.metrics import root_mean_squared_error

from skmtl import RMTGBRegressor
from skmtl.datasets import make_fourier_tasks


def evaluate(scenario, seed):
    """Return the errors of the three, that of 150 rounds, and whether the planted tasks are found."""
    table = make_fourier_tasks(scenario, n_test_samples=300, random_state=seed)
    X, y, tasks, y_test = table.data, table.target, table.tasks, table.test_target
    model = RMTGBRegressor(random_state=seed).fit(X, y, tasks=tasks)
    short = RMTGBRegressor(max_iter=150, early_stopping=False, random_state=seed).fit(X, y, tasks=tasks)
    pooled = RMTGBRegressor(random_state=seed).fit(X, y)
    single = np.empty_like(y_test)
    for task in np.unique(tasks):
        own = table.test_tasks == task
        alone = RMTGBRegressor(random_state=seed).fit(X[tasks == task], y[tasks == task])
        single[own] = alone.predict(table.test_data[own])
    predictions = [
        model.predict(table.test_data, tasks=table.test_tasks),
        pooled.predict(table.test_data),
        single,
        short.predict(table.test_data, tasks=table.test_tasks),
    ]
    outliers = table.outliers
    found = scenario == 4 and model.outlier_scores_[outliers].min() > model.outlier_scores_[~outliers].max()
    return [root_mean_squared_error(y_test, predicted) for predicted in predictions], found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    print(
        f"{'scenario':<10}{'tasks':>16}{'pooled':>16}{'single':>16}{'150 rounds':>16}{'found':>8}{'beside better':>15}"
    )
    for scenario in range(1, 5):
        results = [evaluate(scenario, seed) for seed in range(options.seeds)]
        errors = np.array([errors for errors, _ in results])
        mean, sd = errors.mean(axis=0), errors.std(axis=0, ddof=1)
        cells = "".join(f"{m:>9.4f} ± {s:.3f}"[-16:].rjust(16) for m, s in zip(mean, sd, strict=True))
        found = f"{sum(found for _, found in results)}/{len(results)}" if scenario == 4 else "–"
        print(f"{scenario:<10}{cells}{found:>8}{100 * (mean[0] / min(mean[1], mean[2]) - 1):>14.1f}%", flush=True)


if __name__ == "__main__":
    main()
