"""Scores that know tasks: per task and averaged, scorers that hand `tasks` to the estimator, relative gains."""

from __future__ import annotations

from skmtl.metrics._gain import RelativeGain, relative_gain
from skmtl.metrics._per_task import TaskScores, averaged_task_score, task_scores
from skmtl.metrics._scorer import make_task_scorer

__all__ = ["RelativeGain", "TaskScores", "averaged_task_score", "make_task_scorer", "relative_gain", "task_scores"]
