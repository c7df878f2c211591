"""The regressor."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._shared.regressor import TaskRegressorMixin
from .._sklearn import StrOptions, _fit_context
from ..losses import REGRESSION_LOSSES, resolve_loss
from ._base import BaseMultiTask


class MultiTaskRegressor(TaskRegressorMixin, BaseMultiTask):
    """Neural multi-task regression.

    A network is put together from an architecture (how tasks share it), a loss and a balancing method (how the losses
    and gradients of tasks are combined), and trained by skorch on tensors in memory. Numbers are scaled and embedded,
    missing values marked, categories embedded inside. Tasks are given to every method as `tasks`, or as a column of X
    (`task_column`), or as the columns of a 2-D `y`; with neither, there is one task. The default is a trunk of several
    networks in one [1]_ with an embedding of the task, and heads that differ by task.

    Parameters
    ----------
    architecture : str or object, default="hard_sharing"
        How tasks share the network: "hard_sharing", "cross_stitch", "mmoe", "cgc", "ple", or an object of
        :mod:`skmtl.neural.architectures`, or any with a method ``build(n_features, outputs)``.
    loss : str or Loss, default="squared_error"
        Loss to minimise: a name, or an object of :mod:`skmtl.losses` with a form for nets. Parameters in the unit of y,
        such as the delta of the Huber loss, are in units of the scaled target.
    balancing : str, object or None, default=None
        How the losses and gradients of tasks are combined. None: the mean over all targets, by weight. Otherwise a name
        of ``skmtl.neural.balancing.BALANCINGS`` such as "uw" or "pcgrad", an aggregator or scalarizer of torchjd, or an
        object of :mod:`skmtl.neural.balancing`; these start from the mean loss of every task.
    regularizer : str, object or None, default=None
        A further loss: "rep_mtl", or an object of :mod:`skmtl.neural.regularizers`.
    task_column : str, int or None, default=None
        Column of X that holds the task label of each row, by name or position. It is taken out before learning. None:
        tasks come as `tasks` to the methods, or there is only one.
    task_weight : dict, "balanced" or None, default=None
        Weight of the targets of each task in the loss. None: every target weighs the same, a large task more than a
        small one; "balanced": every task weighs the same; a dict by task label, or by name or position of the column
        for a 2-D `y`, in which a task left out weighs 1.
    target_scaling : {"task", "pooled"} or None, default="task"
        Which level and spread of `y` are taken out before training and put back in `predict`. "task": those of each
        task, pulled towards the common ones where rows are few; "pooled": those of each column of y. Losses with a link
        of their own, such as "poisson", see `y` as it is.
    categorical_features : None, "from_dtype" or array-like, default="from_dtype"
        Categorical columns of X: positions, names, or a mask. "from_dtype": those of dtype category (pandas) or
        Categorical and Enum (polars). Their values may be of any kind; one not seen in `fit` counts as missing.
    numeric_embedding : {"piecewise_linear", "periodic"}, object or None, default="piecewise_linear"
        Embedding of numbers with more than a few distinct values; or an object of :mod:`skmtl.neural.embeddings`.
        None: numbers go in as they are, scaled.
    optimizer : str or type, default="adamw"
        "adam", "adamw", "nadam", "radam", "rmsprop", "sgd", or a class of :mod:`torch.optim`. "adamw" has a weight
        decay of 0.02 and betas of (0.9, 0.99), unless `net_params` says otherwise.
    lr : float, default=0.001
        Learning rate at its highest.
    lr_schedule : {"constant", "cosine", "flat_cosine"}, callable or None, default="flat_cosine"
        Learning rate over training, as a factor from the share of `max_epochs` that is done. "flat_cosine": flat for
        the first half, then falling to a hundredth. None: as for a scheduler among `callbacks`.
    max_epochs : int, default=60
        Most passes over the training rows.
    batch_size : int or "auto", default="auto"
        Rows per step. "auto": about 40 steps per pass, with 32 to 1024 rows, so that small tables train in seconds.
    gradient_clip : float or None, default=None
        Largest norm of the gradient of a step.
    early_stopping : "auto" or bool, default="auto"
        Whether to hold out rows of every task, and end with the weights that were best on them. "auto": from 500 rows
        on.
    validation_fraction : float, default=0.1
        Share of the rows of each task to hold out. Some of every task always stay in training.
    n_iter_no_change : int, default=16
        Training ends when so many epochs in a row have not improved the held-out loss.
    tol : float, default=1e-7
        Least fall of the held-out loss that counts as an improvement.
    unseen_tasks : {"shared", "error"}, default="shared"
        What to predict for a task not seen in `fit`. "shared": the mean of what the model says for every task; "error":
        raise ValueError.
    callbacks : list or None, default=None
        Callbacks of skorch.
    device : str, default="cpu"
        "cpu", "cuda", "mps", or "auto" for the best that is there.
    compile : bool, default=False
        Whether training steps call the module compiled by :func:`torch.compile`, to which ``compile__mode`` and the
        like go. Compiling takes from ten seconds to minutes in every fit, and on a CPU a C++ compiler. It goes with
        balancing methods that take one backward pass, and without a regularizer.
    net_params : dict or None, default=None
        Further parameters of skorch's net: names that begin with ``optimizer__``, ``callbacks__`` or ``compile__``, as
        ``{"optimizer__weight_decay": 0.1}``. ``set_params(optimizer__weight_decay=0.1)`` writes here.
    warm_start : bool, default=False
        Go on with the weights of the last `fit`, for `max_epochs` more.
    verbose : int or "bar", default=0
        1: print a line for every epoch, with a column for every task if they are few; "bar": show a progress bar (extra
        ``progress``).
    random_state : int, RandomState instance or None, default=None
        Source of all randomness: held-out rows, first weights, order of the rows, dropout. The generators of torch and
        NumPy stay as they are.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted task labels seen in :meth:`fit`; for a 2-D `y` without task labels, the names or positions of its
        columns.
    net_ : skorch.NeuralNet
        The trained net; the module is ``net_.module_``.
    history_ : list of dict
        Losses and times of the epochs.
    n_iter_ : int
        Number of epochs.
    n_features_in_ : int
        Number of columns of X, a task column included.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns of X, where it has names.

    See Also
    --------
    MultiTaskClassifier : The classifier.

    References
    ----------
    .. [1] Y. Gorishniy, A. Kotelnikov, A. Babenko, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
       Ensembling", ICLR 2025.

    Examples
    --------
    >>> from skmtl.neural import MultiTaskRegressor
    >>> X = [[0.0], [1.0], [2.0], [3.0]] * 6
    >>> y = [0.0, 1.0, 2.0, 3.0] * 3 + [3.0, 2.0, 1.0, 0.0] * 3
    >>> tasks = ["up"] * 12 + ["down"] * 12
    >>> model = MultiTaskRegressor(lr=0.01, random_state=0).fit(X, y, tasks=tasks)
    >>> abs(model.predict([[0.0], [0.0]], tasks=["up", "down"]).round())
    array([0., 3.])
    """

    _parameter_constraints: dict = {
        "loss": [str, object],
        **BaseMultiTask._parameter_constraints,
        "target_scaling": [StrOptions({"task", "pooled"}), None],
    }

    def __init__(
        self,
        architecture: Any = "hard_sharing",
        loss: Any = "squared_error",
        balancing: Any = None,
        *,
        regularizer: Any = None,
        task_column: str | int | None = None,
        task_weight: Any = None,
        target_scaling: str | None = "task",
        categorical_features: Any = "from_dtype",
        numeric_embedding: Any = "piecewise_linear",
        optimizer: Any = "adamw",
        lr: float = 0.001,
        lr_schedule: Any = "flat_cosine",
        max_epochs: int = 60,
        batch_size: int | str = "auto",
        gradient_clip: float | None = None,
        early_stopping: str | bool = "auto",
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 16,
        tol: float = 1e-7,
        unseen_tasks: str = "shared",
        callbacks: Any = None,
        device: str = "cpu",
        compile: bool = False,
        net_params: Any = None,
        warm_start: bool = False,
        verbose: int | str = 0,
        random_state: Any = None,
    ) -> None:
        self.architecture = architecture
        self.loss = loss
        self.balancing = balancing
        self.regularizer = regularizer
        self.task_column = task_column
        self.task_weight = task_weight
        self.target_scaling = target_scaling
        self.categorical_features = categorical_features
        self.numeric_embedding = numeric_embedding
        self.optimizer = optimizer
        self.lr = lr
        self.lr_schedule = lr_schedule
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.gradient_clip = gradient_clip
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.unseen_tasks = unseen_tasks
        self.callbacks = callbacks
        self.device = device
        self.compile = compile
        self.net_params = net_params
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> MultiTaskRegressor:
        """Fit the model.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features; NaN is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets; in two dimensions every column is a task, and NaN means not observed.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row: strings, numbers or categories.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights, zero or positive. A weight of 0 counts as no row; in tables of up to 1000 rows a weight of 2 counts
            as the row given twice.

        Returns
        -------
        self : MultiTaskRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or an input is out of its range, lengths differ, labels are missing, or both `tasks` and
            `task_column` are given; the estimator stays as it was. Also if the training loss becomes NaN or infinite;
            the estimator then has the best weights from before.
        TypeError
            If X is sparse, labels cannot be sorted, or the loss has no form for nets.
        """
        return self._fit(X, y, tasks, sample_weight, go_on=self.warm_start)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> MultiTaskRegressor:
        """Train for one more epoch, on these rows.

        The first call decides on scales, categories and tasks. No rows are held out.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features; NaN is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row. The first call must have rows of every task.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights, zero or positive.

        Returns
        -------
        self : MultiTaskRegressor
            The estimator.

        Raises
        ------
        ValueError
            As for :meth:`fit`, and for a task that the first call did not have.
        """
        return self._fit(X, y, tasks, sample_weight, go_on=True, epochs=1)

    def predict(self, X: Any, *, tasks: Any = None) -> np.ndarray:
        """Predict targets.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, in the unit of `y`.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        values = self._predicted(*self._read(X, tasks))
        return values if self._two_dimensional else values[:, 0]

    # Targets ---------------------------------------------------------------------------------------------------------

    def _resolve_loss(self, loss=None):
        return resolve_loss(self.loss if loss is None else loss, REGRESSION_LOSSES, form="torch")

    def _target_scale(self, loss):
        return "none" if self.target_scaling is None or not _has_identity_link(loss) else self.target_scaling

    def _starts_per_unit(self, loss):
        return not _has_identity_link(loss) or self.target_scaling != "task"

    def _code_target(self, pairs, n_units, classes, go_on):
        return np.ascontiguousarray(pairs.values, dtype=np.float64), None, None

    def _classes_of_rows(self, dense):
        return None

    def _publish(self):
        pass


def _has_identity_link(loss):
    """Whether raw predictions of a loss are predictions, so that the target may be shifted and scaled."""
    raw = np.array([[-1.5], [0.0], [2.5]])
    return loss.n_outputs_for() == 1 and np.array_equal(loss.inverse_link(raw), raw[:, 0])
