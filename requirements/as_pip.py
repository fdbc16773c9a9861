"""Run a program with the package index, certificates and wheels that pip is configured with.

    python requirements/as_pip.py uv pip install …
    python requirements/as_pip.py node …

uv and npm do not ask pip, and a machine that needs such settings has told them to pip first. What the environment says
already is left alone.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

NAMES = {
    "index-url": ("UV_DEFAULT_INDEX",),
    "extra-index-url": ("UV_INDEX",),
    "find-links": ("UV_FIND_LINKS",),
    "no-index": ("UV_NO_INDEX",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "cert": ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"),
}


def pip_settings() -> dict[str, str]:
    """What pip's files and environment say, the environment last as it wins; several values are parted by spaces."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    pairs = [line.partition("=") for line in listed.stdout.splitlines()]
    pairs.sort(key=lambda pair: pair[0].startswith(":env:"))
    return {name.rpartition(".")[2]: " ".join(str(ast.literal_eval(value)).split()) for name, _, value in pairs}


def environment(settings: dict[str, str]) -> dict[str, str]:
    """The same for others. Of several indexes the best version wins, as with pip: every file is checked by its hash."""
    told = {name: value for key, value in settings.items() for name in NAMES.get(key, ())}
    if "UV_FIND_LINKS" in told:
        told["UV_FIND_LINKS"] = told["UV_FIND_LINKS"].replace(" ", ",")
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_NO_PROGRESS": "1"} | told | os.environ


if __name__ == "__main__":
    program = Path(sys.executable).with_name("uv") if sys.argv[1] == "uv" else sys.argv[1]
    os.execvpe(program, sys.argv[1:], environment(pip_settings()))
