"""Where a fitted estimator is, if it is inside another one."""

from __future__ import annotations

from typing import Any, Literal


def without(estimator: Any, name: str, kind: Literal["attribute", "method"] = "attribute") -> str:
    """Return the message about an attribute or method that an estimator lacks, and which part of it may have it."""
    lacks = "does not learn" if kind == "attribute" else "does not have"
    text = f"'estimator' must have the {kind} '{name}', which {type(estimator).__name__} {lacks}."
    if hasattr(estimator, "steps"):
        text += " Of a Pipeline give the last step, estimator[-1]."
    elif hasattr(estimator, "best_estimator_"):
        text += " Of a search give the best estimator, estimator.best_estimator_."
    return text
