"""Losses side by side: every loss of the suite in RMTGB, in LightGBM and in a net."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from skmtl.benchmark._models import Model, SkmtlModel
from skmtl.benchmark._nets import Net
from skmtl.benchmark._protocol import Table
from skmtl.losses import AnyLoss, CompSumLoss, FocalLoss, OrdinalCrossEntropy, SphericalSoftmaxLoss, ZLoss

_LOSSES: dict[str, Any] = {
    "log loss": "log_loss",
    "focal, gamma 2": FocalLoss(gamma=2.0),
    "focal, alpha 0.75": FocalLoss(alpha=0.75),
    "AnyLoss for F1": AnyLoss("f1"),
    "CompSum, tau 1.7": CompSumLoss(1.7),
    "spherical softmax": SphericalSoftmaxLoss(),
    "Z-loss": ZLoss(),
    "CORAL": OrdinalCrossEntropy("coral"),
    "CORN": OrdinalCrossEntropy("corn"),
    "cumulative logit": OrdinalCrossEntropy("cumulative_logit"),
}
#: Losses for each kind of table: a rare class, wrong labels, ordered classes.
RARE = ("log loss", "focal, gamma 2", "focal, alpha 0.75", "AnyLoss for F1")
WRONG = ("log loss", "CompSum, tau 1.7", "spherical softmax", "Z-loss")
ORDERED = ("log loss", "CORAL", "CORN", "cumulative logit")


class _WithLoss(SkmtlModel):
    """A classifier of skmtl with defaults, but for the loss."""

    loss: ClassVar[Any]
    family: ClassVar[str]

    @classmethod
    def reason_unsupported(cls, table: Table) -> str | None:
        """Refuse a regression."""
        return "is for classification" if table.n_classes is None else None


class _RMTGBLoss(_WithLoss):
    family = "RMTGB"
    n_warm_up_rows = 10_000
    compiles = True

    def make(self, table: Table) -> Any:
        from skmtl.boosting import RMTGBClassifier

        return RMTGBClassifier(self.loss, unseen_classes="shared", n_jobs=self.n_threads, random_state=self.seed)


class _LightGBMLoss(_WithLoss):
    family = "LightGBM"
    needs: ClassVar = {"lightgbm": "lightgbm"}

    def make(self, table: Table) -> Any:
        from skmtl.boosting import LightGBMClassifier

        return LightGBMClassifier(self.loss, unseen_classes="shared", n_jobs=self.n_threads, random_state=self.seed)


class _NetLoss(_WithLoss, Net):
    family = "Net"

    def make(self, table: Table) -> Any:
        return super().make(table).set_params(loss=self.loss)


def _with_loss(base: type[_WithLoss], words: str) -> type[Model]:
    """Return the model of an estimator with a loss."""
    name = f"{base.__name__.strip('_')}{''.join(filter(str.isalnum, words.title()))}"
    made = type(name, (base,), {"loss": _LOSSES[words], "label": f"{base.family}, {words}", "space": {}})
    made.__doc__ = f"{base.family} with the loss in its name."
    return made


def names_of(losses: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the models with these losses."""
    return tuple(f"{base.family.lower()}: {words}" for base in _BASES for words in losses)


_BASES: tuple[type[_WithLoss], ...] = (_RMTGBLoss, _LightGBMLoss, _NetLoss)
LOSS_MODELS: dict[str, type[Model]] = {
    f"{base.family.lower()}: {words}": _with_loss(base, words) for base in _BASES for words in _LOSSES
}


def wrong_labels(y: np.ndarray, share: float, n_classes: int) -> np.ndarray:
    """Return labels of which a share was drawn anew, each class as likely as any other."""
    rng = np.random.default_rng(0)
    return np.where(rng.random(len(y)) < share, rng.integers(0, n_classes, len(y)), y)
