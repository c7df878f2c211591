"""The neural estimators of skmtl as models of the comparison."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from scipy.stats import loguniform

from skmtl._optional import import_optional
from skmtl.benchmark._models import SkmtlModel
from skmtl.benchmark._protocol import Table

_INTERRUPTED = "Training was interrupted"


class Net(SkmtlModel):
    """`MultiTaskRegressor` or `MultiTaskClassifier` by default, on the CPU."""

    label = "Net, hard sharing"
    needs: ClassVar = dict.fromkeys(("torch", "skorch", "torchjd", "rtdl_num_embeddings", "tabm"), "neural")
    space: ClassVar = {
        "lr": loguniform(3e-4, 5e-3),
        "architecture": ["hard_sharing", "mmoe", "cgc"],
        "numeric_embedding": ["piecewise_linear", "periodic", None],
        "optimizer__weight_decay": loguniform(1e-3, 1e-1),
    }

    def make(self, table: Table) -> Any:
        """Return the estimator for the problem."""
        from skmtl.neural import MultiTaskClassifier, MultiTaskRegressor

        if table.n_classes is None:
            return MultiTaskRegressor(random_state=self.seed)
        return MultiTaskClassifier(random_state=self.seed, unseen_classes="shared")

    def fit(self, table: Table, validation: np.ndarray) -> None:
        """Fit to all rows: the mask is not used."""
        with torch_threads(self.n_threads), warnings.catch_warnings():
            # After Ctrl-C an estimator keeps what it has learned so far, which is no result to compare.
            warnings.filterwarnings("error", _INTERRUPTED, RuntimeWarning)
            try:
                super().fit(table, validation)
            except RuntimeWarning as warning:
                if not str(warning).startswith(_INTERRUPTED):
                    raise
                raise KeyboardInterrupt from warning

    def predict(self, X: Any, tasks: np.ndarray) -> np.ndarray:
        """Return predictions."""
        with torch_threads(self.n_threads):
            return super().predict(X, tasks)


@contextlib.contextmanager
def torch_threads(n_threads: int) -> Iterator[None]:
    """Set the number of threads of torch, which is no parameter of the estimators."""
    torch = import_optional("torch", extra="neural")
    n_before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(n_before)
