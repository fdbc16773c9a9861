"""Names, addresses and other texts that people give about themselves: what is wrong with them, and their usual form."""

import re
import unicodedata
from urllib.parse import urlsplit

from strawberry import UNSET

from db.errors import InvalidInputError
from db.profiles import ProfileChanges
from db.templates import TemplateText
from schema.bounds import Bounds
from schema.inputs import PromptTemplateInput, UpdateProfileInput

MIN_USERNAME, MAX_USERNAME = 3, 30
MAX_ADDRESS, MAX_NAME, MAX_CATEGORY, MAX_REASON = 2000, 100, 50, 1000
JOINTS = "._-"
# What deleteAccount asks for where there is no name, and what others would take for ours.
RESERVED = frozenset(
    ("delete", "picture", "admin", "administrator", "moderator", "operator", "support", "system", "root", "staff",
     "official", "anonymous", "nobody", "everybody", "everyone", "viewer", "null", "undefined", "none", "deleted")
)  # fmt: skip
# Printable ASCII but what ends an attribute or a line: browsers write all else with a percent sign.
ADDRESS = re.compile(r"https://[!#$%&'()*+,\-./:;=?@\[\]_~0-9A-Za-z]+")


def profile_changes(input: UpdateProfileInput) -> ProfileChanges:
    """What is set; the absent stays, null clears. Raises InvalidInputError naming the field."""
    has_username, has_avatar_url = input.username is not UNSET, input.avatar_url is not UNSET
    return ProfileChanges(
        has_username=has_username,
        username=_username(input.username) if has_username and input.username is not None else None,
        has_avatar_url=has_avatar_url,
        avatar_url=_address(input.avatar_url) if has_avatar_url and input.avatar_url is not None else None,
    )


def template(input: PromptTemplateInput, bounds: Bounds) -> TemplateText:
    """What the template is to say, in its usual form. Raises InvalidInputError naming the first wrong field."""
    negative = "" if input.negative_prompt in (UNSET, None) else input.negative_prompt
    category = "" if input.category in (UNSET, None) else input.category
    name = _line("name", input.name, MAX_NAME)
    if not name:
        raise _wrong("name", "Give it a name.")
    if not input.prompt.strip():
        raise _wrong("prompt", "Say what to draw.")
    return TemplateText(
        name=name,
        prompt=text(input.prompt, bounds.max_prompt_characters, "input", "prompt"),
        negative_prompt=text(negative or "", bounds.max_prompt_characters, "input", "negativePrompt") or None,
        category=_line("category", category or "", MAX_CATEGORY) or None,
        is_public=input.is_public,
    )


def reason(given: str) -> str:
    """Why somebody reports an image. Raises InvalidInputError."""
    said = given.strip()
    if not said:
        raise InvalidInputError("Say what is wrong with it.", path=("reason",))
    return text(said, MAX_REASON, "reason")


def usual(name: str) -> str:
    """One form for all ways to write the same letters: NFKC, without spaces around it."""
    return unicodedata.normalize("NFKC", name).strip()


def text(given: str, most: int, *path: str) -> str:
    """A text of several lines. Raises InvalidInputError: TOO_LARGE, or INVALID for control characters."""
    if len(given) > most:
        raise InvalidInputError(f"At most {most} characters; this is {len(given)}.", path=path, code="TOO_LARGE")
    if not given.isprintable() and any(is_control(one) and one not in "\n\r\t" for one in given):
        raise InvalidInputError("No control characters but line breaks and tabs.", path=path)
    return given


def is_control(character: str) -> bool:
    """Whether it is no character that is shown: a control, or half of a surrogate pair."""
    return unicodedata.category(character) in ("Cc", "Cs")


def _line(field: str, given: str, most: int) -> str:
    said = unicodedata.normalize("NFC", given).strip()
    if len(said) > most:
        raise InvalidInputError(
            f"At most {most} characters; this is {len(said)}.", path=("input", field), code="TOO_LARGE"
        )
    if any(is_control(character) or character in "\u2028\u2029" for character in said):
        raise _wrong(field, "One line, without control characters.")
    return said


def _username(given: str) -> str:
    name = usual(given)
    if not MIN_USERNAME <= len(name) <= MAX_USERNAME:
        raise _wrong("username", f"A user name has {MIN_USERNAME} to {MAX_USERNAME} characters.")
    if not all(_is_letter(character) or character in JOINTS for character in name):
        raise _wrong("username", "A user name is letters and digits, with dots, hyphens and underscores between them.")
    joints = [index for index, character in enumerate(name) if character in JOINTS]
    if any(index in (0, len(name) - 1) or index - 1 in joints for index in joints) or _is_mark(name[0]):
        raise _wrong("username", "Dots, hyphens and underscores stand between letters or digits, one at a time.")
    if name.lower() in RESERVED:
        raise _wrong("username", "This name is taken by Picture itself.")
    return name


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] == "L" or unicodedata.category(character) == "Nd" or _is_mark(character)


def _is_mark(character: str) -> bool:
    """What many scripts write above or below a letter."""
    return unicodedata.category(character) in ("Mn", "Mc")


def _address(given: str) -> str:
    if len(given) > MAX_ADDRESS:
        raise InvalidInputError(
            f"At most {MAX_ADDRESS} characters; this is {len(given)}.", path=("input", "avatarUrl"), code="TOO_LARGE"
        )
    if not ADDRESS.fullmatch(given):
        raise _wrong("avatarUrl", "An address that begins with https://, as a browser writes it.")
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or "@" in parts.netloc:
        raise _wrong("avatarUrl", "An address has a host, and neither a name nor a password before it.")
    return given


def _wrong(field: str, message: str) -> InvalidInputError:
    return InvalidInputError(message, path=("input", field))
