"""Expressions, in patch files and in formulas: "0.4 * (ding * hit1 + dong * hit2)", "note.gate", "tanh(a)", "db(-6)".

A text becomes a tree of plain values; Python's own parser reads it, and nothing is ever evaluated. What its names stand
for is the reader's business: the nodes of a patch, the inputs of the node `expression`.
"""

import ast
import difflib
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

LONGEST = 2000  # characters of an expression
DEEPEST = 200  # levels of a tree
BIGGEST = 1e30  # that a constant may be

# By name: what a function is given, and what it gives.
FUNCTIONS: dict[str, tuple[str, Callable[..., Any]]] = {
    "sin": ("x", math.sin),
    "cos": ("x", math.cos),
    "tan": ("x", math.tan),
    "tanh": ("x", math.tanh),
    "exp": ("x", math.exp),
    "log": ("x", math.log),
    "sqrt": ("x", math.sqrt),
    "abs": ("x", abs),
    "min": ("x, y", min),
    "max": ("x, y", max),
    "floor": ("x", math.floor),
    "round": ("x", lambda x: math.floor(x + 0.5)),
    "clip": ("x, low, high", lambda x, low, high: min(max(x, low), high)),
    "mix": ("a, b, x", lambda a, b, x: a + (b - a) * x),
    "db": ("x", lambda decibels: 10 ** (decibels / 20)),  # a level as a factor
    "midi": ("x", lambda number: 440 * 2 ** ((number - 69) / 12)),  # a note's number as Hz
    "sign": ("x", lambda x: float(x > 0) - float(x < 0)),
}
MANY = ("min", "max")  # they take as many as there are
CONSTANTS = {"pi": math.pi}
RESERVED = ("db", "midi", "pi")  # that nothing in a patch is called, so that nobody mistakes it
OPERATORS: dict[str, Callable[[float, float], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
    "<": lambda a, b: float(a < b),
    "<=": lambda a, b: float(a <= b),
    ">": lambda a, b: float(a > b),
    ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
}
SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Mod: "%", ast.Pow: "**", ast.Lt: "<",
         ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}  # fmt: skip
BINDS = {"+": 2, "-": 2, "*": 3, "/": 3, "%": 3, "**": 5}  # how tightly an operator holds; comparisons: 1
GRAMMAR = "it is made of numbers, names, name.port, + - * / % **, comparisons, pi and " + " ".join(FUNCTIONS)


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
    """left sign right, the sign one of OPERATORS."""

    sign: str
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True)
class Function:
    """One of FUNCTIONS, of signals; of numbers alone it is a Number."""

    name: str
    given: tuple["Tree", ...]


Tree = Number | Name | Operation | Function


def parse(text: str) -> Tree:
    """The tree of an expression. ValueError says what is wrong with it, in one line that begins with the text."""
    text = text.strip()
    shown = f"'{text[:60]}{'...' if len(text) > 60 else ''}'"
    if len(text) > LONGEST:
        raise ValueError(f"{shown} has {len(text)} characters; an expression has at most {LONGEST}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        said = f"{error.msg[:60]} at character {error.offset or 1}" if text else "it is empty"
        raise ValueError(f"{shown} is no expression: {said}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ValueError(f"{shown} is no expression: odd characters or brackets too deep") from None
    try:
        tree = _Reader(text).tree(body, 0)
        value_of(tree)
        return tree
    except _Wrong as wrong:
        raise ValueError(f"{shown}: {wrong}") from None


class _Wrong(Exception):
    pass


class _Reader:
    def __init__(self, text: str):
        self.text = text

    def part(self, node: ast.AST) -> str:
        return repr((ast.get_source_segment(self.text, node) or self.text)[:40])  # type: ignore[arg-type]

    def tree(self, node: ast.AST, depth: int) -> Tree:
        if depth > DEEPEST:
            raise _Wrong(f"it is nested more than {DEEPEST} deep; give parts of it names of their own")
        match node:
            case ast.Constant(value=bool()):
                raise _Wrong(f"{node.value} is not a number")
            case ast.Constant(value=int() | float()):
                return Number(_finite(lambda: float(node.value), "a number"))  # type: ignore[arg-type]
            case ast.Name(id=name) if name in CONSTANTS:
                return Number(CONSTANTS[name], name)
            case ast.Name(id=name):
                return Name(name)
            case ast.Attribute(value=ast.Name(id=name), attr=port):
                return Name(name, port)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.tree(operand, depth + 1)
                if isinstance(inner, Number) and not inner.text:
                    return Number(-inner.value)
                return Operation("*", inner, Number(-1.0))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.tree(operand, depth + 1)
            case ast.BinOp(op=op, left=left, right=right) if type(op) in SIGNS:
                return Operation(SIGNS[type(op)], self.tree(left, depth + 1), self.tree(right, depth + 1))
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in SIGNS:
                return Operation(SIGNS[type(op)], self.tree(left, depth + 1), self.tree(right, depth + 1))
            case ast.Compare(ops=[_, _, *_]):
                raise _Wrong(f"{self.part(node)} compares twice; write (a < b) * (b < c)")
            case ast.Call(func=ast.Name(id=name)):
                return self.function(node, name, depth)
        raise _Wrong(f"{self.part(node)} is no part of an expression; {GRAMMAR}")

    def function(self, node: ast.Call, name: str, depth: int) -> Tree:
        if name not in FUNCTIONS:
            near = difflib.get_close_matches(name, FUNCTIONS, 1)
            raise _Wrong(
                f"there is no function '{name}'; "
                + (f"did you mean '{near[0]}'?" if near else f"there are {' '.join(FUNCTIONS)}; for a product write *")
            )
        wants, compute = FUNCTIONS[name]
        wanted, has = wants.count(",") + 1, len(node.args)
        if node.keywords or (has < wanted if name in MANY else has != wanted):
            form = f"{name}({wants}, ...)" if name in MANY else f"{name}({wants})"
            raise _Wrong(f"{self.part(node)} does not fit; it is {form}")
        given = tuple(self.tree(one, depth + 1) for one in node.args)
        numbers = [value_of(one) for one in given]
        if any(one is None for one in numbers):
            return Function(name, given)
        written = f"{name}({', '.join(map(text, given))})"
        return Number(_finite(lambda: compute(*numbers), written), written)


def _finite(number: Callable[[], Any], what: str) -> float:
    try:
        value = number()
    except OverflowError:
        value = math.inf
    except ValueError:
        value = math.nan
    if isinstance(value, complex) or math.isnan(value):
        raise _Wrong(f"{what} is not a number")
    if not abs(value) < BIGGEST:
        raise _Wrong(f"{what} is too great")
    return float(value)


def value_of(tree: Tree) -> float | None:
    """What an expression of numbers alone comes to; None if there is a name in it."""
    if isinstance(tree, Number):
        return tree.value
    if isinstance(tree, Name | Function):
        for one in tree.given if isinstance(tree, Function) else ():
            value_of(one)
        return None
    a, b = value_of(tree.left), value_of(tree.right)
    if tree.sign in ("/", "%") and b == 0:
        raise _Wrong("it divides by zero")
    if a is None or b is None:
        return None
    if tree.sign == "**" and a == 0 and b < 0:
        raise _Wrong("it divides by zero")
    return _finite(lambda: OPERATORS[tree.sign](a, b), "a part of it")


def number_of(text: str) -> float | None:
    """The number that an expression comes to, "6" or "db(-6)"; None if there is a name in it, or something wrong."""
    try:
        return value_of(parse(text))
    except ValueError:
        return None


def misused(name: str) -> str:
    """What to say of a name that is none, because it is a function; empty if it is no function either."""
    return f"'{name}' is a function; write {name}({FUNCTIONS[name][0]})" if name in FUNCTIONS else ""


def names(tree: Tree) -> Iterator[Name]:
    """The names in it, from left to right."""
    if isinstance(tree, Name):
        yield tree
    elif isinstance(tree, Operation | Function):
        for part in (tree.left, tree.right) if isinstance(tree, Operation) else tree.given:
            yield from names(part)


def renamed(tree: Tree, by: dict[Name, Name]) -> Tree:
    """The tree with other names in it."""
    if isinstance(tree, Name):
        return by.get(tree, tree)
    if isinstance(tree, Operation):
        return Operation(tree.sign, renamed(tree.left, by), renamed(tree.right, by))
    return Function(tree.name, tuple(renamed(one, by) for one in tree.given)) if isinstance(tree, Function) else tree


def text(tree: Tree) -> str:
    """The expression in its one canonical spelling: parse(text(tree)) is the tree again."""
    return _text(tree, 0)


def _text(tree: Tree, outer: int) -> str:
    """outer: how tightly the operator around it binds; a right operand is held one tighter, the base of a power too."""
    if isinstance(tree, Number):
        written = tree.text or _digits(tree.value)
        return f"({written})" if written.startswith("-") and outer > BINDS["**"] else written
    if isinstance(tree, Name):
        return f"{tree.name}.{tree.port}" if tree.port else tree.name
    if isinstance(tree, Function):
        return f"{tree.name}({', '.join(map(text, tree.given))})"
    binds = BINDS.get(tree.sign, 1)
    if tree.sign == "*" and tree.right == Number(-1.0):
        made = f"-{_text(tree.left, 4)}"
    elif tree.sign == "**":
        made = f"{_text(tree.left, binds + 1)} ** {_text(tree.right, binds)}"
    else:
        made = f"{_text(tree.left, binds + (binds == 1))} {tree.sign} {_text(tree.right, binds + 1)}"
    return f"({made})" if binds < outer else made


def _digits(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
