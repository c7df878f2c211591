"""Nested names of parameters, also where the object that they go to is still a string."""

from __future__ import annotations

from typing import Any

from ._factored import resolve_output
from ._names import nearest
from ._settings import NET_PREFIXES
from .architectures._registry import resolve_architecture
from .embeddings import resolve_embedding
from .regularizers import resolve_regularizer


def _named_balancing(balancing):
    from .balancing._registry import OWN

    if isinstance(balancing, str) and balancing in OWN:
        return OWN[balancing]()
    return balancing


class DeepParameters:
    """Mixin for ``set_params`` and ``get_params``: ``architecture__hidden_sizes``, ``optimizer__weight_decay``.

    A name for an object that is given as a string, such as ``architecture="mmoe"``, turns the string into the object
    first. A name for the optimiser or another part of skorch's net goes into `net_params`.
    """

    net_params: Any

    def _describe(self, parameter, value):
        """Turn the value of a parameter into the object that a nested name can be set on."""
        resolvers = {
            "architecture": resolve_architecture,
            "numeric_embedding": resolve_embedding,
            "regularizer": resolve_regularizer,
            "balancing": _named_balancing,
            "loss": self._resolve_loss,
            "output": resolve_output,
        }
        return resolvers[parameter](value) if parameter in resolvers and isinstance(value, str) else value

    def _resolve_loss(self, loss=None):
        raise NotImplementedError

    def set_params(self, **params: Any) -> Any:
        """Set parameters, also nested ones.

        Parameters
        ----------
        **params : dict
            Values by name. ``architecture__hidden_sizes`` goes to the architecture, which may be given as a string;
            likewise `loss`, `balancing`, `regularizer`, `numeric_embedding` and `output`.
            ``optimizer__weight_decay`` goes into `net_params`.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        here = {name: value for name, value in params.items() if "__" not in name}
        super().set_params(**here)  # type: ignore[misc]
        for name in [name for name in params if "__" in name]:
            head, _, rest = name.partition("__")
            if head in NET_PREFIXES:
                self.net_params = {**(self.net_params or {}), name: params[name]}
                continue
            if not hasattr(self, head):
                known = self.get_params(deep=False)
                raise ValueError(f"{type(self).__name__} has no parameter '{head}'.{nearest(head, known)}")
            described = self._describe(head, getattr(self, head))
            if not hasattr(described, "set_params"):
                raise ValueError(f"'{name}' cannot be set: '{head}' is {described!r}, which has no parameters.")
            known = described.get_params()
            if rest not in known and "__" not in rest:
                raise ValueError(
                    f"{type(described).__name__} has no parameter '{rest}', which '{name}' sets.{nearest(rest, known)} "
                    f"It has: {sorted(known)}."
                )
            described.set_params(**{rest: params[name]})
            setattr(self, head, described)
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Get parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to return those of the parts as well, such as ``architecture__hidden_sizes`` where `architecture` is
            an object, and the entries of `net_params`.

        Returns
        -------
        params : dict of str to object
            Values by name.
        """
        params = super().get_params(deep=deep)  # type: ignore[misc]
        if deep and isinstance(self.net_params, dict):
            params.update(self.net_params)
        return params
