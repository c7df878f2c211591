"""The real tables of the R-MTGB experiments, downloaded on first use and checked value by value."""

from __future__ import annotations

import os
from typing import Any

from skmtl._optional import import_optional
from skmtl._sklearn import validate_params
from skmtl.datasets._bunch import make_bunch
from skmtl.datasets._download import Source, read

_PARAMETERS = {
    "data_home": [str, os.PathLike, None],
    "download_if_missing": ["boolean"],
    "as_frame": ["boolean"],
    "return_X_y_tasks": ["boolean"],
}

_ABALONE = Source(
    "abalone",
    (4177, 7),
    "11e471e05e3ec5fab0ae7d67c3fa7ace5e424d1bfa57a4793bbf5d26a0322b26",
    "UCI machine learning repository, Abalone (W. Nash et al., 1994)",
    classifies=False,
)
_AVILA = Source(
    "avila",
    (20867, 9),
    "0548dbe99d78870851dd0e8994a2567dc716f18fad36deaaf4c3b13bb6c794b5",
    "UCI machine learning repository, Avila (C. De Stefano et al., 2018)",
    classifies=True,
)
_COMPUTER = Source(
    "computer",
    (3800, 13),
    "fdb0808b60cab40929ebbbe4d964dda20df51178a64db324a7b4fa76e91715e1",
    'P. Lenk, W. DeSarbo, P. Green, M. Young, "Hierarchical Bayes Conjoint Analysis", Marketing Science 15, 1996',
    classifies=False,
)
_LANDMINE = Source(
    "landmine",
    (14820, 9),
    "188ef122b429a507121eb209f4b8948dbdf4c812c550d9204e0a3d84fee6b269",
    "Y. Xue, X. Liao, L. Carin, B. Krishnapuram, 'Multi-Task Learning for Classification with Dirichlet Process "
    "Priors', JMLR 8, 2007",
    classifies=True,
)
_SCHOOL = Source(
    "school",
    (15362, 27),
    "cfcda8abeaede89eaf063a7ee50405be6baba7bc3fd9bb30c35a8da2cbbf1753",
    "Inner London Education Authority, 1985 to 1987",
    classifies=False,
)


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def fetch_abalone(
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    as_frame: bool = True,
    return_X_y_tasks: bool = False,
) -> Any:
    """Fetch the ages of abalones, by sex (regression).

    ==============   ============================================================
    Rows             4177 abalones
    Tasks            3: female, infant and male, as the numbers 0 to 2
    Target           number of rings, 1 to 29
    Features         7 lengths and weights
    ==============   ============================================================

    It is one of the tables of the R-MTGB experiments [1]_. See :ref:`fetching` for where it is looked for, and for what
    is known about the files.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder to keep the table in. None: the folder for caches of the operating system.
    download_if_missing : bool, default=True
        Whether to download the table if it is not there; otherwise that is an error.
    as_frame : bool, default=True
        Whether `data` is a DataFrame.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (4177, 7)
            Features.
        target : ndarray of shape (4177,), dtype float64
            Number of rings.
        tasks : ndarray of shape (4177,), dtype int64
            Task of each row.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Description in words.
        source, licence : str
            Where the table comes from, and what is known of its licence.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    OSError
        If the table is not there and cannot be downloaded, or what is found is not this table.
    ImportError
        If pooch or pandas is needed and not installed.

    References
    ----------
    .. [1] S. Emami, G. Martínez-Muñoz, D. Hernández-Lobato, "Robust-Multi-Task Gradient Boosting", Expert Systems with
       Applications, 2025.
    """
    return _fetch(_ABALONE, data_home, download_if_missing, as_frame, return_X_y_tasks)


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def fetch_avila(
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    as_frame: bool = True,
    return_X_y_tasks: bool = False,
) -> Any:
    """Fetch the copyists of the Avila Bible (classification, 12 classes).

    ==============   ===================================================
    Rows             20867 groups of four lines
    Tasks            48, of 9 to 7030 rows; many tasks lack many classes
    Target           copyist, 0 to 11
    Features         9 properties of the handwriting
    ==============   ===================================================

    It is one of the tables of the R-MTGB experiments [1]_. See :ref:`fetching` for where it is looked for, and for what
    is known about the files.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder to keep the table in. None: the folder for caches of the operating system.
    download_if_missing : bool, default=True
        Whether to download the table if it is not there; otherwise that is an error.
    as_frame : bool, default=True
        Whether `data` is a DataFrame.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (20867, 9)
            Features.
        target : ndarray of shape (20867,), dtype int64
            Copyist.
        tasks : ndarray of shape (20867,), dtype int64
            Task of each row.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Description in words.
        source, licence : str
            Where the table comes from, and what is known of its licence.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    OSError
        If the table is not there and cannot be downloaded, or what is found is not this table.
    ImportError
        If pooch or pandas is needed and not installed.

    References
    ----------
    .. [1] S. Emami, G. Martínez-Muñoz, D. Hernández-Lobato, "Robust-Multi-Task Gradient Boosting", Expert Systems with
       Applications, 2025.
    """
    return _fetch(_AVILA, data_home, download_if_missing, as_frame, return_X_y_tasks)


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def fetch_computer(
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    as_frame: bool = True,
    return_X_y_tasks: bool = False,
) -> Any:
    """Fetch how likely 190 people were to buy each of 20 computers (regression).

    ==============   ======================================
    Rows             3800 ratings
    Tasks            190 respondents of 20 ratings each
    Target           likelihood of a purchase, 0 to 10
    Features         13 properties of the computer, -1 or 1
    ==============   ======================================

    It is one of the tables of the R-MTGB experiments [1]_. See :ref:`fetching` for where it is looked for, and for what
    is known about the files.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder to keep the table in. None: the folder for caches of the operating system.
    download_if_missing : bool, default=True
        Whether to download the table if it is not there; otherwise that is an error.
    as_frame : bool, default=True
        Whether `data` is a DataFrame.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (3800, 13)
            Features.
        target : ndarray of shape (3800,), dtype float64
            Ratings.
        tasks : ndarray of shape (3800,), dtype int64
            Task of each row.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Description in words.
        source, licence : str
            Where the table comes from, and what is known of its licence.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    OSError
        If the table is not there and cannot be downloaded, or what is found is not this table.
    ImportError
        If pooch or pandas is needed and not installed.

    References
    ----------
    .. [1] S. Emami, G. Martínez-Muñoz, D. Hernández-Lobato, "Robust-Multi-Task Gradient Boosting", Expert Systems with
       Applications, 2025.
    """
    return _fetch(_COMPUTER, data_home, download_if_missing, as_frame, return_X_y_tasks)


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def fetch_landmine(
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    as_frame: bool = True,
    return_X_y_tasks: bool = False,
) -> Any:
    """Fetch radar signatures of land mines and clutter in 29 fields (classification, two classes).

    ==============   ================================
    Rows             14820 objects, 6 % of them mines
    Tasks            29 fields of 445 to 690 objects
    Target           1: mine, 0: clutter
    Features         9 properties of the radar image
    ==============   ================================

    It is one of the tables of the R-MTGB experiments [1]_. See :ref:`fetching` for where it is looked for, and for what
    is known about the files.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder to keep the table in. None: the folder for caches of the operating system.
    download_if_missing : bool, default=True
        Whether to download the table if it is not there; otherwise that is an error.
    as_frame : bool, default=True
        Whether `data` is a DataFrame.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (14820, 9)
            Features.
        target : ndarray of shape (14820,), dtype int64
            Whether it is a mine.
        tasks : ndarray of shape (14820,), dtype int64
            Task of each row.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Description in words.
        source, licence : str
            Where the table comes from, and what is known of its licence.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    OSError
        If the table is not there and cannot be downloaded, or what is found is not this table.
    ImportError
        If pooch or pandas is needed and not installed.

    References
    ----------
    .. [1] S. Emami, G. Martínez-Muñoz, D. Hernández-Lobato, "Robust-Multi-Task Gradient Boosting", Expert Systems with
       Applications, 2025.
    """
    return _fetch(_LANDMINE, data_home, download_if_missing, as_frame, return_X_y_tasks)


@validate_params(_PARAMETERS, prefer_skip_nested_validation=True)
def fetch_school(
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    as_frame: bool = True,
    return_X_y_tasks: bool = False,
) -> Any:
    """Fetch the exam scores of pupils in 139 schools of Inner London (regression).

    ==============   ====================================================
    Rows             15362 pupils
    Tasks            139 schools of 22 to 251 pupils
    Target           exam score, 1 to 70
    Features         27: year, school and pupil, mostly as zeros and ones
    ==============   ====================================================

    It is one of the tables of the R-MTGB experiments [1]_. See :ref:`fetching` for where it is looked for, and for what
    is known about the files.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder to keep the table in. None: the folder for caches of the operating system.
    download_if_missing : bool, default=True
        Whether to download the table if it is not there; otherwise that is an error.
    as_frame : bool, default=True
        Whether `data` is a DataFrame.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : pandas.DataFrame or ndarray of shape (15362, 27)
            Features.
        target : ndarray of shape (15362,), dtype float64
            Exam scores.
        tasks : ndarray of shape (15362,), dtype int64
            Task of each row.
        feature_names : list of str
            Names of the columns of `data`.
        DESCR : str
            Description in words.
        source, licence : str
            Where the table comes from, and what is known of its licence.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    OSError
        If the table is not there and cannot be downloaded, or what is found is not this table.
    ImportError
        If pooch or pandas is needed and not installed.

    References
    ----------
    .. [1] S. Emami, G. Martínez-Muñoz, D. Hernández-Lobato, "Robust-Multi-Task Gradient Boosting", Expert Systems with
       Applications, 2025.
    """
    return _fetch(_SCHOOL, data_home, download_if_missing, as_frame, return_X_y_tasks)


def _fetch(source: Source, data_home: Any, download_if_missing: bool, as_frame: bool, return_X_y_tasks: bool) -> Any:
    """Return a table in the form asked for."""
    names, values = read(source, data_home, download_if_missing)
    table: Any = values[:, :-2]
    if as_frame or not return_X_y_tasks:
        pandas = import_optional("pandas", extra="data")
        table = pandas.DataFrame(table, columns=names)
    target = values[:, -1]
    return make_bunch(
        table,
        target.astype("int64") if source.classifies else target.copy(),
        values[:, -2].astype("int64"),
        as_frame=as_frame or return_X_y_tasks,
        return_X_y_tasks=return_X_y_tasks,
        text=source.describe,
    )
