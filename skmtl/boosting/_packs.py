"""Packs: features that together take few values are summed as one column.

The columns of a one-hot code, and any columns whose joint values are few, become one column of codes; a code of it
stands for one code of each of them. A node's rows are then added up once for all of them, and the sums of each feature
follow from those of the pack. Sums are whole numbers, so that the histograms are the same to the last bit.
"""

from __future__ import annotations

import numpy as np

from .kernels.packs import join_codes
from .kernels.types import Table

#: Codes of a feature at most, missing values included, for it to be tried.
_MOST_OWN = 16
#: Codes of a pack at most. Each costs an addition per feature in every node.
_MOST_JOINT = 128
#: With fewer rows per code there are few nodes in which a pack pays.
_ROWS_PER_CODE = 32
#: Handing a feature its sums takes as long as so many additions, besides the additions.
_STEP = 12
#: A feature is tried with so many of the packs begun last.
_OPEN = 3


def with_packs(table: Table) -> Table:
    """Return the table with its features packed where that saves work."""
    n_rows = table.bins.shape[1]
    most = min(_MOST_JOINT, n_rows // _ROWS_PER_CODE)
    few = [f for f in table.active.tolist() if f < table.n_own and table.n_bins[f] < _MOST_OWN]
    packs: list[tuple[np.ndarray, list[int], np.ndarray]] = []  # column, features, code of each feature by code
    for f in few if most >= 4 else ():
        for at in range(len(packs) - 1, max(len(packs) - 1 - _OPEN, -1), -1):
            column, members, codes = packs[at]
            joined, first, second = np.empty(n_rows, np.uint8), np.empty(256, np.uint8), np.empty(256, np.uint8)
            size = join_codes(
                column, codes.shape[1], table.bins[f], int(table.n_bins[f]) + 1, most, joined, first, second
            )
            if size > 0:
                packs[at] = joined, [*members, f], np.vstack([codes[:, first[:size]], second[:size]])
                break
        else:
            packs.append((table.bins[f], [f], np.arange(table.n_bins[f] + 1, dtype=np.uint8)[None]))
    packs = [pack for pack in packs if len(pack[1]) > 1]
    if not packs:
        return table
    pack_of = np.full(len(table.n_bins), -1, np.int64)
    pack_order = np.zeros((len(table.n_bins), 256), np.uint8)
    pack_runs, pack_most = np.zeros_like(pack_order), np.zeros(len(table.n_bins), np.int64)
    pack_costs = np.zeros(len(packs), np.int64)
    for number, (_, members, codes) in enumerate(packs):
        pack_of[members] = number
        pack_costs[number] = codes.shape[1]
        counts = (codes[:, :, None] == np.arange(codes.max() + 1)).sum(axis=1)
        most_common = counts.argmax(axis=1)
        # Joint codes by code of the feature, those of its most common code last: they are what is left of the sum.
        is_most_common = codes == most_common[:, None]
        order = np.argsort(np.where(is_most_common, 255, codes), axis=1, kind="stable")
        order[np.sort(is_most_common, axis=1)] = 0
        np.put_along_axis(counts, most_common[:, None], 0, axis=1)
        ends = np.cumsum(counts, axis=1)
        pack_most[members] = most_common
        pack_order[members, : order.shape[1]] = order
        pack_runs[members, 1 : ends.shape[1] + 1] = ends
        pack_runs[members, ends.shape[1] + 1 :] = ends[:, -1:]
        pack_costs[number] += _STEP * len(members) + ends[:, -1].sum()
    packed = [f for _, members, _ in packs for f in members]
    own = [f for f in table.active.tolist() if f < table.n_own and pack_of[f] < 0]
    of_tasks = [f for f in table.active.tolist() if f >= table.n_own]
    return table._replace(
        columns=np.array([*own, *packed, *of_tasks], np.int32),
        packs=np.ascontiguousarray([column for column, _, _ in packs]),
        pack_sizes=np.array([codes.shape[1] for _, _, codes in packs], np.int64),
        pack_costs=pack_costs,
        pack_of=pack_of,
        pack_order=pack_order,
        pack_runs=pack_runs,
        pack_most=pack_most,
    )


def without_packs(table: Table) -> Table:
    """Return the table without packs."""
    return table._replace(
        **{name: Table._field_defaults[name] for name in ("columns", "packs", "pack_sizes", "pack_of")}
    )
