"""One function that numba compiles and keeps."""

import numba


@numba.njit(cache=True)
def total(value):
    return value + 1.0
