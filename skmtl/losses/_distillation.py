"""Losses by which a net learns from a classifier that is fitted already."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.base import clone

from ._base import ClassificationLoss
from ._checks import check_number
from ._classification import LogLoss
from ._links import softmax_link
from ._teacher import check_teacher, teacher_logits
from ._torch import log_probability


class _Taught(ClassificationLoss):
    """A loss with a teacher. Copies of the loss have the same teacher, fitted as it is."""

    def __sklearn_clone__(self):
        parameters = self.get_params(deep=False)
        return type(self)(**{k: v if k == "teacher" else clone(v, safe=False) for k, v in parameters.items()})

    def _check(self):
        check_teacher(self.teacher)
        check_number("temperature", self.temperature, 0.0, open_low=True)
        if not isinstance(self.norm, bool):
            raise ValueError(f"'norm' must be True or False. Got {self.norm!r}.")

    def prepare(self, y, weight=None, n_classes=None):
        """See :class:`Loss`; the copy has no teacher, whose logits come with the rows."""
        self._check()
        loss = super().prepare(y, weight, n_classes)
        loss.teacher = None
        return loss

    def row_inputs(self, X, tasks, classes):
        """Logits of the teacher; see :class:`Loss`."""
        return teacher_logits(self.teacher, X, tasks, classes.labels, classes.of_column)

    def _distance(self, raw, given, allowed):
        """Distance of the logits from the teacher's, summed over classes, (n_rows,)."""
        if given is None:
            raise ValueError(f"{type(self).__name__} needs the logits of the teacher, 'given'.")
        terms = _binary_kl(raw, given, self.temperature, self.norm)
        return (terms if allowed is None else terms.masked_fill(~allowed, 0.0)).sum(dim=1)


class BinaryKLLoss(_Taught):
    r"""Distance of a net's logits from those of a teacher, class by class; the labels do not count.

    For logits s of the net and t of the teacher, and a temperature T, the loss of a row is
    :math:`T^2 \sum_k \mathrm{KL}(\tfrac12 \,\|\, \sigma((s_k - t_k) / T)) = T^2 \sum_k \log\cosh((s_k - t_k) / (2T))`,
    or without `norm` :math:`T^2 \sum_k \mathrm{KL}(\sigma(t_k / T) \,\|\, \sigma(s_k / T))` between Bernoulli
    distributions [1]_. Unlike the distance of softmax probabilities it also says how large the logits are to be.

    There is one raw prediction for each class, for two classes too. For nets only.

    Parameters
    ----------
    teacher : classifier or None, default=None
        Fitted classifier of this library or of scikit-learn, for the same labels; needed. Its logits are the logarithms
        of its probabilities, less their mean over the classes, or its decision function where it has no probabilities.
        A net fitted with task labels hands them on, unless the teacher has a `task_column` or takes no tasks. Copies of
        the loss have the same teacher.
    temperature : float, default=2.0
        T; differences of logits beyond it count as absolute values, smaller ones as squares.
    norm : bool, default=True
        Whether the loss is a function of the differences of logits.

    See Also
    --------
    DualHeadDistillationLoss : Learns from labels and teacher, by a head for each.

    References
    ----------
    .. [1] P. Yang, C.-C. Zong, S.-J. Huang, L. Feng, B. An, "Dual-head knowledge distillation: enhancing logits
       utilization with an auxiliary head", 2024. arXiv 2411.08937.

    Examples
    --------
    >>> import torch
    >>> from skmtl.losses import BinaryKLLoss
    >>> logits, teacher = torch.tensor([[1.0, -2.0, 0.5]]), torch.tensor([[2.0, -1.0, -0.5]])
    >>> BinaryKLLoss().torch_rows(logits, torch.tensor([0]), given=teacher)
    tensor([0.3712])
    """

    def __init__(self, teacher: Any = None, *, temperature: float = 2.0, norm: bool = True) -> None:
        self.teacher = teacher
        self.temperature = temperature
        self.norm = norm

    def n_outputs_for(self, n_classes=None):
        """One for each class."""
        return n_classes

    def initial_raw(self, y, weight=None):
        """Zeros, the mean of the teacher's logits."""
        return np.zeros(self.n_outputs)

    def inverse_link(self, raw):
        """Softmax over the logits."""
        return softmax_link(raw)

    def torch_rows(self, raw, y, allowed=None, given=None):
        """See :class:`Loss`; `given` are the logits of the teacher, (n_rows, n_classes)."""
        return self._distance(raw, given, allowed)


class DualHeadDistillationLoss(_Taught):
    r"""Cross-entropy of one head and the distance of another from the logits of a teacher.

    The loss of a row is :math:`\gamma \cdot (-\log p_y) + \alpha \cdot d`, with the probability :math:`p_y` of the own
    class by the first head, and the distance d of :class:`BinaryKLLoss` of the second head from the teacher [1]_. The
    heads see the same representation; with one head for both the two parts pull the weights of the classes in opposite
    directions. Predictions come from the first head alone. The second is linear and has one output per class. For nets
    only.

    Parameters
    ----------
    teacher : classifier or None, default=None
        Fitted classifier of this library or of scikit-learn, for the same labels; needed. See :class:`BinaryKLLoss`.
    alpha, gamma : float, default=1.0
        Weights of the distance from the teacher and of the cross-entropy.
    temperature : float, default=2.0
        Temperature of the distance.
    norm : bool, default=True
        Whether the distance is a function of the differences of logits.
    align_gradients : bool, default=False
        Whether to take from the gradient of the distance what goes against the gradient of the cross-entropy. Needs
        ``balancing=None``.

    See Also
    --------
    BinaryKLLoss : The distance alone, with one head.

    References
    ----------
    .. [1] P. Yang, C.-C. Zong, S.-J. Huang, L. Feng, B. An, "Dual-head knowledge distillation: enhancing logits
       utilization with an auxiliary head", 2024. arXiv 2411.08937.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.boosting import RMTGBClassifier
    >>> from skmtl.losses import DualHeadDistillationLoss
    >>> from skmtl.neural import MultiTaskClassifier
    >>> X = np.linspace(-1.0, 1.0, 60)[:, None]
    >>> y, tasks = np.where(X[:, 0] > 0, "high", "low"), np.tile(["a", "b"], 30)
    >>> teacher = RMTGBClassifier(random_state=0).fit(X, y, tasks=tasks)
    >>> student = MultiTaskClassifier(loss=DualHeadDistillationLoss(teacher), random_state=0).fit(X, y, tasks=tasks)
    >>> student.predict([[0.9], [-0.9]], tasks=["a", "b"])
    array(['high', 'low'], dtype='<U4')
    """

    def __init__(
        self,
        teacher: Any = None,
        *,
        alpha: float = 1.0,
        gamma: float = 1.0,
        temperature: float = 2.0,
        norm: bool = True,
        align_gradients: bool = False,
    ) -> None:
        self.teacher = teacher
        self.alpha = alpha
        self.gamma = gamma
        self.temperature = temperature
        self.norm = norm
        self.align_gradients = align_gradients

    @property
    def in_parts(self):
        """Whether the gradients of the two parts are aligned."""
        return bool(self.align_gradients)

    def _check(self):
        super()._check()
        check_number("alpha", self.alpha, 0.0)
        check_number("gamma", self.gamma, 0.0)

    def n_outputs_for(self, n_classes=None):
        """Those of the log-loss, and one more for each class."""
        return super().n_outputs_for(n_classes) + n_classes

    def initial_raw(self, y, weight=None):
        """That of the log-loss, and zeros, the mean of the teacher's logits."""
        first = LogLoss().prepare(y, weight, self._n_classes).initial_raw(y, weight)
        return np.concatenate([first, np.zeros(self._n_classes)])

    def inverse_link(self, raw):
        """Probabilities by the first head."""
        first, _ = _heads(raw)
        return LogLoss().inverse_link(first)

    def torch_parts(self, raw: Any, y: Any, allowed: Any = None, given: Any = None) -> Any:
        """The two parts of the loss of each row.

        Parameters
        ----------
        raw : tensor of shape (n_rows, n_outputs)
            Raw predictions of both heads.
        y : tensor of shape (n_rows,)
            Index of the own class.
        allowed : bool tensor of shape (n_rows, n_classes) or None
            Classes that the task of the row has.
        given : tensor of shape (n_rows, n_classes)
            Logits of the teacher.

        Returns
        -------
        labels, teacher : tensors of shape (n_rows,)
            Weighted cross-entropy and weighted distance from the teacher.
        """
        first, second = _heads(raw)
        labels = -self.gamma * log_probability(first, y, allowed)
        return labels, self.alpha * self._distance(second, given, allowed)

    def torch_rows(self, raw, y, allowed=None, given=None):
        """See :class:`Loss`; `given` are the logits of the teacher, (n_rows, n_classes)."""
        labels, teacher = self.torch_parts(raw, y, allowed, given)
        return labels + teacher


def _heads(raw):
    """Raw predictions of the two heads: 1 and 2 for two classes, otherwise K and K."""
    n_first = 1 if raw.shape[1] == 3 else raw.shape[1] // 2
    return raw[:, :n_first], raw[:, n_first:]


def _binary_kl(s, t, temperature, norm):
    """Terms of the distance, (n_rows, n_classes)."""
    from torch.nn.functional import binary_cross_entropy_with_logits, softplus

    t = t.to(s.dtype)
    if norm:
        x = ((s - t) / (2.0 * temperature)).abs()
        return temperature**2 * (x + softplus(-2.0 * x) - math.log(2.0))  # log cosh x
    own = (t / temperature).sigmoid()
    entropy = binary_cross_entropy_with_logits(t / temperature, own, reduction="none")
    return temperature**2 * (binary_cross_entropy_with_logits(s / temperature, own, reduction="none") - entropy)
