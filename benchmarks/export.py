"""What an exported booster costs and gives: predictions beside the estimator's, sizes of files, times.

``python benchmarks/export.py`` prints the table of ``doc/saving.rst``. Tables that are fetched are looked for as
``skmtl.datasets`` does; those that cannot be had are left out, and said so.
"""

from __future__ import annotations

import json
import time

import numpy as np
import onnxruntime
import pandas as pd
import treelite

from skmtl.boosting import RMTGBClassifier, RMTGBRegressor, to_onnx, to_treelite
from skmtl.datasets import fetch_abalone, fetch_landmine, fetch_school, load_egsingle, load_exam, load_txhousing
from skmtl.model_selection import task_train_test_split

TABLES = {
    "exam": load_exam,
    "egsingle": load_egsingle,
    "txhousing": load_txhousing,
    "school": fetch_school,
    "abalone": fetch_abalone,
    "landmine": fetch_landmine,
}
REPEATS, CALLS = 5, 50


def inputs(X, description):
    """What an exported model takes for the rows of X."""
    columns = []
    for f, categories in enumerate(description["categories"]):
        column = X.iloc[:, f] if hasattr(X, "iloc") else X[:, f]
        if categories is not None:
            codes = pd.Index(categories).get_indexer(column)
            column = np.where(codes < 0, np.nan, codes)
        columns.append(np.asarray(column, dtype=np.float64))
    return np.column_stack(columns)


def microseconds(call):
    """CPU time of a call, the best of some."""
    times = []
    for _ in range(REPEATS):
        begin = time.process_time()
        for _ in range(CALLS):
            call()
        times.append((time.process_time() - begin) / CALLS)
    return 1e6 * min(times)


def study(load):
    """One line of the table."""
    X, y, tasks = load(return_X_y_tasks=True)
    classify = load is fetch_landmine
    X, X_test, y, _, tasks, t_test = task_train_test_split(X, y, tasks=tasks, test_size=0.2, random_state=0)
    model = (RMTGBClassifier if classify else RMTGBRegressor)(random_state=0, n_jobs=1).fit(X, y, tasks=tasks)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    difference, sizes, seconds = 0.0, [], {"onnx": 0.0, "treelite": 0.0}
    for task in model.tasks_:
        begin = time.process_time()
        portable = to_onnx(model, task)
        middle = time.process_time()
        trees = to_treelite(model, task)
        seconds["onnx"] += middle - begin
        seconds["treelite"] += time.process_time() - middle
        file = portable.SerializeToString()
        sizes.append((len(file), len(trees.serialize_bytes())))
        own = t_test == task
        if not own.any():
            continue
        rows, labels = X_test[own], t_test[own]
        expected = model.predict_proba(rows, tasks=labels)[:, 1] if classify else model.predict(rows, tasks=labels)
        session = onnxruntime.InferenceSession(file, options)
        table = inputs(rows, json.loads(session.get_modelmeta().custom_metadata_map["skmtl"]))
        for found in (
            session.run(None, {"X": table})[0][:, -1],
            treelite.gtil.predict(trees, table, nthread=1)[:, 0, -1],
        ):
            difference = max(difference, float(np.abs(found - expected).max() / np.abs(expected).max()))
    one, label, numbers = rows[:1], labels[:1], table[:1]
    times = [
        microseconds(lambda: model.predict(one, tasks=label)),
        microseconds(lambda: treelite.gtil.predict(trees, numbers, nthread=1)),
        microseconds(lambda: session.run(None, {"X": numbers})),
    ]
    n_tasks, sizes = len(model.tasks_), np.mean(sizes, axis=0) / 1024
    return [n_tasks, len(model._fitted.forest.trees), difference, sizes, seconds, times]


def main():
    """Print the table."""
    for name, load in TABLES.items():
        try:
            n_tasks, n_trees, difference, sizes, seconds, times = study(load)
        except OSError as error:
            print(f"{name}: left out ({str(error).splitlines()[0]})")
            continue
        each = " ".join(f"{kind} {1e3 * total / n_tasks:.0f} ms" for kind, total in seconds.items())
        print(
            f"{name:<10} {n_tasks:>4} tasks {n_trees:>5} trees  difference {difference:.1e}  "
            f"ONNX {sizes[0]:.0f} KiB, treelite {sizes[1]:.0f} KiB  export a task: {each}  "
            f"one row: skmtl {times[0]:.0f} us, treelite {times[1]:.0f} us, ONNX {times[2]:.0f} us",
            flush=True,
        )


if __name__ == "__main__":
    main()
