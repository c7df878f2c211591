"""Tables with tasks: a generator with planted outlier tasks, and loaders of real tables."""

from __future__ import annotations

from skmtl.datasets._fourier import make_fourier_tasks
from skmtl.datasets._rdatasets import load_egsingle, load_exam

__all__ = ["load_egsingle", "load_exam", "make_fourier_tasks"]
