"""Learning rates over training."""

from __future__ import annotations

import math


def constant(done):
    """The same learning rate throughout."""
    return 1.0


def cosine(done):
    """A short rise, then half a cosine down to a hundredth."""
    if done < 0.02:
        return max(done / 0.02, 0.05)
    return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * (done - 0.02) / 0.98))


def flat_cosine(done):
    """A short rise, flat for the first half, then half a cosine down to a hundredth."""
    if done < 0.02:
        return max(done / 0.02, 0.05)
    return 1.0 if done < 0.5 else 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * (done - 0.5) / 0.5))


#: Learning rates over training, as factors of `lr`, by name.
SCHEDULES = {"constant": constant, "cosine": cosine, "flat_cosine": flat_cosine}
