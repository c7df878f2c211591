"""The callback that measures affinities while a net is trained. Needs torch and skorch."""

from __future__ import annotations

import copy

import numpy as np
import torch
from skorch.callbacks import Callback

from skmtl.inspection._affinity import gradient_similarity, try_steps


class AffinityRecorder(Callback):
    """Measures the affinity of tasks before epochs; see :func:`net_affinity`.

    Parameters
    ----------
    measure : {"lookahead", "cosine"}
        What is measured.
    every : int
        Number of epochs from one round to the next.
    learning_rate : float
        Size of the step.
    max_rows : int
        Most rows of each task.
    seed : int
        Source of the choice of rows.

    Attributes
    ----------
    rounds : list of ndarrays of shape (n_tasks, n_tasks)
        What was measured.
    """

    def __init__(self, measure, every, learning_rate, max_rows, seed):
        self.measure = measure
        self.every = every
        self.learning_rate = learning_rate
        self.max_rows = max_rows
        self.seed = seed

    def initialize(self):
        """Forget everything."""
        self.rounds, self.n_epochs, self.rows = [], 0, None
        return self

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        """Measure, if it is time."""
        if self.n_epochs % self.every == 0:
            self.rounds.append(self._round(net, dataset_train))
        self.n_epochs += 1

    def _round(self, net, data):
        """One matrix, from a copy of the net in double precision on the CPU."""
        outputs = net.criterion_.outputs
        if outputs.n_units < 2:
            raise ValueError("There must be at least two tasks, as 'tasks' or as columns of 'y'. Got one.")
        if self.rows is None:
            self.rows = self._choose(data, outputs)
        module = getattr(net.module_, "_orig_mod", net.module_)  # what torch.compile wraps
        module.forget()
        module = copy.deepcopy(module).cpu().double().eval()
        objective = copy.deepcopy(net.criterion_).cpu().double().eval()
        shared = module.shared_parameters()
        if not shared:
            raise ValueError("'architecture' must share parameters between tasks. Got one that shares none.")
        batch = data.take(self.rows.to(data.tasks.device)).to(torch.device("cpu"))
        batch = type(batch)(*(_double(part) for part in batch))

        def losses():
            found = objective.losses(objective.raw(module, batch), batch)
            if not bool((found.weight > 0).all()):
                lacking = [net.names[i] for i in torch.nonzero(found.weight <= 0)[:5, 0].tolist()]
                raise ValueError(f"'y' must have targets of every task, with weights. Got none for {lacking}.")
            return found.of_task

        if self.measure == "lookahead":
            return try_steps(losses, shared, self.learning_rate)
        with torch.enable_grad():
            values = losses()
            gradients = [torch.autograd.grad(value, shared, retain_graph=True, allow_unused=True) for value in values]
        flat = [
            torch.cat(
                [torch.zeros_like(p).flatten() if g is None else g.flatten() for p, g in zip(shared, own, strict=True)]
            )
            for own in gradients
        ]
        return gradient_similarity(torch.stack(flat).numpy()).cosine

    def _choose(self, data, outputs):
        """Positions of some rows of every task."""
        rng = np.random.default_rng(self.seed)
        codes = data.tasks.cpu().numpy()
        weight = np.ones((len(codes), outputs.n_columns)) if data.weight is None else data.weight.cpu().numpy()
        chosen = [
            rng.permutation(np.flatnonzero((codes == task) & (weight[:, column] > 0)))[: self.max_rows]
            for task in range(outputs.n_tasks)
            for column in range(outputs.n_columns)
        ]
        return torch.from_numpy(np.unique(np.concatenate(chosen)))


def _double(part):
    return part.double() if part is not None and part.is_floating_point() else part
