"""A matrix W of a row per class, kept in factors, so that a step of SGD on it costs the same for any number of classes.

W = V U + 1 ωᵀ, with V (D, d), U (d, d) and ω (d,); beside them U⁻¹, Q = Wᵀ W and w = Wᵀ 1. A loss that sees the scores
o = W h of a row only through the own score a, the sum of squares q and the sum s needs no more than these, and its step
of SGD changes U, ω, Q, w and the rows of V that are own classes in the batch. P. Vincent, A. de Brébisson,
X. Bouthillier, "Exact gradient updates in time independent of output size for the spherical loss family", 2016, arXiv
1606.08061; the equations here are for a batch with a row of features per sample.
"""

from __future__ import annotations

import math

import torch

#: Singular values of U are kept within these bounds, or brought back to 1.
_LEAST, _LARGEST = 0.5, 2.0
#: Logarithm of the factor by which singular values of U may have changed before they are looked at out of turn.
_LARGEST_DRIFT = math.log(100.0)


class FactoredMatrix(torch.nn.Module):
    """The factors as buffers: in ``state_dict``, moved with the module, and left alone by optimisers.

    Parameters
    ----------
    weight : tensor of shape (n_classes, n_features)
        The matrix at the start.
    stabilize_period, refresh_period : int
        Steps after which the singular values of U are looked at, and Q and w are computed anew.
    """

    V: torch.Tensor
    U: torch.Tensor
    U_inverse: torch.Tensor
    omega: torch.Tensor
    Q: torch.Tensor
    w: torch.Tensor

    def __init__(self, weight, stabilize_period, refresh_period):
        super().__init__()
        d = weight.shape[1]
        self.stabilize_period, self.refresh_period = stabilize_period, refresh_period
        self.n_steps, self.drift = 0, 0.0
        self.register_buffer("V", weight.clone())
        # Small, and the place where errors would grow: double precision whatever V has.
        self.register_buffer("U", torch.eye(d, dtype=torch.float64))
        self.register_buffer("U_inverse", torch.eye(d, dtype=torch.float64))
        self.register_buffer("omega", torch.zeros(d, dtype=torch.float64))
        self.register_buffer("Q", torch.zeros((d, d), dtype=torch.float64))
        self.register_buffer("w", torch.zeros(d, dtype=torch.float64))
        self._refresh()

    def weight(self):
        """The matrix, (n_classes, n_features)."""
        return (self.V @ self.U.to(self.V.dtype)) + self.omega.to(self.V.dtype)

    def scores(self, h):
        """Scores of all classes, (n_rows, n_classes)."""
        h_u = h @ self.U.T
        parts = [h_u @ rows.to(h.dtype).T for rows in self.V.split(65_536)]  # no copy of V in double precision
        return torch.cat(parts, dim=1) + (h @ self.omega)[:, None]

    def statistics(self, h, own):
        """Own score, sum of squares and sum of the scores of each row, and what :meth:`step` needs of the way there."""
        h_q, h_u, rows = h @ self.Q, h @ self.U.T, self.V[own].to(h.dtype)
        return ((rows * h_u).sum(1) + h @ self.omega, (h * h_q).sum(1), h @ self.w), (h_q, h_u, rows)

    def gradient(self, by_own, by_squares, by_sum, saved):
        """Derivatives by h and their part that does not come from the squares, (n_rows, n_features) each."""
        h_q, _, rows = saved
        z = (by_own[:, None] * rows) @ self.U + by_own[:, None] * self.omega + by_sum[:, None] * self.w
        return 2.0 * by_squares[:, None] * h_q + z, z

    def step(self, lr, h, own, by_own, by_squares, by_sum, saved, weight_decay):
        """W ← (1 - lr · weight_decay) (W - lr · ∂L/∂O · h)."""
        (h_q, h_u, _), n_classes = saved, len(self.V)
        by_h, z = self.gradient(by_own, by_squares, by_sum, saved)
        g = by_squares
        same = (own[:, None] == own[None]).to(h.dtype)
        cross = by_sum[:, None] * by_own
        squares_z = 2.0 * g[:, None] * (h @ z.T)
        products = (  # (∂L/∂O)ᵀ (∂L/∂O)
            4.0 * g[:, None] * (h @ h_q.T) * g
            + n_classes * by_sum[:, None] * by_sum
            + same * by_own[:, None] * by_own
            + cross
            + cross.T
            + squares_z
            + squares_z.T
        )
        b, gram = 2.0 * lr * g, h @ h.T
        inner = torch.eye(len(h), dtype=h.dtype, device=h.device) - gram * b
        self.U_inverse += h.T @ (b[:, None] * torch.linalg.solve(inner, h @ self.U_inverse))
        self.U -= h_u.T @ (b[:, None] * h)
        self.V.index_add_(0, own, (-lr * by_own[:, None] * (h @ self.U_inverse)).to(self.V.dtype))
        self.omega -= lr * h.T @ (2.0 * g * (h @ self.omega) + by_sum)
        self.w -= lr * h.T @ (2.0 * g * (h @ self.w) + n_classes * by_sum + by_own)
        mixed = by_h.T @ h
        self.Q += -lr * (mixed + mixed.T) + lr**2 * (h.T @ products @ h)
        if weight_decay:
            keep = 1.0 - lr * weight_decay
            self.U *= keep
            self.U_inverse /= keep
            self.omega *= keep
            self.w *= keep
            self.Q *= keep**2
        self.n_steps += 1
        # Singular values of U change by at most 1 ± the norm of hᵀ (b h): look after them before they are far off.
        change = float((gram**2 * b.abs()[:, None] * b.abs()).sum().sqrt())
        self.drift += -math.log(max(1.0 - change, 1e-3))
        if self.n_steps % self.stabilize_period == 0 or self.drift > _LARGEST_DRIFT:
            self.stabilize()
        if self.n_steps % self.refresh_period == 0:
            self._refresh()

    def stabilize(self):
        """Bring the singular values of U back within bounds, at the cost of V, and compute U⁻¹ anew; W stays."""
        left, values, _ = torch.linalg.svd(self.U)
        bad = (values < _LEAST) | (values > _LARGEST)
        if int(bad.sum()) > len(values) // 3:
            self.V.copy_(self.weight())
            self.U.copy_(torch.eye(len(values), dtype=self.U.dtype, device=self.U.device))
            self.omega.zero_()
        elif bool(bad.any()):
            u, scale = left[:, bad], values[bad]
            self.U += u @ ((1.0 / scale - 1.0)[:, None] * (u.T @ self.U))
            u, scale = u.to(self.V.dtype), scale.to(self.V.dtype)
            self.V += ((self.V @ u) * (scale - 1.0)) @ u.T
        self.U_inverse.copy_(torch.linalg.inv(self.U))
        self.drift = 0.0

    def _refresh(self):
        """Compute Q and w anew, from V in pieces, so that no copy of W is made."""
        gram, total = torch.zeros_like(self.Q), torch.zeros_like(self.w)
        for rows in self.V.split(65_536):
            rows = rows.to(self.U.dtype)
            gram += rows.T @ rows
            total += rows.sum(0)
        mixed = torch.outer(self.U.T @ total, self.omega)
        self.Q.copy_(self.U.T @ gram @ self.U + mixed + mixed.T + len(self.V) * torch.outer(self.omega, self.omega))
        self.w.copy_(self.U.T @ total + len(self.V) * self.omega)


class DenseMatrix(torch.nn.Module):
    """The same as a plain matrix: what the factors are compared with."""

    W: torch.Tensor

    def __init__(self, weight, *_):
        super().__init__()
        self.register_buffer("W", weight.clone())

    def weight(self):
        """The matrix."""
        return self.W

    def scores(self, h):
        """Scores of all classes."""
        return h @ self.W.to(h.dtype).T

    def statistics(self, h, own):
        """See :class:`FactoredMatrix`."""
        scores = (h.to(self.W.dtype) @ self.W.T).to(h.dtype)
        return (scores.gather(1, own[:, None])[:, 0], (scores**2).sum(1), scores.sum(1)), (scores, own)

    def _by_scores(self, by_own, by_squares, by_sum, saved):
        scores, own = saved
        by_scores = 2.0 * by_squares[:, None] * scores + by_sum[:, None]
        return by_scores.scatter_add(1, own[:, None], by_own[:, None])

    def gradient(self, by_own, by_squares, by_sum, saved):
        """See :class:`FactoredMatrix`."""
        by_scores = self._by_scores(by_own, by_squares, by_sum, saved)
        return by_scores @ self.W.to(by_scores.dtype), None

    def step(self, lr, h, own, by_own, by_squares, by_sum, saved, weight_decay):
        """See :class:`FactoredMatrix`."""
        by_scores = self._by_scores(by_own, by_squares, by_sum, saved)
        self.W -= (lr * by_scores.T @ h).to(self.W.dtype)
        self.W *= 1.0 - lr * weight_decay
