"""The picture of a comparison."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from skmtl._optional import import_optional
from skmtl.benchmark._report import Summary, is_ours, measured, summarise
from skmtl.benchmark._runner import Results

_OURS, _PEERS = "tab:blue", "0.45"


def write_picture(results: Results, path: Path) -> None:
    """Draw error and fit time of each model, one line of panels per table."""
    figure_module = import_optional("matplotlib.figure", extra="plot")
    tables = summarise(results)
    n_models = max(map(len, tables.values()))
    # Without pyplot: no window opens, and the caller's figures stay as they are.
    figure = figure_module.Figure(figsize=(10.0, len(tables) * (1.3 + 0.4 * n_models)), layout="constrained")
    panels = figure.subplots(len(tables), 2, squeeze=False, sharey="row")
    for (errors, times), (table, summaries) in zip(panels, tables.items(), strict=True):
        for ax in (errors, times):
            ax.grid(axis="x", color="0.9")
            ax.set_axisbelow(True)
            ax.spines[["top", "right"]].set_visible(False)
        _draw_errors(errors, summaries)
        _draw_times(times, summaries)
        sizes = results.task_sizes[table]
        errors.set_title(f"{table}: {sum(sizes.values())} rows, {len(sizes)} {results.words[table][0]}", loc="left")
        metric = next(run.metric for run in results.runs if run.table == table)
        errors.set_xlabel(f"{measured(metric, results.words[table][1])}, test rows\n(mean ± sd; small: single splits)")
        times.set_xlabel("Fit time in s (median over splits)")
        errors.set_yticks(
            np.arange(len(summaries)),
            [
                results.labels[summary.model] + ("" if summary.status == "ok" else f" ({summary.status})")
                for summary in summaries
            ],
        )
        errors.set_ylim(len(summaries) - 0.4, -0.6)
    figure.savefig(path, dpi=150)


def _draw_errors(ax, summaries: list[Summary]) -> None:
    for position, summary in enumerate(summaries):
        color = _color(summary)
        ax.errorbar(summary.mean, position, xerr=summary.sd, fmt="o", color=color, markersize=8, capsize=4, zorder=3)
        ax.scatter(summary.errors, np.full(len(summary.errors), position + 0.25), s=14, color=color, alpha=0.6)


def _draw_times(ax, summaries: list[Summary]) -> None:
    seconds = [summary.fit_seconds for summary in summaries]
    bars = ax.barh(np.arange(len(summaries)), seconds, height=0.5, color=[_color(summary) for summary in summaries])
    ax.bar_label(bars, ["" if np.isnan(value) else f"{value:.2f} s" for value in seconds], padding=4)
    ax.margins(x=0.2)


def _color(summary: Summary) -> str:
    return _OURS if is_ours(summary.model) else _PEERS
