"""The published algorithm as settings of the estimators."""

from __future__ import annotations

from typing import Any

from ..losses import LogLoss


def published_settings(*, classifier: bool = False, n_rounds: tuple[int, int, int] = (100, 1, 1)) -> dict[str, Any]:
    """Parameters with which the estimators are the published algorithm, step for step.

    Every tree is a stump whose leaves are mean residuals, boosting starts at zero, theta starts at random and moves
    along the gradient of the summed loss, and the blocks follow each other for fixed numbers of rounds [1]_.

    Parameters
    ----------
    classifier : bool, default=False
        Whether the settings are for :class:`RMTGBClassifier`, whose published loss has one raw prediction per
        class even for two classes.
    n_rounds : tuple of three ints, default=(100, 1, 1)
        Rounds of the shared, partition and per-task blocks. The defaults are those of the published code.

    Returns
    -------
    settings : dict
        Parameters for the constructor.

    References
    ----------
    .. [1] S. Emami, G. Martinez-Munoz, D. Hernandez-Lobato, "Robust-Multi-Task Gradient Boosting", Expert Systems with
       Applications, 2025. arXiv 2507.11411.

    Examples
    --------
    >>> from skmtl.boosting import RMTGBRegressor, published_settings
    >>> model = RMTGBRegressor(**published_settings(n_rounds=(50, 50, 50)), random_state=0)
    >>> model.schedule
    {'shared': 50, 'partition': 50, 'specific': 50}
    """
    settings: dict[str, Any] = {
        "schedule": dict(zip(("shared", "partition", "specific"), n_rounds, strict=True)),
        "max_leaf_nodes": 2,
        "min_samples_leaf": 1,
        "l2_regularization": 0.0,
        "max_features": 1.0,
        "random_strength": 0.0,
        "task_features": False,
        "init": "zero",
        "leaf_step": "gradient",
        "theta_init": "random",
        "theta_update": "gradient",
        "early_stopping": False,
    }
    if classifier:
        settings |= {"loss": LogLoss(one_output_per_class=True), "unseen_classes": "shared"}
    return settings
