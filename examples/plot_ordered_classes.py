"""
============================================
Do ordered classes need a loss of their own?
============================================

Softmax does not know that "fair" is nearer to "good" than to "excellent". :class:`~skmtl.losses.OrdinalCrossEntropy`
does: it asks of each threshold whether the row is above it. The marks of an exam, in five bins, are an ordered target;
the schools are the tasks.
"""

# %%
# Exam marks in five bins
# -----------------------

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import accuracy_score, cohen_kappa_score, mean_absolute_error
from sklearn.model_selection import RepeatedStratifiedKFold

from skmtl.boosting import LightGBMClassifier
from skmtl.datasets import load_exam
from skmtl.losses import OrdinalCrossEntropy

X, mark, school = load_exam(return_X_y_tasks=True)
y = np.searchsorted(np.quantile(mark, [0.2, 0.4, 0.6, 0.8]), mark)

# %%
# Softmax and three losses for ordered classes
# --------------------------------------------
# Absolute errors are least, on average, for the median class, not for the most probable one: both are counted. The
# quadratic kappa is 1 for no errors, 0 for chance, and punishes errors by the square of their distance.

LOSSES = {"softmax": "log_loss"} | {kind: OrdinalCrossEntropy(kind) for kind in ("coral", "corn", "cumulative_logit")}
METRICS = ("accuracy", "MAE", "MAE, median", "kappa")


def measure(truth, probabilities):
    mode, median = probabilities.argmax(axis=1), (probabilities.cumsum(axis=1) < 0.5).sum(axis=1)
    return (
        accuracy_score(truth, mode),
        mean_absolute_error(truth, mode),
        mean_absolute_error(truth, median),
        cohen_kappa_score(truth, mode, weights="quadratic"),
    )


found = {name: [] for name in LOSSES}
for train, test in RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0).split(X, y):
    for name, loss in LOSSES.items():
        model = LightGBMClassifier(loss, n_estimators=60, num_leaves=8, early_stopping=False, n_jobs=1, random_state=0)
        model.fit(X.iloc[train], y[train], tasks=school[train])
        found[name].append(measure(y[test], model.predict_proba(X.iloc[test], tasks=school[test])))
found = {name: np.array(rows) for name, rows in found.items()}

print(" " * 18 + "".join(f"{metric:<16}" for metric in METRICS))
for name, rows in found.items():
    cells = zip(rows.mean(axis=0), rows.std(axis=0), strict=True)
    print(f"{name:<18}" + "".join(f"{mean:.3f} ± {spread:.3f}   " for mean, spread in cells))

# %%
# Fold by fold
# ------------
# Against softmax on the same fold. Below zero is better for the two MAEs, above zero for the others.
#
# Coral and cumulative logits have a slightly smaller MAE and a slightly higher kappa than softmax, but no difference is
# beyond the spread over the folds, and corn is no better at all. The choice of the median class matters far more
# for MAE than the loss, and is open to softmax too; with it, the four losses are the same.

for name in list(LOSSES)[1:]:
    gains = found[name] - found["softmax"]
    cells = zip(gains.mean(axis=0), gains.std(axis=0), strict=True)
    print(f"{name:<18}" + "".join(f"{mean:+.3f} ± {spread:.3f}  " for mean, spread in cells))

figure, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained")
for ax, column in zip(axes, (1, 2, 3), strict=True):
    ax.boxplot([rows[:, column] for rows in found.values()], tick_labels=list(found))
    ax.set(title=METRICS[column])
plt.show()
