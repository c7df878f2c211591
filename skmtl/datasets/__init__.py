"""Tables with tasks: generators that say what they planted, loaders and fetchers of real tables."""

from __future__ import annotations

from skmtl.datasets._correlated import make_correlated_tasks
from skmtl.datasets._extreme import make_extreme_classification
from skmtl.datasets._fourier import make_fourier_tasks
from skmtl.datasets._rdatasets import (
    load_chem97,
    load_egsingle,
    load_exam,
    load_gcsemv,
    load_insteval,
    load_math_achieve,
    load_txhousing,
)
from skmtl.datasets._rmtgb_tables import fetch_abalone, fetch_avila, fetch_computer, fetch_landmine, fetch_school

__all__ = [
    "fetch_abalone",
    "fetch_avila",
    "fetch_computer",
    "fetch_landmine",
    "fetch_school",
    "load_chem97",
    "load_egsingle",
    "load_exam",
    "load_gcsemv",
    "load_insteval",
    "load_math_achieve",
    "load_txhousing",
    "make_correlated_tasks",
    "make_extreme_classification",
    "make_fourier_tasks",
]
