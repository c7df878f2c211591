"""`tasks` is requested by every method that takes it, and by no other."""

from __future__ import annotations

import pytest
import sklearn
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.metaestimators import available_if

from skmtl.tasks import TaskRequests


class Base(TaskRequests, BaseEstimator):
    def fit(self, X, y, *, tasks=None, sample_weight=None):
        return self

    def predict(self, X, *, tasks=None):
        return X


class Regressor(RegressorMixin, Base):
    """Has the `score` of scikit-learn, which takes no tasks."""


class Scored(Base):
    def score(self, X, y, *, tasks=None):
        return 0.0

    @available_if(lambda self: True)
    def predict_proba(self, X, *, tasks=None):
        return X

    def decision_function(self, X):
        return X


def requests(cls):
    routing = get_routing_for_object(cls())
    return {method: getattr(routing, method).requests for method in ["fit", "predict", "predict_proba", "score"]}


def test_methods_that_take_tasks_request_them():
    assert requests(Base)["fit"] == {"tasks": True, "sample_weight": None}
    assert requests(Base)["predict"] == {"tasks": True}
    assert requests(Scored)["score"] == {"tasks": True}
    assert requests(Scored)["predict_proba"] == {"tasks": True}


def test_methods_that_are_not_there_or_take_no_tasks_request_none():
    assert requests(Base)["predict_proba"] == {}
    assert requests(Base)["score"] == {}
    assert requests(Regressor)["score"] == {"sample_weight": None}
    assert get_routing_for_object(Scored()).decision_function.requests == {}
    assert not hasattr(Base(), "set_predict_proba_request")
    assert not hasattr(Base(), "set_score_request")


def test_requests_are_inherited():
    class Child(Scored):
        pass

    assert requests(Child) == requests(Scored)


def test_a_class_may_say_otherwise():
    class Never(Base):
        __metadata_request__predict = {"tasks": False}

    assert requests(Never)["predict"] == {"tasks": False}
    assert requests(Never)["fit"]["tasks"] is True


def test_a_child_that_adds_tasks_to_a_method_requests_them():
    class Child(Regressor):
        def score(self, X, y, *, tasks=None, sample_weight=None):
            return 0.0

    assert requests(Child)["score"] == {"tasks": True, "sample_weight": None}
    assert requests(Regressor)["score"] == {"sample_weight": None}


@pytest.mark.parametrize("method", ["fit", "predict", "score"])
def test_set_request_changes_one_instance_only(method):
    with sklearn.config_context(enable_metadata_routing=True):
        model = getattr(Scored(), f"set_{method}_request")(tasks="school")
    assert getattr(get_routing_for_object(model), method).requests["tasks"] == "school"
    assert requests(Scored)[method]["tasks"] is True
