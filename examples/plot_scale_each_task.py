"""
=====================================
Should each task be scaled by itself?
=====================================

Ten sensors measure the same things in units of their own. Scaled together, a linear model sees mostly the units;
scaled one by one, it sees what the sensors share. Runs in a second.
"""

# %%
# The same law, ten units
# -----------------------

import matplotlib.pyplot as plt
import numpy as np
import sklearn
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.baselines import PooledRegressor
from skmtl.model_selection import TaskStratifiedKFold
from skmtl.preprocessing import TaskWise

rng = np.random.default_rng(0)
sensor = np.repeat(np.arange(10), 60)
signal = rng.normal(size=(600, 3))
unit, origin = rng.lognormal(sigma=1.5, size=(10, 3)), rng.normal(scale=5.0, size=(10, 3))
X = signal * unit[sensor] + origin[sensor]
y = signal @ [1.0, -0.5, 0.2] + 0.3 * rng.normal(size=600)

# %%
# Two pipelines
# -------------
# The labels reach the scaler by metadata routing.

scores = {}
with sklearn.config_context(enable_metadata_routing=True):
    for name, scaler in {"together": StandardScaler(), "task by task": TaskWise(StandardScaler())}.items():
        model = make_pipeline(scaler, PooledRegressor(Ridge()))
        scores[name] = cross_val_score(
            model, X, y, cv=TaskStratifiedKFold(5, shuffle=True, random_state=0), params={"tasks": sensor}
        )
        print(f"scaled {name:<13} R2 {scores[name].mean():.3f}")

figure, ax = plt.subplots(figsize=(6, 2.5), layout="constrained")
for line, values in enumerate(scores.values()):
    ax.scatter(values, np.full(len(values), line))
ax.set_yticks([0, 1], list(scores))
ax.margins(y=0.4)
ax.set_xlabel("R² on held-out rows, five folds")
plt.show()
