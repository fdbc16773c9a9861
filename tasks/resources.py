"""What the jobs work with, handed to them as values."""

from dataclasses import dataclass, field
from pathlib import Path

from db.database import Database
from gpu.catalogue import Catalogue
from gpu.comfyui import Client
from storage.objects import Storage
from tasks.events import Events
from tasks.failures import RetryPolicy
from tasks.queue import Queue


@dataclass(frozen=True, slots=True)
class WorkerRules:
    """The figures that a worker keeps to; units are in the names."""

    name: str
    host: str = ""
    engine: str = "comfyui"
    max_concurrent: int = 3
    lease_seconds: float = 30
    heartbeat_seconds: float = 5
    cancel_poll_seconds: float = 0.5
    poll_seconds: float = 2
    cancel_grace_seconds: float = 20
    drain_seconds: float = 30
    storing_seconds: float = 600
    model_scan_seconds: float = 30
    max_storing: int = 2
    image_format: str = "webp"
    image_quality: int = 90
    max_pixels: int = 40_000_000
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class WorkerResources:
    """Everything that one GPU worker holds open."""

    db: Database
    events: Events
    queue: Queue
    storage: Storage
    engine: Client
    catalogue: Catalogue
    folder: Path
    rules: WorkerRules


@dataclass(frozen=True, slots=True)
class SweepRules:
    """The figures of the repair pass."""

    sweep_seconds: float = 5
    orphan_seconds: float = 3600
    event_hours: float = 24
    idempotency_hours: float = 24
    failed_days: int = 30
    upload_days: int = 30
    batch_count: int = 200
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class SweepResources:
    """What the scheduler holds open."""

    db: Database
    events: Events
    queue: Queue
    storage: Storage
    rules: SweepRules
