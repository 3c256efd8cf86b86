"""The condition language of rule packs, parsed: a total part of CEL, in which nothing can go wrong once it loads.

CEL lets `||` and `&&` swallow errors, and an absorbed error looks like an answer. So what can fail when it runs is not
in this part: no indexing, arithmetic, regular expressions, macros that build lists, or `has()`. What is left is
literals, facts, comparisons, `in`, `! && || ?:`, `size()`, `startsWith endsWith contains`, and `all exists exists_one`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dubgate.policy.expression_tree import (
    Binary,
    Choice,
    Field,
    ListOf,
    Literal,
    Loop,
    Name,
    Node,
    Not,
    Size,
    TextCall,
)

MAX_CHARACTERS = 2000
MAX_NESTED_LOOPS = 2
MAX_DEPTH = 40
MAX_TERMS = 100  # joined by && and ||
MAX_LINKS = 8  # joined by dots

LOOPS = ("all", "exists", "exists_one")
TEXT_CALLS = ("startsWith", "endsWith", "contains")
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">", "in")
_RESERVED = re.compile(
    "as|break|const|continue|else|false|for|function|if|import|in|let|loop|namespace|null|package|return|true|var|void|while"
)


class ExpressionError(ValueError):
    """An expression that is not in the language; the message says what and where in it."""


_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>-?(?:\d+\.\d+|\d+))
      | (?P<text>"(?:[^"\\\n]|\\["'\\])*"|'(?:[^'\\\n]|\\["'\\])*')
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign>&&|\|\||==|!=|<=|>=|[<>!?:.,()\[\]])""",
    re.VERBOSE,
)


def parse(source: str) -> Node:
    """The expression as a tree.

    Raises:
        ExpressionError: too long, too deep, too many nested loops, or outside the language.
    """
    if len(source) > MAX_CHARACTERS:
        raise ExpressionError(f"longer than {MAX_CHARACTERS:,} characters")
    return _Parser(source).whole()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, text, name, sign, end
    text: str
    at: int


def _tokens(source: str) -> Iterator[_Token]:
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ExpressionError(f"{source[at]!r} at character {at + 1} is not in the language of conditions")
        if match.lastgroup != "space":
            yield _Token(str(match.lastgroup), match[0], at)
        at = match.end()
    yield _Token("end", "", len(source))


class _Parser:
    """Recursive descent; every way down counts towards the depth limit, so that no input overflows the stack."""

    def __init__(self, source: str) -> None:
        self.tokens = list(_tokens(source))
        self.next = self.depth = self.loops = self.terms = 0

    def whole(self) -> Node:
        node = self._choice()
        if self._peek().kind != "end":
            raise self._refusal()
        return node

    def _peek(self) -> _Token:
        return self.tokens[self.next]

    def _take(self, *texts: str) -> str | None:
        """The next token's text if it is one of these signs or words."""
        token = self._peek()
        if token.kind in ("sign", "name") and token.text in texts:
            self.next += 1
            return token.text
        return None

    def _need(self, text: str) -> None:
        if self._take(text) is None:
            raise self._refusal(f"expected {text!r}")

    def _refusal(self, why: str = "") -> ExpressionError:
        token = self._peek()
        found = f"{token.text!r} at character {token.at + 1}" if token.kind != "end" else "the end"
        return ExpressionError(f"{why}, found {found}" if why else f"{found} does not belong here")

    def _choice(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(f"nested more than {MAX_DEPTH} deep")
        condition = self._or()
        if self._take("?") is not None:
            then = self._or()
            self._need(":")
            condition = Choice(condition, then, self._choice())
        self.depth -= 1
        return condition

    def _or(self) -> Node:
        node = self._and()
        while self._joined_by("||"):
            node = Binary("||", node, self._and())
        return node

    def _and(self) -> Node:
        node = self._comparison()
        while self._joined_by("&&"):
            node = Binary("&&", node, self._comparison())
        return node

    def _joined_by(self, operator: str) -> bool:
        if self._take(operator) is None:
            return False
        self.terms += 1
        if self.terms >= MAX_TERMS:
            raise ExpressionError(f"more than {MAX_TERMS} terms")
        return True

    def _comparison(self) -> Node:
        node = self._unary()
        operator = self._take(*_COMPARISONS)
        if operator is None:
            return node
        node = Binary(operator, node, self._unary())
        if self._take(*_COMPARISONS) is not None:
            raise ExpressionError("comparisons do not chain; join them with &&")
        return node

    def _unary(self) -> Node:
        negations = 0
        while self._take("!") is not None:
            negations += 1
        node = self._member()
        return Not(node) if negations % 2 else node

    def _member(self) -> Node:
        node, links = self._primary(), 0
        while self._take(".") is not None:
            links += 1
            if links > MAX_LINKS:
                raise ExpressionError(f"more than {MAX_LINKS} names behind one another")
            token = self._peek()
            if token.kind != "name" or _RESERVED.fullmatch(token.text):
                raise self._refusal("expected a name after '.'")
            self.next += 1
            node = self._call(node, token.text) if self._take("(") is not None else Field(node, token.text)
        return node

    def _call(self, of: Node, name: str) -> Node:
        if name in LOOPS:
            return self._loop(of, name)
        if name == "size":
            self._need(")")
            return Size(of)
        if name in TEXT_CALLS:
            argument = self._choice()
            self._need(")")
            return TextCall(name, of, argument)
        raise ExpressionError(f"{name}() is not in the language of conditions")

    def _loop(self, of: Node, kind: str) -> Node:
        token = self._peek()
        if token.kind != "name" or _RESERVED.fullmatch(token.text):
            raise self._refusal(f"{kind}() names its variable first")
        self.next += 1
        self._need(",")
        self.loops += 1
        if self.loops > MAX_NESTED_LOOPS:
            raise ExpressionError(f"more than {MAX_NESTED_LOOPS} loops inside one another")
        body = self._choice()
        self.loops -= 1
        self._need(")")
        return Loop(kind, of, token.text, body)

    def _primary(self) -> Node:
        if self._take("(") is not None:
            node = self._choice()
            self._need(")")
            return node
        if self._take("[") is not None:
            return self._list()
        token = self._peek()
        self.next += 1
        if token.kind == "number":
            return Literal(float(token.text) if "." in token.text else _integer(token.text))
        if token.kind == "text":
            return Literal(re.sub(r"\\(.)", r"\1", token.text[1:-1]))
        if token.kind == "name":
            return self._named(token.text)
        self.next -= 1
        raise self._refusal()

    def _named(self, name: str) -> Node:
        if name in ("true", "false"):
            return Literal(name == "true")
        if self._take("(") is not None:
            if name != "size":
                raise ExpressionError(f"{name}() is not in the language of conditions")
            of = self._choice()
            self._need(")")
            return Size(of)
        if _RESERVED.fullmatch(name):
            raise ExpressionError(f"{name!r} is not in the language of conditions")
        return Name(name)

    def _list(self) -> Node:
        items = [self._choice()]
        while self._take(",") is not None:
            items.append(self._choice())
        self._need("]")
        return ListOf(tuple(items))


def _integer(text: str) -> int:
    if abs(int(text)) >= 2**53:
        raise ExpressionError(f"{text} is too large")
    return int(text)
