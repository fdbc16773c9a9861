"""graphql-core's lexer without what makes a document of 50,000 characters a pause for everybody else.

It links each token to the one before and the one behind, so that all of a document is garbage in a circle: that waits
for the collector, which then stops the loop. And it looks at blanks, comments and strings character by character.
"""

import re

from graphql import Source
from graphql.language import DocumentNode, Lexer, Token, TokenKind
from graphql.language.parser import Parser

IGNORED = re.compile(r"(?:[ \t,\ufeff\r\n]+|#[^\r\n\ud800-\udfff]*+(?=[\r\n]|\Z))*+")
LINE = re.compile(r"\r\n|\n|\r")
# Without escapes and without what is not allowed; the others are read by graphql-core.
STRING = re.compile(r'"([^"\\\x00-\x08\x0a-\x1f\ud800-\udfff]*+)"(?!")')


def parse(text: str, max_tokens: int) -> DocumentNode:
    """The document. Raises GraphQLSyntaxError, RecursionError."""
    return Parser(Source(text), max_tokens=max_tokens, lexer=Unlinked(Source(text))).parse_document()


class Unlinked(Lexer):
    """Each token is gone with the last node that names it."""

    def advance(self) -> Token:
        """The next token; who comes here has no more use for the last one's neighbours."""
        passed, token = self.token, super().advance()
        passed.next = token.prev = None
        return token

    def read_next_token(self, start: int) -> Token:
        """The first token behind `start`: what is ignored is passed over in one go."""
        body = self.source.body
        ignored = IGNORED.match(body, start)
        assert ignored, "it matches nothing as well"
        at = ignored.end()
        for line in LINE.finditer(body, start, at):
            self.line, self.line_start = self.line + 1, line.end()
        if string := STRING.match(body, at):
            return self.create_token(TokenKind.STRING, at, string.end(), string[1])
        return super().read_next_token(at)
