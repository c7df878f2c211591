"""The public names of skmtl, collected once for the tests that hold for each of them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import skmtl

# Modules whose `__all__` is the public API. Everything else is private, or reached through one of these.
PUBLIC_MODULES = [
    "skmtl",
    "skmtl.baselines",
    "skmtl.boosting",
    "skmtl.datasets",
    "skmtl.inspection",
    "skmtl.losses",
    "skmtl.metrics",
    "skmtl.model_selection",
    "skmtl.neural",
    "skmtl.preprocessing",
    "skmtl.tasks",
]

# Public as well; importing one of these loads torch.
TORCH_MODULES = [
    "skmtl.neural.architectures",
    "skmtl.neural.balancing",
    "skmtl.neural.embeddings",
    "skmtl.neural.regularizers",
]


# Of these, the ones whose names are promised to users.
PROMISED_MODULES = PUBLIC_MODULES + TORCH_MODULES


def public_names(modules: list[str] = PUBLIC_MODULES + TORCH_MODULES) -> list[str]:
    """Return ``module:name`` for every name that one of `modules` lists."""
    names = []
    for module_name in modules:
        module = importlib.import_module(module_name)
        names += [f"{module_name}:{name}" for name in module.__all__]
    return names


def resolve(name: str) -> Any:
    """Return the object behind ``module:name``."""
    module_name, attribute = name.split(":")
    return getattr(importlib.import_module(module_name), attribute)


def public_callables() -> dict[str, Any]:
    """Return every promised function, class and method that skmtl itself defines, by its full name."""
    found: dict[str, Any] = {}
    for name in public_names(PROMISED_MODULES):
        value = resolve(name)
        if isinstance(value, ModuleType) or not callable(value):
            continue
        if not getattr(value, "__module__", "").startswith("skmtl"):
            continue
        full_name = f"{value.__module__}.{value.__qualname__}"
        found[full_name] = value
        if inspect.isclass(value):
            # By the name of the class that defines it: once, however many classes inherit it.
            found |= {f"{method.__module__}.{method.__qualname__}": method for method in _own_methods(value)}
    return found


def _own_methods(cls: type) -> Iterator[Any]:
    for attribute, _ in inspect.getmembers(cls, callable):
        static = inspect.getattr_static(cls, attribute)
        function = getattr(static, "__func__", static)
        if attribute.startswith("_") or not inspect.isfunction(function):
            continue
        # scikit-learn's own methods, and the set_*_request methods that it generates, are not ours to document.
        if function.__module__.startswith(skmtl.__name__) and not _is_form_of_a_loss(cls, attribute):
            yield function


def _is_form_of_a_loss(cls: type, attribute: str) -> bool:
    """Whether a method is one of `Loss`, which documents it, that a loss overrides."""
    loss = resolve("skmtl.losses:Loss")
    return issubclass(cls, loss) and attribute in vars(loss) and getattr(cls, attribute) is not vars(loss)[attribute]
