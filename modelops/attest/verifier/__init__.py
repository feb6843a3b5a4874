"""The verifier: what judges a bundle, in modules that use nothing but the standard library and ``cryptography``.

The same modules, joined to one file by `modelops.attest.standalone`, travel in every bundle as ``verify.py``: there is
one verifier, and everything else in this package that opens an envelope, a proof or a checkpoint asks it.
"""
