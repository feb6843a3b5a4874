"""Exact tree SHAP (path-dependent) for the trees of any library, much faster than following each path for each row.

``from_xgboost``, ``from_lightgbm`` and ``from_scikit_learn`` read a library's own structures into the neutral
`ensemble.Ensemble`, without importing the library; `values.shapley_values` explains rows of numbers. Nothing here
knows of files, frames or results.
"""
