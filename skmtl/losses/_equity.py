"""Weights of rows by how common rows like them are."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_array, check_random_state

from ._checks import check_number, check_option


class SampleEquityWeights(BaseEstimator):
    r"""Sample weights that count rows of rare kinds in full and rows of common kinds less.

    Rows are embedded and clustered. A row whose cluster makes its likelihood p has the weight

    .. math:: w = \frac{\eta + (1 - p)^\gamma}{\eta + 1},

    from :math:`\eta / (\eta + 1)` to 1 [1]_. The weights are an ordinary `sample_weight`: they serve every estimator
    and every loss. Compute them on training rows only. Whether they help is a question to a validation set: rare rows
    may also be noise.

    Parameters
    ----------
    eta : float, default=1.0
        The least weight, relative to the difference between the largest and the least one.
    gamma : float, default=5.0
        How fast the weight falls with the likelihood; 0: all weights are equal.
    embedder : {"pca", "tsne"}, callable or None, default="pca"
        From standardised columns of X to what is clustered: the leading ten principal components, three dimensions of
        t-SNE, a function of X (not standardised), or None, which leaves the standardised columns.
    clusterer : clusterer or None, default=None
        Clusterer of scikit-learn with ``fit_predict``; the label -1 is noise. None: HDBSCAN with clusters of at least
        ten rows.
    likelihood : {"scaled", "raw"}, default="scaled"
        Size of a row's cluster over that of the largest cluster, or over the number of rows. With many clusters the
        second is near zero for all rows, and all weights are near 1.
    noise : {"cluster", "singleton", "max_weight"}, default="cluster"
        Rows that are noise: one cluster together [1]_, which may be a large one and so makes outliers count less; a
        cluster each; or the weight 1.
    normalize : bool, default=True
        Scale the weights to a mean of 1, so that penalties and leaf sizes keep their meaning.
    random_state : int, RandomState instance or None, default=None
        Source of chance of the embedding.

    Attributes
    ----------
    labels_ : ndarray of int of shape (n_samples,)
        Cluster of each row.
    likelihood_ : ndarray of shape (n_samples,)
        Likelihood of each row.
    sample_weight_ : ndarray of shape (n_samples,)
        Weights.

    References
    ----------
    .. [1] S. Shrivastava, X. Zhang, S. Nagesh, A. Parchami, "DatasetEquity: are all samples created equal?", ICCV
       Workshops 2023. arXiv 2308.09878.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.cluster import KMeans
    >>> from skmtl.losses import SampleEquityWeights
    >>> X = np.r_[np.zeros((90, 1)), np.ones((10, 1))]
    >>> weights = SampleEquityWeights(clusterer=KMeans(2, n_init=1, random_state=0), normalize=False)
    >>> weights.fit_sample_weight(X)[[0, 99]].round(3).tolist()
    [0.5, 0.777]
    """

    def __init__(
        self,
        *,
        eta: float = 1.0,
        gamma: float = 5.0,
        embedder: Any = "pca",
        clusterer: Any = None,
        likelihood: str = "scaled",
        noise: str = "cluster",
        normalize: bool = True,
        random_state: Any = None,
    ) -> None:
        self.eta = eta
        self.gamma = gamma
        self.embedder = embedder
        self.clusterer = clusterer
        self.likelihood = likelihood
        self.noise = noise
        self.normalize = normalize
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> SampleEquityWeights:
        """Compute the weights of the rows of X.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, numbers without missing values.
        y : None
            Not used.

        Returns
        -------
        self : SampleEquityWeights
            With the weights as `sample_weight_`.

        Raises
        ------
        ValueError
            If a parameter is out of its range, X is not a table of finite numbers, or the clusterer or the embedder
            does not answer with one row or label for each row of X.
        """
        eta = check_number("eta", self.eta, 0.0)
        gamma = check_number("gamma", self.gamma, 0.0)
        check_option("likelihood", self.likelihood, ("scaled", "raw"))
        check_option("noise", self.noise, ("cluster", "singleton", "max_weight"))
        X = check_array(X, dtype=np.float64, ensure_min_samples=2, input_name="X")
        labels = np.asarray(self._clusterer(len(X)).fit_predict(self._embed(X)))
        if labels.shape != (len(X),):
            raise ValueError(f"'clusterer' must give one label to each of the {len(X)} rows. Got shape {labels.shape}.")
        codes = np.unique(labels, return_inverse=True)[1]
        sizes = np.bincount(codes)[codes].astype(np.float64)
        if self.noise != "cluster":
            sizes[labels == -1] = 1.0 if self.noise == "singleton" else 0.0
        self.labels_ = labels
        self.likelihood_ = sizes / (max(sizes.max(), 1.0) if self.likelihood == "scaled" else len(X))
        weight = (eta + (1.0 - self.likelihood_) ** gamma) / (eta + 1.0)
        if not np.any(weight > 0.0):
            raise ValueError("All weights are zero: with eta=0 and rows of one kind nothing is left. Raise 'eta'.")
        self.sample_weight_ = weight / weight.mean() if self.normalize else weight
        return self

    def fit_sample_weight(self, X: Any) -> np.ndarray:
        """Compute the weights of the rows of X and return them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Features, numbers without missing values.

        Returns
        -------
        sample_weight : ndarray of shape (n_samples,)
            Weights, for the `sample_weight` of any estimator.
        """
        return self.fit(X).sample_weight_

    def _clusterer(self, n_rows):
        if self.clusterer is not None:
            return clone(self.clusterer)
        from sklearn.cluster import HDBSCAN

        return HDBSCAN(min_cluster_size=min(10, n_rows), copy=True)

    def _embed(self, X):
        if callable(self.embedder):
            out = np.asarray(self.embedder(X))
            if out.ndim != 2 or len(out) != len(X):
                raise ValueError(
                    f"'embedder' must return one row for each of the {len(X)} rows. Got shape {out.shape}."
                )
            return out
        if self.embedder is not None:
            check_option("embedder", self.embedder, ("pca", "tsne"))
        spread = X.std(axis=0)
        X = (X - X.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        if self.embedder == "pca":
            from sklearn.decomposition import PCA

            return PCA(min(10, *X.shape), random_state=seed).fit_transform(X)
        if self.embedder == "tsne":
            from sklearn.manifold import TSNE

            start = "pca" if min(X.shape) >= 3 else "random"
            return TSNE(3, perplexity=min(30.0, (len(X) - 1) / 3.0), init=start, random_state=seed).fit_transform(X)
        return X
