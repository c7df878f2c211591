"""Batches of rows as tensors."""

from __future__ import annotations

import pytest
import torch

from skmtl.neural import _data
from skmtl.neural._data import Batch, Batches


def _rows(n, width=3, weight=True):
    code = torch.arange(n)
    return Batch(
        code[:, None].float().expand(n, width).contiguous(),
        torch.empty(n, 0, dtype=torch.int64),
        code,
        code[:, None] * 2,
        code[:, None].float() * 3 if weight else None,
    )


@pytest.mark.parametrize("most_values", [1, 100, 2**20])
@pytest.mark.parametrize(("n", "batch_size"), [(1, 1), (7, 3), (100, 10), (103, 10), (103, 1000)])
def test_a_pass_is_every_row_once_in_the_order_that_it_tells(n, batch_size, most_values, monkeypatch):
    monkeypatch.setattr(_data, "_MOST_VALUES", most_values)
    batches = Batches(_rows(n), batch_size, torch.Generator().manual_seed(0))
    found = list(batches)
    assert len(found) == len(batches) == max(1, round(n / batch_size))
    assert max(len(batch) for batch in found) - min(len(batch) for batch in found) <= 1
    assert torch.equal(torch.cat([batch.tasks for batch in found]), batches.order)
    assert sorted(batches.order.tolist()) == list(range(n))
    for batch in found:
        assert torch.equal(batch.numbers[:, 0], batch.tasks.float())
        assert torch.equal(batch.y[:, 0], batch.tasks * 2)
        assert torch.equal(batch.weight[:, 0], batch.tasks * 3.0)
    again = Batches(_rows(n), batch_size, torch.Generator().manual_seed(0))
    assert torch.equal(torch.cat([batch.tasks for batch in again]), batches.order)


def test_without_a_generator_rows_come_in_order():
    batches = Batches(_rows(10, weight=False), 4)
    assert torch.equal(torch.cat([batch.tasks for batch in batches]), torch.arange(10))
    assert all(batch.weight is None for batch in batches)
