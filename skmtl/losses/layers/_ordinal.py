"""Head of a net for ordered classes."""

from __future__ import annotations

import torch

from .._checks import check_option


class OrdinalHead(torch.nn.Module):
    """Linear head whose outputs are the raw predictions of :class:`skmtl.losses.OrdinalCrossEntropy`.

    Parameters
    ----------
    in_features : int
        Number of features.
    n_classes : int
        Number of ordered classes, K.
    kind : {"coral", "corn", "cumulative_logit"}, default="coral"
        As that of the loss. "coral": one score for all thresholds, and a bias for each; "corn": weights and a bias for
        each; "cumulative_logit": one score, and distances between thresholds that depend on no feature (proportional
        odds).

    Raises
    ------
    ValueError
        If there are fewer than two classes, or the kind is not known.
    """

    def __init__(self, in_features: int, n_classes: int, kind: str = "coral") -> None:
        super().__init__()
        check_option("kind", kind, ("coral", "corn", "cumulative_logit"))
        if n_classes < 2:
            raise ValueError(f"'n_classes' must be 2 or more. Got {n_classes}.")
        self.kind = kind
        self.score = torch.nn.Linear(in_features, n_classes - 1 if kind == "corn" else 1, bias=kind == "corn")
        if kind != "corn":
            # Thresholds of equally probable classes: falling log-odds, or the first of them and the raw distances.
            above = 1.0 - torch.arange(1.0, n_classes) / n_classes
            level = torch.logit(above)
            gaps = torch.log(torch.expm1(level[:-1] - level[1:]))
            start = level if kind == "coral" else torch.cat([level[:1], gaps])
            self.thresholds = torch.nn.Parameter(start)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute raw predictions.

        Parameters
        ----------
        x : tensor of shape (n_rows, in_features)
            Features.

        Returns
        -------
        raw : tensor of shape (n_rows, n_classes - 1)
            Raw predictions.
        """
        score = self.score(x)
        if self.kind == "corn":
            return score
        if self.kind == "coral":
            return score + self.thresholds
        return torch.cat([score + self.thresholds[0], self.thresholds[1:].expand(len(x), -1)], dim=1)
