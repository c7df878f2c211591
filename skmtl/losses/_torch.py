"""Pieces of the torch forms. Only the functions import torch: importing the losses needs none."""

from __future__ import annotations

#: Beyond this number, exp goes on as a straight line: finite in float32, with a finite slope, for any raw prediction.
LARGEST_EXPONENT = 50.0


def safe_exp(x):
    """Exponential, continued by its tangent beyond ``LARGEST_EXPONENT``."""
    inside = x.clamp(max=LARGEST_EXPONENT)
    return inside.exp() * (1.0 + (x - inside))


def class_scores(raw, allowed=None):
    """Scores of all classes, (n_rows, n_classes): the one raw prediction of two classes stands for the scores 0 and f.

    Classes that are not allowed have the score minus infinity.
    """
    import torch

    if raw.shape[1] == 1:
        raw = torch.cat([torch.zeros_like(raw), raw], dim=1)
    if allowed is None:
        return raw
    if allowed.shape != raw.shape:
        raise ValueError(
            f"'allowed' must have the shape (n_rows, n_classes) = {tuple(raw.shape)}. Got {allowed.shape}."
        )
    return raw.masked_fill(~allowed, -torch.inf)


def log_probability(raw, y, allowed=None):
    """Logarithm of the softmax probability of each row's own class, (n_rows,)."""
    import torch

    if raw.shape[1] == 1 and allowed is None:
        sign = 2.0 * y.to(raw.dtype) - 1.0
        return -torch.nn.functional.softplus(-sign * raw[:, 0])
    scores = class_scores(raw, allowed)
    return torch.log_softmax(scores, dim=1).gather(1, y[:, None].long())[:, 0]
