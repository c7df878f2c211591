"""
===========================================
Are the probabilities right for every task?
===========================================

A classifier can be well calibrated over all rows and still be wrong in each task, too high here and too low there.
Made-up tasks with different base rates show it: a model that does not see the tasks, and one that does. Runs in a few
seconds, once the kernels are compiled.
"""

# %%
# Tasks with different base rates
# -------------------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression

from skmtl import RMTGBClassifier
from skmtl.baselines import PooledClassifier
from skmtl.inspection import TaskReliabilityDisplay
from skmtl.model_selection import task_train_test_split

rng = np.random.default_rng(0)
hospital = np.repeat(["east", "north", "west"], 1500)
X = rng.normal(size=(4500, 3))
offset = np.select([hospital == "east", hospital == "north"], [-1.5, 0.0], 1.5)
y = np.where(rng.uniform(size=4500) < 1 / (1 + np.exp(-X[:, 0] - offset)), "ill", "well")
X, X_test, y, y_test, hospital, hospital_test = task_train_test_split(
    X, y, tasks=hospital, stratify=y, test_size=0.5, random_state=0
)

# %%
# With and without the task
# -------------------------
# The black line, all rows together, is close to the diagonal on both sides. The coloured lines are not.

figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for ax, model in zip(axes, (PooledClassifier(LogisticRegression()), RMTGBClassifier(random_state=0)), strict=True):
    model.fit(X, y, tasks=hospital)
    display = TaskReliabilityDisplay.from_estimator(model, X_test, y_test, tasks=hospital_test, pos_label="ill", ax=ax)
    print(f"{type(model).__name__:<18} calibration errors {display.calibration_errors_.round(3).tolist()}")
plt.show()
