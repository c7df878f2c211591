"""Import of packages that belong to an extra, with an error that says which extra to install."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["import_optional"]


def import_optional(module: str, *, extra: str) -> ModuleType:
    """Import a module that only an extra of skmtl installs.

    Parameters
    ----------
    module : str
        Full name of the module, such as ``"lightgbm"`` or ``"matplotlib.pyplot"``.
    extra : str
        Name of the extra that installs it.

    Returns
    -------
    module : ModuleType
        The imported module: for ``"matplotlib.pyplot"`` the submodule `pyplot`, not `matplotlib`.

    Raises
    ------
    ImportError
        If the module, or something that it imports itself, is not installed.

    Examples
    --------
    >>> from skmtl._optional import import_optional
    >>> import_optional("math", extra="plot").sqrt(4.0)
    2.0
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        # The cause is quoted too: it may be a package that `module` needs, not `module` itself.
        raise ImportError(
            f"'{module}' is needed here but cannot be imported ({str(error).rstrip('.')}). "
            f'Install it with: pip install "skmtl[{extra}]".',
            name=module,
        ) from error
