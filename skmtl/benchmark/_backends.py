"""Where fits run: processes or threads of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import contextlib
import logging
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from typing import Any

import skmtl
from skmtl._optional import import_optional

BACKENDS = ("loky", "threading", "dask")
_ADDRESS = re.compile(r"(?:[a-z]+://)?[^/\s]+:\d+|inproc://\S+")
_PATIENCE = 10  # seconds, for a scheduler to answer, and for the first worker


class BackendError(Exception):
    """The workers cannot be used; the message says why, and what to do."""


class WorkersLostError(Exception):
    """Workers ended before their time."""


def reason_unusable(backend: str) -> str | None:
    """Return why a backend cannot be used here, or None."""
    if backend == "dask":
        try:
            import_optional("distributed", extra="dask")
        except ImportError as error:
            return str(error)
    return None


def reason_no_address(text: str) -> str | None:
    """Return why this cannot be the address of a scheduler, or None."""
    return None if _ADDRESS.fullmatch(text) else f"must be an address such as tcp://host:8786; got '{text}'."


@contextlib.contextmanager
def workers(backend: str, n_jobs: int, scheduler: str | None = None) -> Iterator[dict[str, Any]]:
    """Find or start what :class:`joblib.Parallel` is to use.

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
    settings : dict
        Arguments of :func:`joblib.parallel_config`.

    Raises
    ------
    BackendError
        If the cluster does not answer, has no workers, or has another version of skmtl.
    """
    if backend != "dask":
        yield {"backend": backend, "n_jobs": n_jobs}
        return
    distributed = import_optional("distributed", extra="dask")
    with contextlib.ExitStack() as stack:
        stack.callback(logging.disable, logging.root.manager.disable)  # left last: what is logged is logged again
        if scheduler is None:
            # Any free port for its page, so that no other cluster is in the way; only this machine sees it.
            here = {"n_workers": n_jobs, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
            with _children_without_ctrl_c():
                cluster = distributed.LocalCluster(**here)
            client = distributed.Client(stack.enter_context(cluster), set_as_default=False)
        else:
            try:
                client = distributed.Client(scheduler, set_as_default=False, timeout=_PATIENCE)
            except (OSError, ValueError) as error:
                raise BackendError(f"no scheduler answers at {scheduler}: {error}") from error
        stack.enter_context(client)
        if scheduler is not None:
            _check(client, scheduler)
        stack.enter_context(_silence_after_ctrl_c())  # left first: before client and cluster close
        yield {"backend": "dask", "n_jobs": -1, "client": client}


@contextlib.contextmanager
def losses_told() -> Iterator[None]:
    """Make one kind of error of those by which loky and Dask tell that workers are gone.

    What a model raises never gets here: it is a result.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, BrokenExecutor) or type(error).__module__.split(".")[0] == "distributed":
            raise WorkersLostError(str(error).split("\n")[0]) from error
        raise


def version_here() -> str:
    """Return the version of skmtl, of whichever process is asked."""
    return skmtl.__version__


def _check(client: Any, scheduler: str) -> None:
    """See that there are workers, and that they have the same skmtl."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        raise BackendError(
            f"the scheduler at {scheduler} has no workers; start some with 'dask worker {scheduler}'."
        ) from error
    for worker, found in client.run(version_here, on_error="return").items():
        if found != skmtl.__version__:
            has = f"cannot import it ({found})" if isinstance(found, Exception) else f"has {found}"
            raise BackendError(f"workers need skmtl {skmtl.__version__}; the one at {worker} {has}.")


@contextlib.contextmanager
def _silence_after_ctrl_c() -> Iterator[None]:
    """Log nothing from Ctrl-C on: connections that are closed with fits under way leave tracebacks in the log."""
    try:
        yield
    except (KeyboardInterrupt, GeneratorExit):
        logging.disable(logging.CRITICAL)
        raise


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
