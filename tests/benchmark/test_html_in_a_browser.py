"""A browser shows the whole report, on a desktop and on a phone: no column of the widest table is cut off."""

from __future__ import annotations

import dataclasses
import html
import re
import shutil
import subprocess

import pytest

from skmtl.benchmark._cell import Conditions
from skmtl.benchmark._html import write_html
from skmtl.benchmark._runner import run
from tests.benchmark._tables import MeanPerTask, make_table

pytest.importorskip("pandas")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LABELS = ["RMTGB", "HistGradientBoosting, task as category", "GPBoost, task as random effect", "Net, hard sharing"]
FRAME = """<iframe id="page" style="width: {width}px; height: 900px; border: 0" srcdoc="{page}"></iframe>
<script>
const frame = document.getElementById("page");
frame.onload = () => {{
  const page = frame.contentDocument;
  const boxes = [page.documentElement, ...page.querySelectorAll(".wide, figure")];
  document.title = "hidden: " + boxes.map(box => box.scrollWidth - box.clientWidth).join(" ");
}};
</script>"""


# A browser takes seconds to start.
@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome")
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_off(width, tmp_path):
    models = {label: type("Named", (MeanPerTask,), {"label": label}) for label in LABELS}
    results = run({"one": make_table(), "two": make_table(45)}, models, n_seeds=2)
    results.conditions = Conditions(n_trials=20, memory=True)
    results.runs = [
        dataclasses.replace(found, error=10.01, search_seconds=123.4, peak_memory=1234.0, fit_seconds=123.45)
        for found in results.runs
    ]
    write_html(results, tmp_path / "report.html", "Title", 1)
    page = html.escape((tmp_path / "report.html").read_text(encoding="utf-8"))
    (tmp_path / "frame.html").write_text(FRAME.format(width=width, page=page), encoding="utf-8")
    shown = subprocess.run(
        [
            *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000", "--dump-dom"),
            (tmp_path / "frame.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = re.search(r"<title>hidden: ([-\d ]+)</title>", shown.stdout)
    assert found, shown.stdout[:500]
    hidden = [int(number) for number in found[1].split()]
    assert len(hidden) >= 4  # the page, the ranks, two tables
    assert max(hidden) <= 0
