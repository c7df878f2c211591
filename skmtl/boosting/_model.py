"""The model while it grows: raw predictions, derivatives, trees, and the bookkeeping of steps."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit

from ._forest import INLIER, OUTLIER, SHARED, Forest, Trees, add_trees_to
from ._grower import Target
from ._joint_grower import JointGrower
from .kernels.effects import without_effects
from .kernels.random import sample_rows, seed_of, write_seeds
from .kernels.walk import find_leaves

#: Length of a model, in rounds times learning rate, over which the noise in the choice of splits falls to a third: the
#: first trees explain most, and many are left to even out what chance made of them.
_FADING = 20.0
#: Most rows that a step is scored on.
_SCORED_ROWS = 2000
#: Groups of rows that tell how uncertain a gain is where the loss is no mean over rows.
_GROUPS = 8


def _inverse(weight):
    """One over the weights, zero for those of zero."""
    return np.divide(1.0, weight, out=np.zeros_like(weight), where=weight > 0.0)


def mean_gain(before, after, weight=None):
    """Weighted mean fall of some losses, and its standard error."""
    gain = before - after
    weight = np.ones(len(gain)) if weight is None else weight
    mean = np.average(gain, weights=weight)
    return float(mean), float(np.sqrt(np.sum((weight * (gain - mean)) ** 2)) / weight.sum())


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
        With the attributes learning_rate, leaf_step, subsample, random_strength, theta_update, theta_learning_rate and
        theta_l2.
    train_scored : bool, default=True
        Whether to note the loss on the training rows after every step.
    pace : float, default=1.0
        Factor on the learning rate of `options`.
    n_before : int, default=0
        Rounds that were made before this model.
    """

    def __init__(
        self,
        train,
        validation,
        loss,
        grower,
        settings,
        theta,
        effects,
        seed,
        options,
        train_scored=True,
        pace=1.0,
        n_before=0,
    ):
        self.train = train
        self.train_scored = train_scored
        self.validation = validation
        self.loss = loss
        self.grower = grower
        self.settings = settings
        self._joint_grower: JointGrower | None = None
        self.theta = theta
        self.theta_start = theta
        self._share: tuple | None = None  # theta and what it makes of it
        self.effects = effects
        self.seed = seed
        self.learning_rate = self.full_learning_rate = pace * options.learning_rate
        self.leaf_step = options.leaf_step
        self.subsample = options.subsample
        self.random_strength = options.random_strength
        self._inverse_weight = None if train.weight is None else _inverse(train.weight)
        self.n_before = n_before
        self.theta_update = options.theta_update
        self.theta_learning_rate = self.full_theta_learning_rate = (
            (options.learning_rate if options.theta_update == "gradient" else 0.3)
            if options.theta_learning_rate is None
            else options.theta_learning_rate
        )
        self.theta_l2 = options.theta_l2
        self.gradient = np.empty((train.n_rows, loss.n_outputs))
        self.hessian = np.empty_like(self.gradient)
        self._deltas: dict[int, np.ndarray] = {}
        self.steps: list[list[Trees]] = []  # of each round
        self.sequence: list[str] = []
        self.n_draws = 0
        self.train_loss: list[float] = []
        self.validation_loss: list[float] = []
        self.record()

    @property
    def joint_grower(self):
        """Grows joint trees; made when first asked for."""
        if self._joint_grower is None:
            self._joint_grower = JointGrower(self.train, self.grower.plan)
        return self._joint_grower

    # What blocks read ------------------------------------------------------------------------------------------------

    @property
    def share(self):
        """Weight of the outlier ensemble for each unit; the same array as long as theta is."""
        if self._share is None or self._share[0] is not self.theta:
            share = np.full(self.train.n_units, 0.5) if self.theta is None else expit(self.theta)
            self._share = self.theta, share
        return self._share[1]

    def begin_round(self, share=1.0, last=True):
        """Take the derivatives of the loss at the current prediction; the step to come is a `share` of a whole one.

        Effects of the units move once in a round, with its `last` step.
        """
        self._effects_move = last
        self.learning_rate = share * self.full_learning_rate
        self.theta_learning_rate = share * self.full_theta_learning_rate
        # Every step has seeds of its own, whichever steps came before it; a new NumPy generator would cost a hundred
        # times as much as `seed_of`.
        self._state = (self.seed << 32) + (self.n_draws << 8)
        self.n_draws += 1
        self.raw = self.train.raw(self.share)
        self.loss.derivatives(self.train.y, self.raw, self.train.weight, self.gradient, self.hessian)

    def noise(self):
        """Standard deviation of what is added to the scores of splits in this step.

        Its unit, mean squared gradient over mean Hessian, is what a split that explains nothing gains on average.
        """
        if self.random_strength == 0.0:
            return 0.0
        if self._inverse_weight is None:
            squares = np.einsum("ij,ij->", self.gradient, self.gradient)
        else:
            # A row that counts twice is two rows, each of which has half of its gradient.
            squares = np.einsum("ij,ij,i->", self.gradient, self.gradient, self._inverse_weight)
        curvature = self.hessian.sum()
        n_rounds = self.n_before + len(self.sequence)
        fading = math.exp(-n_rounds * self.full_learning_rate / _FADING)
        return self.random_strength * float(squares / curvature) * fading if curvature > 0.0 else 0.0

    def draw_rows(self):
        """Rows of this step, ascending: all, or a share of them drawn without replacement."""
        if self.subsample == 1.0:
            return self.grower.rows
        n = self.train.n_rows
        # At least one row is left out, or nothing could be scored.
        chosen = np.empty(max(1, min(round(self.subsample * n), n - 1)), np.int32)
        sample_rows(n, self.draw_seed(), chosen)
        return chosen

    def draw_seed(self):
        """State for the generator of a kernel."""
        self._state += 1
        return seed_of(self._state)

    def draw_seeds(self, n):
        """States for the generators of `n` kernels."""
        seeds = np.empty(n, np.int64)
        write_seeds(self.draw_seed(), seeds)
        return seeds

    def room(self, part):
        """Room for what a step adds to a part of the raw prediction; the next step is given the same array."""
        # Where rows are many, new memory in every round takes longer than to fill it.
        if part not in self._deltas:
            self._deltas[part] = np.empty_like(self.gradient)
        return self._deltas[part]

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
        """Effects of the units once `delta` is added to the raw prediction; None where they stay as they are."""
        if self.effects is None or not self._effects_move:
            return None
        offset = np.empty_like(self.raw)
        without_effects(self.raw, delta, self.effects.values, self.train.pointers, offset)
        # At the pace of the trees: an effect that takes in at once all that tasks differ by would leave the trees
        # nothing of what the features explain of it.
        return self.effects.values + self.full_learning_rate * (self.effects.estimate(offset) - self.effects.values)

    def out_of_bag_gain(self, step):
        """Mean fall of the loss on rows that the step was not fitted to, and its standard error."""
        fold = self.train
        out = np.ones(fold.n_rows, bool)
        out[step.rows] = False
        rows = np.flatnonzero(out)
        if len(rows) == 0:
            return 0.0, np.inf
        if len(rows) > _SCORED_ROWS:
            chosen = np.empty(_SCORED_ROWS, np.int32)
            sample_rows(len(rows), self.draw_seed(), chosen)
            rows = rows[chosen]
        raw = self.raw[rows]
        after = raw.copy()
        share = self.share[fold.units[rows]][:, None]
        for part, delta in step.deltas.items():
            factor = share if part == OUTLIER else 1.0 - share if part == INLIER else 1.0
            after += factor * delta[rows]
        y, weight = fold.y[rows], None if fold.weight is None else fold.weight[rows]
        units = fold.units[rows]
        return mean_gain(self._losses(y, raw, units), self._losses(y, after, units), self._loss_weight(weight))

    # What schedules do -----------------------------------------------------------------------------------------------

    def keep(self, step, same_round=False, complete=True):
        """Make a step part of the model, as a round of its own or as more of the last one.

        The losses are noted where the round is `complete`.
        """
        for part, delta in step.deltas.items():
            self.train.add(part, delta)
        if self.validation is not None:
            for trees in step.trees:
                self._walk(self.validation, trees)
        if step.theta is not None:
            self.theta = step.theta
        if step.effects is not None:
            change = step.effects - self.effects.values
            for fold in self._folds():
                fold.add_by_unit(SHARED, change)
            self.effects.values = step.effects
        if same_round:
            self.steps[-1].extend(step.trees)
        else:
            self.steps.append(list(step.trees))
            self.sequence.append(step.block)
        if complete:
            self.record()

    def _walk(self, fold, trees):
        add_trees_to(fold.parts, trees, self.grower.table.n_bins, fold.n_units, fold.bins, fold.units)
        fold.touch(trees.parts.tolist())

    def validation_losses(self):
        """Losses of the held-out rows, or of groups of them where the loss is no mean over rows."""
        fold = self.validation
        return self._losses(fold.y, fold.raw(self.share), fold.units)

    def validation_gain(self, before):
        """Mean fall of the held-out losses since they were `before`, and its standard error."""
        return mean_gain(before, self.validation_losses(), self._loss_weight(self.validation.weight))

    def _losses(self, y, raw, units):
        if self.loss.elementwise:
            return self.loss.row_loss(y, raw)
        # Every so-manieth row: each group has its share of every unit.
        groups = [slice(start, None, _GROUPS) for start in range(min(_GROUPS, len(y)))]
        return np.array([self.loss.bind(units[group]).mean_loss(y[group], raw[group]) for group in groups])

    def _loss_weight(self, weight):
        return weight if self.loss.elementwise else None

    def settled_effects(self):
        """Effects of the units for the finished model: no trees are to come that they could forestall."""
        if self.effects is None:
            return None
        return self.effects.settle(self.train.raw(self.share) - self.effects.values[self.train.units])

    def record(self):
        """Note the loss of the model as it is."""
        if self.train_scored:
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

    def park(self):
        """State of the model with all of its steps, to come back to whatever happens in between."""
        lists = self.steps, self.sequence, self.train_loss, self.validation_loss
        return self.save(), [list(values) for values in lists], self.n_draws

    def unpark(self, parked):
        """Come back to a parked state, as if nothing had happened."""
        saved, (self.steps, self.sequence, self.train_loss, self.validation_loss), self.n_draws = parked
        self.restore(saved)

    def forest(self, before: Forest | None = None):
        """All trees, after those of an earlier forest."""
        parts = [] if before is None else [before.trees]
        ends = np.cumsum([sum(map(len, lots)) for lots in self.steps], dtype=np.int64)
        if before is not None:
            ends = np.concatenate([before.round_ends, ends + len(before.trees)])
        parts += [trees for lots in self.steps for trees in lots]
        trees = Trees.concatenate(parts) if parts else Trees.none(self.loss.n_outputs)
        return Forest(trees, ends, self.grower.table.n_bins, self.train.n_units)

    def leaf_sums(self):
        """Gradient and Hessian sums of every unit in every leaf of the shared trees, (n_units, n_leaves)."""
        fold, table = self.train, self.grower.table
        trees = self.forest().trees
        gradients: list[np.ndarray] = []
        hessians: list[np.ndarray] = []
        for root in trees.roots[trees.parts == SHARED]:
            node = find_leaves(fold.bins, table.n_bins, trees.nodes, root)
            reached = np.bincount(node) > 0
            leaf = (np.cumsum(reached) - 1)[node]
            n_leaves = np.count_nonzero(reached)
            for k in range(self.loss.n_outputs):
                for sums, values in ((gradients, self.gradient), (hessians, self.hessian)):
                    total = np.bincount(
                        fold.units * n_leaves + leaf, weights=values[:, k], minlength=fold.n_units * n_leaves
                    )
                    sums.append(total.reshape(fold.n_units, -1))
        return np.concatenate(gradients, axis=1), np.concatenate(hessians, axis=1)
