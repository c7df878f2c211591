"""Splits in which every task is in every part."""

from __future__ import annotations

from skmtl.model_selection._split import TaskStratifiedKFold, TaskStratifiedShuffleSplit, task_train_test_split

__all__ = ["TaskStratifiedKFold", "TaskStratifiedShuffleSplit", "task_train_test_split"]
