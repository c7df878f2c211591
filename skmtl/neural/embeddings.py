"""Embeddings of numbers: what makes a network see more in a number than a straight line."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator

from .._optional import import_optional
from ._names import nearest
from .architectures._checks import check_count, check_number

import_optional("rtdl_num_embeddings", extra="neural")

import rtdl_num_embeddings  # noqa: E402
import torch  # noqa: E402

__all__ = ["Periodic", "PiecewiseLinear"]


class PiecewiseLinear(BaseEstimator):
    """Piecewise-linear embedding between quantiles.

    At the start of training it is linear; the kinks at the quantiles are learned [1]_. It needs `rtdl_num_embeddings`,
    which the extra ``neural`` installs.

    Parameters
    ----------
    size : int, default=12
        Size of the embedding of a number.
    n_bins : int, default=32
        Most bins between quantiles of the training rows. Equal quantiles are merged.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev, A. Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning",
       NeurIPS 2022, section 3.1.
    """

    def __init__(self, size: int = 12, n_bins: int = 32) -> None:
        self.size = size
        self.n_bins = n_bins

    def build(self, x: Any) -> Any:
        """Build the module.

        Parameters
        ----------
        x : tensor of shape (n_rows, n_features)
            Training rows of the features that are to be embedded, after scaling. None of them is constant.

        Returns
        -------
        module : torch.nn.Module
            Maps (n_rows, n_features) to (n_rows, n_features, size).
        """
        size, n_bins = check_count("size", self.size), check_count("n_bins", self.n_bins, least=2)
        levels = torch.linspace(0.0, 1.0, n_bins + 1, dtype=torch.float64)
        # Quantiles by position in the sorted column: torch.quantile refuses long columns.
        positions = (levels * (len(x) - 1)).round().long()
        bins = [column.sort().values[positions].unique() for column in x.T]
        return rtdl_num_embeddings.PiecewiseLinearEmbeddings(bins, size, activation=False, version="B")


class Periodic(BaseEstimator):
    """Sines and cosines of learned frequencies, then a linear layer and ReLU.

    It needs `rtdl_num_embeddings`, which the extra ``neural`` installs.

    Parameters
    ----------
    size : int, default=12
        Size of the embedding of a number.
    n_frequencies : int, default=24
        Number of frequencies per number.
    frequency_scale : float, default=0.1
        Standard deviation of the frequencies at the start [1]_.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev, A. Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning",
       NeurIPS 2022, section 3.3.
    """

    def __init__(self, size: int = 12, n_frequencies: int = 24, frequency_scale: float = 0.1) -> None:
        self.size = size
        self.n_frequencies = n_frequencies
        self.frequency_scale = frequency_scale

    def build(self, x: Any) -> Any:
        """Build the module.

        Parameters
        ----------
        x : tensor of shape (n_rows, n_features)
            Training rows of the features that are to be embedded, after scaling.

        Returns
        -------
        module : torch.nn.Module
            Maps (n_rows, n_features) to (n_rows, n_features, size).
        """
        return rtdl_num_embeddings.PeriodicEmbeddings(
            x.shape[1],
            check_count("size", self.size),
            n_frequencies=check_count("n_frequencies", self.n_frequencies),
            frequency_init_scale=check_number("frequency_scale", self.frequency_scale, positive=True),
            lite=False,
        )


#: Embeddings of numbers, by name.
NUMERIC_EMBEDDINGS: dict[str, Any] = {"piecewise_linear": PiecewiseLinear, "periodic": Periodic}


def resolve_embedding(embedding: Any) -> Any:
    """Return the description that a name stands for.

    Parameters
    ----------
    embedding : str, object or None
        A key of ``NUMERIC_EMBEDDINGS``, a description with a method `build`, or None.

    Returns
    -------
    embedding : object or None
        The description.

    Raises
    ------
    ValueError
        If the name is not known, or the object has no method `build`.
    """
    if embedding is None:
        return None
    if isinstance(embedding, str) and embedding in NUMERIC_EMBEDDINGS:
        return NUMERIC_EMBEDDINGS[embedding]()
    if isinstance(embedding, str | type) or not callable(getattr(embedding, "build", None)):
        raise ValueError(
            f"'numeric_embedding' must be None, one of {sorted(NUMERIC_EMBEDDINGS)} or an object with a method "
            f"'build'. Got {embedding!r}.{nearest(embedding, NUMERIC_EMBEDDINGS)}"
        )
    return embedding
