"""The folder of one checkout: its secrets, its ports, its lock, and what `picture up` has started in it."""

import contextlib
import fcntl
import hmac
import os
import random
import secrets
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from picture.settings import Settings
from picture.trouble import Trouble

# Below the range that Linux, macOS and IANA give to outgoing connections: no client takes a port while we are down.
PORTS = range(20_000, 32_000)
LOCK_SECONDS = 1.0
ROLES = ("postgres", "redis", "api", "worker", "scheduler", "engine")
SECRETS = ("secret", "token_secret", "postgres_password", "api_password", "worker_password", "redis_password")


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a role."""

    pid: int
    address: str | None
    started_at: str
    restarts: int


@dataclass(frozen=True, slots=True)
class Running:
    """What `picture up` has started; addresses by the name of their setting."""

    pid: int
    addresses: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, list[Process]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Home:
    """A folder that only its owner may enter."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> "Home":
        """The home at `path`, made when it is missing. Raises Trouble when it is not ours to use."""
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (path / ".gitignore").write_text("*\n")
        except OSError as error:
            raise Trouble(f"{path} cannot be used ({error.strerror}). Name another folder in PICTURE_HOME.") from error
        return cls(path)

    def folder(self, *names: str) -> Path:
        """A folder inside, made when it is missing."""
        path = self.path.joinpath(*names)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def secrets(self) -> dict[str, str]:
        """The random secrets of this home, made once; readable by the owner only."""
        path = self.path / "secrets.json"
        known = _read(path)
        if any(name not in known for name in SECRETS):
            fresh = {name: secrets.token_urlsafe(32) for name in SECRETS} | known
            _write(path, fresh, replace=bool(known))  # of two commands at once one makes them, and both read them
            known = _read(path)
        return known

    def port(self, name: str, *, preferred: int | None = None) -> int:
        """A loopback port, the same as last time unless somebody else has it now; the first time the preferred one."""
        path = self.path / "ports.json"
        known = _read(path)
        if name not in known or not is_free(known[name]):
            offers = ([preferred] if preferred and name not in known else []) + random.sample(PORTS, len(PORTS))
            known[name] = next(port for port in offers if port not in known.values() and is_free(port))
            _write(path, known)
        return int(known[name])

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold this home for one `picture up`. Raises Trouble when another has it; a dead one never does."""
        with (self.path / "lock").open("a+") as file:
            if not _flock(file.fileno(), LOCK_SECONDS):
                file.seek(0)
                raise Trouble(f"Picture already runs in {self.path} (process {file.read()}). `picture down` stops it.")
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
            file.truncate(0)

    def holder(self) -> int | None:
        """The process id of the `picture up` that has this home now."""
        try:
            with (self.path / "lock").open() as file:
                text = file.read()
                return None if not text or _flock(file.fileno(), 0, fcntl.LOCK_SH) else int(text)
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise Trouble(f"{self.path} belongs to somebody else. Name another folder in PICTURE_HOME.") from error

    def write_running(self, running: Running) -> None:
        """Tell other commands of this home what runs, and where."""
        _write(self.path / "run.json", asdict(running))

    def last_running(self) -> Running | None:
        """What ran when it was last written; perhaps long ago."""
        found = _read(self.path / "run.json")
        if not found:
            return None
        roles = {role: [Process(**process) for process in listed] for role, listed in found["roles"].items()}
        return Running(found["pid"], found["addresses"], roles)

    def running(self) -> Running | None:
        """What runs in this home now, or None."""
        running = self.last_running()
        return running if running and running.pid == self.holder() else None

    def forget_running(self) -> None:
        """Nothing runs any more."""
        (self.path / "run.json").unlink(missing_ok=True)


def complete(settings: Settings) -> Settings:
    """The settings with what has no value taken from the home: addresses of what `up` started there, and secrets."""
    home = Home(settings.home)
    running = home.running()
    found: dict[str, Any] = dict(running.addresses) if running else {}
    found |= _secrets_of(settings, _read(home.path / "secrets.json"))
    return settings.model_copy(update={name: value for name, value in found.items() if _is_open(settings, name)})


def _is_open(settings: Settings, name: str) -> bool:
    return getattr(settings, name) is None or (name == "public_url" and not {name, "port"} & settings.model_fields_set)


def _secrets_of(settings: Settings, known: Mapping[str, str]) -> dict[str, str | None]:
    token = known.get("token_secret")
    if settings.secret is not None:  # one secret for all replicas is enough to be told
        token = hmac.digest(settings.secret.encode(), b"picture token", "sha256").hex()
    return {"secret": known.get("secret"), "token_secret": None if settings.has_supabase else token}


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server may listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe, socket.socket(family) as caller:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        caller.settimeout(1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        # macOS lets us bind beside a server that listens on all addresses; a caller would reach that one.
        return caller.connect_ex((host if host not in ("0.0.0.0", "::") else "127.0.0.1", port)) != 0


def _flock(number: int, seconds: float, kind: int = fcntl.LOCK_EX) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(number, kind | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.05)  # somebody may only be asking whether we run
        else:
            return True


def _read(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise Trouble(f"{path.parent} belongs to somebody else. Name another folder in PICTURE_HOME.") from error
    except orjson.JSONDecodeError as error:
        raise Trouble(f"{path} is damaged. Delete it, and start again.") from error
    return found


def _write(path: Path, value: object, *, replace: bool = True) -> None:
    """Whole or not at all, readable by the owner only."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:  # 0600
        file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2))
    temporary = Path(file.name)
    if replace:
        temporary.replace(path)
        return
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(temporary)
    temporary.unlink()
