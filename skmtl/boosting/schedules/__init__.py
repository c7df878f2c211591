"""Schedules: which block steps when, and when to stop."""

from ._adaptive import AdaptiveSchedule, AdaptiveState
from ._fixed import FixedSchedule
from ._replay import SEARCH_PACE, ReplaySchedule

__all__ = ["SEARCH_PACE", "AdaptiveSchedule", "AdaptiveState", "FixedSchedule", "ReplaySchedule"]
