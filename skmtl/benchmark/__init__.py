"""Comparison of models on real tables with tasks: ``python -m skmtl.benchmark demo``.

A suite names tables and models; for every table and seed the rows are split once, and every model gets the same rows
and the same number of threads. A new model is a class in ``_peers.py`` and a line in ``_registry.py``, a new table or
suite an entry in ``_suites.py``. ``python -m skmtl.benchmark own --data FILE --task COLUMN --target COLUMN`` compares
them on a table of the user.
"""

from __future__ import annotations

from skmtl.benchmark._cli import main

__all__ = ["main"]
