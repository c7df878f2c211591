"""The training step's forward pass, compiled."""

from __future__ import annotations

import torch


class CompiledModule:
    """Calls a module by way of :func:`torch.compile`; the module itself stays as it is.

    So copies, pickles and predictions know nothing of it.

    Parameters
    ----------
    module : torch.nn.Module
        The module.
    options : dict
        Parameters of :func:`torch.compile`.

    Raises
    ------
    RuntimeError
        In the first call, if torch cannot compile the module here.
    """

    def __init__(self, module, options):
        self.module = module
        self._call = torch.compile(module, **options)
        self._worked = False

    def __call__(self, *inputs):
        """Raw predictions."""
        if self._worked:
            return self._call(*inputs)
        try:
            raw = self._call(*inputs)
        except Exception as error:
            reason = str(error).strip().split("\n")[0]
            raise RuntimeError(
                f"compile=True: torch.compile failed with {type(error).__name__}: {reason} On a CPU it needs a C++ "
                "compiler, such as g++, in the PATH or named by the environment variable CXX. Or set compile=False."
            ) from error
        self._worked = True
        return raw


def check_compile(balancer, balancing, regularizer):
    """Raise ValueError where training takes what torch's compiled modules do not give: several passes back."""
    if regularizer is not None:
        raise ValueError(
            f"'compile' must be False with a regularizer, which differentiates twice. Got compile=True, regularizer="
            f"{regularizer!r}."
        )
    if not getattr(balancer, "one_pass", False):
        raise ValueError(
            "'compile' must be False with a balancing method that takes a backward pass for each task. Got "
            f"compile=True, balancing={balancing!r}. None and methods that combine losses, such as 'uw', take one."
        )
