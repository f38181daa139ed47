"""What is wrong with a node's kernel, in one line: node, mistake, the name that may be meant, place, source line.

numba's own text is long, and begins with the wrapper that we put around a kernel. It is logged at debug level.
"""

import ast
import builtins
import difflib
import inspect
import logging
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

log = logging.getLogger("graphvoip")


class KernelError(TypeError):
    """A node's kernel cannot be compiled."""


class Mistake(NamedTuple):
    text: str
    line: int
    function: FunctionType


@contextmanager
def explained(cls: Any, function: Any) -> Iterator[None]:
    """Raise what numba says of a node's kernel as a KernelError of one line."""
    try:
        yield
    except Exception as error:
        log.debug("%s.process cannot be compiled", cls.__name__, exc_info=True)
        mistake = next(_misspelt(function, _fields(cls, function), set()), None) or _of_numba(cls, function, error)
        says = mistake.text if mistake.text.endswith("?") else f"{mistake.text}."
        raise KernelError(f"{cls.__name__}.process: {says} In {_place(mistake, function)}") from None


def _place(mistake: Mistake, kernel: FunctionType) -> str:
    path = mistake.function.__code__.co_filename
    shown = os.path.relpath(path) if path.startswith(os.getcwd() + os.sep) else path
    helper = "" if mistake.function is kernel else f", {mistake.function.__name__}"
    lines, first = _lines(mistake.function)
    inside = first <= mistake.line < first + len(lines)
    source = f": {lines[mistake.line - first].strip()}" if inside else ""
    return f"{shown}:{mistake.line}{helper}{source}"


def _lines(function: Any) -> tuple[list[str], int]:
    try:
        return inspect.getsourcelines(function)
    except (OSError, TypeError):  # typed at a prompt, or only its bytecode is there
        return [], 0


# --- Names that do not exist ------------------------------------------------------------------------------------------


def _fields(cls: Any, function: FunctionType) -> dict[str, tuple[str, Iterable[str]]]:
    """What each parameter of a kernel is, and what it has."""
    array = [name for name in dir(np.ndarray) if not name.startswith("_")]
    known: dict[str, tuple[str, Iterable[str]]] = {"state": ("state has no field", cls.dtype.names)}
    for name, slot in (cls.slots.inputs | cls.slots.outputs).items():
        if type(slot).__name__ == "Signals":
            known[name] = f"{name} is a list of signals, it has no", ("addresses", "start", "size")
        else:
            known[name] = f"{name} is an array of samples, it has no", array
    return {name: known[name] for name in inspect.signature(function).parameters if name in known}


def _misspelt(function: Any, fields: dict[str, tuple[str, Iterable[str]]], seen: set[Any]) -> Iterator[Mistake]:
    """Names that neither a function nor a helper that it calls can know, from the first line to the last."""
    lines, first = _lines(function)
    if not lines or function in seen:
        return
    seen.add(function)
    try:
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except SyntaxError:  # a lambda in the middle of something
        return
    ast.increment_lineno(tree, first - 1)
    code = function.__code__
    own = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
    own |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    outside = {**vars(builtins), **function.__globals__, **inspect.getclosurevars(function).nonlocals}
    body = [node for part in getattr(tree.body[0], "body", ()) for node in ast.walk(part)]
    for node in sorted((one for one in body if isinstance(one, ast.expr)), key=lambda one: one.lineno):
        if isinstance(node, ast.Name) and node.id not in own and node.id not in outside:
            yield Mistake(_unknown(node.id, [*own, *outside]), node.lineno, function)
        elif isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if owner in fields and node.attr not in (names := list(fields[owner][1])):
                has = "" if len(names) > 20 else f"; it has {', '.join(names)}"
                text = f"{fields[owner][0]} '{node.attr}'{_meant(node.attr, names) or has}"
                yield Mistake(text, node.lineno, function)
            module = None if owner.split(".")[0] in own else _value(owner, outside)
            if isinstance(module, ModuleType) and not hasattr(module, node.attr):
                text = f"{owner} has no '{node.attr}'{_meant(node.attr, dir(module))}"
                yield Mistake(text, node.lineno, function)
        elif isinstance(node, ast.Call):
            helper = getattr(_value(ast.unparse(node.func), outside), "py_func", None)
            if helper is not None:
                yield from _misspelt(helper, {}, seen)


def _value(name: str, outside: dict[str, Any]) -> Any:
    """The value of a dotted name, or None."""
    first, *parts = name.split(".")
    value = outside.get(first)
    for part in parts:
        value = getattr(value, part, None)
    return value


def _unknown(name: str, known: Iterable[str]) -> str:
    """No such name; what to import, or what may be meant."""
    if name in sys.stdlib_module_names:
        hint = f"; write 'import {name}' at the top of the file"
    elif name == "np":
        hint = "; write 'import numpy as np' at the top of the file"
    elif hasattr(sys.modules.get(f"{__package__}.kernel"), name):
        hint = f"; write 'from {__package__}.kernel import {name}' at the top of the file"
    else:
        hint = _meant(name, known)
    return f"there is no '{name}'{hint}"


def _meant(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, [one for one in known if not one.startswith("__")], 1)
    return f"; did you mean '{near[0]}'?" if near else ""


# --- What else numba finds --------------------------------------------------------------------------------------------

PLACE = re.compile(r"(?:\b(?:at|from) |File \")(?P<file>\S.*?)(?: \(|\", line )(?P<line>\d+)")
NOISE = re.compile(r"(Failed in .*pipeline.*|During: .*|The compiler failed to analyze the bytecode\. ?)")


def _of_numba(cls: Any, function: FunctionType, error: Exception) -> Mistake:
    """The first thing that numba says, at the first place that is in the kernel's file and not in a wrapper."""
    path, line = os.path.abspath(function.__code__.co_filename), function.__code__.co_firstlineno
    for place in PLACE.finditer(str(error)):
        if os.path.abspath(place["file"]) == path:
            line = int(place["line"])
            break
    return Mistake(_said(cls, function, error), line, function)


def _said(cls: Any, function: FunctionType, error: Exception) -> str:
    if isinstance(error, KeyError):  # what numba raises for a field that a record has not
        return f"state has no field {error}{_meant(str(error.args[0]), cls.dtype.names)}"
    lines = [NOISE.sub("", line).strip() for line in str(error).splitlines()]
    first = next(filter(None, lines), type(error).__name__)
    if name := re.search(r"name '(\w+)' is not defined", first):
        return _unknown(name[1], [*function.__code__.co_varnames, *function.__globals__])
    if found := re.match(r"Untyped global name '(\w+)': Cannot determine Numba type of <class '(.+)'>", first):
        if found[2] == "function":
            return f"'{found[1]}' is a Python function, which a kernel cannot call; put numba's @njit above it"
        return f"'{found[1]}' is a {found[2]}, which a kernel cannot read; a number, a tuple or an array it can"
    if first.startswith("No implementation of function"):
        call = next((line.removeprefix(">>> ") for line in lines if line.startswith(">>> ")), first)
        return f"a kernel cannot do {call}"
    return first.split(" Raised from ")[0].rstrip(".")
