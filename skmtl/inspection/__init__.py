"""Pictures of fitted models, in the manner of scikit-learn's displays."""

from __future__ import annotations

from skmtl.inspection._outlier_scores import OutlierScoresDisplay

__all__ = ["OutlierScoresDisplay"]
