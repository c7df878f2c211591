"""Architectures: how tasks share a network. One description each, with a name under which estimators know it."""

from skmtl._optional import import_optional

import_optional("torch", extra="neural")

from ._base import Architecture, Outputs  # noqa: E402
from ._cross_stitch import CrossStitch  # noqa: E402
from ._hard_sharing import HardSharing  # noqa: E402
from ._mmoe import MMoE  # noqa: E402
from ._ple import CGC, PLE  # noqa: E402

__all__ = [
    "CGC",
    "PLE",
    "Architecture",
    "CrossStitch",
    "HardSharing",
    "MMoE",
    "Outputs",
]
