import math

import numpy as np

from ..expression import Function, Name, Number, Tree, misused, parse
from ..expression import text as text_of
from ..kernel import doubles_at, exp2, kernel, sin_turns, tanh, words_at
from ..node import Node, Option, Output, Signal, State
from ..rings import FRAME, RATE

MOST = 256  # instructions
DEEPEST = 32  # values that wait on the stack
PLACE = 8 * FRAME  # bytes of one of them: a frame of float64
BIGGEST = 3e38  # what a float32 holds

# The machine: a stack of blocks of samples. An instruction has an operation, a whole number and two factors. Each
# operation is a loop, and loops take time to compile, so a few with factors do for many functions.
(WIRE, COPY, RAMP, ADD, MULTIPLY, DIVIDE, MODULO, POWER, COMPARE, LEAST, GREATEST, MIX,
 SINE, TAN, TANH, EXP2, LOG, SQRT, FLOOR) = range(19)  # fmt: skip
GROWS = {WIRE: 1, COPY: 1, RAMP: 1, MIX: -2} | dict.fromkeys(range(SINE, FLOOR + 1), 0)  # the others: -1

NAMES = {name: [(WIRE, k, 0.0, 0.0)] for k, name in enumerate("abcd")} | {"t": [(RAMP, 0, 0.0, 1 / RATE)]}
OPERATIONS = {
    "+": [(ADD, 0, 1.0, 0.0)],
    "-": [(ADD, 0, -1.0, 0.0)],
    "*": [(MULTIPLY, 0, 0.0, 0.0)],
    "/": [(DIVIDE, 0, 0.0, 0.0)],
    "%": [(MODULO, 0, 0.0, 0.0)],
    "**": [(POWER, 0, 0.0, 0.0)],
    # What it is if the first is less, and if it is more; with 1 for the whole number it is 1 if they are equal.
    "<": [(COMPARE, 0, 1.0, 0.0)],
    "<=": [(COMPARE, 1, 1.0, 0.0)],
    ">": [(COMPARE, 0, 0.0, 1.0)],
    ">=": [(COMPARE, 1, 0.0, 1.0)],
    "==": [(COMPARE, 1, 0.0, 0.0)],
    "!=": [(COMPARE, 0, 1.0, 1.0)],
}
# The instructions of a function, behind those of what it is given.
FUNCTIONS = {
    "sin": [(SINE, 0, 0.0, 0.0)],
    "cos": [(SINE, 0, 0.25, 0.0)],
    "tan": [(TAN, 0, 0.0, 0.0)],
    "tanh": [(TANH, 0, 0.0, 0.0)],
    "exp": [(EXP2, 0, math.log2(math.e), 0.0)],
    "log": [(LOG, 0, 0.0, 0.0)],
    "sqrt": [(SQRT, 0, 0.0, 0.0)],
    "abs": [(COPY, 0, 0.0, 0.0), (RAMP, 0, -1.0, 0.0), (MULTIPLY, 0, 0.0, 0.0), (GREATEST, 0, 0.0, 0.0)],
    "min": [(LEAST, 0, 0.0, 0.0)],
    "max": [(GREATEST, 0, 0.0, 0.0)],
    "floor": [(FLOOR, 0, 0.0, 0.0)],
    "round": [(FLOOR, 0, 0.5, 0.0)],
    "clip": [],  # a least of a greatest
    "mix": [(MIX, 0, 0.0, 0.0)],
    "db": [(EXP2, 0, math.log2(10) / 20, 0.0)],
    "midi": [(EXP2, 0, 1 / 12, math.log2(440) - 69 / 12)],
    "sign": [(RAMP, 0, 0.0, 0.0), (COMPARE, 0, -1.0, 1.0)],
}


class Program:
    """The instructions of a formula, in the order in which the machine does them."""

    def __init__(self, text: str):
        self.code: list[tuple[int, int, float, float]] = []
        self.depth = 0
        if not isinstance(text, str):
            raise ValueError(f"expression: formula is {text!r:.60}; it is a text: 'a * b'")
        try:
            self.value(parse(text))
        except ValueError as error:
            raise ValueError(f"expression: {error}") from None

    def add(self, code: list[tuple[int, int, float, float]]) -> None:
        for instruction in code:
            self.depth += GROWS.get(instruction[0], -1)
            self.code.append(instruction)
            if self.depth > DEEPEST:
                raise ValueError(f"more than {DEEPEST} values wait for each other; use two expressions")
            if len(self.code) > MOST:
                raise ValueError(f"it has more than {MOST} steps; use two expressions")

    def value(self, tree: Tree) -> None:
        """Append the instructions that put this part's value on the stack."""
        if isinstance(tree, Number):
            self.add([(RAMP, 0, tree.value, 0.0)])
        elif isinstance(tree, Name):
            if tree.port or tree.name not in NAMES:
                known = f"'{text_of(tree)}' is not known; a formula has the names a b c d, and t for the time"
                raise ValueError(misused(tree.name) or known)
            self.add(NAMES[tree.name])
        elif isinstance(tree, Function):
            self.function(tree)
        else:
            self.value(tree.left)
            power = tree.right.value if tree.sign == "**" and isinstance(tree.right, Number) else None
            if power in (2, 3, 4):
                # Products are far faster than a power.
                copies = {2: "cm", 3: "ccmm", 4: "cmcm"}[int(power)]
                self.add([(COPY if c == "c" else MULTIPLY, 0, 0.0, 0.0) for c in copies])
            else:
                self.value(tree.right)
                self.add(OPERATIONS[tree.sign])

    def function(self, tree: Function) -> None:
        many = tree.name in ("min", "max")
        for k, one in enumerate(tree.given):
            self.value(one)
            if many and k > 0:
                self.add(FUNCTIONS[tree.name])
            elif tree.name == "clip" and k > 0:
                self.add([(GREATEST if k == 1 else LEAST, 0, 0.0, 0.0)])
        self.add([] if many else FUNCTIONS[tree.name])


class Expression(Node):
    """A formula over up to four signals, computed for every sample: a ring modulator, a shaper, a curve.

    The grammar is that of all expressions. In patch files names are nodes, and a function of signals there becomes such
    a node; a formula has the names a b c d, and t, the seconds since it began. There are numbers, pi, + - * / % **,
    comparisons (1 or 0), and the functions sin cos tan tanh exp log sqrt abs min max floor round clip(x, low, high)
    mix(a, b, x) (a at 0, b at 1), db (decibels to a factor), midi (the number of a note to Hz) and sign. Angles are in
    radians; halves are rounded up; % has the sign of the divisor. What is not finite is 0. It is computed in float64;
    sin, cos, tanh, exp, db and midi of signals are good to a millionth. An operation costs some 0.05 us a frame; log,
    tan and ** 1 to 3 us, but the powers 2, 3 and 4 are products.

    >>> Expression(Sine(freq=220), Sine(freq=3), formula="tanh(a * (2 + b)) * sin(2 * pi * 331 * t) * 0.5")
    """

    group = "arithmetic"
    known_as = "formula, math, function, waveshaper, calculator, bytebeat, equation"
    a = Signal(0.0, "x", doc="the signal `a` of the formula")
    b = Signal(0.0, "x", doc="the signal `b`")
    c = Signal(0.0, "x", doc="the signal `c`")
    d = Signal(0.0, "x", doc="the signal `d`")
    formula = Option("a", "what is computed, a text: 'tanh(a * (1 + b)) * sin(c)'")
    out = Output()
    state = State(words="i8", factors="i8", stack="i8", size="i8", at="i8")

    def start(self):
        code = Program(self.formula).code
        self.words = np.array([line[:2] for line in code], np.int64).ravel()
        self.factors = np.array([line[2:] for line in code], np.float64).ravel()
        self.stack = np.zeros((DEEPEST + 2) * FRAME)  # an instruction sees three values from its own on
        for name in ("words", "factors", "stack"):
            self.state[name] = getattr(self, name).ctypes.data
        self.state["size"] = len(code)

    @kernel
    def process(state, a, b, c, d, out):
        words, factors = words_at(state.words, 2 * state.size), doubles_at(state.factors, 2 * state.size)
        size, top, first = out.size, -1, np.float64(state.at)
        for line in range(state.size):
            op, which, p, q = words[2 * line], words[2 * line + 1], factors[2 * line], factors[2 * line + 1]
            # x is where the result goes: a new place, or that of the first of the values that are used up.
            top += 1 if op <= RAMP else 0 if op >= SINE else -2 if op == MIX else -1
            here = state.stack + PLACE * max(0, min(top, DEEPEST - 1))
            x, y = doubles_at(here, size), doubles_at(here + PLACE, size)
            if op == WIRE:
                wire = a if which == 0 else b if which == 1 else c if which == 2 else d
                for i in range(size):
                    x[i] = wire[i]
            elif op == COPY:
                before = doubles_at(max(state.stack, here - PLACE), size)
                for i in range(size):
                    x[i] = before[i]
            elif op == RAMP:
                for i in range(size):
                    x[i] = p + q * (first + i)
            elif op == ADD:
                for i in range(size):
                    x[i] += p * y[i]
            elif op == MULTIPLY:
                for i in range(size):
                    x[i] *= y[i]
            elif op == DIVIDE:
                for i in range(size):
                    x[i] /= y[i]
            elif op == MODULO:
                for i in range(size):
                    x[i] -= y[i] * np.floor(x[i] / y[i])
            elif op == POWER:
                for i in range(size):
                    x[i] = x[i] ** y[i]
            elif op == COMPARE:
                for i in range(size):
                    less, more = p if x[i] < y[i] else 0.0, q if x[i] > y[i] else 0.0
                    x[i] = less + more + (np.float64(which) if x[i] == y[i] else 0.0)
            elif op == LEAST:
                for i in range(size):
                    x[i] = x[i] if x[i] < y[i] else y[i]
            elif op == GREATEST:
                for i in range(size):
                    x[i] = x[i] if x[i] > y[i] else y[i]
            elif op == MIX:
                z = doubles_at(here + 2 * PLACE, size)
                for i in range(size):
                    x[i] += (y[i] - x[i]) * z[i]
            elif op == SINE:
                for i in range(size):
                    turns = x[i] * (0.5 / np.pi) + p
                    x[i] = sin_turns(np.float32(turns - np.floor(turns)))
            elif op == TANH:
                for i in range(size):
                    x[i] = tanh(np.float32(x[i])) if x[i] == x[i] else x[i]
            elif op == EXP2:
                # The whole part apart: it is exact, and what is left is near 0, where a float32 is good enough.
                for i in range(size):
                    v = x[i] * p + q
                    v = -126.0 if v < -126 else 126.0 if v > 126 else v
                    whole = np.floor(v)
                    power = np.float64(exp2(np.float32(whole))) * np.float64(exp2(np.float32(v - whole)))
                    x[i] = power if v == v else v
            elif op == FLOOR:
                for i in range(size):
                    x[i] = np.floor(x[i] + p)
            elif op == SQRT:
                for i in range(size):
                    x[i] = np.sqrt(x[i])
            elif op == LOG:
                for i in range(size):
                    x[i] = np.log(x[i])
            elif op == TAN:
                for i in range(size):
                    x[i] = np.tan(x[i])
        x = doubles_at(state.stack, size)
        for i in range(size):
            out[i] = x[i] if abs(x[i]) < BIGGEST else 0.0
        state.at += size
