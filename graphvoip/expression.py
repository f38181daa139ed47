"""Arithmetic over names, as patch files write it: "0.4 * (ding * hit1 + dong * hit2)", "note.gate", "db(-6)".

A text becomes a tree of plain values; Python's own parser reads it, and nothing is ever evaluated.
"""

import ast
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LONGEST = 2000  # characters of an expression
DEEPEST = 200  # levels of a tree

CONSTANTS: dict[str, Callable[[float], float]] = {
    "db": lambda decibels: 10 ** (decibels / 20),  # a level as a factor
    "midi": lambda number: 440 * 2 ** ((number - 69) / 12),  # a note's number as Hz
}
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}  # how tightly an operator holds its operands


@dataclass(frozen=True)
class Number:
    """A constant; text: how it was written, if not as digits."""

    value: float
    text: str = ""


@dataclass(frozen=True)
class Name:
    """A name, or one port of it."""

    name: str
    port: str | None = None


@dataclass(frozen=True)
class Operation:
    """left sign right, the sign one of + - * /."""

    sign: str
    left: "Tree"
    right: "Tree"


Tree = Number | Name | Operation


def parse(text: str) -> Tree:
    """The tree of an expression. ValueError says what is wrong with it, in one line that begins with the text."""
    shown = f"'{text[:60]}{'...' if len(text) > 60 else ''}'"
    if len(text) > LONGEST:
        raise ValueError(f"{shown} has {len(text)} characters; an expression has at most {LONGEST}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{shown} is no expression; it is made of numbers, names, + - * / and parentheses") from None
    try:
        tree = _tree(body, 0)
        value_of(tree)
        return tree
    except _Wrong as wrong:
        raise ValueError(f"{shown}: {wrong}") from None


class _Wrong(Exception):
    pass


def _tree(node: ast.AST, depth: int) -> Tree:
    if depth > DEEPEST:
        raise _Wrong(f"it is nested more than {DEEPEST} deep; give parts of it names of their own")
    match node:
        case ast.Constant(value=bool()):
            raise _Wrong(f"{node.value} is not a number")
        case ast.Constant(value=int() | float()):
            return Number(_finite(lambda: float(node.value), "a number"))  # type: ignore[arg-type]
        case ast.Name(id=name):
            return Name(name)
        case ast.Attribute(value=ast.Name(id=name), attr=port):
            return Name(name, port)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _tree(operand, depth + 1)
            return Number(-inner.value) if isinstance(inner, Number) else Operation("*", inner, Number(-1.0))
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _tree(operand, depth + 1)
        case ast.BinOp(op=op, left=left, right=right) if type(op) in SIGNS:
            return Operation(SIGNS[type(op)], _tree(left, depth + 1), _tree(right, depth + 1))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in CONSTANTS:
            inner = _tree(argument, depth + 1)
            number = value_of(inner)
            if number is None:
                raise _Wrong(f"{name}() takes a number, not a signal")
            value = _finite(lambda: CONSTANTS[name](number), f"{name}({number:g})")
            return Number(value, f"{name}({text(inner)})")
        case ast.Call(func=ast.Name(id=name)):
            known = ", ".join(f"{one}()" for one in CONSTANTS)
            raise _Wrong(f"'{name}()' is not known here, only {known}; other things are nodes, with a name each")
    raise _Wrong("it is made of numbers, names, name.port, + - * / and parentheses")


def _finite(number: Callable[[], float], what: str) -> float:
    try:
        value = number()
    except OverflowError:
        value = math.inf
    if not abs(value) < 1e30:
        raise _Wrong(f"{what} is too great")
    return value


def value_of(tree: Tree) -> float | None:
    """What an expression of numbers alone comes to; None if there is a name in it."""
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Name):
        return None
    a, b = value_of(tree.left), value_of(tree.right)
    if tree.sign == "/" and b == 0:
        raise _Wrong("it divides by zero")
    if a is None or b is None:
        return None
    return _finite(lambda: {"+": a + b, "-": a - b, "*": a * b, "/": a / (b or 1)}[tree.sign], "a part of it")


def number_of(text: str) -> float | None:
    """The number that an expression comes to, "6" or "db(-6)"; None if there is a name in it, or something wrong."""
    try:
        return value_of(parse(text))
    except ValueError:
        return None


def names(tree: Tree) -> Iterator[Name]:
    """The names in it, from left to right."""
    if isinstance(tree, Name):
        yield tree
    elif isinstance(tree, Operation):
        yield from names(tree.left)
        yield from names(tree.right)


def text(tree: Tree) -> str:
    """The expression in its one canonical spelling: parse(text(tree)) is the tree again."""
    return _text(tree, 0)


def _text(tree: Tree, outer: int) -> str:
    """outer: how tightly the operator around it binds; a right operand is held one tighter."""
    if isinstance(tree, Number):
        return tree.text or _digits(tree.value)
    if isinstance(tree, Name):
        return f"{tree.name}.{tree.port}" if tree.port else tree.name
    binds = BINDS[tree.sign]
    if tree.sign == "*" and tree.right == Number(-1.0):
        made = f"-{_text(tree.left, 4)}"
    else:
        made = f"{_text(tree.left, binds)} {tree.sign} {_text(tree.right, binds + 1)}"
    return f"({made})" if binds < outer else made


def _digits(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
