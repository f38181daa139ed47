import inspect

import numpy as np

from ..kernel import barrier, fence, floats_at, kernel
from ..node import Node, Option, Output, Signal, State
from ..rings import FRAME, RATE

SIZE = 64 * FRAME  # samples that each of its two rings can hold
DELAY = 2 * FRAME  # samples by which it is late, on every clock


class Function(Node):
    """A Python function in a graph: f(x, t) -> float for every sample, or f(block, t) -> array for every frame.

    x is the input, t the time of the (first) sample in seconds since it began to sound. What it gives is heard 320
    samples later, live and offline. It runs in a thread of the call, with the call's other functions; when one is too
    slow, the functions of that call fall silent until they have caught up; everything else goes on, and it is told. It
    cannot be a part of a cycle. A function that must be fast is a @kernel instead (docs/writing-nodes.md).

    >>> Function(Sine(freq=441) * 0.5, f=lambda x, t: x if t % 0.5 < 0.25 else 0.0)
    """

    group = "graph"
    known_as = "python, callback, lambda, script, user function, numpy"
    in_python = True
    input = Signal(0.0, "x", doc="what the function is given")
    f = Option(None, "the function; without it the signal is only late")
    per = Option("sample", "what the function is called for", ("sample", "block"))
    out = Output("what the function gave, 320 samples later")
    state = State(heard="i8", given="i8", written="i8", made="i8", missed="i8")

    def start(self):
        if self.f is not None and (not callable(self.f) or inspect.iscoroutinefunction(self.f)):
            raise TypeError(f"function: f is {self.f!r}; it is a plain function of (x, t)")
        self.taken = np.zeros(SIZE, np.float32)
        self.made = np.zeros(SIZE, np.float32)
        self.state["heard"], self.state["given"] = self.taken.ctypes.data, self.made.ctypes.data

    def step(self) -> bool:
        """Do all that waits. It is called after every frame, on the thread that runs the call's functions."""
        while self.state["written"] - self.state["made"] >= FRAME:
            behind = int(self.state["written"] - self.state["made"]) // FRAME
            if behind > SIZE // FRAME - 2:  # its input is being written over
                self.state["made"] += (behind - 1) * FRAME
            self._one()
        return True

    def _one(self) -> None:
        first = int(self.state["made"])
        at = first % SIZE
        block = self.taken[at : at + FRAME].copy()
        if self.f is None:
            result = block
        elif self.per == "block":
            result = self._checked(self.f(block, first / RATE), (FRAME,), first)
        else:
            f, seconds = self.f, [n / RATE for n in range(first, first + FRAME)]
            result = self._checked([f(x, t) for x, t in zip(block.tolist(), seconds, strict=True)], (FRAME,), first)
        self.made[at : at + FRAME] = result
        barrier()
        self.state["made"] += FRAME

    def _checked(self, result, shape, first):
        wanted = "an array of 160 numbers" if self.per == "block" else "a number for every sample"
        try:
            array = np.asarray(result, np.float32)
        except (TypeError, ValueError):
            array = None
        if array is None or array.shape != shape:
            raise TypeError(f"function: f gave {result!r:.60} at {first / RATE:g} s; it gives {wanted}")
        return array

    def trouble(self) -> str:
        """What went wrong without an exception, or nothing."""
        missed = int(self.state["missed"]) / RATE
        return f"function: it was too slow, {missed:.2f} s were silent" if missed else ""

    @kernel
    def process(state, input, out):
        heard, given = floats_at(state.heard, SIZE), floats_at(state.given, SIZE)
        first, made = state.written, state.made
        fence()
        for i in range(out.size):
            heard[(first + i) % SIZE] = input[i]
            at = first + i - DELAY
            ready = at >= 0 and at < made
            out[i] = given[at % SIZE] if ready else np.float32(0)
            state.missed += at >= made
        fence()
        state.written = first + out.size
