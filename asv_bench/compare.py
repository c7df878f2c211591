"""Print fit and prediction times beside LightGBM's: the same data, tree settings and threads, runs taken in turn.

``make bench`` runs it. Ratios below one are in our favour. Times are the best of several runs; compiling the kernels is
not part of them and is shown on a line of its own.
"""

from __future__ import annotations

import argparse
import platform
import time

import lightgbm
import numba
import numpy as np

from skmtl import RMTGBRegressor, __version__

SIZES = [(15_000, 27), (100_000, 20), (1_000_000, 20)]
TREES, LEAVES = 100, 31


def make_table(n_rows, n_features):
    """Smooth effects, an interaction and noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features))
    return X, 2 * X[:, 0] + np.sin(3 * X[:, 1]) + X[:, 2] * X[:, 3] + rng.normal(size=n_rows)


def ours():
    """Return the shared block alone, with LightGBM's defaults for the trees."""
    return RMTGBRegressor(
        schedule={"shared": TREES},
        early_stopping=False,
        init="mean",
        max_leaf_nodes=LEAVES,
        min_samples_leaf=20,
        l2_regularization=0.0,
        max_features=1.0,
        n_jobs=1,
        random_state=0,
    )


def theirs():
    """Return LightGBM with one thread."""
    return lightgbm.LGBMRegressor(n_estimators=TREES, num_leaves=LEAVES, n_jobs=1, verbose=-1)


def seconds(call):
    """Time one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compare(n_rows, n_features, repeats):
    """Return the best times of fit and predict, ours and LightGBM's."""
    X, y = make_table(n_rows, n_features)
    models = [ours(), theirs()]
    fit, predict = [[], []], [[], []]
    for _ in range(repeats):
        for times, model in zip(fit, models, strict=True):
            times.append(seconds(lambda model=model: model.fit(X, y)))
        predict[0].append(seconds(lambda: models[0].predict(X)))
        predict[1].append(seconds(lambda: models[1].predict(X, num_threads=1)))
    return [min(times) for times in (*fit, *predict)]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, the best of which counts (default 3)")
    parser.add_argument("--largest", type=int, default=SIZES[-1][0], help="leave out tables with more rows than this")
    options = parser.parse_args()
    compiling = seconds(lambda: ours().fit(*make_table(500, 5)))
    print(
        f"skmtl {__version__}, LightGBM {lightgbm.__version__}, Numba {numba.__version__}, Python "
        f"{platform.python_version()}, {platform.machine()}; one thread, {TREES} trees of {LEAVES} leaves"
    )
    print(f"first fit, which compiles or loads the kernels: {compiling:.1f} s\n")
    head = ["fit", "LightGBM", "ratio", "predict", "LightGBM", "ratio"]
    print(f"{'rows':>9} {'features':>8}" + "".join(f"{name:>10}" for name in head))
    for n_rows, n_features in SIZES:
        if n_rows <= options.largest:
            a, b, c, d = compare(n_rows, n_features, options.repeats)
            print(
                f"{n_rows:>9} {n_features:>8}{a:>9.2f}s{b:>9.2f}s{a / b:>10.2f}{c:>9.2f}s{d:>9.2f}s{c / d:>10.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
