"""The error tree.

Every message says what was found, what is wanted and what to do; the page, the API and the command line
show it as it is::

    ModelOpsError
    ├── InvalidInput          a file, a value or a parameter cannot be used
    │   ├── RefusedFile       a file of a kind that is never opened, or one that is not what it claims to be
    │   └── TooLarge          a limit is exceeded
    ├── NotFound              there is no such thing, or this person may not know of it
    ├── NotAllowed            a right or a rule (separation of duties) forbids it; ``rule`` names which
    ├── Conflict              somebody else changed it first, or its state does not allow it
    ├── NotMeasured           a measurement is not possible on this data; a reason, never a number
    ├── WorkerFailed          a sandboxed process died, ran out of time or memory, or answered nonsense
    │   └── Cancelled         a person stopped it
    └── VerificationFailed    a digest, a signature or a chain does not match
"""

from __future__ import annotations


class ModelOpsError(Exception):
    """Base of every error that this package raises on purpose."""


class InvalidInput(ModelOpsError):
    """A file, a value or a parameter cannot be used."""


class RefusedFile(InvalidInput):
    """A file of a kind that is never opened, or one that is not what it claims to be."""


class TooLarge(InvalidInput):
    """A limit is exceeded."""


class NotFound(ModelOpsError):
    """There is no such thing, or this person may not know of it."""


class NotAllowed(ModelOpsError):
    """A right or a rule forbids it.

    ``rule`` is the short name of what forbids it, for the audit trail (``"right:sign"``,
    ``"separation of duties: contributor"``).
    """

    def __init__(self, message: str, *, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


class Conflict(ModelOpsError):
    """Somebody else changed it first, or its state does not allow it."""


class NotMeasured(ModelOpsError):
    """A measurement is not possible on this data. The message is the reason that is shown."""


class WorkerFailed(ModelOpsError):
    """A sandboxed process died, ran out of time or memory, or answered nonsense."""


class Cancelled(WorkerFailed):
    """A person stopped the work."""


class VerificationFailed(ModelOpsError):
    """A digest, a signature or a chain does not match."""
