"""The classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from .._shared.classes import TaskClasses, restrict_columns
from .._shared.classifier import TaskClassifierMixin, has_one_target
from .._sklearn import StrOptions, _fit_context
from ..losses import CLASSIFICATION_LOSSES, resolve_loss
from ._base import BaseMultiTask
from ._factored import rows_at_once


class MultiTaskClassifier(TaskClassifierMixin, BaseMultiTask):
    """Neural multi-task classification.

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
    loss : str or Loss, default="log_loss"
        Loss to minimise: a name, or an object of :mod:`skmtl.losses` with a form for nets.
    balancing : str, object or None, default=None
        How the losses and gradients of tasks are combined. None: the mean over all targets, by weight. Otherwise a name
        of ``skmtl.neural.balancing.BALANCINGS`` such as "uw" or "pcgrad", an aggregator or scalarizer of torchjd, or an
        object of :mod:`skmtl.neural.balancing`; these start from the mean loss of every task.
    regularizer : str, object or None, default=None
        A further loss: "rep_mtl", or an object of :mod:`skmtl.neural.regularizers`.
    output : {"dense", "factored"} or FactoredOutput, default="dense"
        How scores of the classes are made. "dense": by the heads. "factored": by a layer common to all tasks, whose
        cost does not depend on the number of classes; for very many classes (from about 10 000), with ``loss=ZLoss()``,
        ``SphericalSoftmaxLoss()`` or ``TaylorSoftmaxLoss()``, a 1-D `y`, and neither `balancing` nor `regularizer`. In
        training all classes then count in all tasks. See :class:`skmtl.neural.FactoredOutput`.
    task_column : str, int or None, default=None
        Column of X that holds the task label of each row, by name or position. It is taken out before learning. None:
        tasks come as `tasks` to the methods, or there is only one.
    task_weight : dict, "balanced" or None, default=None
        Weight of the targets of each task in the loss. None: every target weighs the same, a large task more than a
        small one; "balanced": every task weighs the same; a dict by task label, or by name or position of the column
        for a 2-D `y`, in which a task left out weighs 1.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the loss. "balanced": inversely proportional to the weight of its rows.
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
    unseen_classes : {"zero", "shared"}, default="zero"
        Probability of a class that a task never had in `fit`. "zero": none, in training as well; the other classes of
        the task share it all. "shared": what the model says, knowing the class from other tasks.
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
    classes_ : ndarray of shape (n_classes,), or list of them
        Class labels; for a 2-D `y` a list with those of each column.
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
    MultiTaskRegressor : The regressor.

    References
    ----------
    .. [1] Y. Gorishniy, A. Kotelnikov, A. Babenko, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
       Ensembling", ICLR 2025.

    Examples
    --------
    >>> from skmtl.neural import MultiTaskClassifier
    >>> X = [[0.0], [1.0], [2.0], [3.0]] * 6
    >>> y = ["low", "low", "high", "high"] * 3 + ["high", "high", "low", "low"] * 3
    >>> tasks = ["up"] * 12 + ["down"] * 12
    >>> model = MultiTaskClassifier(random_state=0).fit(X, y, tasks=tasks)
    >>> model.predict([[0.0], [0.0]], tasks=["up", "down"])
    array(['low', 'high'], dtype='<U4')
    """

    _parameter_constraints: dict = {
        "loss": [str, object],
        "output": [str, object],
        **BaseMultiTask._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "unseen_classes": [StrOptions({"zero", "shared"})],
    }

    def __init__(
        self,
        architecture: Any = "hard_sharing",
        loss: Any = "log_loss",
        balancing: Any = None,
        *,
        regularizer: Any = None,
        output: Any = "dense",
        task_column: str | int | None = None,
        task_weight: Any = None,
        class_weight: Any = None,
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
        unseen_classes: str = "zero",
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
        self.output = output
        self.task_column = task_column
        self.task_weight = task_weight
        self.class_weight = class_weight
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
        self.unseen_classes = unseen_classes
        self.callbacks = callbacks
        self.device = device
        self.compile = compile
        self.net_params = net_params
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    _classes: TaskClasses
    classes_: Any

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, *, tasks: Any = None, sample_weight: Any = None) -> MultiTaskClassifier:
        """Fit the model.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features; NaN is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels; in two dimensions every column is a task, and NaN means not observed.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row: strings, numbers or categories.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights, zero or positive. A weight of 0 counts as no row; in tables of up to 1000 rows a weight of 2 counts
            as the row given twice.

        Returns
        -------
        self : MultiTaskClassifier
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
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, *, tasks: Any = None, sample_weight: Any = None
    ) -> MultiTaskClassifier:
        """Train for one more epoch, on these rows.

        The first call decides on scales, categories, tasks and classes. No rows are held out.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features; NaN is a missing value.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels.
        classes : array-like of shape (n_classes,) or None, default=None
            All labels that are to come, in the first call. None: those of its `y`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row. The first call must have rows of every task.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights, zero or positive.

        Returns
        -------
        self : MultiTaskClassifier
            The estimator.

        Raises
        ------
        ValueError
            As for :meth:`fit`, and for a task or class that the first call did not have.
        """
        return self._fit(X, y, tasks, sample_weight, go_on=True, epochs=1, classes=classes)

    @available_if(has_one_target)
    def decision_function(self, X: Any, *, tasks: Any = None) -> Any:
        """Compute scores, for a 1-D `y`: logarithms of the predicted odds, or of the probabilities.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Features, with the columns of `fit`.
        tasks : array-like of shape (n_samples,) or None, default=None
            Task label of each row; needed after a `fit` on several tasks.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the logarithm of the odds of the second, otherwise the logarithm of each class's
            probability; bounded where a probability is zero.

        Raises
        ------
        ValueError
            If tasks are needed and not given, or a task is unseen and ``unseen_tasks="error"``.
        """
        logs = np.log(np.maximum(self._probabilities(X, tasks)[:, 0], np.finfo(np.float64).tiny))
        return logs[:, 1] - logs[:, 0] if logs.shape[1] == 2 else logs

    # Targets ---------------------------------------------------------------------------------------------------------

    def _resolve_loss(self, loss=None):
        return resolve_loss(self.loss if loss is None else loss, CLASSIFICATION_LOSSES, form="torch")

    def _target_scale(self, loss):
        return "none"

    def _starts_per_unit(self, loss):
        return True

    def _code_target(self, pairs, n_units, classes, go_on):
        if go_on or classes is not None:
            if go_on:
                known = self._classes
            else:
                labels = np.unique(np.asarray(classes))
                nothing = np.zeros((n_units, len(labels)), bool)
                known = TaskClasses(labels, nothing, nothing[: pairs.n_outputs].copy())
            position = np.minimum(np.searchsorted(known.labels, pairs.values), len(known.labels) - 1)
            new = np.unique(pairs.values[known.labels[position] != pairs.values])
            if len(new):
                raise ValueError(
                    f"'y' must have no classes that the first fit did not have. Got {new[:5].tolist()}; known are "
                    f"{known.labels[:5].tolist()}."
                )
            self._classes, coded = known.extend(pairs)
        else:
            check_classification_targets(pairs.values)
            self._classes, coded = TaskClasses.learn(pairs, n_units, type(self).__name__)
        of_unit = self._classes.of_unit
        # A unit without rows so far (partial_fit) is not restricted.
        restricted = self.unseen_classes == "zero" and not of_unit[of_unit.any(axis=1)].all()
        allowed = np.where(of_unit.any(axis=1, keepdims=True), of_unit, True) if restricted else None
        return coded.astype(np.float64), len(self._classes.labels), allowed

    def _classes_of_rows(self, dense):
        """Class of each row, where a row has one."""
        return dense[:, 0] if dense.shape[1] == 1 else None

    def _publish(self):
        self._publish_classes()

    # Predictions -----------------------------------------------------------------------------------------------------

    def _predicted_labels(self, X, tasks):
        values, codes = self._read(X, tasks)
        size = len(values)
        if hasattr(self.net_.module_, "output_layer"):  # never the probabilities of all rows at once
            size = rows_at_once(len(self._classes.labels))
        parts = [
            self._labels(self._restricted(values[i : i + size], codes[i : i + size]))
            for i in range(0, len(values), size)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _probabilities(self, X, tasks):
        return self._restricted(*self._read(X, tasks))

    def _restricted(self, values, codes):
        return restrict_columns(self._predicted(values, codes), self._classes.allowed(codes, self.unseen_classes))
