"""How a score is made and kept, and how ours are set beside those of the peers.

A file of scores has one line per fit: table, seed, model, refit (1: fitted again on train + validation for the best
number of rounds), score (root mean squared error or log-loss on the test rows), seconds of CPU time (of both fits, if
there are two), and a note that says why a score is missing. Scores of the peers are kept in ``results/peers.csv``, ours
in ``results/ours.csv``.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import train_test_split
from tables import PLAIN, load, load_plain

from skmtl.benchmark._protocol import TEST, VALIDATION, split

RESULTS = Path(__file__).parent / "results"
PEERS, OURS = RESULTS / "peers.csv", RESULTS / "ours.csv"
COLUMNS = ["table", "seed", "model", "refit", "score", "seconds", "note"]
SMALLEST_PROBABILITY = 1e-15
N_NOISE_TASKS = 20


class Data(NamedTuple):
    """Rows for training, of which some may serve to stop early. `n_classes` counts the classes of the whole table."""

    X: pd.DataFrame
    y: np.ndarray
    tasks: np.ndarray | None
    validation: np.ndarray
    kind: str
    n_classes: int


def divide(name, seed):
    """Return the training data of a table and its test rows ``(X, y, tasks)``.

    For tables without tasks: 25 % of the rows for the test, stratified by class, and no validation rows.
    """
    if name in PLAIN:
        table = load_plain(name)
        rows = np.arange(len(table.y))
        strata = None if table.kind == "regression" else table.y
        rows, test = train_test_split(rows, test_size=0.25, random_state=seed, stratify=strata)
        validation, tasks = np.zeros(len(rows), bool), np.empty(len(table.y))
    else:
        table = load(name)
        part = split(table.tasks, seed)
        rows, test, tasks = np.flatnonzero(part != TEST), np.flatnonzero(part == TEST), table.tasks
        validation = part[rows] == VALIDATION
    n_classes = 0 if table.kind == "regression" else int(table.y.max()) + 1
    X = table.X
    data = Data(X.iloc[rows], table.y[rows], tasks[rows], validation, table.kind, n_classes)
    return data, (X.iloc[test], table.y[test], tasks[test])


def score(data, y, predicted):
    """Return the error: root mean squared error, or log-loss of clipped probabilities that sum to one."""
    if data.kind == "regression":
        return float(root_mean_squared_error(y, predicted))
    if predicted.ndim == 1:
        predicted = np.column_stack([1 - predicted, predicted])
    predicted = np.clip(predicted, SMALLEST_PROBABILITY, 1.0)
    predicted /= predicted.sum(axis=1, keepdims=True)
    return float(log_loss(y, predicted, labels=np.arange(data.n_classes)))


def aligned(probabilities, classes, n_classes):
    """Return probabilities with a column for each class of the table."""
    out = np.zeros((len(probabilities), n_classes))
    out[:, np.asarray(classes, int)] = probabilities
    return out


def read(path):
    """Return the scores in a file; an empty frame if there is none."""
    return pd.read_csv(path, dtype={"note": str}) if Path(path).exists() else pd.DataFrame(columns=COLUMNS)


def append(path, **values):
    """Write one line."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        if new:
            writer.writeheader()
        writer.writerow(values)


def replace(path, line):
    """Write a line in place of the one with the same table, seed and model."""
    old = read(path)
    same = (old["table"] == line["table"]) & (old["seed"] == line["seed"]) & (old["model"] == line["model"])
    if same.any():
        old[~same].to_csv(path, index=False)
    append(path, **line)


def _label(model, refit):
    return f"{model}{'*' if refit else ''}"


def _number(value):
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4f}"


def compare(ours_path=OURS, peers_path=PEERS, tables=None):
    """Print our scores beside those of the peers, on the seeds that ours has; all tables, or those named."""
    ours, peers = read(ours_path), read(peers_path)
    if tables is not None:
        ours = ours[ours["table"].isin(tables)]
    failed = ours[ours["score"].isna()]
    for row in failed.itertuples():
        print(f"FAILED: {row.table}, seed {row.seed}, {row.model}: {row.note}")
    ours, peers = ours.dropna(subset=["score"]), peers.dropna(subset=["score"])
    with_tasks = ours[~ours["table"].isin(PLAIN)]
    if len(with_tasks):
        _compare_with_tasks(with_tasks, peers)
    plain = ours[ours["table"].isin(PLAIN)]
    if len(plain):
        _compare_plain(plain, peers)


def _compare_with_tasks(ours, peers):
    print(
        "Mean test score; *: fitted again on train + validation; in brackets the seeds that both have, if not\n"
        "all, and how far ours is above on these; z: paired difference to lightgbm* over its standard error."
    )
    n_best = n_worse = 0
    names = ours["table"].unique()
    for name in names:
        own = ours[ours["table"] == name].set_index("seed")["score"]
        theirs = {}
        for (model, refit), rows in peers[peers["table"] == name].groupby(["model", "refit"]):
            scores = rows.set_index("seed")["score"]
            scores = scores[scores.index.isin(own.index)]
            if len(scores):
                theirs[_label(model, refit)] = scores
        gaps = {label: own[scores.index].mean() / scores.mean() - 1 for label, scores in theirs.items()}
        print(f"\n{name:<14}{_number(own.mean()):>9} ± {_number(own.std()) if len(own) > 1 else '-'}, {len(own)} seeds")
        if not gaps:
            print("    no peer has scores on these seeds")
            continue
        order = sorted(gaps, key=gaps.get, reverse=True)
        print("    " + "  ".join(_peer(label, theirs[label], gaps[label], len(own)) for label in order))
        best, gap = order[0], gaps[order[0]]
        n_best += gap <= 0
        verdict = f"{'AT OR BELOW the best' if gap <= 0 else 'above the best'} ({best}, {100 * gap:+.2f} %)"
        if "lightgbm*" in theirs and len(own) > 1:
            difference = (own - theirs["lightgbm*"]).dropna()
            z = difference.mean() / (difference.std() / np.sqrt(len(difference)))
            n_worse += z > 1
            verdict += f"; z {z:+.1f}{', WORSE than lightgbm* by more than one standard error' if z > 1 else ''}"
        print(f"    {verdict}")
    print(f"\nAt or below the best peer: {n_best} of {len(names)}. Worse than lightgbm* by more than 1 se: {n_worse}.")


def _peer(label, scores, gap, n_seeds):
    some = f" ({len(scores)} seeds, {100 * gap:+.2f} %)" if len(scores) < n_seeds else ""
    return f"{label} {_number(scores.mean())}{some}"


def _compare_plain(ours, peers):
    print("\nWithout tasks, beside HistGradientBoosting (HGB); the goal is within 1 %.")
    print(f"{'table':<18}{'model':<22}{'ours':>9}{'HGB':>9}{'ratio':>9}{'z':>7}{'seconds':>9}{'HGB':>7}")
    for (name, model), rows in ours.groupby(["table", "model"], sort=False):
        own = rows.set_index("seed")
        theirs = peers[(peers["table"] == name) & (peers["model"] == "hist_gradient_boosting")].set_index("seed")
        theirs = theirs.reindex(own.index)
        if theirs["score"].isna().any():
            print(f"{name:<18}{model:<22}{_number(own['score'].mean()):>9}   no scores of HGB on all these seeds")
            continue
        ratio = own["score"].mean() / theirs["score"].mean() - 1
        difference = own["score"] - theirs["score"]
        z = difference.mean() / (difference.std() / np.sqrt(len(own))) if len(own) > 1 else np.nan
        print(
            f"{name:<18}{model:<22}{_number(own['score'].mean()):>9}{_number(theirs['score'].mean()):>9}"
            f"{100 * ratio:>+8.2f}%{z:>+7.1f}{own['seconds'].mean():>9.2f}{theirs['seconds'].mean():>7.2f}"
        )
