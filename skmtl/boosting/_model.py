"""The model while it grows: raw predictions, derivatives, trees, and the bookkeeping of steps."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from ._forest import SHARED, Forest, Trees, add_trees_to
from ._grower import Target
from .kernels.walk import find_leaves


class GrowingModel:
    """What blocks read and schedules change.

    Parameters
    ----------
    train, validation : Fold, Fold or None
        Rows to learn from, rows to stop by.
    loss : Loss
        Prepared loss.
    grower : TreeGrower
        Grows trees on the rows of `train`.
    settings : BlockSettings
        Tree sizes.
    theta : ndarray of shape (n_units,) or None
        Partition parameters; None counts as zeros.
    effects : UnitEffects or None
        Effects of the units, part of the raw predictions of the folds already; None where there are none.
    seed : int
        Every step draws from a generator seeded with this and the number of the round, so that a model that was
        continued equals one that was not interrupted.
    options : object
        With the attributes learning_rate, leaf_step, subsample, theta_update, theta_learning_rate and theta_l2.
    """

    def __init__(self, train, validation, loss, grower, settings, theta, effects, seed, options):
        self.train = train
        self.validation = validation
        self.loss = loss
        self.grower = grower
        self.settings = settings
        self.theta = theta
        self.theta_start = theta
        self.effects = effects
        self.seed = seed
        self.learning_rate = options.learning_rate
        self.leaf_step = options.leaf_step
        self.subsample = options.subsample
        self.theta_update = options.theta_update
        self.theta_learning_rate = (
            (options.learning_rate if options.theta_update == "gradient" else 0.3)
            if options.theta_learning_rate is None
            else options.theta_learning_rate
        )
        self.theta_l2 = options.theta_l2
        self.gradient = np.empty((train.n_rows, loss.n_outputs))
        self.hessian = np.empty_like(self.gradient)
        self.steps: list[Trees] = []
        self.sequence: list[str] = []
        self.first_round = 0
        self.train_loss: list[float] = []
        self.validation_loss: list[float] = []
        self.record()

    # What blocks read ------------------------------------------------------------------------------------------------

    @property
    def share(self):
        """Weight of the outlier ensemble for each unit."""
        return np.full(self.train.n_units, 0.5) if self.theta is None else expit(self.theta)

    def begin_round(self):
        """Take the derivatives of the loss at the current prediction."""
        self._rng = np.random.default_rng([self.seed, self.first_round + len(self.sequence)])
        self.raw = self.train.raw(self.share)
        self.loss.derivatives(self.train.y, self.raw, self.train.weight, self.gradient, self.hessian)

    def draw_rows(self):
        """Rows of this step, ascending: all, or a share of them drawn without replacement."""
        if self.subsample == 1.0:
            return self.grower.rows
        n = self.train.n_rows
        chosen = self._rng.choice(n, max(1, round(self.subsample * n)), replace=False)
        return np.sort(chosen).astype(np.int32)

    def draw_seed(self):
        """State for the generator of a kernel."""
        return int(self._rng.integers(1, 2**31 - 1))

    def draw_seeds(self, n):
        """States for the generators of `n` kernels."""
        return self._rng.integers(1, 2**31 - 1, n)

    def target(self, coefficient=None):
        """What to fit a tree to whose output enters the prediction times `coefficient`, (n_rows,)."""
        fold = self.train
        newton = self.leaf_step == "newton"
        gradient, hessian = self.gradient, self.hessian
        hessian_is_weight = not newton or (self.loss.constant_hessian and coefficient is None)
        hessian_is_weight = hessian_is_weight and fold.weight is fold.sample_weight
        if not newton:
            ones = np.ones_like(gradient)
            hessian = ones if fold.weight is None else fold.weight[:, None] * ones
        if coefficient is not None:
            gradient = gradient * coefficient[:, None]
            hessian = hessian * coefficient[:, None] ** 2 if newton else hessian
        quantile = self.loss.line_search if newton else None
        if quantile is None:
            return Target(gradient, hessian, hessian_is_weight, fold.sample_weight)
        return Target(
            gradient,
            hessian,
            hessian_is_weight,
            fold.sample_weight,
            weight=fold.weight,
            quantile=quantile,
            residual=fold.y - self.raw[:, 0],
            coefficient=np.ones(fold.n_rows) if coefficient is None else coefficient,
        )

    def new_effects(self, delta):
        """Effects of the units once `delta` is added to the raw prediction; None where there are none."""
        if self.effects is None:
            return None
        offset = self.raw + delta - self.effects.values[self.train.units]
        return self.effects.estimate(offset)

    # What schedules do -----------------------------------------------------------------------------------------------

    def keep(self, step):
        """Make a step part of the model."""
        for part, delta in step.deltas.items():
            self.train.add(part, delta)
        if self.validation is not None:
            self._walk(self.validation, step.trees)
        if step.theta is not None:
            self.theta = step.theta
        if step.effects is not None:
            change = step.effects - self.effects.values
            for fold in self._folds():
                fold.add(SHARED, change[fold.units])
            self.effects.values = step.effects
        self.steps.append(step.trees)
        self.sequence.append(step.block)
        self.record()

    def _walk(self, fold, trees):
        add_trees_to(fold.parts, trees, self.grower.table.n_bins, fold.n_units, fold.bins, fold.units)
        fold.touch(trees.parts.tolist())

    def record(self):
        """Note the loss of the model as it is."""
        self.train_loss.append(self.loss.mean_loss(self.train.y, self.train.raw(self.share), self.train.weight))
        if self.validation is not None:
            fold = self.validation
            loss = self.loss.bind(fold.units)
            self.validation_loss.append(loss.mean_loss(fold.y, fold.raw(self.share), fold.weight))

    def save(self):
        """State of the model, to go back to."""
        effects = None if self.effects is None else self.effects.values
        return len(self.sequence), self.theta, effects, [fold.copy_parts() for fold in self._folds()]

    def _folds(self):
        return [self.train] if self.validation is None else [self.train, self.validation]

    def restore(self, saved):
        """Go back to a saved state; later steps are dropped."""
        n_rounds, self.theta, effects, parts = saved
        if effects is not None:
            self.effects.values = effects
        for fold, values in zip(self._folds(), parts, strict=True):
            fold.restore_parts(values)
        del self.steps[n_rounds:], self.sequence[n_rounds:]
        del self.train_loss[n_rounds + 1 :], self.validation_loss[n_rounds + 1 :]

    def forest(self, before: Forest | None = None):
        """All trees, after those of an earlier forest."""
        parts = [] if before is None else [before.trees]
        ends = np.cumsum([len(trees) for trees in self.steps], dtype=np.int64)
        if before is not None:
            ends = np.concatenate([before.round_ends, ends + len(before.trees)])
        lots = [*parts, *self.steps]
        trees = Trees.concatenate(lots) if lots else Trees.none(self.loss.n_outputs)
        return Forest(trees, ends, self.grower.table.n_bins, self.train.n_units)

    def leaf_sums(self):
        """Gradient and Hessian sums of every unit in every leaf of the shared trees, (n_units, n_leaves)."""
        fold, table = self.train, self.grower.table
        trees = self.forest().trees
        gradients: list[np.ndarray] = []
        hessians: list[np.ndarray] = []
        for root in trees.roots[trees.parts == SHARED]:
            leaf = find_leaves(fold.bins, table.n_bins, trees.nodes, root)
            _, leaf = np.unique(leaf, return_inverse=True)
            n_leaves = leaf.max() + 1
            for k in range(self.loss.n_outputs):
                for sums, values in ((gradients, self.gradient), (hessians, self.hessian)):
                    total = np.bincount(
                        fold.units * n_leaves + leaf, weights=values[:, k], minlength=fold.n_units * n_leaves
                    )
                    sums.append(total.reshape(fold.n_units, -1))
        return np.concatenate(gradients, axis=1), np.concatenate(hessians, axis=1)
