"""What multi-task learning has to beat: one model per task, one for all, and one with the task as a feature.

And one multi-task model per group of tasks, for tables in which not all tasks belong together.

Meta-estimators round any estimator of scikit-learn or with its interface, LightGBM included, with the task contract of
the other estimators of skmtl.
"""

from __future__ import annotations

from skmtl.baselines._grouped import GroupedMultiTaskClassifier, GroupedMultiTaskRegressor
from skmtl.baselines._pooled import PooledClassifier, PooledRegressor
from skmtl.baselines._single_task import SingleTaskClassifier, SingleTaskRegressor
from skmtl.baselines._task_as_feature import TaskAsFeatureClassifier, TaskAsFeatureRegressor

__all__ = [
    "GroupedMultiTaskClassifier",
    "GroupedMultiTaskRegressor",
    "PooledClassifier",
    "PooledRegressor",
    "SingleTaskClassifier",
    "SingleTaskRegressor",
    "TaskAsFeatureClassifier",
    "TaskAsFeatureRegressor",
]
