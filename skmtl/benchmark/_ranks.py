"""Mean ranks of models over tables, with the tests of Friedman and Nemenyi."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from skmtl.benchmark._report import Summary, comparable_means


@dataclass(frozen=True)
class Ranks:
    """Ranks of the models that have a result on every table.

    Attributes
    ----------
    models : list of str
        Names, the best first.
    mean_ranks : ndarray of shape (n_models,)
        Mean over tables; 1 is the best.
    n_tables : int
        Number of tables.
    p_value : float or None
        Of Friedman's test that all models are alike; None with fewer than three models or two tables.
    critical_difference : float or None
        Nemenyi's: mean ranks that differ by less cannot be told apart at the level 0.05; None as above.
    left_out : list of str
        Models without a result on some table.
    """

    models: list[str]
    mean_ranks: np.ndarray
    n_tables: int
    p_value: float | None
    critical_difference: float | None
    left_out: list[str]


def rank(tables: dict[str, list[Summary]]) -> Ranks:
    """Rank models by their mean error on each table, over the seeds that all models have there [1]_.

    Parameters
    ----------
    tables : dict of str to list of Summary
        Summaries of the models on each table.

    Returns
    -------
    ranks : Ranks
        Mean ranks and tests.

    References
    ----------
    .. [1] J. Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006.
    """
    names = list(dict.fromkeys(summary.model for summaries in tables.values() for summary in summaries))
    errors = {name: [] for name in names}  # type: dict[str, list[float]]
    for summaries in tables.values():
        for summary, mean in zip(summaries, comparable_means(summaries), strict=True):
            errors[summary.model].append(mean)
    complete = [name for name in names if len(errors[name]) == len(tables) and np.isfinite(errors[name]).all()]
    if not complete:
        return Ranks([], np.zeros(0), len(tables), None, None, names)
    matrix = np.array([errors[name] for name in complete]).T  # tables, models
    mean_ranks = rankdata(matrix, axis=1).mean(axis=0)
    n_tables, n_models = matrix.shape
    p_value = critical = None
    if n_models >= 3 and n_tables >= 2:
        tied = bool(np.all(matrix == matrix[:, :1]))  # everywhere: the statistic is 0 / 0
        p_value = 1.0 if tied else float(friedmanchisquare(*matrix.T).pvalue)
        quantile = float(studentized_range.ppf(0.95, n_models, np.inf)) / np.sqrt(2.0)
        critical = float(quantile * np.sqrt(n_models * (n_models + 1) / (6.0 * n_tables)))
    order = np.argsort(mean_ranks, kind="stable")
    left_out = [name for name in names if name not in complete]
    return Ranks([complete[i] for i in order], mean_ranks[order], n_tables, p_value, critical, left_out)
