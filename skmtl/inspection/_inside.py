"""Where a fitted estimator is, if it is inside another one."""

from __future__ import annotations

from typing import Any


def without(estimator: Any, attribute: str, lacks: str = "does not learn") -> str:
    """Return the message about an attribute that an estimator lacks, and which part of it may have it."""
    kind = "method" if lacks == "does not have" else "attribute"
    text = f"'estimator' must have the {kind} '{attribute}', which {type(estimator).__name__} {lacks}."
    if hasattr(estimator, "steps"):
        text += " Of a Pipeline give the last step, estimator[-1]."
    elif hasattr(estimator, "best_estimator_"):
        text += " Of a search give the best estimator, estimator.best_estimator_."
    return text
