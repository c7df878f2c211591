"""Compiled kernels of the booster: plain loops over arrays, one step of tree growing per module."""
