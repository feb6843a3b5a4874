"""Analyses: pure computations on a model's data that measure and never judge. `registry` holds them all."""
