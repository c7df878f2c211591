"""From the parameters of an estimator to the objects that they stand for."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from ._names import nearest

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}
#: What a named optimiser is called with where the user says nothing else.
_OPTIMIZER_DEFAULTS: dict[str, dict[str, Any]] = {
    "adam": {"betas": (0.9, 0.99)},
    "adamw": {"betas": (0.9, 0.99), "weight_decay": 0.02},
    "sgd": {"momentum": 0.9, "nesterov": True},
}
#: What names of skorch's parameters may begin with.
NET_PREFIXES = ("optimizer", "callbacks", "compile")


def resolve_optimizer(optimizer, net_params):
    """Return the class of the optimiser and skorch's parameters for it.

    Parameters
    ----------
    optimizer : str or type
        A key of ``OPTIMIZERS``, or a class of optimisers.
    net_params : dict or None
        Names and values for skorch, such as ``{"optimizer__weight_decay": 0.01}``.
    """
    if isinstance(optimizer, str):
        if optimizer not in OPTIMIZERS:
            raise ValueError(
                f"'optimizer' must be one of {sorted(OPTIMIZERS)} or a class of torch.optim. Got "
                f"'{optimizer}'.{nearest(optimizer, OPTIMIZERS)}"
            )
        cls, defaults = OPTIMIZERS[optimizer], _OPTIMIZER_DEFAULTS.get(optimizer, {})
    else:
        cls, defaults = optimizer, {}
        if not (isinstance(cls, type) and issubclass(cls, torch.optim.Optimizer)):
            raise TypeError(f"'optimizer' must be a name or a class derived from torch.optim.Optimizer. Got {cls!r}.")
    if issubclass(cls, torch.optim.LBFGS):
        raise ValueError("'optimizer' must take one step per gradient, which LBFGS does not. Choose 'adamw'.")
    accepted = set(inspect.signature(cls).parameters) - {"params", "lr"}
    if "fused" in accepted and issubclass(cls, torch.optim.Adam | torch.optim.AdamW | torch.optim.SGD):
        defaults = {**defaults, "fused": True}
    given = check_net_params(net_params)
    for name in given:
        head, _, rest = name.partition("__")
        if head == "optimizer" and not rest.startswith("param_groups") and rest not in accepted:
            raise ValueError(
                f"{cls.__name__} has no parameter '{rest}', which '{name}' sets.{nearest(rest, accepted)} It has: "
                f"{sorted(accepted)}."
            )
    return cls, {**{f"optimizer__{name}": value for name, value in defaults.items()}, **given}


def check_net_params(net_params):
    """Return the parameters for skorch as a dict whose names begin as they may."""
    if net_params is None:
        return {}
    for name in net_params:
        head, separator, _ = str(name).partition("__")
        if not separator or head not in NET_PREFIXES:
            known = ["optimizer__weight_decay", *(f"{prefix}__" for prefix in NET_PREFIXES)]
            raise ValueError(
                f"'net_params' must have names that begin with one of {[f'{prefix}__' for prefix in NET_PREFIXES]}. "
                f"Got {name!r}.{nearest(str(name), known)}"
            )
    return dict(net_params)


def resolve_device(device):
    """Return the name of a device that is there.

    Parameters
    ----------
    device : str
        Name as torch has it, or "auto": CUDA where there is a GPU, then MPS, then the CPU.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        kind, index = torch.device(device).type, torch.device(device).index
    except RuntimeError:
        raise ValueError(
            f"'device' must be 'auto', 'cpu', 'cuda', 'cuda:1', 'mps' or the like. Got '{device}'."
        ) from None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    beyond = kind == "cuda" and there["cuda"] and (index or 0) >= torch.cuda.device_count()
    if not there.get(kind, False) or beyond:
        found = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count() if there["cuda"] else 0))]
        found += ["mps"] if there["mps"] else []
        raise ValueError(f"'device' is '{device}', which is not there. Found: {found}. Choose one of them or 'auto'.")
    return str(device)


def auto_batch_size(n_rows):
    """Rows per batch: about 40 batches per pass, between 32 and 1024 rows, a power of two."""
    size = 32
    while size < 1024 and size * 56 < n_rows:
        size *= 2
    return size
