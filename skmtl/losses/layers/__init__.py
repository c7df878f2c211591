"""Layers of nets that belong to a loss. This part needs torch (extra ``neural``)."""

from ..._optional import import_optional

import_optional("torch", extra="neural")  # says which extra is missing, where it is

from ._ordinal import OrdinalHead  # noqa: E402
from ._spherical import SphericalOutputLayer, ZLossOutputLayer  # noqa: E402

__all__ = ["OrdinalHead", "SphericalOutputLayer", "ZLossOutputLayer"]
