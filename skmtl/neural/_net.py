"""The skorch net that trains a module on tensors in memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import skorch
import torch
from skorch.callbacks import Callback, EarlyStopping, EpochTimer, PrintLog
from torch import nn

from ._compile import CompiledModule
from ._data import Batches
from ._replay import Replay
from ._schedules import SCHEDULES
from .balancing import Balancer

#: Tasks beyond this number get no column of their own in the printed table.
_MAX_COLUMNS = 6
#: Batches for which no gradient is needed may be this large.
EVALUATION_ROWS = 8192
#: Parameters that become the trained parts, whose names end in an underscore.
_PARTS = ("module", "criterion", "balancer")
_BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class NotFiniteError(ValueError):
    """The training loss is NaN or infinite."""


class MultiTaskNet(skorch.NeuralNet):
    """A :class:`skorch.NeuralNet` over batches of several tasks.

    The data is a :class:`Batch` of all rows on the device of the net, so that a batch is an index into tensors. Loss,
    balancing and regularizer are in the criterion.

    Parameters
    ----------
    module, criterion : torch.nn.Module or callable
        As for skorch. The criterion is an :class:`Objective`.
    balancer : Balancer
        Turns the losses of the tasks into gradients.
    schedule : str or callable or None
        Learning rate over training: a key of ``SCHEDULES`` or a function of the share of training that is done.
    gradient_clip : float or None
        Largest norm of the gradient.
    names : list of str
        Names of the units.
    seed : int
        Seed of the order of the rows.
    compiled : bool
        Whether training steps call a compiled module.
    **kwargs : dict
        Further parameters of skorch.
    """

    def __init__(
        self,
        module,
        criterion,
        *,
        balancer: Balancer,
        schedule: Any = None,
        gradient_clip: float | None = None,
        names: Any = (),
        seed: int = 0,
        compiled: bool = False,
        **kwargs,
    ):
        self.balancer = balancer
        self.schedule = schedule
        self.gradient_clip = gradient_clip
        self.names = names
        self.seed = seed
        self.compiled = compiled
        super().__init__(module, criterion=criterion, train_split=None, **kwargs)

    def __getstate__(self):
        """Leave out what the trained parts are kept as already, and where no other device would be found for it.

        skorch puts the trained parts on a device that is there when they are loaded, but not the parameters, which
        here are the same objects.
        """
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in _PARTS}

    def __setstate__(self, state):
        """Let the parameters be the trained parts again."""
        super().__setstate__(state)
        for name in _PARTS:
            if name not in self.__dict__:
                self.__dict__[name] = self.__dict__[f"{name}_"]

    @property
    def _default_callbacks(self):
        hidden = ["train_task_loss", "valid_task_loss", "train_batch_count", "valid_batch_count"]
        return [("epoch_timer", EpochTimer()), ("print_log", PrintLog(keys_ignored=hidden))]

    def initialize_criterion(self):
        """Make the criterion, and the balancer beside it: it may own parameters and state."""
        super().initialize_criterion()
        self.balancer_ = self.balancer.to(self.device)
        return self

    def initialize_optimizer(self, triggered_directly=None):
        """Make the optimiser; weights that balancing learns do not decay."""
        frozen = {id(p) for p in self.balancer_.parameters()}
        (groups,), kwargs = self.get_params_for_optimizer("optimizer", list(self.get_all_learnable_params()))
        kwargs.setdefault("lr", self.lr)
        split = []
        for group in groups:
            parameters = list(group["params"])
            plain = [p for p in parameters if id(p) in frozen]
            split.append({**group, "params": [p for p in parameters if id(p) not in frozen]})
            split += [{**group, "params": plain, "weight_decay": 0.0}] if plain else []
        self.optimizer_ = self.optimizer(split, **kwargs)
        self._base_lr = [group["lr"] for group in self.optimizer_.param_groups]

    def get_split_datasets(self, X, y=None, **fit_params):
        """Training and validation rows come as a pair."""
        return X

    def get_iterator(self, dataset, training=False):
        """Batches, in random order for training."""
        if not training:
            return Batches(dataset, max(EVALUATION_ROWS, self.batch_size))
        generator = torch.Generator().manual_seed((self.seed + 7919 * len(self.history)) % 2**63)
        return Batches(dataset, self.batch_size, generator)

    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        """Train for some epochs; see skorch, which takes a KeyboardInterrupt for the end of training.

        Whether it was another one than that of early stopping is kept in `interrupted_`.
        """
        self.interrupted_ = False
        module = self.module_
        shared = module.shared_parameters()
        known = {id(p) for p in shared}
        self._shared = shared
        self._own = [p for p in module.parameters() if p.requires_grad and id(p) not in known]
        self._learned = [p for group in self.optimizer_.param_groups for p in group["params"]]
        epochs = self.max_epochs if epochs is None else epochs
        n_batches = len(self.get_iterator(X[0], training=True))
        self._forward = module.__call__  # not the module itself, which skorch would keep as a part of its own
        if self.compiled:
            options = {"dynamic": len(X[0]) % n_batches > 0, **self.get_params_for("compile")}
            self._forward = CompiledModule(module, options)
        self._clock, self._n_steps = (
            [0],
            max(1, epochs * n_batches),
        )  # a list: attributes of skorch's nets are slow to set
        self._factor = SCHEDULES[self.schedule] if isinstance(self.schedule, str) else self.schedule
        self._hooks = {
            hook
            for hook in _BATCH_HOOKS
            for _, callback in self.callbacks_
            if getattr(type(callback), hook, None) is not getattr(Callback, hook)
        }
        try:
            return super().fit_loop(X, y, epochs=epochs, **fit_params)
        except KeyboardInterrupt:
            stopping = [callback for _, callback in self.callbacks_ if isinstance(callback, EarlyStopping)]
            self.interrupted_ = not any(callback.misses_ == callback.patience for callback in stopping)
            raise
        finally:
            del self._shared, self._own, self._learned, self._hooks, self._factor, self._forward
            module.forget()

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """One pass over the batches; losses are read once, at its end."""
        if iterator is None:
            return
        self.module_.train(training)
        n_units = self.criterion_.outputs.n_units
        if training:
            total, of_task = self._train_epoch(iterator)
        else:
            total, of_task = self._evaluate_epoch(iterator.data)
        self.history.record(f"{prefix}_loss", total)
        if n_units > 1:
            self.history.record(f"{prefix}_task_loss", of_task)
            if n_units <= _MAX_COLUMNS:
                for name, value in zip(self.names, of_task, strict=True):
                    self.history.record(f"{prefix}_{name}", float(value))
        if training:
            self.history.record("lr", float(self.optimizer_.param_groups[0]["lr"]))
            if not math.isfinite(total):
                raise NotFiniteError(
                    f"The training loss is {total} in epoch {len(self.history)}. Try a smaller 'lr', "
                    "gradient_clip=1.0, or look for targets and features of extreme size."
                )
            self.balancer_.after_epoch()

    def _train_epoch(self, iterator):
        objective, data = self.criterion_, iterator.data
        n_units, device = objective.outputs.n_units, data.tasks.device
        per_task = self.balancer_.needs_tasks or objective.regularizer is not None
        sums, masses, parts = torch.zeros(n_units, device=device), torch.zeros(n_units, device=device), []
        for batch in iterator:
            if self._hooks:
                self.notify("on_batch_begin", batch=batch, training=True)
            losses = self.train_step(batch, per_task)
            if losses.rows is not None:
                parts.append(losses.rows)  # summed up task by task at the end of the epoch, all at once
            else:
                sums += losses.of_task.detach() * losses.weight
                masses += losses.weight
            if self._hooks:
                self.notify("on_batch_end", batch=batch, training=True, loss=losses.total.detach(), y_pred=None)
        if parts:
            weight = None if data.weight is None else data.weight[iterator.order]
            sums, masses = objective.sums(torch.cat(parts), data.tasks[iterator.order], weight)
        return _summary(sums, masses)

    def _evaluate_epoch(self, data):
        objective = self.criterion_
        with torch.no_grad():
            raw = torch.cat(
                [
                    objective.raw(self.module_, data.take(slice(i, i + EVALUATION_ROWS)))
                    for i in range(0, len(data), EVALUATION_ROWS)
                ]
            )
            losses = objective.losses(raw, data)
        return _summary(losses.of_task * losses.weight, losses.weight)

    def train_step(self, batch, per_task=True, **fit_params):
        """One step of the optimiser; returns the losses of the batch."""
        module, objective, optimizer, forward = self.module_, self.criterion_, self.optimizer_, self._forward

        def evaluate():
            return objective.losses(objective.raw(module, batch, forward), batch, module, per_task)

        if self.schedule is not None:
            factor = objective.lr_factor[0] = self._factor(self._clock[0] / self._n_steps)
            for group, base in zip(optimizer.param_groups, self._base_lr, strict=True):
                group["lr"] = base * factor
        for parameter in self._learned:
            parameter.grad = None
        losses = self.balancer_.backward(evaluate, self._shared, self._own, Replay(module))
        if self.gradient_clip is not None:
            nn.utils.clip_grad_norm_(module.parameters(), self.gradient_clip)
        if "on_grad_computed" in self._hooks:
            self.notify("on_grad_computed", named_parameters=list(module.named_parameters()), batch=batch)
        optimizer.step()
        self.balancer_.after_step(evaluate)
        self._clock[0] += 1
        return losses


def _summary(sums, masses):
    """Mean loss, and that of every unit (NaN without rows), as numbers of Python and NumPy."""
    sums, masses = sums.double().cpu().numpy(), masses.double().cpu().numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(sums.sum() / masses.sum()), sums / masses
