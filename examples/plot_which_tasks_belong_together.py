"""
============================
Which tasks belong together?
============================

Ten made-up tasks, of which three follow another rule than the rest. We measure which task teaches which, let the
grouper find the two camps, and compare one model for all with one per group. Runs in about ten seconds, once the
kernels are compiled.
"""

# %%
# Who teaches whom
# ----------------
# A boosting step for one task is tried on every other: blue helps, red hurts.

import matplotlib.pyplot as plt
from sklearn.metrics import root_mean_squared_error

from skmtl.baselines import GroupedMultiTaskRegressor, PooledRegressor
from skmtl.datasets import make_fourier_tasks
from skmtl.inspection import TaskAffinityDisplay, TaskGrouper, task_affinity

bunch = make_fourier_tasks(4, n_tasks=10, n_outliers=3, n_samples=150, n_test_samples=300, random_state=1)
print(f"Planted: {bunch.outliers.nonzero()[0].tolist()} follow another rule.")
affinity = task_affinity(bunch.data, bunch.target, bunch.tasks, random_state=0)

# %%
# Groups
# ------

grouper = TaskGrouper("stage", random_state=0).fit(bunch.data, bunch.target, tasks=bunch.tasks)
print("Found:", [group.tolist() for group in grouper.groups_])
TaskAffinityDisplay.from_affinity(affinity, groups=grouper.labels_)

# %%
# What the groups are worth
# -------------------------
# For a model that does not see the tasks, to learn all of them together is a mistake, and a model per group mends it.

for model in (PooledRegressor(), GroupedMultiTaskRegressor(PooledRegressor(), grouper=grouper)):
    model.fit(bunch.data, bunch.target, tasks=bunch.tasks)
    error = root_mean_squared_error(bunch.test_target, model.predict(bunch.test_data, tasks=bunch.test_tasks))
    print(f"{type(model).__name__:<28} RMSE {error:.3f}")
plt.show()
