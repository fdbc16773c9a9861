"""Postgres refuses to run as root: whom it runs as then, and where that account finds the program and the data."""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from picture.processes import Account
from picture.trouble import Trouble

# The first that only root may write to is taken; the second may have been made by anybody, which is looked at.
COPIES = (Path("/var/cache/picture"), Path("/var/tmp/picture-root"))  # noqa: S108


def unprivileged(home: Path) -> Account | None:
    """Whom Postgres runs as: None, ourselves, unless we are root; then the home's owner, or nobody."""
    if os.geteuid() != 0:
        return None
    owner = home.stat().st_uid
    try:
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    except KeyError as error:
        who = f"the user {owner}" if owner else "a user `nobody`"
        raise Trouble(f"Postgres refuses to run as root, and there is not {who}. Start Picture as a user.") from error
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def runnable(
    install: Path, program: str, account: Account | None, version: str, copies: Sequence[Path] = COPIES
) -> Path:
    """Where `account` can run `install`: there, or a copy of it when it lies in a folder that only root may enter."""
    if _runs(install / program, account):
        return install
    copy = _closed(copies) / f"{install.name}-{version}"
    if not copy.exists():
        _copy(install, copy)
    if not _runs(copy / program, account):
        raise Trouble(f"Neither {install / program} nor its copy below {copy} runs on this machine.")
    return copy


@contextlib.contextmanager
def reachable(folder: Path, account: Account | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path by which a child of ours reaches `folder` as `account`, and the descriptors that it has to be passed.

    The folders above may be closed to it, as /root is: on Linux a descriptor that we opened leads past them.
    """
    if account is None:
        yield str(folder), ()
        return
    os.chown(folder, account.uid, account.gid)
    if sys.platform != "linux":
        yield str(folder), ()
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{number}", (number,)
    finally:
        os.close(number)


def _runs(program: Path, account: Account | None) -> bool:
    try:
        subprocess.run(  # noqa: S603 - the program is the wheel's
            [program, "--version"], check=True, capture_output=True, cwd="/",
            user=account.uid if account else None, group=account.gid if account else None,
            extra_groups=[] if account else None,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _closed(folders: Sequence[Path]) -> Path:
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o755, exist_ok=True)
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022:
                return folder
    raise Trouble("Postgres must be copied to where an unprivileged account may run it, and /var/cache is closed.")


def _copy(install: Path, copy: Path) -> None:
    """The copy appears whole or not at all; two may make it at once."""
    draft = copy.with_name(f".{copy.name}.{os.getpid()}")
    try:
        shutil.copytree(install, draft, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        with contextlib.suppress(FileExistsError):
            draft.rename(copy)
    except OSError as error:
        if not copy.exists():
            raise Trouble(f"Postgres could not be copied to {copy} ({error.strerror}).") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
