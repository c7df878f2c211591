"""
=========================================
Does multi-task learning help my schools?
=========================================

One model for 65 schools, or 65 models? We predict every pupil's exam score by three kinds of model, on the same
folds, and look at each school: who gains from learning together, who loses, and for whom the data cannot tell. Runs
in about ten seconds, once the kernels are compiled.
"""

# %%
# Three models on the same folds
# ------------------------------
# The report fits the multi-task model, one model of the same kind per school, and one for all pupils that does not see
# the schools.

import matplotlib.pyplot as plt

from skmtl import RMTGBRegressor
from skmtl.datasets import load_exam
from skmtl.inspection import TaskGainsDisplay, negative_transfer_report

X, y, school = load_exam(return_X_y_tasks=True)
model = RMTGBRegressor(max_iter=50, random_state=0)
report = negative_transfer_report(model, X, y, school, cv=3, random_state=0)
print(report)

# %%
# Which schools?
# --------------
# A school gains or loses if the interval of its gain leaves out zero. For most, some dozens of pupils are too few to
# tell; all of them together do tell.

frame = report.to_frame()
print(frame.head(5).round(3).to_string(index=False))
print(frame["verdict"].value_counts().to_string())

# %%
# The picture
# -----------

TaskGainsDisplay(
    report.multi_task,
    report.single_task,
    report.task,
    greater_is_better=False,
    score_name="mean squared error",
    name="Multi-task",
    baseline_name="one model per school",
).plot()
plt.show()
