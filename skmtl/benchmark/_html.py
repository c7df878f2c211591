"""The report as one page that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

import html
import io
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from skmtl._optional import import_optional
from skmtl.benchmark._ranks import Ranks, rank
from skmtl.benchmark._report import (
    Summary,
    columns,
    comparable_means,
    how_tuned,
    is_ours,
    measured,
    notes,
    summarise,
    versions,
    why_incomplete,
)
from skmtl.benchmark._runner import Results

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --best: #1f77b41f; --soft: #777; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 64rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .3rem; }
p { margin: .4rem 0; } .soft { color: var(--soft); font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: baseline; }
td, .whole { white-space: nowrap; }
wbr { display: none; }
th:first-child, td:first-child { text-align: left; }
tr.best td { background: var(--best); font-weight: 600; }
figure { margin: .5rem 0; background: #fff; border-radius: .4rem; }
figure svg { display: block; width: 100%; max-width: 42rem; height: auto; margin: auto; }
@media (max-width: 40rem) {
  body { padding: .7rem; }
  th, td { padding: .3rem .08rem; font-size: .7rem; }
  th { font-size: .62rem; }
  td { white-space: normal; }
  wbr { display: inline; }
  th:first-child, td:first-child { position: sticky; left: 0; background: Canvas; }
  tr.best td:first-child { background: linear-gradient(var(--best), var(--best)), Canvas; }
}
"""


def write_html(results: Results, path: Path, title: str, n_threads: int) -> None:
    """Write the report.

    Parameters
    ----------
    results : Results
        What to report.
    path : Path
        Where to write it.
    title : str
        Title of the page.
    n_threads : int
        Number of threads of every model.
    """
    path.write_text("\n".join(_lines(results, title, n_threads)), encoding="utf-8")


def machine() -> str:
    """Return what the comparison ran on, such as ``"Linux on x86_64, 8 processors"``."""
    count = os.cpu_count() or 1
    return f"{platform.system()} on {platform.machine()}, {count} processor{'s' if count > 1 else ''}"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _lines(results: Results, title: str, n_threads: int) -> Iterator[str]:
    tables = summarise(results)
    n_seeds = len({run.seed for run in results.runs})
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>"
    yield f"<h1>{html.escape(title)}</h1>"
    if results.interrupted:
        why, what = map(html.escape, why_incomplete(results))
        yield f"<p><strong>{why}</strong> {what}</p>"
    yield (
        f"<p>{_count(n_seeds, 'random split')}, each with 20 % of the rows of every task for the test, the same for "
        f"all models; {_count(n_threads, 'thread')} per model. Every booster "
        "stopped early on rows held out of the training rows, and was fitted again on all of them; nets keep the "
        f"weights that were best on such rows. {html.escape(how_tuned(results))} In the pictures a large "
        "point is the mean over splits, with its standard deviation; small points are the splits.</p>"
    )
    yield from (f"<p>{html.escape(remark)}</p>" for remark in results.remarks)
    models = [{summary.model for summary in summaries} for summaries in tables.values()]
    if len(tables) > 1 and (results.interrupted or all(some == models[0] for some in models)):
        yield from _rank_lines(rank(tables), results)
    for name, summaries in tables.items():
        yield from _table_lines(results, name, summaries)
    yield "<h2>Without a result</h2>"
    without = dict.fromkeys(
        (results.labels[run.model], run.status, "every table" if run.status == "missing" else run.table, run.reason)
        for run in results.runs
        if run.status != "ok"
    )
    if without:
        yield "<ul>"
        for label, status, where, reason in without:
            yield f"<li>{html.escape(f'{label}: {status} on {where}. {reason}')}</li>"
        yield "</ul>"
    else:
        yield "<p>None: every model has a result on every table and split that was reached.</p>"
    yield f"<h2>Machine and versions</h2>\n<p>{html.escape(machine())}.</p>\n<p>{html.escape(versions())}.</p>"
    yield "</body>\n</html>"


def _breakable(label: str) -> str:
    """Return a name that may go over several lines on a phone."""
    return "<wbr>".join(map(html.escape, re.split(r"(?<=[a-z])(?=[A-Z])", label)))


def _spread_whole(cell: str) -> str:
    """Return a cell whose spread, or number of splits, is not torn apart where it goes over two lines."""
    return re.sub(r"[±(].*", r'<span class="whole">\g<0></span>', cell)


def _rank_lines(ranks: Ranks, results: Results) -> Iterator[str]:
    yield "<h2>Mean ranks</h2>"
    if not ranks.models:
        yield "<p>No model has a result on every table.</p>"
        return
    yield '<div class="wide"><table>\n<tr><th>model</th><th>mean rank</th></tr>'
    for i, (model, value) in enumerate(zip(ranks.models, ranks.mean_ranks, strict=True)):
        row = ' class="best"' if i == 0 else ""
        yield f"<tr{row}><td>{_breakable(results.labels[model])}</td><td>{value:.2f}</td></tr>"
    yield "</table></div>"
    words = f"Over {ranks.n_tables} tables, by the mean error; 1 is the best."
    if ranks.p_value is not None:
        words += (
            f" Friedman's test that all are alike: p = {ranks.p_value:.3g}. Nemenyi's critical difference at the level "
            f"0.05: {ranks.critical_difference:.2f}; mean ranks closer than that cannot be told apart"
            + (", and so few tables rarely tell any apart." if ranks.n_tables < 10 else ".")
        )
    if ranks.left_out:
        words += f" Not ranked, without a result on some table: {', '.join(results.labels[m] for m in ranks.left_out)}."
    yield f'<p class="soft">{html.escape(words)}</p>'


def _table_lines(results: Results, name: str, summaries: list[Summary]) -> Iterator[str]:
    sizes = results.task_sizes[name]
    noun, unit = results.words[name]
    metric = next(run.metric for run in results.runs if run.table == name)
    yield f"<h2>{html.escape(name)}</h2>"
    yield f"<p>{sum(sizes.values())} rows, {len(sizes)} {html.escape(f'{noun}; {measured(metric, unit)}')}.</p>"
    yield '<div class="wide"><table>'
    shown = columns(results, metric, len({run.seed for run in results.runs}))
    heads = ("model", *(head for head, _ in shown))
    yield "<tr>" + "".join(f"<th>{_spread_whole(html.escape(head))}</th>" for head in heads) + "</tr>"
    means = comparable_means(summaries)
    best = np.min(means[np.isfinite(means)], initial=np.inf)
    for summary, mean in zip(summaries, means, strict=True):
        cells = [_breakable(results.labels[summary.model])]
        if summary.status == "ok":
            cells += [_spread_whole(show(summary)) for _, show in shown]
        else:
            cells += [summary.status, *[""] * (len(shown) - 1)]
        row = ' class="best"' if mean == best else ""
        yield f"<tr{row}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    yield "</table></div>"
    yield f'<p class="soft">{html.escape(notes(results))}</p>'
    picture = _picture(results, summaries, metric)
    if picture:
        yield f"<figure>{picture}</figure>"


def _picture(results: Results, summaries: list[Summary], metric: str) -> str | None:
    """Return the errors of the models as SVG; None without matplotlib, or if there are none."""
    shown = [summary for summary in summaries if summary.status == "ok"]
    if not shown:
        return None
    try:
        figure_module = import_optional("matplotlib.figure", extra="plot")
    except ImportError:
        return None
    figure = figure_module.Figure(figsize=(5.2, 0.9 + 0.36 * len(shown)), layout="constrained")
    ax = figure.subplots()
    for line, summary in enumerate(shown):
        color = "tab:blue" if is_ours(summary.model) else "0.45"
        ax.errorbar(summary.mean, line, xerr=summary.sd, fmt="o", color=color, markersize=7, capsize=3, zorder=3)
        ax.scatter(summary.errors, np.full(len(summary.errors), line + 0.22), s=9, color=color, alpha=0.6)
    ax.set_yticks(np.arange(len(shown)), [results.labels[summary.model] for summary in shown])
    ax.set(ylim=(len(shown) - 0.5, -0.6), xlabel=f"{metric} on test rows")
    ax.grid(axis="x", color="0.9")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    svg = out.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    label = html.escape(f"{metric} of {len(shown)} models")
    return re.sub(r"<svg ", f'<svg role="img" aria-label="{label}" ', svg, count=1)
