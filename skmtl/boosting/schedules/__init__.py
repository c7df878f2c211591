"""Schedules: which block steps when, and when to stop."""

from ._fixed import FixedSchedule

__all__ = ["FixedSchedule"]
