"""What a fit has learned besides the weights of the net, and predictions from both."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import numpy as np
import torch

from ._data import Batch
from ._preprocessing import Preprocessor
from ._targets import TargetScale
from .architectures import Outputs

#: Rows that go through the module at once in a prediction.
_ROWS = 8192


class Fitted(NamedTuple):
    """The parts of a fitted estimator that predictions need."""

    reader: Any
    preprocessor: Preprocessor
    row_tasks: np.ndarray
    outputs: Outputs
    loss: Any
    scale: TargetScale
    two_dimensional: bool

    def raw(self, net, values, task_codes):
        """Raw predictions of rows whose tasks are known, float64 (n_rows, n_members, n_columns, n_values).

        On the CPU they are computed in float64 and rounded to float32: a row gives the same whatever is beside it.
        """
        device = torch.device(net.device)
        exact = device.type == "cpu"
        inputs = self.preprocessor.transform(values)
        module, objective = net.module_, net.criterion_
        if exact:
            # The output layer of very many classes computes in float64 anyway, and is too large to copy.
            layer = getattr(module, "output_layer", None)
            module = copy.deepcopy(module, {id(layer): layer})
            module.frontend.double(), module.core.double()
            objective = copy.deepcopy(objective).double()
        module.eval()
        parts = []
        with torch.no_grad():
            for begin in range(0, len(values), _ROWS):
                rows = slice(begin, begin + _ROWS)
                numbers = torch.from_numpy(inputs.numbers[rows])
                batch = Batch(
                    numbers.double() if exact else numbers,
                    torch.from_numpy(inputs.categories[rows]),
                    torch.from_numpy(task_codes[rows]),
                    torch.empty(0),
                    None,
                )
                raw = objective.raw(module, batch.to(device))
                parts.append(raw.float().cpu().numpy().astype(np.float64))
        raw = np.concatenate(parts)
        return raw[:, None] if raw.ndim == 3 else raw

    def predicted(self, net, values, task_codes):
        """Mean over members of the predictions of rows: (n_rows, n_columns) or (n_rows, n_columns, n_classes).

        Rows of an unseen task, with code -1, get the mean of what the model says for every task.
        """
        known = task_codes >= 0
        if known.all():
            return self._predicted_known(net, values, task_codes)
        n_tasks = self.outputs.n_tasks
        strange = np.flatnonzero(~known)
        total: Any = 0.0
        for task in range(n_tasks):
            total = total + self._predicted_known(net, values[strange], np.full(len(strange), task))
        out = np.empty((len(values), *total.shape[1:]))
        out[strange] = total / n_tasks
        if known.any():
            out[known] = self._predicted_known(net, values[known], task_codes[known])
        return out

    def _predicted_known(self, net, values, task_codes):
        raw = self.raw(net, values, task_codes)
        n_rows, n_members, n_columns, n_values = raw.shape
        linked = self.loss.inverse_link(raw.reshape(-1, n_values))
        linked = linked.reshape(n_rows, n_members, n_columns, *linked.shape[1:]).mean(axis=1)
        if self.loss.targets == "classes":
            return linked
        units = task_codes[:, None] * n_columns + np.arange(n_columns)
        return self.scale.backward(linked, units)
