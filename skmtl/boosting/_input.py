"""From X to codes: what a fit learns about the features, and how rows to predict are coded."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._shared.features import FeatureReader
from .._shared.reading import read_features
from .._sklearn import _check_monotonic_cst
from ..tasks import look_up_tasks
from ._binning import Binner
from ._constraints import interaction_groups
from ._task_features import TaskFeatures


class FeaturePlan(NamedTuple):
    """How X becomes codes; learned in `fit`, used in `predict`."""

    reader: FeatureReader
    binner: Binner
    positions: np.ndarray  # positions of the features in X as passed
    task_features: TaskFeatures
    monotonic: np.ndarray  # int8, of the features and then the task features
    groups: np.ndarray  # uint8 (n_groups, ...), the same

    @property
    def n_bins(self):
        """Bins of the features and then the task features."""
        return np.concatenate([self.binner.n_bins, self.task_features.n_bins])

    @property
    def categorical(self):
        """Which of them are categorical, as uint8."""
        return np.concatenate([self.reader.categorical, np.zeros(len(self.task_features.source), bool)]).astype(
            np.uint8
        )

    @property
    def columns(self):
        """The column of X that each of them comes from."""
        return np.concatenate([self.positions, self.positions[self.task_features.source]])


def read_rows(estimator, X, tasks):
    """Codes (task features included) and task codes (-1: unseen task) of rows to predict."""
    values, labels = read_features(estimator, estimator._plan.reader, X, tasks)
    task_codes = look_up_tasks(
        labels,
        estimator._row_tasks,
        len(values),
        unseen=estimator.unseen_tasks,
        owner=type(estimator).__name__,
    )
    plan = estimator._plan
    return plan.task_features.extend(plan.binner.transform(values), task_codes), task_codes


def plan_constraints(estimator, positions, reader, task_features):
    """Monotonic and interaction constraints in terms of the features and task features.

    For the rows of one task a task feature is a constant, so that no monotonic constraint concerns it; it may meet what
    its source may meet.
    """
    monotonic = _check_monotonic_cst(estimator, estimator.monotonic_cst)
    dropped = np.setdiff1d(np.arange(estimator.n_features_in_), positions)
    if np.any(monotonic[dropped] != 0):
        raise ValueError("'monotonic_cst' constrains the task column, which is no feature.")
    monotonic = monotonic[positions].astype(np.int8)
    if np.any(monotonic[reader.categorical] != 0):
        raise ValueError("'monotonic_cst' constrains categorical features, which have no order.")
    groups = interaction_groups(estimator.interaction_cst, estimator.n_features_in_)[:, positions]
    source = task_features.source
    return (
        np.concatenate([monotonic, np.zeros(len(source), np.int8)]),
        np.ascontiguousarray(np.concatenate([groups, groups[:, source]], axis=1)),
    )
