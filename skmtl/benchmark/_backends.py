"""Where fits run: processes or threads of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

from joblib import parallel_config

from skmtl._optional import import_optional

BACKENDS = ("loky", "threading", "dask")


def reason_unusable(backend: str) -> str | None:
    """Return why a backend cannot be used here, or None."""
    if backend == "dask":
        try:
            import_optional("distributed", extra="dask")
        except ImportError as error:
            return str(error)
    return None


@contextlib.contextmanager
def parallel(backend: str, n_jobs: int, scheduler: str | None = None) -> Iterator[None]:
    """Set what :class:`joblib.Parallel` uses.

    Parameters
    ----------
    backend : {"loky", "threading", "dask"}
        Name of the backend.
    n_jobs : int
        Number of workers.
    scheduler : str or None, default=None
        Address of the scheduler of a Dask cluster, whose workers are used, however many. None: a cluster of `n_jobs`
        processes is started on this machine, and ended afterwards.

    Yields
    ------
    None
        Nothing; the setting holds inside the context.
    """
    if backend != "dask":
        with parallel_config(backend=backend, n_jobs=n_jobs):
            yield
        return
    distributed = import_optional("distributed", extra="dask")
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            with _children_without_ctrl_c():
                cluster = distributed.LocalCluster(n_workers=n_jobs, threads_per_worker=1, dashboard_address=None)
            scheduler = stack.enter_context(cluster)
        client = stack.enter_context(distributed.Client(scheduler, set_as_default=False))
        with parallel_config(backend="dask", n_jobs=-1, client=client):
            yield


@contextlib.contextmanager
def _children_without_ctrl_c() -> Iterator[None]:
    """Let processes that are started here pass over the signal of Ctrl-C: the cluster ends them, without tracebacks."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what signals do
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
