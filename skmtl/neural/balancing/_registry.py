"""Names of balancing methods."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from torchjd import aggregation, scalarization

from .._names import nearest
from ._aligned import AlignedParts
from ._base import Balancer, Balancing
from ._flat_regions import FlatRegions
from ._gradnorm import DBMTL, GradNorm
from ._torchjd import AggregatorBalancer, ScalarBalancer, WeightedTotal, copies_of

#: Aggregators of torchjd by name, with the parameters that torchjd leaves to the user.
AGGREGATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "aligned_mtl": ("AlignedMTL", {}),
    "cagrad": ("CAGrad", {"c": 0.4}),
    "config": ("ConFIG", {}),
    "dual_proj": ("DualProj", {}),
    "excess_mtl": ("ExcessMTL", {}),
    "fairgrad": ("FairGrad", {"alpha": 1.0}),
    "graddrop": ("GradDrop", {}),
    "gradvac": ("GradVac", {}),
    "imtl_g": ("IMTLG", {}),
    "krum": ("Krum", {"n_byzantine": 1}),
    "mgda": ("MGDA", {}),
    "nash_mtl": ("NashMTL", {}),
    "pcd": ("PCD", {}),
    "pcgrad": ("PCGrad", {}),
    "trimmed_mean": ("TrimmedMean", {"trim_number": 1}),
    "upgrad": ("UPGrad", {}),
}
#: Scalarisations of torchjd by name.
SCALARIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "dwa": ("DWA", {}),
    "famo": ("FAMO", {}),
    "geometric_mean": ("GeometricMean", {}),
    "imtl_l": ("IMTLL", {}),
    "mean": ("Mean", {}),
    "random": ("Random", {}),
    "stch": ("STCH", {"mu": 1.0}),
    "sum": ("Sum", {}),
    "uw": ("UW", {}),
}
#: The library's own.
OWN: dict[str, type[Balancing]] = {"db_mtl": DBMTL, "flat_regions": FlatRegions, "gradnorm": GradNorm}
#: All names.
BALANCINGS = sorted([*AGGREGATORS, *SCALARIZERS, *OWN])
#: Aggregators that need so many tasks. In a batch that has rows of fewer, and for a single task, it is the mean.
_LEAST_ROWS = {"krum": 4, "nash_mtl": 2, "trimmed_mean": 3}


class _Named:
    """Makes an aggregator of torchjd for a number of tasks."""

    def __init__(self, name):
        self.name = name

    def __call__(self, n):
        if n < _LEAST_ROWS.get(self.name, 1):
            return aggregation.Mean()
        cls_name, parameters = AGGREGATORS[self.name]
        cls = getattr(aggregation, cls_name)
        if "n_tasks" in inspect.signature(cls).parameters:
            parameters = {**parameters, "n_tasks": n}
        return cls(**parameters)


def make_balancer(balancing: Any, n_units: int) -> Balancer:
    """Build the balancer for a name, a description, or an object of torchjd; None is no balancing."""
    if balancing is None:
        return WeightedTotal()
    if isinstance(balancing, str):
        if balancing in OWN:
            return OWN[balancing]().build(n_units)
        if balancing in AGGREGATORS:
            least = _LEAST_ROWS.get(balancing, 1)
            if 1 < n_units < least:
                raise ValueError(f"balancing='{balancing}' needs at least {least} tasks. Got {n_units}.")
            make = _Named(balancing)
            make(max(n_units, least))  # a missing package is reported now, not in the first step
            return AggregatorBalancer(make)
        if balancing in SCALARIZERS:
            name, parameters = SCALARIZERS[balancing]
            cls = getattr(scalarization, name)
            if "shape" in inspect.signature(cls).parameters:
                parameters = {**parameters, "shape": n_units}
            return ScalarBalancer(cls(**parameters), n_units)
        raise ValueError(f"{_wanted()} Got '{balancing}'.{nearest(balancing, BALANCINGS)}")
    if isinstance(balancing, aggregation.Aggregator):
        return AggregatorBalancer(copies_of(balancing))
    if isinstance(balancing, scalarization.Scalarizer):
        return ScalarBalancer(copy.deepcopy(balancing), n_units)
    if not isinstance(balancing, type) and callable(getattr(balancing, "build", None)):
        return balancing.build(n_units)
    raise ValueError(f"{_wanted()} Got {balancing!r}.")


def make_balancer_for(loss: Any, balancing: Any, n_units: int) -> Balancer:
    """Build the balancer for a loss, which may have parts whose gradients it has to align."""
    if not loss.in_parts:
        return make_balancer(balancing, n_units)
    if balancing is not None:
        raise ValueError(f"'balancing' must be None with align_gradients=True. Got {balancing!r}.")
    return AlignedParts()


def _wanted():
    return (
        f"'balancing' must be None, one of {BALANCINGS}, an aggregator or scalarizer of torchjd, or an object of "
        "skmtl.neural.balancing."
    )
