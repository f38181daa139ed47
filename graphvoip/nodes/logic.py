import numpy as np

from ..kernel import kernel
from ..node import Node, Option, Output, Signal, State

# What each makes of (neither, b, a, both), lowest bit first.
TABLES = {"and": 0b1000, "or": 0b1110, "xor": 0b0110, "not": 0b0011, "nand": 0b0111, "nor": 0b0001}
OPS = (*TABLES, "toggle", "latch")
TABLE, TOGGLE, LATCH = range(3)


class Logic(Node):
    """Combine gates: and, or, xor, nand, nor of two; not of one; or remember them, as toggle and latch.

    toggle: each rise of a switches it on or off. latch: a switches it on, and it stays on. In both b switches it off,
    and holds it off as long as b is on.

    >>> Sine(freq=550) * Logic(Clock(tempo=120).gate, Clock(tempo=160).gate, op="xor") * 0.5
    """

    group = "control"
    known_as = "and, or, xor, not, nand, nor, boolean, flip-flop, latch, toggle, gate logic"
    a = Signal(None, "gate", doc="the first")
    b = Signal(0.0, "gate", doc="the second; `not` does not look at it")
    op = Option("and", "how they are combined", OPS)
    out = Output("1 or 0")
    state = State(kind="i8", table="i8", on="i8", a_="i8")

    def start(self):
        self.state["kind"] = {"toggle": TOGGLE, "latch": LATCH}.get(self.op, TABLE)
        self.state["table"] = TABLES.get(self.op, 0)

    @kernel
    def process(state, a, b, out):
        table, on, was = state.table, state.on, state.a_
        if state.kind == TABLE:
            for i in range(out.size):
                out[i] = table >> (2 * np.int64(a[i] > 0) + np.int64(b[i] > 0)) & 1
        else:
            for i in range(out.size):
                if a[i] > 0 and was == 0:
                    on = 1 - on if state.kind == TOGGLE else 1
                elif a[i] > 0 and state.kind == LATCH:
                    on = 1
                was = np.int64(a[i] > 0)
                on = 0 if b[i] > 0 else on
                out[i] = on
            state.on, state.a_ = on, was
