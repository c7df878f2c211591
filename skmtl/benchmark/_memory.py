"""How much memory a fit takes at most, and functions that run in a process of their own."""

from __future__ import annotations

import ctypes
import gc
import os
import pickle
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from skmtl._optional import import_optional

_CHILD = "import sys; from skmtl.benchmark._memory import answer; answer(*sys.argv[1:])"
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def reason_not_measured() -> str | None:
    """Return why peak memory cannot be measured here, or None."""
    try:
        import_optional("cloudpickle", extra="benchmark")
        _reset()
        _read("VmHWM")
    except ImportError as error:
        return str(error)
    except (OSError, ValueError):
        return "needs Linux, whose kernel keeps the peak of a process and can start it anew"
    return None


class PeakMemory:
    """Context that measures by how much the memory of the process rises at most, in MiB (2**20 bytes).

    It is the peak of the resident set, which the kernel keeps, over its size right before. Memory that was freed before
    is given back to the system first, where the C library can do that, so that it does not hide what is taken anew.

    Attributes
    ----------
    mib : float
        The rise, after the context has been left.
    """

    mib: float

    def __enter__(self) -> PeakMemory:
        """Begin."""
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
        _reset()
        self._before = _read("VmRSS")
        return self

    def __exit__(self, *exception: Any) -> None:
        """End."""
        self.mib = max(_read("VmHWM") - self._before, 0) / 1024.0


def _reset() -> None:
    _RESET.write_text("5")  # sets the peak to the present size


def _read(name: str) -> int:
    """Return a size in KiB."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"{_STATUS} has no {name}.")
    return int(found[1])


def in_fresh_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a new interpreter, and return what it returns.

    The interpreter is started as a command, not by :mod:`multiprocessing`, so that the workers of any backend of joblib
    may do so too.

    Parameters
    ----------
    function : callable
        What to call.
    *arguments : object
        Its arguments. They, and what is returned, are pickled.

    Returns
    -------
    value : object
        What the function returned.

    Raises
    ------
    Exception
        What the function raised.
    ChildProcessError
        If the process ended without an answer, as when the system kills it for want of memory.
    """
    cloudpickle = import_optional("cloudpickle", extra="benchmark")  # models may be made on the spot
    with tempfile.TemporaryDirectory() as folder:
        call, answered = Path(folder) / "call", Path(folder) / "answer"
        call.write_bytes(cloudpickle.dumps((function, arguments)))
        done = subprocess.run(
            [sys.executable, "-c", _CHILD, str(call), str(answered)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
            stdout=subprocess.DEVNULL,  # models may print
            stderr=subprocess.PIPE,
            check=False,
        )
        if not answered.is_file():
            end = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise ChildProcessError(f"the process of a fit ended with code {done.returncode}. {''.join(end)}".strip())
        failure, value = pickle.loads(answered.read_bytes())
    if failure is not None:
        raise failure
    return value


def answer(call: str, to: str) -> None:
    """Do what `in_fresh_process` asks for: call what one file holds, and write what comes of it to another."""
    function, arguments = pickle.loads(Path(call).read_bytes())
    outcome: tuple[Exception | None, Any]
    try:
        outcome = (None, function(*arguments))
    except Exception as failure:
        outcome = (failure, None)
    try:
        text = pickle.dumps(outcome)
        pickle.loads(text)
    except Exception:  # some failures cannot be pickled, or not be read again
        text = pickle.dumps((RuntimeError(f"{type(outcome[0]).__name__}: {outcome[0]}"), None))
    Path(to).write_bytes(text)
