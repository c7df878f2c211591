"""What an architecture offers."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.base import BaseEstimator


class Outputs(NamedTuple):  # numpydoc ignore=PR02
    """What a module has to predict.

    Parameters
    ----------
    n_tasks : int
        Number of tasks of rows; 1 if rows have no task label.
    n_columns : int
        Number of columns of y; 1 if y is 1-D.
    n_values : int
        Number of raw predictions that the loss asks for, such as one per class.
    """

    n_tasks: int
    n_columns: int
    n_values: int

    @property
    def n_units(self) -> int:
        """Number of prediction problems: one for each task and column."""
        return self.n_tasks * self.n_columns


class Architecture(BaseEstimator):
    """Base of the descriptions of architectures.

    A description holds parameters, as any estimator does, and builds a torch module from the number of features and the
    :class:`Outputs`. The module is called as ``module(x, tasks)`` with `x`, the features of a batch as floats of shape
    (n_rows, n_features) after scaling and embedding, and `tasks`, the number of each row's task, int64 of shape
    (n_rows,). It returns the raw predictions of the row's own task, of shape (n_rows, n_columns, n_values), or
    (n_rows, n_members, n_columns, n_values) if it is several models in one, whose losses and predictions are averaged.

    The module also has a method ``shared_parameters()``, which returns the list of the parameters that the losses of at
    least two tasks (or columns) reach; balancing acts on these. If the module keeps the representation that all tasks
    share in its attribute `representation` at every call, of shape (n_rows, width), regularizers can use it.

    Your own class need not derive from this one: any object with a method `build` will do.

    Examples
    --------
    >>> import torch
    >>> from skmtl.neural.architectures import Architecture
    >>> class Linear(Architecture):
    ...     def __init__(self, bias=True):
    ...         self.bias = bias
    ...
    ...     def build(self, n_features, outputs):
    ...         return LinearModule(n_features, outputs, self.bias)
    >>> class LinearModule(torch.nn.Module):
    ...     def __init__(self, n_features, outputs, bias):
    ...         super().__init__()
    ...         self.shape = tuple(outputs)
    ...         self.linear = torch.nn.Linear(n_features, outputs.n_units * outputs.n_values, bias)
    ...
    ...     def forward(self, x, tasks):
    ...         raw = self.linear(x).view(len(x), *self.shape)
    ...         return raw[torch.arange(len(x)), tasks]
    ...
    ...     def shared_parameters(self):
    ...         return []
    >>> from skmtl.neural import MultiTaskRegressor
    >>> model = MultiTaskRegressor(Linear(bias=False), random_state=0)
    """

    def build(self, n_features: int, outputs: Outputs) -> Any:
        """Build the module.

        Parameters
        ----------
        n_features : int
            Number of features that come out of scaling and embedding, at least 1.
        outputs : Outputs
            What is to be predicted.

        Returns
        -------
        module : torch.nn.Module
            The module, with random weights from torch's generator.
        """
        raise NotImplementedError(f"{type(self).__name__} must define 'build(n_features, outputs)'.")
