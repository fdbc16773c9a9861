"""The name of a downloaded picture: what the prompt says, on every system."""

import re
from urllib.parse import unquote

import pytest

from storage.names import attachment, download_name


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("a red fox in the snow", "a red fox in the snow.webp"),
        ("Füchse, im Schnee", "Füchse, im Schnee.webp"),
        ("雪の中の狐", "雪の中の狐.webp"),
        ("../../etc/passwd", "etc passwd.webp"),
        ('a "quoted"\r\nSet-Cookie: x=1; path=\\', "a quoted Set-Cookie x=1 path=.webp"),
        ("invoice\u202egpj.exe", "invoicegpj.exe.webp"),
        (" .hidden. ", "hidden.webp"),
        ("CON", "picture.webp"),
        ("...", "picture.webp"),
        ("", "picture.webp"),
        (None, "picture.webp"),
    ],
)
def test_a_name_is_made_of_the_prompt(prompt: str | None, name: str) -> None:
    assert download_name(prompt, "webp") == name


def test_a_long_prompt_ends_after_a_word() -> None:
    name = download_name("a very long description " * 100, "png")
    assert name == "a very long description a very long description a very long description a very.png"
    assert len(download_name("狐" * 500, "png").encode()) <= 204
    assert download_name("x" * 500, "png") == "x" * 80 + ".png"


@pytest.mark.parametrize("prompt", ["a red fox", "Füchse im Schnee", "雪の中の狐", '🦊 50% off; "x"', "\r\nX: y"])
def test_the_header_is_ascii_and_says_the_whole_name(prompt: str) -> None:
    name = download_name(prompt, "webp")
    header = attachment(name)
    assert header.isascii()
    assert header.isprintable()
    simple = re.match(r'attachment; filename="([^"\\]+\.webp)"', header)
    assert simple
    whole = header.partition("filename*=UTF-8''")[2]
    assert (unquote(whole) if whole else simple[1]) == name
