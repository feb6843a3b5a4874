"""The stand-alone ``verify.py``: the modules of the verifier joined to one file."""

from __future__ import annotations

import ast
from functools import lru_cache
from importlib import resources

_PACKAGE = "modelops.attest.verifier"
# Each may use only those before it.
_MODULES = ("reading", "signatures", "log", "container", "statement", "trail", "procedure", "script")
_HEAD = '''\
"""Verify a sealed review offline. This one file needs Python 3.11 and the ``cryptography`` package, nothing else.

    python verify.py BUNDLE.zip [--trust KEYS] [--model FILE] [--data FILE]... [--against FILE] [--json]

The copy that travels in a bundle is for reading, and for people who trust where they got the bundle from. To judge a
bundle from a stranger, use a copy of this file that did not come with it.
"""

from __future__ import annotations

'''
_TAIL = '\n\nif __name__ == "__main__":\n    sys.exit(main())\n'


@lru_cache(maxsize=1)
def standalone_source() -> bytes:
    """Return the text of ``verify.py``; always the same bytes for the same version of this package."""
    imports: dict[str, None] = {}
    bodies = []
    for name in _MODULES:
        source = resources.files(_PACKAGE).joinpath(f"{name}.py").read_text(encoding="utf-8")
        bodies.append(_body(source, imports))
    return (_HEAD + "\n".join(sorted(imports)) + "\n\n" + "\n\n".join(bodies) + _TAIL).encode()


def _body(source: str, imports: dict[str, None]) -> str:
    """Return the source without docstring and imports; imports from outside the verifier are added to ``imports``."""
    lines = source.splitlines()
    dropped: set[int] = set()
    for position, node in enumerate(ast.parse(source).body):
        if position and not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        dropped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        if isinstance(node, ast.Import | ast.ImportFrom):
            source_module = "" if isinstance(node, ast.Import) else f"{node.module}"
            if not source_module.startswith(("__future__", _PACKAGE)):
                imports[ast.unparse(node)] = None
    return "\n".join(line for number, line in enumerate(lines, start=1) if number not in dropped).strip("\n") + "\n"
