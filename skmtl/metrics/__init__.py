"""Scores that know tasks: scorers that hand `tasks` to the estimator, and one score per task."""

from __future__ import annotations

from skmtl.metrics._per_task import task_scores
from skmtl.metrics._scorer import make_task_scorer

__all__ = ["make_task_scorer", "task_scores"]
