"""The shape of a document: what can be counted before it is validated, each fragment walked once."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Self

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from picture.settings import Settings

NAME_CHARACTERS = 255  # what may have been meant is searched by comparing character by character
LONG_NAME = re.compile(rf"(?<!\w)[A-Za-z_]\w{{{NAME_CHARACTERS}}}", re.ASCII)
# What is ignored, or a token. Nothing is looked at twice: what has no end goes on to the end of the text.
TOKEN = re.compile(
    r"""((?:[\s,\ufeff]++|\#[^\n\r]*+)++)
      | \"{3}[^"\\]*+(?:(?:\\.?|"(?!""))[^"\\]*+)*+(?:"{3})?
      | "[^"\\\n\r]*+(?:\\.?[^"\\\n\r]*+)*+"?
      | -?\d++(?:\.\d++)?(?:[eE][+-]?\d++)? | \w++ | \.\.\. | [^\s\w,\ufeff]""",
    re.ASCII | re.DOTALL | re.VERBOSE,
)
# Validation compares the fields of one name in pairs: 10 µs each.
MAX_PAIRS = 10_000
INTROSPECTION = ("__schema", "__type")
MAX_INTROSPECTION = 2  # once is 30 ms in which nobody else is served


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How much one document may ask for."""

    max_characters: int = 50_000
    max_tokens: int = 2000
    max_depth: int = 15
    max_aliases: int = 50
    max_directives: int = 50
    max_fragments: int = 50
    max_document_operations: int = 20
    max_root_fields: int = 20
    max_cost: int = 10_000
    page_default: int = 20
    page_max: int = 100
    introspection: bool = True
    suggestions: bool | None = None  # as introspection

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those that the settings name."""
        return cls(**{field.name: getattr(settings, field.name) for field in fields(cls)})

    @property
    def suggests(self) -> bool:
        """Whether an error says what may have been meant."""
        return self.introspection if self.suggestions is None else self.suggestions


def too_long(text: str, limits: DocumentLimits) -> str | None:
    """Why the text is not even parsed; None when it is."""
    if len(text) > limits.max_characters:
        return _said("The document has", len(text), "characters", limits.max_characters)
    if LONG_NAME.search(text):
        return f"The document has a name of more than {NAME_CHARACTERS} characters; so many are allowed."
    tokens = [found[0] for found in TOKEN.finditer(text) if found[1] is None]
    if len(tokens) > limits.max_tokens:
        return _said("The document has", len(tokens), "tokens", limits.max_tokens)
    if (directives := tokens.count("@")) > limits.max_directives:
        return _said("The document has", directives, "directives", limits.max_directives)
    # The place of an error is found by counting lines, for each error anew; no token needs a line of its own.
    lines = text.count("\n") + text.count("\r") + 1
    return _said("The document has", lines, "lines", limits.max_tokens) if lines > limits.max_tokens else None


def too_large(document: DocumentNode, limits: DocumentLimits) -> str | None:
    """Which limit the document passes, with the figure and the one that is allowed; None when it passes none."""
    return next(_passed(_Shape(document), limits), None)


def _passed(shape: "_Shape", limits: DocumentLimits) -> Iterator[str]:
    counted = (
        ("operations", len(shape.operations), limits.max_document_operations),
        ("fragments", len(shape.fragments), limits.max_fragments),
        ("aliases", shape.aliases, limits.max_aliases),
        ("fields at its root", shape.root_fields, limits.max_root_fields),
        ("introspections", shape.introspections, MAX_INTROSPECTION),
    )
    if shape.depth > limits.max_depth:
        yield _said("The document is", shape.depth, "levels deep", limits.max_depth)
    for what, count, most in counted:
        if count > most:
            yield _said("The document has", count, what, most)
    if shape.pairs > MAX_PAIRS:
        yield _said("The document names the same fields again and again, in", shape.pairs, "pairs", MAX_PAIRS)


def _said(begins: str, count: int, what: str, most: int) -> str:
    # A fragment that spreads another twice, 50 times over, counts to a figure that says no more than "many".
    figure = str(count) if count < 10**9 else "more than 1000000000"
    return f"{begins} {figure} {what}; {most} are allowed."


class _Shape:
    """Depth and root fields with all fragments spread; all else as it is written."""

    def __init__(self, document: DocumentNode) -> None:
        definitions = document.definitions
        self.aliases = self.introspections = 0
        self.names: Counter[str] = Counter()
        self.fragments = [node for node in definitions if isinstance(node, FragmentDefinitionNode)]
        self.operations = [node for node in definitions if isinstance(node, OperationDefinitionNode)]
        self._named = {fragment.name.value: fragment for fragment in self.fragments}
        self._depths: dict[str, int] = {}
        self._widths: dict[str, int] = {}
        for fragment in self.fragments:
            if fragment is self._named[fragment.name.value]:
                self._fragment_depth(fragment.name.value)
            else:
                self._depth(fragment.selection_set)  # validation refuses it, but walks it first
        self.depth = max((self._depth(operation.selection_set) for operation in self.operations), default=0)
        self.root_fields = max((self._width(operation.selection_set) for operation in self.operations), default=0)
        self.pairs = sum(count * (count - 1) // 2 for count in self.names.values())

    def _fragment_depth(self, name: str) -> int:
        if name not in self._named:
            return 0  # validation will say so
        if name not in self._depths:
            self._depths[name] = 0  # a circle ends here; validation refuses it
            self._depths[name] = self._depth(self._named[name].selection_set)
        return self._depths[name]

    def _depth(self, selected: SelectionSetNode | None) -> int:
        deepest = 0
        for selection in selected.selections if selected else ():
            if isinstance(selection, FieldNode):
                self.aliases += selection.alias is not None
                self.introspections += selection.name.value in INTROSPECTION
                self.names[selection.alias.value if selection.alias else selection.name.value] += 1
                deepest = max(deepest, 1 + self._depth(selection.selection_set))
            elif isinstance(selection, FragmentSpreadNode):
                deepest = max(deepest, self._fragment_depth(selection.name.value))
            else:
                deepest = max(deepest, self._depth(selection.selection_set))  # type: ignore[attr-defined]
        return deepest

    def _width(self, selected: SelectionSetNode) -> int:
        """How many fields stand at the top."""
        width = 0
        for selection in selected.selections:
            if isinstance(selection, FieldNode):
                width += 1
            elif isinstance(selection, FragmentSpreadNode):
                width += self._fragment_width(selection.name.value)
            else:
                width += self._width(selection.selection_set)  # type: ignore[attr-defined]
        return width

    def _fragment_width(self, name: str) -> int:
        if name not in self._widths:
            self._widths[name] = 0
            fragment = self._named.get(name)
            self._widths[name] = self._width(fragment.selection_set) if fragment else 0
        return self._widths[name]
