"""The name under which a picture is saved, made from its prompt."""

import unicodedata
from urllib.parse import quote

MAX_CHARACTERS = 80
MAX_BYTES = 200  # of the 255 that file systems allow
FALLBACK = "picture"
FORBIDDEN = set('<>:"/\\|?*%;')  # by Windows; and two that browsers have misread in headers
# Windows keeps these for devices, with any extension.
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def download_name(prompt: str | None, extension: str) -> str:
    """A file name that every system takes: the prompt's first words, in its own script."""
    stem = _cut(_plain(unicodedata.normalize("NFC", prompt or "")))
    if not stem or stem.lower() in RESERVED:
        stem = FALLBACK
    return f"{stem}.{extension}" if extension else stem


def attachment(name: str) -> str:
    """The Content-Disposition that saves under `name`: in ASCII for old clients, then whole (RFC 6266, RFC 5987)."""
    stem, dot, extension = name.rpartition(".")
    ascii_stem = unicodedata.normalize("NFKD", stem if dot else name).encode("ascii", "ignore").decode()
    ascii_name = (_plain(ascii_stem) or FALLBACK) + (f".{extension}" if dot else "")
    header = f'attachment; filename="{ascii_name}"'
    return header if ascii_name == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def _plain(text: str) -> str:
    """`text` on one line, without what no file name may have, and nothing that turns the reading direction."""
    kept = (" " if _is_space(character) or character in FORBIDDEN else character for character in text)
    visible = "".join(character for character in kept if unicodedata.category(character)[0] != "C")
    return " ".join(visible.split()).strip(". ")


def _is_space(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cc"


def _cut(text: str) -> str:
    """At most MAX_CHARACTERS and MAX_BYTES of it, ended after a word where there is one."""
    short = text[:MAX_CHARACTERS].encode()[:MAX_BYTES].decode(errors="ignore")
    if len(short) < len(text) and not text[len(short)].isspace():
        short = short.rpartition(" ")[0] or short
    return short.rstrip(". ,")
