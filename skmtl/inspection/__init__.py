"""Pictures of fitted models, in the manner of scikit-learn's displays, and diagnostics of what tasks have in common."""

from __future__ import annotations

from skmtl.inspection._affinity import (
    GradientSimilarity,
    TaskAffinity,
    gradient_similarity,
    lookahead_affinity,
    task_affinity,
)
from skmtl.inspection._block_curves import BlockCurvesDisplay
from skmtl.inspection._grouping import TaskGrouper, select_groups
from skmtl.inspection._matrices import TaskAffinityDisplay, TaskImportancesDisplay
from skmtl.inspection._net_affinity import net_affinity
from skmtl.inspection._outlier_scores import OutlierScoresDisplay
from skmtl.inspection._reliability import TaskReliabilityDisplay
from skmtl.inspection._task_gains import TaskGainsDisplay
from skmtl.inspection._transfer import NegativeTransferReport, negative_transfer_report

__all__ = [
    "BlockCurvesDisplay",
    "GradientSimilarity",
    "NegativeTransferReport",
    "OutlierScoresDisplay",
    "TaskAffinity",
    "TaskAffinityDisplay",
    "TaskGainsDisplay",
    "TaskGrouper",
    "TaskImportancesDisplay",
    "TaskReliabilityDisplay",
    "gradient_similarity",
    "lookahead_affinity",
    "negative_transfer_report",
    "net_affinity",
    "select_groups",
    "task_affinity",
]
