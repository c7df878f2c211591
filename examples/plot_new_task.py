"""
========================================================
How well is a school predicted that the model never saw?
========================================================

A new school opens, and the model knows nothing of it. Leaving out one school after the other shows what to expect,
next to schools that the model knows. Runs in about fifteen seconds, once the kernels are compiled.
"""

# %%
# Schools left out in turn
# ------------------------
# Scikit-learn's own splitters do it, with the tasks as groups; an unseen school gets what all schools share.

import matplotlib.pyplot as plt
import sklearn
from sklearn.model_selection import GroupKFold, cross_validate

from skmtl import RMTGBRegressor
from skmtl.datasets import load_exam
from skmtl.metrics import make_task_scorer
from skmtl.model_selection import TaskStratifiedKFold

X, y, school = load_exam(return_X_y_tasks=True)
model = RMTGBRegressor(max_iter=100, random_state=0)
scoring = {
    "all pupils": make_task_scorer("neg_root_mean_squared_error", average="micro"),
    "mean over schools": make_task_scorer("neg_root_mean_squared_error", average="macro"),
}
errors = {}
with sklearn.config_context(enable_metadata_routing=True):
    for name, cv, params in (
        ("schools it knows", TaskStratifiedKFold(5, shuffle=True, random_state=0), {"tasks": school}),
        ("new schools", GroupKFold(5), {"tasks": school, "groups": school}),
    ):
        found = cross_validate(model, X, y, cv=cv, params=params, scoring=scoring)
        errors[name] = {score: -found[f"test_{score}"] for score in scoring}
        print(name, {score: round(float(values.mean()), 3) for score, values in errors[name].items()})

# %%
# The price of knowing nothing
# ----------------------------

figure, ax = plt.subplots(figsize=(6, 2.5), layout="constrained")
for line, found in enumerate(errors.values()):
    ax.scatter(found["all pupils"], [line] * 5)
ax.set_yticks([0, 1], list(errors))
ax.margins(y=0.4)
ax.set_xlabel("RMSE over all pupils (sd of the exam score), five folds")
plt.show()
