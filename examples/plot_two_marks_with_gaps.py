"""
=================================================
What if every row has several targets, with gaps?
=================================================

Pupils of 73 schools have a mark for the written paper, or for the coursework, or for both. Each mark is a task, a
column of the target, and NaN says that it was not given. Runs in a few seconds, once the kernels are compiled.
"""

# %%
# Two columns, not all observed
# -----------------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import mean_absolute_error

from skmtl import RMTGBRegressor
from skmtl.baselines import SingleTaskRegressor
from skmtl.datasets import load_gcsemv
from skmtl.metrics import task_scores
from skmtl.model_selection import task_train_test_split

X, Y, school = load_gcsemv(return_X_y_tasks=True)
X = X.assign(school=school)  # here a feature like any other
print("observed:", np.isfinite(Y).sum(axis=0).tolist())

# %%
# Fit, predict, score: the gaps take no further care
# --------------------------------------------------

X, X_test, Y, Y_test, _, _ = task_train_test_split(X, Y, tasks=school, random_state=0)
models = {"multi-task": RMTGBRegressor(random_state=0), "one model per mark": SingleTaskRegressor()}
errors = {}
for name, model in models.items():
    predicted = model.fit(X, Y).predict(X_test)
    errors[name] = task_scores(Y_test, predicted, None, mean_absolute_error)
    print(f"{name:<20} mean absolute error {errors[name].score.round(2).tolist()}")

# %%
# Side by side
# ------------

figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
for shift, (name, scores) in enumerate(errors.items()):
    ax.bar(np.arange(2) + 0.35 * shift, scores.score, width=0.33, label=name)
ax.set(xticks=np.arange(2) + 0.175, xticklabels=["written", "course"], ylabel="Mean absolute error")
ax.margins(y=0.35)
ax.legend(frameon=False, ncols=2)
plt.show()
