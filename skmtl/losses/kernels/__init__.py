"""Derivatives of losses, one pass over the rows each.

Unless a kernel says otherwise it takes y : float64 (n,); raw : float64 (n, n_outputs); weight : float64 (n,) or (0,)
for weights of 1, and writes gradient, hessian : float64 (n, n_outputs).
"""
