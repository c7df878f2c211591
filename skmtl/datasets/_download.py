"""Where the fetched tables are looked for, and the check that each is the one that is meant.

A table is known by the SHA-256 digest of its values, not of a file: the same table may come as one file or as two, and
with numbers written in more than one way.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skmtl._optional import import_optional

FOLDER_VARIABLE = "SKMTL_DATASETS"
ADDRESS = "https://raw.githubusercontent.com/GAA-UAM/R-MTGB/main/Datasets"


@dataclass(frozen=True)
class Source:
    """A table.

    Attributes
    ----------
    name : str
        Its name, that of its file.
    shape : tuple of int
        Number of rows and of features.
    sha256 : str
        Digest of its values: features, task and target as float64, row by row.
    origin : str
        Who collected it.
    classifies : bool
        Whether the target is a class.
    """

    name: str
    shape: tuple[int, int]
    sha256: str
    origin: str
    classifies: bool

    def describe(self) -> tuple[str, str, str]:
        """Return description, source and licence."""
        source = f"{self.origin}; as one of the R-MTGB experiments, public repository GAA-UAM/R-MTGB, folder Datasets"
        licence = "not stated for the data; the repository's code is under LGPL-2.1"
        return (
            f"Table '{self.name}': {self.shape[0]} rows, {self.shape[1]} features.\n\nSource: {source}.\n\nLicence: "
            f"{licence}. skmtl holds no copy of the data.",
            source,
            licence,
        )


def read(source: Source, data_home: Any, download_if_missing: bool) -> tuple[list[str], np.ndarray]:
    """Return the names of the features, and all values: features, task, target.

    Looked for, in this order: in the folder that the environment variable names, if it is set, and nowhere else; in
    `data_home`; at the public address.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        path = Path(folder) / f"{source.name}.csv.gz"
        if not path.is_file():
            raise FileNotFoundError(
                f"The environment variable {FOLDER_VARIABLE} is '{folder}', but there is no '{source.name}.csv.gz' in "
                "that folder. Put the file there, or unset the variable to download the table."
            )
        return _read_checked(path, source)
    if data_home is None:
        home = Path(import_optional("pooch", extra="data").os_cache("skmtl"))
    else:
        home = Path(data_home).expanduser()
    path = home / f"{source.name}.csv.gz"
    if path.is_file():
        return _read_checked(path, source)
    if not download_if_missing:
        raise FileNotFoundError(
            f"The table '{source.name}' is not in '{home}' and download_if_missing is False. {_way_out(source)}"
        )
    names, values = _download(source)
    home.mkdir(parents=True, exist_ok=True)
    _write(path, names, values)
    return names, values


def digest(values: np.ndarray) -> str:
    """Return the SHA-256 digest of the values of a table, as hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(values, dtype="<f8").tobytes()).hexdigest()


def _read_checked(path: Path, source: Source) -> tuple[list[str], np.ndarray]:
    """Read a file of the library's own form, one header row and the columns `task` and `target` at the end."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            names = file.readline().rstrip("\n").split(",")
            values = np.loadtxt(file, delimiter=",", ndmin=2)
    except (OSError, EOFError, ValueError) as error:
        raise OSError(f"'{path}' is damaged ({error}). Delete it, and fetch the table again.") from error
    _check(values, source, f"'{path}'", "Delete it, and fetch the table again.")
    return names[:-2], values


def _check(values: np.ndarray, source: Source, what: str, way_out: str) -> None:
    """Raise if these are not the values of the table."""
    expected = (source.shape[0], source.shape[1] + 2)
    if values.shape != expected:
        raise OSError(
            f"{what} is not the table '{source.name}': it has {values.shape[0]} rows of {values.shape[1]} columns; "
            f"expected {expected[0]} rows of {expected[1]}. {way_out}"
        )
    found = digest(values)
    if found != source.sha256:
        raise OSError(
            f"{what} is not the table '{source.name}': the SHA-256 digest of its values is {found}; expected "
            f"{source.sha256}. {way_out}"
        )


def _download(source: Source) -> tuple[list[str], np.ndarray]:
    """Download the two files of a table, features with the task in the last column and target, and join them."""
    pooch = import_optional("pooch", extra="data")
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        for part in ("data", "target"):
            url = f"{ADDRESS}/{source.name}/{source.name}_{part}.csv"
            try:
                path = pooch.retrieve(url, known_hash=None, fname=f"{part}.csv", path=folder, progressbar=False)
            except Exception as error:  # of requests, urllib3 or the operating system
                raise OSError(
                    f"Cannot download '{url}' ({type(error).__name__}: {error}). {_way_out(source)}"
                ) from error
            try:
                with Path(path).open(encoding="utf-8-sig") as file:
                    names = file.readline().rstrip("\r\n").split(",")
                    parts.append((names, np.loadtxt(file, delimiter=",", ndmin=2)))
            except ValueError as error:
                raise OSError(f"'{url}' is no table of numbers ({error}). {_way_out(source)}") from error
    (names, features), (_, target) = parts
    if len(features) != len(target):
        raise OSError(
            f"The files of '{source.name}' at '{ADDRESS}' have {len(features)} and {len(target)} rows. "
            f"{_way_out(source)}"
        )
    values = np.column_stack([features, target])
    _check(values, source, f"What is at '{ADDRESS}/{source.name}'", _way_out(source))
    return names[:-1], values


def _write(path: Path, names: list[str], values: np.ndarray) -> None:
    """Write a table; a reader never sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    try:
        with gzip.open(temporary, "wt", encoding="utf-8") as file:
            file.write(",".join([*names, "task", "target"]) + "\n")
            for row in values.tolist():
                file.write(",".join(map(repr, row)) + "\n")
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _way_out(source: Source) -> str:
    return (
        f"Without a connection, get '{source.name}.csv.gz' (columns: features, 'task', 'target') on another machine "
        f"and set the environment variable {FOLDER_VARIABLE} to the folder that holds it."
    )
