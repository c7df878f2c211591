"""Settings that hold for every test. The environment is set before anything imports NumPy, Numba or matplotlib."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _numba_cache_dir() -> Path:
    """Return a folder for Numba's cache that no other state of the kernels shares.

    Numba looks only at the file that a kernel is in: it would go on using a kernel whose callee, in another file, has
    changed, and code compiled without NUMBA_BOUNDSCHECK where it is set.
    """
    digest = hashlib.sha256(os.environ.get("NUMBA_BOUNDSCHECK", "").encode())
    for path in sorted((ROOT / "skmtl").rglob("*.py")):
        source = path.read_bytes()
        if b"numba" in source or "kernels" in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + source)
    return ROOT / ".numba_cache" / digest.hexdigest()[:16]


os.environ.setdefault("NUMBA_CACHE_DIR", str(_numba_cache_dir()))
os.environ.setdefault("MPLBACKEND", "Agg")
# One test process per core: OpenMP threads of LightGBM or scikit-learn on top would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

try:
    from hypothesis import settings
except ImportError:
    pass
else:
    # No deadline: the first example compiles. The same examples in every run: a failure is one of this change.
    settings.register_profile("skmtl", deadline=None, derandomize=True, database=None)
    settings.load_profile("skmtl")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Folder with the recorded reference outputs and real tables; where it is absent, the test is skipped."""
    path = Path(os.environ.get("SKMTL_SHARED", ROOT.parent / "shared"))
    if not path.is_dir():
        pytest.skip("needs the folder of reference data; set SKMTL_SHARED to its path")
    return path


@pytest.fixture(scope="session")
def small() -> bool:
    """Whether to run at reduced size, as the runs of the kernels in plain Python do."""
    return os.environ.get("SKMTL_TEST_SIZE") == "small"
