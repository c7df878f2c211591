"""Names of architectures."""

from __future__ import annotations

from typing import Any

from .._names import nearest
from ._base import Architecture
from ._cross_stitch import CrossStitch
from ._hard_sharing import HardSharing
from ._mmoe import MMoE
from ._ple import CGC, PLE

ARCHITECTURES: dict[str, type[Architecture]] = {
    "hard_sharing": HardSharing,
    "cross_stitch": CrossStitch,
    "mmoe": MMoE,
    "cgc": CGC,
    "ple": PLE,
}


def resolve_architecture(architecture: Any) -> Any:
    """Return the description that a name stands for, or the description itself."""
    if isinstance(architecture, str):
        if architecture in ARCHITECTURES:
            return ARCHITECTURES[architecture]()
        raise ValueError(
            f"'architecture' must be one of {sorted(ARCHITECTURES)} or an object with a method 'build'. Got "
            f"'{architecture}'.{nearest(architecture, ARCHITECTURES)}"
        )
    if isinstance(architecture, type) or not callable(getattr(architecture, "build", None)):
        raise ValueError(
            f"'architecture' must be one of {sorted(ARCHITECTURES)} or an object with a method 'build'. Got "
            f"{architecture!r}."
        )
    return architecture
