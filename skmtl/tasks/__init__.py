"""What a task is: the one place where labels, task columns and 2-D targets are resolved.

Every estimator goes through the same steps. In ``fit``:

1. :func:`take_tasks` finds the labels, in `tasks` or in the column `task_column` of `X`;
2. :func:`learn_tasks` turns them into the sorted `tasks_` and one code per row;
3. :func:`observed_pairs` turns a 2-D `y` with gaps into pairs of a row and one observed target.

In ``predict``: :func:`take_tasks`, then :func:`look_up_tasks`, which maps labels through the `tasks_` of ``fit`` and
never through the rows at hand, so that a row predicted alone equals the same row predicted among others.
"""

from __future__ import annotations

from skmtl.tasks._columns import take_tasks
from skmtl.tasks._labels import learn_tasks, look_up_tasks
from skmtl.tasks._requests import TaskRequests
from skmtl.tasks._targets import Pairs, all_pairs, observed_pairs, stack_predictions

__all__ = [
    "Pairs",
    "TaskRequests",
    "all_pairs",
    "learn_tasks",
    "look_up_tasks",
    "observed_pairs",
    "stack_predictions",
    "take_tasks",
]
