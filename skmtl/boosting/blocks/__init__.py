"""Blocks: each knows how to make one step. A schedule says which block steps when."""

from ._base import Block, Step
from ._joint import JointBlock
from ._partition import PartitionBlock
from ._shared import SharedBlock
from ._specific import SpecificBlock

__all__ = ["Block", "JointBlock", "PartitionBlock", "SharedBlock", "SpecificBlock", "Step"]
