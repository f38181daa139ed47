import collections

from ..kernel import barrier, event, fence, kernel
from ..node import Event, Node, Output, State
from ..notes import KEYS

SIZE = 64  # keys that the kernel's queue can hold; more wait outside


class Keypad(Node):
    """The caller's keys: an event source, one key a frame, in the order in which they were pressed."""

    group = "call"
    known_as = "dtmf, keys, touch tone, dial pad, buttons"
    out = Output("the character code of the latest key, 0 before the first")
    pressed = Output("events: the character code of each key, at the sample of its press; 0 between")
    digit = Event("a key; the value is its character code")
    state = State(queue=("u1", SIZE), written="i8", read="i8", latest="f8")

    def start(self):
        self.waiting: collections.deque[str] = collections.deque()

    def press(self, key: str) -> None:
        """A key from the far end. Raises ValueError for what is not on a keypad (0-9 * # A-D)."""
        if len(key) != 1 or key.upper() not in KEYS:
            raise ValueError(f"{key!r} is not a key; there are {KEYS}")
        self.waiting.append(key.upper())
        self.feed()

    def feed(self) -> None:
        """Hand on the keys that wait, as many as the queue takes."""
        state = self.state
        while self.waiting and state["written"] - state["read"] < SIZE:
            state["queue"][state["written"] % SIZE] = ord(self.waiting.popleft())
            barrier()
            state["written"] += 1

    @kernel
    def process(state, out, pressed):
        for i in range(out.size):
            pressed[i] = 0
        if state.read < state.written and state.digit == 0:
            fence()
            key = state.queue[state.read % SIZE]
            state.read += 1
            state.latest = key
            pressed[0] = key
            state.digit = event(0, key)
        for i in range(out.size):
            out[i] = state.latest
