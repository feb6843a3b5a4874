"""Which log-in a screen belongs to.

A browser that loses its connection asks for its earlier screen by a number that also stands in upload addresses, and
therefore in proxy logs. Whoever knows the number must still not get the screen of somebody else: the screen notes here
whose it is, and the door asks before it lets a connection or an upload reach it. It holds for this process, as screens
do.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

_MOST = 10_000
_lock = threading.Lock()
_owners: OrderedDict[str, str] = OrderedDict()


def claim_screen(screen: str, token_hash: str) -> None:
    """Note that ``screen`` is shown to the log-in with this token digest."""
    with _lock:
        _owners[screen] = token_hash
        _owners.move_to_end(screen)
        while len(_owners) > _MOST:
            _owners.popitem(last=False)


def owns_screen(screen: str, token_hash: str) -> bool:
    """Whether ``screen`` is shown to this log-in. An unknown screen belongs to nobody."""
    with _lock:
        return _owners.get(screen) == token_hash
