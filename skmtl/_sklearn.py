"""The one module that imports names which scikit-learn keeps private.

Everything else in skmtl takes them from here, so that a rename in scikit-learn is mended in one place. Every name
exists in scikit-learn 1.6 and in all later releases up to the one in ``constraints.txt``.
"""

from __future__ import annotations

from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils.validation import _check_monotonic_cst, _check_sample_weight, _num_samples

__all__ = [
    "HasMethods",
    "Interval",
    "StrOptions",
    "_check_monotonic_cst",
    "_check_sample_weight",
    "_fit_context",
    "_num_samples",
    "_safe_indexing",
    "validate_parameter_constraints",
    "validate_params",
]
