"""
=====================================
Which features matter for which city?
=====================================

Forty-six cities of Texas, month by month: sales, volume, listings, and the median price of a house. One model for
all, and then a look inside: what it relies on in each city, and how its loss fell block by block. Runs in a few
seconds, once the kernels are compiled.
"""

# %%
# One model for all cities
# ------------------------

import matplotlib.pyplot as plt

from skmtl import RMTGBRegressor
from skmtl.datasets import load_txhousing
from skmtl.inspection import BlockCurvesDisplay, TaskImportancesDisplay

X, y, city = load_txhousing(return_X_y_tasks=True)
model = RMTGBRegressor(max_iter=300, random_state=0).fit(X, y, tasks=city)

# %%
# What it relies on, city by city
# -------------------------------
# Cities that rely on the same features are neighbours in the picture.

TaskImportancesDisplay.from_estimator(model)

# %%
# How the loss fell
# -----------------
# The strip at the bottom says which block made each round: trees that all cities share, and trees of single cities.

BlockCurvesDisplay.from_estimator(model)
plt.show()
