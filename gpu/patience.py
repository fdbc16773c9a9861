"""How long an engine may take for what."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds, all."""

    progress_timeout_seconds: float = 120
    """A run that runs, without a sign; known only while a socket tells of it."""
    attempt_timeout_seconds: float = 600
    """A run as a whole, waiting included."""
    request_timeout_seconds: float = 30
    """One HTTP answer. Never below 5: ComfyUI stalls for most of a second now and then."""
    unreachable_seconds: float = 60
    """No answer at all, before the engine counts as gone: it may be starting, or loading."""
    link_seconds: float = 5
    """For a socket, before a run is posted without one and only looked at."""
    silence_seconds: float = 5
    """Without an event, before the queue is looked at."""
    poll_seconds: float = 1
    """Between two looks at a run that no socket tells of."""
    settle_seconds: float = 2
    """After a post that broke off, before looking whether it arrived."""
    dead_worker_seconds: float = 4
    """Prompts wait and none runs, seen at both ends of this time: ComfyUI's worker thread is dead."""
