"""
=====================================
Can a small net learn from a booster?
=====================================

A net of one small layer fits where a booster of many trees does not. It can learn from the labels, from the booster, or
from both with a head for each (dual-head distillation). Pupils of 65 schools in three grades, over eight splits.
Runs in about twenty seconds.
"""

# %%
# Grades of pupils, and a booster that knows the schools
# ------------------------------------------------------
# A fifth of the rows is to learn from, the rest to test. Many schools then lack a grade in training; so that it is not
# ruled out, ``unseen_classes="shared"``.

import pickle

import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import log_loss

from skmtl import RMTGBClassifier
from skmtl.datasets import load_exam
from skmtl.losses import BinaryKLLoss, DualHeadDistillationLoss
from skmtl.model_selection import task_train_test_split
from skmtl.neural import MultiTaskClassifier
from skmtl.neural.architectures import HardSharing

X, score, school = load_exam(return_X_y_tasks=True)
y = np.array(["low", "middle", "high"])[np.searchsorted(np.quantile(score, [1 / 3, 2 / 3]), score)]


def student(loss):
    """One hidden layer of sixteen units, and no embedding of the numbers."""
    architecture = HardSharing((16,), trunk="mlp", dropout=0.0)
    return MultiTaskClassifier(
        architecture, loss, numeric_embedding=None, lr=0.003, max_epochs=30, unseen_classes="shared", random_state=0
    )


# %%
# The same net with three losses
# ------------------------------
# "Teacher alone" sees no label. "Two heads" has one for the labels and one for the teacher; the first predicts.

found = {}
for seed in range(8):
    X_train, X_test, y_train, y_test, t_train, t_test = task_train_test_split(
        X, y, tasks=school, stratify=y, test_size=0.8, random_state=seed
    )
    teacher = RMTGBClassifier(unseen_classes="shared", random_state=0).fit(X_train, y_train, tasks=t_train)
    models = {
        "the booster": teacher,
        "net, labels": student("log_loss"),
        "net, teacher alone": student(BinaryKLLoss(teacher)),
        "net, two heads": student(DualHeadDistillationLoss(teacher)),
    }
    for name, model in models.items():
        if model is not teacher:
            model.fit(X_train, y_train, tasks=t_train)
        p = model.predict_proba(X_test, tasks=t_test)
        right = model.score(X_test, y_test, tasks=t_test)
        found.setdefault(name, []).append([log_loss(y_test, p, labels=model.classes_), right])

for name, values in found.items():
    (loss, right), (loss_error, right_error) = np.mean(values, axis=0), np.std(values, axis=0, ddof=1) / np.sqrt(8)
    print(f"{name:<18} log-loss {loss:.4f} ± {loss_error:.4f}   accuracy {right:.3f} ± {right_error:.3f}")
n_numbers = sum(p.numel() for p in models["net, labels"].net_.module_.parameters())
print(f"booster {len(pickle.dumps(teacher)) / 1e3:.0f} kB, net {4 * n_numbers / 1e3:.0f} kB as it predicts, in float32")

# %%
# Split by split
# --------------
# In most splits the net with two heads is a little better than the one that sees the labels alone. The mean gains more,
# by the splits in which the latter goes wrong: it has few rows to stop by, and is certain of too much. Both students of
# the teacher beat it. This booster stopped early and is small itself; the net saves a third of its size.

losses = {name: np.array(values)[:, 0] for name, values in found.items()}
better = losses["net, labels"] - losses["net, two heads"]
print(f"two heads against labels alone: better in {np.sum(better > 0)} of 8 splits, median {np.median(better):+.4f}")
figure, ax = plt.subplots(layout="constrained")
for i, values in enumerate(losses.values()):
    ax.plot(values, np.full(8, i), "o", alpha=0.6)
ax.set(yticks=range(len(losses)), yticklabels=losses, xlabel="log-loss of a split")
plt.show()
