"""Schedules: which block steps when, and when to stop."""

from ._adaptive import AdaptiveSchedule, AdaptiveState
from ._fixed import FixedSchedule
from ._replay import ReplaySchedule

__all__ = ["AdaptiveSchedule", "AdaptiveState", "FixedSchedule", "ReplaySchedule"]
