"""Weights of the aggregators of torchjd that look at the Gramian of a few tasks number by number.

torchjd does so in tensors of one element each: up to 0.8 ms for four tasks, where a backward pass of a small network
takes 0.2 ms. Here the same weights come from NumPy, in double precision and with the same random orders; their
parameters are torchjd's.
"""

from __future__ import annotations

import math
from abc import abstractmethod

import numpy as np
import torch
from quadprog import solve_qp
from torchjd import aggregation


class _InNumbers(aggregation.Weighting):
    """Weights of the rows of a matrix from an array of their inner products."""

    def forward(self, gramian):
        """Map the Gramian, (n_tasks, n_tasks), to the weights of the tasks, (n_tasks,)."""
        return torch.from_numpy(self.weights(gramian.cpu().double().numpy())).to(gramian)

    @abstractmethod
    def weights(self, gramian):
        """Weights as an array."""


class MGDAWeighting(_InNumbers, aggregation.MGDAWeighting):
    """The point of least norm among the convex combinations, by the method of Frank and Wolfe."""

    def weights(self, gramian):
        """See the base class."""
        found = np.full(len(gramian), 1.0 / len(gramian))
        for _ in range(self.max_iters):
            products = gramian @ found
            task = products.argmin()
            towards, length, at_task = products[task], found @ products, gramian[task, task]
            if at_task <= towards:
                step = 1.0
            elif length <= towards:
                step = 0.0
            else:
                step = (length - towards) / (length + at_task - 2.0 * towards)
            found *= 1.0 - step
            found[task] += step
            if step < self.epsilon:
                break
        return found


class PCGradWeighting(_InNumbers, aggregation.PCGradWeighting):
    """Each gradient without what goes against the others, taken out in random order."""

    def weights(self, gramian):
        """See the base class."""
        coefficients = np.eye(len(gramian))
        for i, own in enumerate(coefficients):
            for j in torch.randperm(len(gramian)).tolist():
                if j != i and (product := gramian[j] @ own) < 0.0:
                    own[j] -= product / gramian[j, j]
        return coefficients.sum(axis=0)


class GradVacWeighting(_InNumbers, aggregation.GradVacWeighting):
    """Each gradient turned towards the others until it is as similar to them as it usually is.

    Attributes
    ----------
    similarity : ndarray of shape (n_tasks, n_tasks) or None
        Moving averages of the cosines between the turned gradient of a task and that of another.
    """

    similarity: np.ndarray | None = None

    def reset(self):
        """Forget the cosines."""
        super().reset()
        self.similarity = None

    def weights(self, gramian):
        """See the base class."""
        n = len(gramian)
        if self.similarity is None or len(self.similarity) != n:
            self.similarity = np.zeros((n, n))
        coefficients, norms = np.eye(n), np.sqrt(gramian.diagonal()).tolist()
        for i, own in enumerate(coefficients):
            products, usual = gramian[i].copy(), self.similarity[i]
            others = [j for j in range(n) if j != i]
            for k in torch.randperm(n - 1).tolist():
                j = others[k]
                norm = math.sqrt(max(products @ own, 0.0))
                cosine = products[j] / (norm * norms[j] + self.eps)
                wanted = usual[j]
                if cosine < wanted:
                    sine, wanted_sine = (math.sqrt(max(1.0 - c * c, 0.0)) for c in (cosine, wanted))
                    step = norm * (wanted * sine - cosine * wanted_sine) / (norms[j] * wanted_sine + self.eps)
                    own[j] += step
                    products += step * gramian[j]
                usual[j] += self.beta * (cosine - wanted)
        return coefficients.sum(axis=0)


class UPGradWeighting(_InNumbers, aggregation.UPGradWeighting):
    """The mean of the projections of the gradients onto the cone of directions that conflict with none of them."""

    def weights(self, gramian):
        """See the base class."""
        identity, size = np.eye(len(gramian)), np.trace(gramian)
        scaled = self.projector.reg_eps * identity + (0.0 if size < self.projector.norm_eps else gramian / size)
        nothing = np.zeros(len(gramian))
        return sum(solve_qp(scaled, nothing, identity, share)[0] for share in identity / len(gramian))


#: Weightings by the name of the aggregator.
WEIGHTINGS: dict[str, type[_InNumbers]] = {
    "gradvac": GradVacWeighting,
    "mgda": MGDAWeighting,
    "pcgrad": PCGradWeighting,
    "upgrad": UPGradWeighting,
}
