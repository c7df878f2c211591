"""
========================================
Which schools do not fit in with others?
========================================

The table holds 4059 pupils of 65 schools in Inner London: a reading test at intake, sex, type of school, and the exam
score years later. Each school is a task. We fit one robust multi-task model to all of them, look at its error school by
school, and at the outlier scores, which say which schools follow another pattern than most. Runs in a few seconds, once
the kernels are compiled.
"""

# %%
# The table
# ---------
# Features come as a DataFrame; the label of each pupil's school is passed beside it.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from skmtl import RMTGBRegressor
from skmtl.datasets import load_exam
from skmtl.inspection import OutlierScoresDisplay
from skmtl.metrics import task_scores

exam = load_exam()
print(exam.data.head())
print(f"{len(exam.target)} pupils in {len(np.unique(exam.tasks))} schools")

# %%
# One model for all schools
# -------------------------
# A fifth of the pupils is held out. Schools with few pupils borrow from the others; schools with many also get trees of
# their own.

X, X_test, y, y_test, school, school_test = train_test_split(
    exam.data, exam.target, exam.tasks, test_size=0.2, random_state=0
)
model = RMTGBRegressor(random_state=0).fit(X, y, tasks=school)
predictions = model.predict(X_test, tasks=school_test)
baseline = DummyRegressor().fit(X, y).predict(X_test)
print(f"RMSE of the model:      {root_mean_squared_error(y_test, predictions):.3f}")
print(f"RMSE of the mean score: {root_mean_squared_error(y_test, baseline):.3f}")

# %%
# How good is it for each school?
# -------------------------------
# With a handful of test pupils the error of a school is mostly chance, so we show the number of pupils too.

scores = task_scores(y_test, predictions, school_test, root_mean_squared_error)
table = scores.to_frame().rename(columns={"task": "school", "n_rows": "pupils", "score": "RMSE"})
print(table.sort_values("RMSE", ascending=False).head(10).to_string(index=False))

# %%
# Which schools are unlike the rest?
# ----------------------------------
# The model learns for every school a weight between two shared ensembles: one for the majority, one for schools that
# depart from it. That weight is the outlier score. It is learned from the training pupils alone, and it is not the same
# as a large error: a school can be unusual and easy to predict.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5.5), layout="constrained")
OutlierScoresDisplay.from_estimator(model, ax=left, max_tasks=15)
left.set(title="The most outlying schools", ylabel="School")

outlier_score = dict(zip(model.tasks_, model.outlier_scores_, strict=True))
points = right.scatter(
    scores.n_rows, scores.score, c=[outlier_score[task] for task in scores.task], vmin=0, vmax=1, cmap="viridis"
)
right.set(title="Error of each school", xlabel="Test pupils of the school", ylabel="RMSE (sd of the exam score)")
figure.colorbar(points, ax=right, label="Outlier score")
plt.show()
