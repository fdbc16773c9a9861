"""A Docker engine for tests, and an image to build on where no registry can be reached."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest


def _folders(package: str) -> list[str]:
    spec = find_spec(package)
    return list(spec.submodule_search_locations or ()) if spec else []


DOCKER = next((path for path in ("/usr/bin/docker", shutil.which("docker") or "") if Path(path).is_file()), "")
COMPOSE = next((Path(folder) / "docker-compose" for folder in _folders("compose")), None)
"""Docker's Compose, from a package that has it for one platform."""
START_SECONDS = 30
LIBRARIES = ("libstdc++.so.6", "libgcc_s.so.1", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libnss_dns.so.2")
LEFT_OUT = ("site-packages", "test", "tests", "__pycache__", "config-*", "idlelib", "tkinter", "lib2to3")
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def docker(*arguments: str, host: str, stdin: bytes | None = None) -> str:
    """What docker says; fails the test with what it complained of."""
    environment = os.environ | {"DOCKER_HOST": host, "DOCKER_BUILDKIT": "1"}
    done = subprocess.run([DOCKER, *arguments], env=environment, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout.decode()}{done.stderr.decode()}"
    return done.stdout.decode().strip()


@contextmanager
def open_engine() -> Iterator[str]:
    """The address of an engine: the machine's own, or one of ours for as long as this lasts. Skips, but not in CI."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if DOCKER and subprocess.run([DOCKER, "--host", host, "version"], capture_output=True, check=False).returncode == 0:
        yield host
        return
    if os.getuid() != 0 or not shutil.which("dockerd"):
        assert "CI" not in os.environ, "CI needs docker.io"
        pytest.skip("no Docker engine answers, and starting one takes root and dockerd")
    with tempfile.TemporaryDirectory(prefix="dk", dir="/tmp") as folder:  # short: a socket's path has 107 characters
        yield from _started(Path(folder))


def _started(folder: Path) -> Iterator[str]:
    host = f"unix://{folder}/docker.sock"
    command = ["dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "-H", host]
    log = (folder / "log").open("wb")
    engine = subprocess.Popen([*command, "--pidfile", f"{folder}/pid", "--log-level", "warn"], stdout=log, stderr=log)
    try:
        ask = f"until {DOCKER} -H {host} version >/dev/null 2>&1; do sleep 0.05; done"
        subprocess.run(["timeout", str(START_SECONDS), "sh", "-c", ask], check=True)
        yield host
    finally:
        engine.terminate()
        engine.wait(START_SECONDS)
        log.close()
        for mount in (folder / "exec" / "netns").glob("*"):
            subprocess.run(["umount", mount], check=False)
        subprocess.run(["ip", "link", "delete", "docker0"], capture_output=True, check=False)


def import_base(host: str, tag: str) -> None:
    """An image of this machine's Python, a shell and its certificates, as small as the official ones are."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _python(root)
        _shell(root)
        for name in ("tmp", "etc", "proc", "dev", "sys", "root"):
            (root / name).mkdir(exist_ok=True)
        (root / "tmp").chmod(0o1777)  # a tmpfs that is mounted there takes its mode
        certificates = root / CERTIFICATES.lstrip("/")
        certificates.parent.mkdir(parents=True)
        shutil.copy2(os.environ.get("SSL_CERT_FILE", CERTIFICATES), certificates)
        told = " ".join(f"{name}={CERTIFICATES}" for name in ("SSL_CERT_FILE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"))
        archive = subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True).stdout
        docker("import", "-c", f"ENV PATH=/usr/local/bin:/bin {told}", "-", tag, host=host, stdin=archive)


def _python(root: Path) -> None:
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    home, there = Path(sys.base_prefix), root / "usr" / "local"
    (there / "bin").mkdir(parents=True)
    shutil.copy2((home / "bin" / name).resolve(), there / "bin" / name)
    shutil.copytree(home / "lib" / name, there / "lib" / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for link in ("python", "python3"):
        (there / "bin" / link).symlink_to(name)
    programs = [there / "bin" / name, *there.glob("lib/*/lib-dynload/*.so")]
    linked = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    found = {Path(path) for path in re.findall(r"(/\S+) \(0x", linked)}
    beside = {path.parent / extra for path in found for extra in LIBRARIES}
    for library in filter(Path.is_file, found | beside):
        target = root / str(library).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(library.resolve(), target)


def _shell(root: Path) -> None:
    (root / "bin").mkdir(exist_ok=True)
    shutil.copy2(shutil.which("busybox") or "/bin/busybox", root / "bin" / "busybox")
    names = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in set(names) - {"busybox"}:
        (root / "bin" / name).symlink_to("busybox")
