"""What may go wrong at an engine, as the failure that its user is told."""

import inspect


class EngineError(Exception):
    """The engine could not make the image."""

    code = "internal"
    retryable = False
    restart_needed = False
    """Whether only a new engine process can help."""

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        node: str | None = None,
        retryable: bool | None = None,
        restart_needed: bool | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message or inspect.getdoc(type(self)))
        self.code = code or self.code
        """A FailureCode in lower case."""
        self.node = node
        """The workflow's node at fault, by its id."""
        self.retryable = self.retryable if retryable is None else retryable
        self.restart_needed = self.restart_needed if restart_needed is None else restart_needed
        self.detail = detail
        """What the engine itself said, for the operator's log: may hold paths, never shown to users."""

    @property
    def message(self) -> str:
        """One sentence that is safe to show."""
        return str(self)


class EngineUnavailableError(EngineError):
    """The engine does not answer."""

    code = "engine_unavailable"
    retryable = True


class BrokenOffError(EngineUnavailableError):
    """The engine broke off while it was handed the run: it may have taken it, or may still."""


class LostRunError(EngineUnavailableError):
    """The engine was restarted and knows nothing of this run any more."""


class TimedOutError(EngineError):
    """The engine made no progress for too long."""

    code = "timed_out"
    retryable = True


class InterruptedRunError(EngineError):
    """The run was interrupted."""

    code = "interrupted"  # no FailureCode: the caller knows whether that means canceled or another attempt
    retryable = True

    def __init__(self, *, by_us: bool) -> None:
        super().__init__()
        self.by_us = by_us
        """Whether this client asked for it."""


class CatalogueError(Exception):
    """The catalogue, or a workflow that it names, is wrong."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
