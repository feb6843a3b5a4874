"""One adapter for each family of models; imported and used only inside a sandboxed process.

Each opens a file in three steps: read it with Python alone, judge it (indices in range, no references outside, nothing
absurd), and only then let the library of the format build the model.
"""
