"""Synthetic tasks whose linear parts have a chosen correlation."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import Bunch, check_random_state

from skmtl._sklearn import Interval, validate_params


@validate_params(
    {
        "correlation": [Interval(Real, -1, 1, closed="both"), "array-like"],
        "n_tasks": [Interval(Integral, 1, None, closed="left")],
        "n_samples": [Interval(Integral, 1, None, closed="left")],
        "n_features": [Interval(Integral, 1, None, closed="left")],
        "n_terms": [Interval(Integral, 0, None, closed="left")],
        "scale": [Interval(Real, 0, None, closed="neither")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "shared_rows": ["boolean"],
        "return_X_y_tasks": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def make_correlated_tasks(
    correlation: Any = 0.5,
    *,
    n_tasks: int = 2,
    n_samples: int = 500,
    n_features: int = 20,
    n_terms: int = 4,
    scale: float = 1.0,
    noise: float = 0.1,
    shared_rows: bool = False,
    return_X_y_tasks: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Any:
    r"""Make regression tasks that depend on a linear form of the features, with correlated forms.

    The target of task k is

    .. math:: y_k = w_k \cdot x + \sum_{i=1}^{m} \sin(\alpha_i w_k \cdot x + \beta_i) + \varepsilon

    with standard normal features x. The vectors :math:`w_k` have the length `scale` and, pair by pair, the cosine
    `correlation`; the :math:`\alpha_i` (standard normal) and :math:`\beta_i` (uniform on :math:`[0, 2 \pi]`) are the
    same for all tasks; the noise is normal. With two tasks it is the construction that mixtures of experts were tested
    with [1]_; the constants there are the authors' own.

    Parameters
    ----------
    correlation : float or array-like of shape (n_tasks, n_tasks), default=0.5
        Cosine of the angle between the vectors of two tasks: 1 makes all tasks the same, 0 unrelated. A matrix gives
        each pair its own. It must be possible: for `n_tasks` tasks, a number of at least ``-1 / (n_tasks - 1)``.
    n_tasks : int, default=2
        Number of tasks.
    n_samples : int, default=500
        Number of rows of each task.
    n_features : int, default=20
        Number of features, at least `n_tasks`.
    n_terms : int, default=4
        Number of sines; without them the targets are linear.
    scale : float, default=1.0
        Length of the vectors.
    noise : float, default=0.1
        Standard deviation of the noise.
    shared_rows : bool, default=False
        Whether all tasks have a target on the same rows; `target` is then 2-D, with a column per task.
    return_X_y_tasks : bool, default=False
        Whether to return ``(data, target, tasks)`` instead of a Bunch.
    random_state : int, RandomState instance or None, default=None
        Source of the randomness; an int makes the result the same in every call.

    Returns
    -------
    bunch : :class:`~sklearn.utils.Bunch`
        With these attributes:

        data : ndarray of shape (n_tasks * n_samples, n_features)
            Features, task after task; with `shared_rows` of shape (n_samples, n_features).
        target : ndarray of shape (n_tasks * n_samples,)
            Targets; with `shared_rows` of shape (n_samples, n_tasks).
        tasks : ndarray of shape (n_tasks * n_samples,), or None
            Task of each row, from 0 to ``n_tasks - 1``; None with `shared_rows`.
        weights : ndarray of shape (n_tasks, n_features)
            The vectors that were planted.
        correlation : ndarray of shape (n_tasks, n_tasks)
            The cosines that were planted.
        alphas, betas : ndarray of shape (n_terms,)
            Frequencies and phases of the sines.
        DESCR : str
            Description in words.
    (data, target, tasks) : tuple
        Instead, with ``return_X_y_tasks=True``.

    Raises
    ------
    ValueError
        If no vectors have these correlations, or there are fewer features than tasks.

    References
    ----------
    .. [1] J. Ma et al., "Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts", KDD
       2018.

    Examples
    --------
    >>> from skmtl.datasets import make_correlated_tasks
    >>> bunch = make_correlated_tasks(0.9, random_state=0)
    >>> bunch.data.shape, bunch.target.shape
    ((1000, 20), (1000,))
    >>> float((bunch.weights[0] @ bunch.weights[1]).round(6))
    0.9
    """
    cosines = _check_correlation(correlation, n_tasks)
    if n_features < n_tasks:
        raise ValueError(f"'n_features' must be at least 'n_tasks', which is {n_tasks}. Got {n_features}.")
    rng = np.random.default_rng(check_random_state(random_state).randint(2**31 - 1))
    basis = np.linalg.qr(rng.standard_normal((n_features, n_tasks)))[0].T  # orthonormal rows
    values, vectors = np.linalg.eigh(cosines)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))  # root @ root.T is the matrix, even where it is singular
    weights = scale * root @ basis
    alphas, betas = rng.standard_normal(n_terms), rng.uniform(0.0, 2.0 * np.pi, n_terms)

    n_rows = n_samples if shared_rows else n_samples * n_tasks
    data = rng.standard_normal((n_rows, n_features))
    tasks = None if shared_rows else np.repeat(np.arange(n_tasks), n_samples)
    forms = data @ weights.T if tasks is None else np.einsum("ij,ij->i", data, weights[tasks])
    target = forms + np.sin(alphas * forms[..., None] + betas).sum(axis=-1)
    target += noise * rng.standard_normal(target.shape)
    if return_X_y_tasks:
        return data, target, tasks
    return Bunch(
        data=data,
        target=target,
        tasks=tasks,
        weights=weights,
        correlation=cosines,
        alphas=alphas,
        betas=betas,
        DESCR=(
            f"{n_tasks} tasks of {n_samples} rows{', the same for all tasks,' if shared_rows else ''} and {n_features} "
            f"features: a linear form and {n_terms} sines of it, noise of standard deviation {noise:g}."
        ),
    )


def _check_correlation(correlation: Any, n_tasks: int) -> np.ndarray:
    """Return a matrix of cosines that vectors can have."""
    if np.ndim(correlation) == 0:
        cosines = np.full((n_tasks, n_tasks), float(correlation))
        np.fill_diagonal(cosines, 1.0)
    else:
        cosines = np.asarray(correlation, dtype=np.float64)
        if cosines.shape != (n_tasks, n_tasks):
            raise ValueError(
                f"'correlation' as a matrix must be of shape ({n_tasks}, {n_tasks}), one row for each task. Got "
                f"shape {cosines.shape}."
            )
        if not np.allclose(cosines, cosines.T) or not np.allclose(np.diag(cosines), 1.0):
            raise ValueError("'correlation' as a matrix must be symmetric, with ones on its diagonal.")
    lowest = float(np.linalg.eigvalsh(cosines)[0])
    if lowest < -1e-9:
        raise ValueError(
            f"'correlation' is not possible for {n_tasks} tasks: the matrix of cosines has the negative eigenvalue "
            f"{lowest:.3g}. A number must be at least {-1 / max(n_tasks - 1, 1):.3g}."
        )
    return cosines
