"""Names of tags: the one form in which each is kept and looked for."""

import unicodedata
from collections.abc import Iterable

from db.errors import InvalidInputError

MAX_NAME_CHARACTERS = 50
MAX_GIVEN_CHARACTERS = 1000  # of a name as it is written, with its blanks: what is longer is not even looked at
MAX_TAGS = 30  # of an image
NO_NAME = ""  # which no tag has
HIDDEN = ("Cc", "Cs", "Zl", "Zp")  # controls, halves of surrogate pairs, ends of lines and paragraphs


def normalise(names: Iterable[str], *path: str) -> tuple[str, ...]:
    """Each name once, in its kept form. Raises InvalidInputError naming the first that cannot be one; TOO_LARGE."""
    kept: dict[str, None] = {}
    for index, name in enumerate(names):
        usual = _usual(name)
        if not usual:
            message = f"A tag is 1 to {MAX_NAME_CHARACTERS} characters, none of them a control character."
            raise InvalidInputError(message, path=(*path, str(index)))
        kept[usual] = None
    if len(kept) > MAX_TAGS:
        raise InvalidInputError(f"An image carries at most {MAX_TAGS} tags.", path=path, code="TOO_LARGE")
    return tuple(kept)


def wanted(names: Iterable[str]) -> tuple[str, ...]:
    """The names to look for, sorted; with NO_NAME among them when no image can carry them all."""
    usual = {_usual(name) for name in names}
    return tuple(sorted(usual)) if len(usual) <= MAX_TAGS else (NO_NAME,)


def _usual(name: str) -> str:
    """Without blanks around it and with one between words, in one case and form; NO_NAME when it cannot be a name."""
    if len(name) > MAX_GIVEN_CHARACTERS:
        return NO_NAME
    is_shown = all(unicodedata.category(character) not in HIDDEN for character in name.strip())
    usual = part(name)
    return usual if is_shown and len(usual) <= MAX_NAME_CHARACTERS else NO_NAME


def part(text: str) -> str:
    """A part of a name, in the form that names have; what no name can have stays, and finds nothing."""
    folded = unicodedata.normalize("NFC", text[:MAX_GIVEN_CHARACTERS]).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())
