"""The fast cores: the inner loops of the analyses, on Arrow buffers and plain arrays.

Nothing here knows of columns, roles or results. Sums of products are written out instead of ``@``: on arrays this small
the threads of a BLAS library spin for longer than they work, and take the cores from the other workers. Compiled
modules (``*_kernels``) import numba and are themselves imported only inside the functions that run them.
"""
