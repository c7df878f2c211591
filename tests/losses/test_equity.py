"""Sample weights by the size of a row's cluster."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import DBSCAN, KMeans

from skmtl.boosting import RMTGBClassifier
from skmtl.losses import SampleEquityWeights


class Given(BaseEstimator):
    """A clusterer that answers with labels given beforehand."""

    def __init__(self, labels):
        self.labels = labels

    def fit_predict(self, X):
        return np.array(self.labels)


def weights(labels, **params):
    X = np.arange(float(len(labels)))[:, None]
    return SampleEquityWeights(clusterer=Given(labels), **{"normalize": False, **params}).fit_sample_weight(X)


@pytest.mark.parametrize("gamma", [0.5, 5.0])
@pytest.mark.parametrize("eta", [0.3, 1.0, 3.0])
def test_weights_fall_from_one_to_their_least_value(eta, gamma):
    labels = [0] * 50 + [1] * 25 + [2] * 5 + [3]
    found = weights(labels, eta=eta, gamma=gamma)
    p = np.array([1.0, 0.5, 0.1, 0.02])
    np.testing.assert_allclose(found[[0, 50, 75, 80]], (eta + (1.0 - p) ** gamma) / (eta + 1.0))
    assert found[0] == pytest.approx(eta / (eta + 1.0))
    assert (np.diff(found) >= 0.0).all()


def test_published_value():
    assert weights([0] * 4 + [1] * 2)[-1] == pytest.approx(0.515625)


def test_special_cases():
    labels = [0] * 7 + [1] * 2
    np.testing.assert_allclose(weights(labels, gamma=0.0), 1.0)
    np.testing.assert_allclose(weights(labels, eta=1e9), 1.0)
    np.testing.assert_allclose(weights([0] * 9, normalize=True), 1.0)
    assert weights(labels, normalize=True).mean() == pytest.approx(1.0)


def test_raw_likelihood_is_the_share_of_the_rows():
    np.testing.assert_allclose(weights([0] * 8 + [1] * 2, likelihood="raw", eta=0.0, gamma=1.0)[[0, 9]], [0.2, 0.8])


@pytest.mark.parametrize(("noise", "expected"), [("cluster", 0.4), ("singleton", 0.9), ("max_weight", 1.0)])
def test_noise(noise, expected):
    labels = [0] * 10 + [-1] * 6
    assert weights(labels, noise=noise, eta=0.0, gamma=1.0)[-1] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("embedder", "clusterer"),
    [
        ("pca", None),
        ("pca", DBSCAN(eps=1.5)),
        (None, None),
        (lambda X: X[:, :1], DBSCAN(eps=1.5)),
        ("pca", KMeans(2, n_init=1, random_state=0)),
    ],
)
def test_rare_rows_weigh_more(embedder, clusterer):
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(size=(120, 3)), rng.normal(size=(15, 3)) + 40.0]
    found = SampleEquityWeights(embedder=embedder, clusterer=clusterer, random_state=0).fit_sample_weight(X)
    assert found[120:].mean() > 1.2 * found[:120].mean()


def test_an_estimator_is_cloned_and_answers_alike_for_one_seed():
    X = np.random.default_rng(0).normal(size=(60, 4))
    model = SampleEquityWeights(embedder="tsne", random_state=3)
    np.testing.assert_array_equal(model.fit_sample_weight(X), clone(model).fit_sample_weight(X))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"eta": -1.0}, r"'eta' must be a number in \[0, inf\)"),
        ({"gamma": "5"}, r"'gamma' must be a number in \[0, inf\)"),
        ({"likelihood": "log"}, "'likelihood' must be one of"),
        ({"noise": "drop"}, "'noise' must be one of"),
        ({"embedder": "umap"}, "'embedder' must be one of"),
        ({"embedder": lambda X: X[:2]}, "'embedder' must return one row for each of the 5 rows"),
        ({"clusterer": Given([0, 1])}, "'clusterer' must give one label to each of the 5 rows"),
        ({"eta": 0.0, "clusterer": Given([0] * 5)}, "All weights are zero"),
    ],
)
def test_bad_parameters_are_named(params, message):
    with pytest.raises(ValueError, match=message):
        SampleEquityWeights(**params).fit(np.arange(10.0).reshape(5, 2))


def test_rows_of_one_cluster_leave_a_model_as_it_was():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    y = (X[:, 0] > 0).astype(int)
    found = SampleEquityWeights(clusterer=KMeans(1, random_state=0), normalize=True).fit_sample_weight(X)
    np.testing.assert_allclose(found, 1.0)
    one, other = (
        RMTGBClassifier(max_iter=5, early_stopping=False, random_state=0).fit(X, y, sample_weight=weight)
        for weight in (found, None)
    )
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
