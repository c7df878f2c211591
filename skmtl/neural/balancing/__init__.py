"""Balancing: how the losses and gradients of the tasks are combined."""

from skmtl._optional import import_optional

import_optional("torchjd", extra="neural")

from ._base import Balancer, Balancing  # noqa: E402
from ._flat_regions import FlatRegions  # noqa: E402
from ._gradnorm import DBMTL, GradNorm  # noqa: E402
from ._registry import BALANCINGS  # noqa: E402

__all__ = ["BALANCINGS", "DBMTL", "Balancer", "Balancing", "FlatRegions", "GradNorm"]
