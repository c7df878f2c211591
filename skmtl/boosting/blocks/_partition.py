"""The partition block: two shared ensembles, and for each task a learned weight between them.

The prediction holds ``(1 - s_r) F_in + s_r F_out`` with ``s_r = sigmoid(theta_r)``, so by the chain rule the outlier
tree sees the gradient times ``s`` and the Hessian times ``s**2``, the inlier tree the same with ``1 - s``. Emami,
Martinez-Munoz, Hernandez-Lobato, "Robust-Multi-Task Gradient Boosting", 2025, arXiv 2507.11411.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from .._forest import INLIER, OUTLIER
from .._theta import gradient_step, newton_step
from ._base import Step


class PartitionBlock:
    """Two trees per step, one for each ensemble, and a step of the weights."""

    name = "partition"

    def step(self, model):
        """Fit both trees to the model as it is, then move theta."""
        fold, share = model.train, expit(model.theta)
        s = share[fold.units]
        # One draw of features for both: which ensemble is called the outlying one must not matter.
        rows, seed, noise = model.draw_rows(), model.draw_seed(), model.noise()
        trees, deltas = [], {}
        for part, coefficient in ((OUTLIER, s), (INLIER, 1.0 - s)):
            delta = model.room(part)
            trees.append(
                model.grower.grow(
                    model.target(coefficient),
                    model.settings.partition,
                    model.learning_rate,
                    rows,
                    part,
                    seed,
                    delta,
                    noise=noise,
                )
            )
            deltas[part] = delta
        return Step(self.name, trees, deltas, rows, self._move(model, deltas))

    @staticmethod
    def _move(model, deltas):
        """New theta, from both ensembles' difference before ("gradient") or after ("newton") this step."""
        fold = model.train
        difference = fold.parts[OUTLIER] - fold.parts[INLIER]
        if model.theta_update == "gradient":
            return gradient_step(model.theta, model.gradient, difference, fold.units, model.theta_learning_rate)
        difference = difference + deltas[OUTLIER] - deltas[INLIER]
        s = expit(model.theta)[fold.units][:, None]
        raw = model.raw + s * deltas[OUTLIER] + (1.0 - s) * deltas[INLIER]
        gradient, hessian = np.empty_like(raw), np.empty_like(raw)
        model.loss.derivatives(fold.y, raw, fold.weight, gradient, hessian)
        if model.loss.line_search is not None:
            # The loss has no curvature; near a residual r that of its quadratic bound is 1 / |r|.
            hessian /= max(float(np.average(np.abs(fold.y - raw[:, 0]), weights=fold.weight)), 1e-300)
        return newton_step(
            model.theta,
            model.theta_start,
            gradient,
            hessian,
            difference,
            fold.units,
            fold.weight,
            model.theta_learning_rate,
            model.theta_l2,
        )
