"""What a condition reads, whether its types fit, and whether an empty list could make it true. Pure.

A condition that loads cannot fail when it runs, so an answer of `||` or `&&` never hides an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

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
from dubgate.policy.expressions import ExpressionError, parse
from dubgate.policy.facts import BOOL, FACTS, INT, NUMBER, TEXT, ListType, RecordType, Scalar, Type, fact_tree

_TREE = fact_tree()
_NUMBERS = (INT, NUMBER)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that can be judged; `reads` are the paths of the facts that it reads, `[]` for every item."""

    source: str
    reads: frozenset[str]


@lru_cache(maxsize=4096)
def check_condition(source: str) -> Condition:
    """Parse and check an expression.

    Raises:
        ExpressionError: outside the language, an unknown fact or one that no stage fills, types that do not fit, not
            a truth value, reads no fact, or true of an empty list.
    """
    node = parse(source)
    reads: set[str] = set()
    if _type_of(node, {}, reads)[0] != BOOL:
        raise ExpressionError("a condition must be true or false")
    if not any(not path.startswith("regions.") for path in reads):
        raise ExpressionError("a condition must read a fact of the delivery")
    _refuse_unfilled(reads)
    _refuse_vacuous(node, True, frozenset())
    return Condition(source, frozenset(reads))


def _refuse_unfilled(reads: set[str]) -> None:
    """A fact that nobody fills would leave the rule open in every delivery."""
    for path in sorted(reads):
        fact = FACTS[path.partition("[]")[0]]
        if fact.filled_by is None:
            raise ExpressionError(f"no stage fills the fact {fact.path!r} yet, so no delivery could answer this")


Typed = tuple[Type, str | None]  # the type, and the path of the fact that the value comes from


def _type_of(node: Node, scope: Mapping[str, Typed], reads: set[str]) -> Typed:
    match node:
        case Literal(value):
            return _literal(value), None
        case ListOf(items):
            return _list(items, scope, reads), None
        case Name() | Field():
            return _fact(node, scope, reads)
        case Size(of):
            _demand(_type_of(of, scope, reads)[0], "size()", TEXT, list_too=True)
            return INT, None
        case TextCall(call, of, argument):
            for part in (of, argument):
                _demand(_type_of(part, scope, reads)[0], f"{call}()", TEXT)
            return BOOL, None
        case Loop():
            return _loop(node, scope, reads), None
        case Not(of):
            _demand(_type_of(of, scope, reads)[0], "!", BOOL)
            return BOOL, None
        case Binary():
            return _binary(node, scope, reads), None
        case Choice(condition, then, otherwise):
            _demand(_type_of(condition, scope, reads)[0], "?:", BOOL)
            kinds = {_type_of(part, scope, reads)[0] for part in (then, otherwise)}
            if len(kinds) > 1:
                raise ExpressionError("both sides of ?: must be of one type")
            return kinds.pop(), None


def _literal(value: bool | int | float | str) -> Type:
    if isinstance(value, bool):
        return BOOL
    return INT if isinstance(value, int) else NUMBER if isinstance(value, float) else TEXT


def _list(items: tuple[Node, ...], scope: Mapping[str, Typed], reads: set[str]) -> Type:
    kinds = {_type_of(item, scope, reads)[0] for item in items}
    kind = next(iter(kinds))
    if len(kinds) > 1 or not isinstance(kind, Scalar):
        raise ExpressionError("a list holds plain values of one type")
    return ListType(kind)


def _fact(node: Name | Field, scope: Mapping[str, Typed], reads: set[str]) -> Typed:
    if isinstance(node, Name):
        if node.name in scope:
            return scope[node.name]
        found = _TREE.get(node.name)
        if found is None or isinstance(found, dict):
            raise ExpressionError(f"no fact is called {node.name!r}")
        reads.add(node.name)
        return found, node.name
    if isinstance(node.of, Name) and node.of.name not in scope and isinstance(_TREE.get(node.of.name), dict):
        branch, path = _TREE[node.of.name], f"{node.of.name}.{node.name}"
        if not isinstance(branch, dict) or node.name not in branch:
            raise ExpressionError(f"no fact is called {path!r}")
        reads.add(path)
        return branch[node.name], path
    return _field(node, _type_of(node.of, scope, reads), reads)


def _field(node: Field, of: Typed, reads: set[str]) -> Typed:
    kind = of[0].field(node.name) if isinstance(of[0], RecordType) else None
    if kind is None:
        raise ExpressionError(f"there is no {node.name!r} in {of[1] or 'this value'}")
    path = f"{of[1]}.{node.name}"
    reads.add(path)
    return kind, path


def _loop(node: Loop, scope: Mapping[str, Typed], reads: set[str]) -> Type:
    kind, path = _type_of(node.of, scope, reads)
    if not isinstance(kind, ListType):
        raise ExpressionError(f"{node.kind}() runs over a list")
    if node.variable in scope or node.variable in _TREE:
        raise ExpressionError(f"the name {node.variable!r} is taken")
    inner = {**scope, node.variable: (kind.items, None if path is None else f"{path}[]")}
    _demand(_type_of(node.body, inner, reads)[0], f"{node.kind}()", BOOL)
    return BOOL


def _binary(node: Binary, scope: Mapping[str, Typed], reads: set[str]) -> Type:
    left, right = (_type_of(part, scope, reads)[0] for part in (node.left, node.right))
    if node.operator in ("&&", "||"):
        _demand(left, node.operator, BOOL)
        _demand(right, node.operator, BOOL)
    elif node.operator == "in":
        if not isinstance(right, ListType) or not _same(left, right.items):
            raise ExpressionError("'in' asks whether a plain value is in a list of its type")
    elif not _same(left, right) or (node.operator not in ("==", "!=") and left not in _NUMBERS):
        raise ExpressionError(f"{node.operator} cannot compare these")
    return BOOL


def _same(left: Type, right: Type) -> bool:
    return isinstance(left, Scalar) and (left == right or (left in _NUMBERS and right in _NUMBERS))


def _demand(kind: Type, by: str, wanted: Type, *, list_too: bool = False) -> None:
    if kind != wanted and not (list_too and isinstance(kind, ListType)):
        raise ExpressionError(f"{by} does not take such a value")


def _refuse_vacuous(node: Node, truth: bool | None, filled: frozenset[Node]) -> None:
    """Refuse loops that an empty list would satisfy.

    Args:
        truth: whether the whole becomes true with this node being true (True) or false (False); None if either may be.
        filled: the lists that are known to have items wherever this node matters.
    """
    match node:
        case Loop(kind, of, _, body):
            if (kind == "all" or truth is not True) and of not in filled and not isinstance(of, ListOf):
                raise ExpressionError(f"{kind}() needs its list's size() > 0 beside it: an empty list must not pass")
            _refuse_vacuous(body, truth if kind != "exists_one" else None, filled)
        case Not(of):
            _refuse_vacuous(of, None if truth is None else not truth, filled)
        case Binary("&&", left, right):
            known = _filled_if(left, True) | _filled_if(right, True) if truth is True else frozenset()
            _refuse_each((left, right), truth, filled | known)
        case Binary("||", left, right):
            known = _filled_if(left, False) | _filled_if(right, False) if truth is False else frozenset()
            _refuse_each((left, right), truth, filled | known)
        case Choice(condition, then, otherwise):
            _refuse_vacuous(condition, None, filled)
            _refuse_vacuous(then, truth, filled | _filled_if(condition, True))
            _refuse_vacuous(otherwise, truth, filled | _filled_if(condition, False))
        case Binary(_, left, right) | TextCall(_, left, right):
            _refuse_each((left, right), None, filled)
        case Field(of, _) | Size(of):
            _refuse_vacuous(of, None, filled)
        case ListOf(items):
            _refuse_each(items, None, filled)


def _refuse_each(nodes: tuple[Node, ...], truth: bool | None, filled: frozenset[Node]) -> None:
    for node in nodes:
        _refuse_vacuous(node, truth, filled)


_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}


def _filled_if(node: Node, value: bool) -> frozenset[Node]:
    """The lists that certainly have items if this node has this value."""
    match node:
        case Not(of):
            return _filled_if(of, not value)
        case Binary("&&", left, right) if value:
            return _filled_if(left, True) | _filled_if(right, True)
        case Binary("||", left, right) if not value:
            return _filled_if(left, False) | _filled_if(right, False)
        case Loop("exists" | "exists_one", of, _, _) if value:
            return frozenset({of})
        case Binary(operator, Literal(int(n)), Size(of)) if operator in _MIRRORED:
            return _filled_if(Binary(_MIRRORED[operator], Size(of), Literal(n)), value)
        case Binary(operator, Size(of), Literal(int(n))) if operator in _OPPOSITE:
            return frozenset({of}) if _excludes_zero(operator if value else _OPPOSITE[operator], n) else frozenset()
    return frozenset()


def _excludes_zero(operator: str, n: int) -> bool:
    """Whether a size that compares like this with `n` cannot be 0."""
    holds_for_zero = {"<": n > 0, ">": n < 0, "<=": n >= 0, ">=": n <= 0, "==": n == 0, "!=": n != 0}
    return not holds_for_zero[operator]
