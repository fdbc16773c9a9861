"""What the doctor says of one thing."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import Enum

from picture.settings import Settings


class State(Enum):
    """How bad it is; values as people see them."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, how it is, and what to do about it."""

    subject: str
    state: State
    said: str
    advice: str = ""


def good(subject: str, said: str) -> Finding:
    """All is well with it."""
    return Finding(subject, State.OK, said)


def doubtful(subject: str, said: str, advice: str) -> Finding:
    """It works, but perhaps not as one would like."""
    return Finding(subject, State.WARNING, said, advice)


def bad(subject: str, said: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(subject, State.FAILURE, said, advice)


Check = Callable[[Settings], AsyncIterator[Finding]]
