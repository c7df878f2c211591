"""Transformers that know tasks."""

from __future__ import annotations

from skmtl.preprocessing._task_wise import TaskWise

__all__ = ["TaskWise"]
