"""Where pictures are kept: an S3 bucket, or a folder on disk."""

from dataclasses import dataclass, field
from pathlib import Path


def as_prefix(text: str) -> str:
    """`text` as the beginning of keys: empty, or ending in a slash, so that `picture` is not `pictures-of-others`."""
    stripped = text.strip("/")
    return f"{stripped}/" if stripped else ""


@dataclass(frozen=True, slots=True)
class S3Config:
    """A bucket, which may hold other people's objects: only those below `prefix` are ours."""

    bucket: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    endpoint: str | None = None  # None: AWS itself
    region: str = "auto"
    prefix: str = "picture/"
    connect_timeout_seconds: float = 5
    read_timeout_seconds: float = 30
    attempts: int = 3  # of one call, the first counted
    threads: int = 16

    def __post_init__(self) -> None:
        object.__setattr__(self, "prefix", as_prefix(self.prefix))


@dataclass(frozen=True, slots=True)
class FolderConfig:
    """A folder on disk, all of it ours."""

    root: Path
    prefix: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "prefix", as_prefix(self.prefix))
