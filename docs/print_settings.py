"""Print docs/settings.md from the settings themselves; `make schema` runs it, a test holds the page to it."""

from pydantic.fields import FieldInfo

from picture.settings import Settings, variable

HEAD = """\
# Settings

Read once, at start, from the environment and from `.env` beside where `picture` is started; the environment wins.
All that is wrong is named at once. `picture doctor` tells what is in force, and what to do about what is not right.
Printed by `make schema`; not to be edited.

| name | default | meaning |
|---|---|---|"""


def default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value == "" or value == ():
        return ""
    text = (
        ",".join(f"{part:g}" if isinstance(part, float) else str(part) for part in value)
        if isinstance(value, tuple)
        else str(value)
    )
    return f"`{text.lower() if isinstance(value, bool) else text}`"


def bounds(field: FieldInfo) -> str:
    """Between which values it may lie, as far as that is bounded."""
    limits = {key: getattr(rule, key) for rule in field.metadata for key in ("ge", "gt", "le") if hasattr(rule, key)}
    words = {"ge": "at least", "gt": "more than", "le": "at most"}
    said = ", ".join(f"{word} {limits[key]}" for key, word in words.items() if key in limits)
    return f"; {said}" if said else ""


if __name__ == "__main__":
    print(HEAD)
    for name, field in Settings.model_fields.items():
        print(f"| `{variable(name)}` | {default(field)} | {field.description}{bounds(field)} |")
