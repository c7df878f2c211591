"""From rows to a grown forest: validation rows, two passes, warm start. Knows nothing of scikit-learn."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .._shared.validation import validation_rows
from ._effects import UnitEffects
from ._fold import Fold
from ._grower import TreeGrower
from ._model import GrowingModel
from ._probe import probe_theta
from ._progress import Progress
from ._settings import BLOCKS, resolve_settings
from ._theta import random_start
from .blocks import JointBlock, PartitionBlock, SharedBlock, SpecificBlock
from .schedules import SEARCH_PACE, AdaptiveSchedule, AdaptiveState, FixedSchedule, ReplaySchedule

#: With "auto", fewer rows than this are too few to stop by.
_ROWS_TO_STOP = 500
#: Rounds with "auto": without early stopping, and at most with it.
_ROUNDS, _MOST_ROUNDS = 100, 3000


class Rows(NamedTuple):
    """Observed targets sorted by unit: one row per pair of a row of X and an output."""

    bins: np.ndarray  # uint8 (n_features, n_rows)
    y: np.ndarray  # float64 (n_rows,)
    weight: np.ndarray | None  # in the loss: weight of the row times weight of its class
    sample_weight: np.ndarray | None  # as how many rows it counts where rows are counted: weight of the row alone
    units: np.ndarray  # intp (n_rows,), ascending
    n_units: int
    n_outputs: int  # columns of y: unit u is of task u // n_outputs
    classified: bool  # y holds classes

    def take(self, mask):
        """Some of the rows."""
        return self._replace(
            bins=np.ascontiguousarray(self.bins[:, mask]),
            y=self.y[mask],
            weight=None if self.weight is None else self.weight[mask],
            sample_weight=None if self.sample_weight is None else self.sample_weight[mask],
            units=self.units[mask],
        )


def sort_rows(bins, pairs, y, weight, count, n_units, classified):
    """Sort by unit what was observed.

    Parameters
    ----------
    bins : uint8 array of shape (n_features, n_rows of X)
        Codes of the rows of X.
    pairs : Pairs
        Row of X and unit of each observed target.
    y : float64 array of shape (n_pairs,)
        The observed targets.
    weight, count : float64 arrays of shape (n_pairs,) or None
        See `Rows`: in the loss, and where rows are counted.
    n_units : int
        Number of units.
    classified : bool
        Whether `y` holds classes.
    """
    sorted_already = bool(np.all(pairs.units[:-1] <= pairs.units[1:]))
    order = slice(None) if sorted_already else np.argsort(pairs.units, kind="stable")
    source = pairs.rows[order]
    as_in_X = len(source) == bins.shape[1] and np.array_equal(source, np.arange(len(source)))
    sorted_weight = None if weight is None else weight[order]
    return Rows(
        bins if as_in_X else np.ascontiguousarray(bins[:, source]),
        y[order],
        sorted_weight,
        sorted_weight if weight is count else None if count is None else count[order],
        pairs.units[order],
        n_units,
        pairs.n_outputs,
        classified,
    )


class Fitted(NamedTuple):
    """What boosting found."""

    forest: Any  # Forest; None where a second fit follows
    loss: Any
    constant: np.ndarray  # (n_outputs,)
    start: np.ndarray  # (n_units, n_outputs), constant included
    effects: np.ndarray | None  # (n_units, n_outputs), as far as they had come with the last round
    effect_variance: np.ndarray | None  # (n_outputs,), between units
    theta: np.ndarray  # (n_units,)
    theta_start: np.ndarray  # (n_units,)
    unit_weight: np.ndarray  # (n_units,)
    sequence: list[str]
    train_loss: np.ndarray
    validation_loss: np.ndarray
    seed: int
    n_draws: int  # steps made, kept or not: each has a seed of its own
    schedule_state: AdaptiveState | None


def fit_rows(rows: Rows, plan, loss, options, n_classes, seed, n_threads, earlier: Fitted | None) -> Fitted:
    """Grow a forest on `rows`.

    Parameters
    ----------
    rows : Rows
        All rows.
    plan : FeaturePlan
        Bins and constraints.
    loss : Loss
        Loss, not yet prepared.
    options : object
        The estimator, for its parameters.
    n_classes : int or None
        Number of classes.
    seed : int
        Seed of everything random.
    n_threads : int
        Number of threads; no result depends on it.
    earlier : Fitted or None
        What to continue (warm start).
    """
    if earlier is None:
        prepared = loss.prepare(rows.y, rows.weight, n_classes)
    else:
        earlier.loss.check_target(rows.y)
        prepared, seed = earlier.loss, earlier.seed
    stopping = stops_early(options, len(rows.y))
    rounds = rounds_of(options, rows.n_units, stopping)
    n_passes = 2 if stopping and _refits(options) else 1
    with Progress(options.verbose, n_passes * sum(rounds.values())) as progress:
        if not stopping:
            return _grow(rows, None, rounds, plan, prepared, options, seed, n_threads, earlier, progress)
        mask = validation_rows(
            rows.units,
            options.validation_fraction,
            np.random.default_rng([seed, 0]),
            rows.y if rows.classified else None,
        )
        if not mask.any():
            raise ValueError(
                f"'validation_fraction' = {options.validation_fraction} leaves no row of {len(rows.y)} to stop by. "
                "Raise it, or set early_stopping=False."
            )
        fitted = _grow(
            rows.take(~mask), rows.take(mask), rounds, plan, prepared, options, seed, n_threads, earlier, progress
        )
        if n_passes == 1:
            return fitted
        again = _grow(rows, None, rounds, plan, prepared, options, seed, n_threads, None, progress, fitted)
        return again._replace(validation_loss=fitted.validation_loss)


def _refits(options):
    """Whether early stopping is followed by a second fit."""
    return options.refit and not options.warm_start


def stops_early(options, n_rows):
    """Whether blocks end by a held-out loss."""
    return n_rows >= _ROWS_TO_STOP if isinstance(options.early_stopping, str) else options.early_stopping


def rounds_of(options, n_units, stopping):
    """Most rounds of each block."""
    schedule = options.schedule
    if not isinstance(schedule, str):
        return {block: int(schedule.get(block, 0)) for block in BLOCKS}
    most = most_rounds(options, stopping)
    # A single task has nothing to share or to set apart: the shared block is all of it.
    return {block: most if block == "shared" or n_units > 1 else 0 for block in BLOCKS}


def most_rounds(options, stopping):
    """Most rounds of each block, or where the adaptive schedule has no rows to stop by, of all blocks together."""
    if not isinstance(options.max_iter, str):
        return options.max_iter
    return _MOST_ROUNDS if stopping else _ROUNDS


def is_adaptive(options, n_units):
    """Whether blocks take turns by what they gain; with a single task there is only one."""
    return n_units > 1 and isinstance(options.schedule, str) and options.schedule == "adaptive"


def _schedule(options, rounds, done, n_units, patience, progress, state, sequence, pace):
    """Schedule of a pass; `sequence` holds the blocks that an earlier pass found, to be gone through again."""
    blocks = [SharedBlock(), PartitionBlock(), JointBlock(), SpecificBlock()]
    if sequence is not None:
        return ReplaySchedule(blocks, sequence, progress, pace)
    if is_adaptive(options, n_units):
        n_rounds = most_rounds(options, patience is not None)
        return AdaptiveSchedule(blocks, n_rounds, done, patience, options.tol, progress, state)
    left = {block: n - done[block] for block, n in rounds.items()}
    return FixedSchedule(blocks, left, patience, options.tol, progress)


def uses_partition(options, n_units):
    """Whether the schedule has a partition block, though on these rows it may end with no round."""
    return n_units > 1 and rounds_of(options, n_units, stopping=True)["partition"] > 0


def _grow(rows, held_out, rounds, plan, prepared, options, seed, n_threads, earlier, progress, search=None):
    """Grow a model on `rows`; where `search` is one that found which rounds to make, go through these again."""
    loss = prepared.bind(rows.units)
    constant = _constant(rows, loss, options) if earlier is None else earlier.constant
    effects = _effects(rows, loss, options, constant, earlier)
    start = _starts(rows, constant, None if effects is None else effects.values)
    searched = search is not None or (held_out is not None and _refits(options))
    # Rounds that were asked for one by one are made as they are, and no step goes further than to where it aims.
    hurried = searched and isinstance(options.schedule, str) and SEARCH_PACE * options.learning_rate <= 1.0
    pace = SEARCH_PACE if hurried else 1.0
    done = dict.fromkeys(rounds, 0)
    if earlier is not None:
        done = {block: earlier.sequence.count(block) for block in rounds}
    train = _fold(rows, start)
    validation = None if held_out is None else _fold(held_out, start)
    unit_weight = np.bincount(rows.units, weights=rows.sample_weight, minlength=rows.n_units).astype(np.float64)
    total = unit_weight.sum()
    n_own = len(plan.positions)
    mean_hessian = 1.0 if options.leaf_step == "gradient" else _mean_hessian(rows, loss, constant, total)
    settings = resolve_settings(vars(options), total, (rows.bins.shape[0], n_own), mean_hessian)
    grower = TreeGrower(train, plan, rows.n_outputs, n_threads)
    if earlier is not None:
        for fold in (train, validation):
            if fold is not None:
                earlier.forest.add_to(fold.parts, fold.bins, fold.units)
                fold.touch(earlier.forest.trees.parts.tolist())
    if earlier is not None and done["partition"] > 0:
        theta = earlier.theta
    elif search is not None:
        theta = search.theta_start
    elif not isinstance(options.theta_init, str):
        theta = np.ravel(options.theta_init).astype(np.float64)
    elif not uses_partition(options, rows.n_units):
        theta = np.zeros(rows.n_units)
    elif options.theta_init == "random":
        theta = random_start(rows.n_units, np.random.default_rng([seed, 1]))
    else:
        fresh = _effects(rows, loss, options, constant, None)
        first_fold = _fold(rows, _starts(rows, constant, None))
        theta = probe_theta(first_fold, loss, grower, settings, fresh, seed, options, pace)
    # A pass that is followed by a second one leaves only its sequence behind.
    last = held_out is None or not _refits(options)
    model = GrowingModel(
        train,
        validation,
        loss,
        grower,
        settings,
        theta,
        effects,
        seed,
        options,
        train_scored=last,
        pace=pace,
        n_before=0 if earlier is None else len(earlier.sequence),
    )
    model.n_draws = 0 if earlier is None else earlier.n_draws
    if earlier is not None and done["partition"] > 0:
        model.theta_start = earlier.theta_start
    patience = options.n_iter_no_change if held_out is not None else None
    state = None if earlier is None else earlier.schedule_state
    sequence = None if search is None else search.sequence
    schedule = _schedule(options, rounds, done, rows.n_units, patience, progress, state, sequence, pace)
    before = None if earlier is None else earlier.forest
    schedule.run(model)
    return Fitted(
        model.forest(before) if last else None,
        prepared,
        constant,
        _starts(rows, constant, model.settled_effects() if last else None),
        None if effects is None else effects.values,
        None if effects is None else effects.variance,
        model.theta,
        model.theta_start,
        unit_weight,
        [*([] if earlier is None else earlier.sequence), *model.sequence],
        _joined(None if earlier is None else earlier.train_loss, model.train_loss),
        _joined(None if earlier is None else earlier.validation_loss, model.validation_loss),
        seed,
        model.n_draws,
        getattr(schedule, "state", None),
    )


def _joined(before, losses):
    """Losses of a continued model; its first one is the last of the model before."""
    return np.array(losses) if before is None or len(before) == 0 else np.concatenate([before, losses[1:]])


def _constant(rows, loss, options):
    """Raw prediction common to all units."""
    if options.init == "zero":
        return np.zeros(loss.n_outputs)
    return np.asarray(loss.initial_raw(rows.y, rows.weight), dtype=np.float64)


def _mean_hessian(rows, loss, constant, total):
    """Mean second derivative of a row where all predictions are the constant."""
    raw = np.tile(constant, (len(rows.y), 1))
    gradient, hessian = np.empty_like(raw), np.empty_like(raw)
    loss.derivatives(rows.y, raw, rows.weight, gradient, hessian)
    return float(hessian.sum() / (total * loss.n_outputs))


def _effects(rows, loss, options, constant, earlier):
    """Effects of the units on top of the constant, or None where there are to be none."""
    if options.init != "task" or not loss.elementwise:  # a metric of a task is no guide to its constant
        return None
    known = () if earlier is None else (earlier.effects, earlier.effect_variance)
    return UnitEffects(loss, rows.y, rows.weight, rows.units, rows.n_units, *known)


def _starts(rows, constant, effects):
    """Raw prediction that each unit starts from, (n_units, n_outputs)."""
    return np.tile(constant, (rows.n_units, 1)) + (0.0 if effects is None else effects)


def _fold(rows, start):
    return Fold(rows.bins, rows.y, rows.weight, rows.sample_weight, rows.units, rows.n_units, start)
