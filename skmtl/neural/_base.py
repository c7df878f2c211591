"""What both estimators share: parameters, the way of a fit, raw predictions."""

from __future__ import annotations

import copy
import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback, EarlyStopping

from .._shared.reading import read_features, read_fit_features
from .._shared.tables import take_rows
from .._shared.targets import check_weight
from .._shared.validation import validation_rows
from .._sklearn import Interval, StrOptions
from ..tasks import TaskRequests, learn_tasks, look_up_tasks, observed_pairs
from ._compile import check_compile
from ._data import Batch
from ._factored import FactoredObjective, check_factored, resolve_output
from ._fitted import Fitted
from ._merge import merge_rows
from ._module import build_module
from ._net import MultiTaskNet, NotFiniteError
from ._objective import Objective
from ._parameters import DeepParameters
from ._preprocessing import Preprocessor
from ._progress import ProgressBar
from ._schedules import SCHEDULES
from ._settings import OPTIMIZERS, auto_batch_size, resolve_device, resolve_optimizer
from ._surroundings import movable_numbers
from ._targets import TargetScale, start_of_raw
from ._weights import combine_weights
from .architectures import Outputs
from .architectures._registry import resolve_architecture
from .balancing._registry import make_balancer_for
from .embeddings import resolve_embedding
from .regularizers import resolve_regularizer

_AUTO = StrOptions({"auto"})
#: Arrays of either kind are taken as they are, and a feature may have any number of categories.
_FLOATS, _ANY_NUMBER = [np.float64, np.float32], np.iinfo(np.int64).max
#: Tables of up to so many rows are sorted and their equal rows merged before training.
_MERGED_ROWS = 1000
#: Least number of rows for early stopping with ``early_stopping="auto"``.
_EARLY_STOPPING_ROWS = 500


class BaseMultiTask(TaskRequests, DeepParameters, BaseEstimator):
    """Neural multi-task estimators; see the classifier and the regressor."""

    _parameter_constraints: dict = {
        "architecture": [str, object],
        "balancing": [str, object, None],
        "regularizer": [str, object, None],
        "task_column": [str, Integral, None],
        "task_weight": [StrOptions({"balanced"}), dict, None],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "numeric_embedding": [str, object, None],
        "optimizer": [str, type],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "lr_schedule": [StrOptions(set(SCHEDULES)), callable, None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [_AUTO, Interval(Integral, 1, None, closed="left")],
        "gradient_clip": [Interval(Real, 0, None, closed="neither"), None],
        "early_stopping": [_AUTO, "boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "unseen_tasks": [StrOptions({"shared", "error"})],
        "callbacks": [list, tuple, None],
        "device": [str],
        "compile": ["boolean"],
        "net_params": [dict, None],
        "warm_start": ["boolean"],
        "verbose": ["verbose", StrOptions({"bar"})],
        "random_state": ["random_state"],
    }

    net_: MultiTaskNet
    _fitted: Fitted

    def _fit(self, X, y, tasks, sample_weight, *, go_on, epochs=None, classes=None):
        """Fit, or leave the estimator as it was."""
        before = dict(vars(self))
        try:
            failed = self._fit_steps(X, y, tasks, sample_weight, go_on and hasattr(self, "net_"), epochs, classes)
        except BaseException:
            self.__dict__ = before
            raise
        if failed is not None:
            raise failed
        return self

    def _fit_steps(self, X, y, tasks, sample_weight, go_on, epochs, classes):
        owner = type(self).__name__
        # Everything that can be wrong with parameters is found before the table is read.
        loss = self._resolve_loss()
        architecture, embedding = resolve_architecture(self.architecture), resolve_embedding(self.numeric_embedding)
        optimizer, net_params = resolve_optimizer(self.optimizer, self.net_params)
        regularizer, device = resolve_regularizer(self.regularizer), resolve_device(self.device)
        balancer = make_balancer_for(loss, self.balancing, 1)  # a wrong name, or a missing package
        if self.compile:
            check_compile(balancer, self.balancing, regularizer)
        factored = resolve_output(getattr(self, "output", "dense"))
        if factored is not None:
            check_factored(factored, self, loss)

        if go_on:
            reader = self._fitted.reader
            values, labels = read_features(self, reader, X, tasks, dtype=_FLOATS)
        else:
            reader, values, _, labels = read_fit_features(self, X, tasks, most_categories=_ANY_NUMBER, dtype=_FLOATS)
        targets, output_labels = self._read_target(y, values)
        self._output_labels = output_labels
        weight = check_weight(sample_weight, values)
        given_labels, origin = labels, np.arange(len(values))  # rows of X, of which some are left out below
        if weight is not None and np.any(weight == 0):  # A weight of zero is no row at all.
            kept = weight > 0
            values, targets, weight, origin = values[kept], targets[kept], weight[kept], origin[kept]
            labels = None if labels is None else take_rows(labels, kept)
        if go_on:
            row_tasks = self._fitted.row_tasks
            codes = look_up_tasks(labels, row_tasks, len(values), unseen="error", owner=owner)
        else:
            row_tasks, codes = learn_tasks(labels, len(values), owner=owner)
        pairs = observed_pairs(targets, codes, owner=owner)
        two_dimensional = targets.ndim == 2
        if go_on and (pairs.n_outputs, two_dimensional) != (
            self._fitted.outputs.n_columns,
            self._fitted.two_dimensional,
        ):
            raise ValueError("'y' must have the same columns as in the first fit.")
        n_columns, n_units = pairs.n_outputs, len(row_tasks) * pairs.n_outputs
        coded, n_classes, allowed = self._code_target(pairs, n_units, classes, go_on)
        dense = np.full((len(values), n_columns), np.nan)
        dense[pairs.rows, pairs.units % n_columns] = coded
        if factored is not None and n_columns > 1:
            raise ValueError(f"'output' = 'factored' is for a 'y' of one column. Got {n_columns} columns.")
        given = loss.row_inputs(X, given_labels, getattr(self, "_classes", None))
        rows = np.flatnonzero(~np.isnan(dense).all(axis=1))
        if len(rows) <= _MERGED_ROWS:
            first, total = merge_rows(values[rows], codes[rows], dense[rows], None if weight is None else weight[rows])
            rows, weight = rows[first], total
            values, codes, dense, origin = values[rows], codes[rows], dense[rows], origin[rows]
        elif len(rows) < len(values):
            values, codes, dense, origin = values[rows], codes[rows], dense[rows], origin[rows]
            weight = None if weight is None else weight[rows]

        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        held_out = None if go_on and epochs is not None else self._held_out(codes, dense, seed)
        train = slice(None) if held_out is None else ~held_out
        dense_weight = combine_weights(self, weight, codes, dense, row_tasks, n_columns, n_classes)
        if go_on:
            preprocessor, scale = self._fitted.preprocessor, self._fitted.scale
            outputs, prepared = self._fitted.outputs, self._fitted.loss
        else:
            preprocessor = Preprocessor(reader.categorical, reader.n_categories).fit(values)
            y_train, units, w_train = _as_pairs(dense[train], codes[train], dense_weight, train, n_columns)
            scale = TargetScale.learn(y_train, units, w_train, n_units, n_columns, self._target_scale(loss))
            y_train = scale.forward(y_train, units)
            prepared = loss.prepare(y_train, w_train, n_classes)
            n_values = prepared.n_outputs_for(n_classes) if factored is None else factored.width
            outputs = Outputs(len(row_tasks), n_columns, n_values)
        if held_out is None:
            order, n_train = None, len(values)
        else:  # the rows that train come first, so that both parts are slices of one table
            order, n_train = np.argsort(held_out, kind="stable"), len(values) - int(held_out.sum())
            codes, dense = codes[order], dense[order]
            dense_weight = None if dense_weight is None else dense_weight[order]
        data = self._tensors(preprocessor, values, order, codes, dense, dense_weight, scale, n_classes)
        if given is not None:
            given = given[origin] if order is None else given[origin][order]
            data = data.with_given(torch.from_numpy(given.astype(np.float32)))
        train_data = data.take(slice(0, n_train)).to(device)
        valid_data = None if held_out is None else data.take(slice(n_train, None)).to(device)

        devices = list(range(torch.cuda.device_count())) if device.startswith("cuda") else []
        with torch.random.fork_rng(devices=devices):  # the caller's generators stay as they are
            torch.manual_seed(seed if not go_on else (seed + 104729 * (1 + len(self.net_.history))) % 2**63)
            if go_on:
                self.net_ = copy.deepcopy(self.net_)
                if allowed is not None and factored is None:
                    self.net_.criterion_.allowed = torch.as_tensor(allowed).to(device)
            else:
                module = build_module(
                    train_data.numbers.cpu(), preprocessor.n_categories, embedding, architecture, outputs
                )
                if factored is not None:
                    module.output_layer = factored.build(n_classes, prepared)
                    objective = FactoredObjective(prepared, outputs, factored.lr)
                else:
                    per_unit = self._starts_per_unit(loss)
                    start = start_of_raw(prepared, y_train, units, w_train, n_units, n_columns, per_unit)
                    movable = movable_numbers(preprocessor) if prepared.looks_around else None
                    objective = Objective(prepared, outputs, start, allowed, regularizer, movable)
                names = _unit_names(row_tasks, output_labels, two_dimensional)
                self.net_ = self._make_net(
                    module,
                    objective,
                    make_balancer_for(prepared, self.balancing, n_units),
                    optimizer,
                    net_params,
                    device,
                    names,
                    seed,
                )
            failed = self._train(train_data, valid_data, epochs)
        self._fitted = Fitted(reader, preprocessor, row_tasks, outputs, prepared, scale, two_dimensional)
        self.tasks_ = output_labels if two_dimensional and len(row_tasks) == 1 else row_tasks
        self.n_iter_ = len(self.net_.history)
        self._publish()
        return failed

    def _tensors(self, preprocessor, values, order, codes, dense, dense_weight, scale, n_classes):
        inputs = preprocessor.transform(values, order)
        missing = np.isnan(dense)
        n_columns = dense.shape[1]
        units = codes[:, None] * n_columns + np.arange(n_columns)
        scaled = scale.forward(dense, units)
        if missing.any():  # a harmless value of the column, at weight zero
            fill = np.array([column[~np.isnan(column)][0] for column in scaled.T])
            scaled = np.where(missing, fill, scaled)
            dense_weight = np.where(missing, 0.0, 1.0 if dense_weight is None else dense_weight)
        y = torch.from_numpy(scaled.astype(np.int64 if n_classes is not None else np.float32))
        weight = None if dense_weight is None else torch.from_numpy(dense_weight.astype(np.float32))
        return Batch(
            torch.from_numpy(inputs.numbers), torch.from_numpy(inputs.categories), torch.from_numpy(codes), y, weight
        )

    def _held_out(self, codes, dense, seed):
        """Which rows validate, or None."""
        if self.early_stopping is False or (self.early_stopping == "auto" and len(codes) < _EARLY_STOPPING_ROWS):
            return None
        classes = self._classes_of_rows(dense)
        held_out = validation_rows(codes, self.validation_fraction, np.random.default_rng(seed), classes)
        if not held_out.any():
            raise ValueError(
                f"'validation_fraction' is {self.validation_fraction}, which holds out no row of any task. Give more, "
                "or set early_stopping=False."
            )
        return held_out

    def _make_net(self, module, objective, balancer, optimizer, net_params, device, names, seed):
        callbacks = list(self.callbacks or [])
        if self.verbose == "bar":
            callbacks.append(("bar", ProgressBar()))
        net = MultiTaskNet(
            module,
            objective,
            balancer=balancer,
            schedule=self.lr_schedule,
            gradient_clip=self.gradient_clip,
            names=names,
            seed=seed,
            optimizer=optimizer,
            lr=self.lr,
            max_epochs=self.max_epochs,
            callbacks=callbacks,
            device=device,
            compiled=self.compile,
            verbose=0 if self.verbose == "bar" else int(self.verbose),
            **net_params,
        )
        return net.initialize()

    def _train(self, train, valid, epochs):
        """Train the net in place; returns an error to raise once the estimator is whole, or None."""
        net = self.net_
        size = auto_batch_size(len(train)) if self.batch_size == "auto" else self.batch_size
        net.batch_size = min(size, len(train))
        net.callbacks_ = [(name, callback) for name, callback in net.callbacks_ if name != "early_stopping"]
        if valid is not None:
            stopping = EarlyStopping(
                monitor="valid_loss",
                patience=self.n_iter_no_change,
                threshold=self.tol,
                threshold_mode="abs",
                load_best=True,
                sink=_silent,
            )
            net.callbacks_.append(("early_stopping", stopping.initialize()))
        n_before = len(net.history)
        last_good = _LastGood({name: value.clone() for name, value in net.module_.state_dict().items()})
        net.callbacks_.append(("last_good", last_good))
        kept, net.max_epochs = net.max_epochs, self.max_epochs if epochs is None else epochs
        failed: NotFiniteError | None = None
        try:
            net.partial_fit((train, valid))
        except NotFiniteError as error:
            net.module_.load_state_dict(last_good.weights)
            failed = error
            net.notify("on_train_end", X=None, y=None)
        finally:
            net.max_epochs = kept
            net.callbacks_ = [pair for pair in net.callbacks_ if pair[0] not in {"early_stopping", "last_good"}]
        whole = not len(net.history) or "dur" in net.history[-1]
        if not whole:  # an epoch that did not come to its end
            del net.history[-1]
        interrupted = failed is None and net.interrupted_
        if (failed is not None or interrupted) and len(net.history) == n_before:
            raise KeyboardInterrupt if failed is None else failed
        if failed is not None:
            return NotFiniteError(f"{failed} The model has the best weights from before.")
        if interrupted:
            n = len(net.history)
            where = f"after epoch {n}" if whole else f"in epoch {n + 1}"
            warnings.warn(
                f"Training was interrupted {where}; the model has the best weights so far.",
                RuntimeWarning,
                stacklevel=5,
            )
        return None

    # Prediction ------------------------------------------------------------------------------------------------------

    @property
    def history_(self) -> Any:
        """Losses and times of the epochs: skorch's history, a list of one dict for each epoch."""
        check_is_fitted(self, "net_")
        return self.net_.history

    def _read(self, X, tasks):
        """Values and task codes (-1: unseen task) of rows to predict."""
        check_is_fitted(self)
        values, labels = read_features(self, self._fitted.reader, X, tasks, dtype=_FLOATS)
        codes = look_up_tasks(
            labels, self._fitted.row_tasks, len(values), unseen=self.unseen_tasks, owner=type(self).__name__
        )
        return values, codes

    def _predicted(self, values, codes):
        return self._fitted.predicted(self.net_, values, codes)

    @property
    def _two_dimensional(self):
        return self._fitted.two_dimensional

    def __sklearn_is_fitted__(self):
        """Whether `fit` was called."""
        return hasattr(self, "_fitted")

    def __sklearn_tags__(self):
        """Say that missing values, several targets and a task column in X are fine."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags


class _LastGood(Callback):
    """Keeps the weights of the last epoch that ended with a finite loss."""

    def __init__(self, weights):
        self.weights = weights

    def on_epoch_end(self, net, **kwargs):
        """Copy the weights."""
        self.weights = {name: value.clone() for name, value in net.module_.state_dict().items()}


def _silent(text):
    """Take the messages of skorch's early stopping, which come whatever `verbose` says."""


def _as_pairs(dense, codes, dense_weight, train, n_columns):
    """Observed targets of the training rows with their units and weights, each of shape (n_pairs,)."""
    rows, columns = np.nonzero(~np.isnan(dense))
    weight = np.ones(len(rows)) if dense_weight is None else dense_weight[train][rows, columns]
    return dense[rows, columns], codes[rows] * n_columns + columns, weight


def _unit_names(row_tasks, output_labels, two_dimensional):
    if not two_dimensional:
        return [str(task) for task in row_tasks]
    if len(row_tasks) == 1:
        return [str(label) for label in output_labels]
    return [f"{task}_{label}" for task in row_tasks for label in output_labels]


__all__ = ["OPTIMIZERS", "BaseMultiTask"]
