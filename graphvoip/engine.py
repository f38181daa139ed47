"""The engine: runs the plans of all calls, publishes edits, hands events back, counts late frames.

Live, a thread of machine code does it on absolute deadlines and never takes the GIL, so nothing that Python does can
make a frame late. On the virtual clock the event loop runs the same code, one frame at a time.
"""

import asyncio
import atexit
import collections
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, types

from .bus import Buses
from .clock import TICK, VirtualLoop, now, sleep_until
from .graph import Graph
from .kernel import FLUSH, barrier, fence, float_mode, native, set_float_mode, words_at
from .plan import CLOCK_AT as PLAN_CLOCK_AT
from .plan import EVENT, EVENTS, EVENTS_AT, HEADER, run_plan
from .rings import FRAME, Wake

log = logging.getLogger("graphvoip")

# The control words, shared by Python and the audio thread; each has one writer.
STOP, TABLE, SEEN, TICKS, LATE, WORST, SKIPPED, WROTE, READ, EVENTS_RING, WAKE_FD, CONTROL = range(12)
# The table of what runs: its number, how many plans and wakes there are, and where their lists begin.
GENERATION, PLANS, PLANS_AT, WAKES, WAKES_AT, TABLE_HEADER = range(6)

EVENT_ROW = 4  # graph's number, sample, token, value
EVENT_RING = 1 << 14  # events that may wait for the event loop; when it is full they wait in their nodes
LEAD = 10_000_000  # ns before a tick at which a device is woken to fetch its frame
TOO_LATE = 5_000_000  # ns after which a frame counts as late
GIVE_UP = 3 * TICK  # ns after which lost frames are skipped rather than made up for in a burst

_write = types.ExternalFunction("write", types.intp(types.int32, types.uintp, types.uintp))


@njit(nogil=True)
def _collect(control, number, plan):
    """Move the events of one plan into the event ring; True if there were any."""
    ring = words_at(control[EVENTS_RING], EVENT_RING * EVENT_ROW)
    header = words_at(plan, HEADER)
    clock = words_at(header[PLAN_CLOCK_AT], 1)
    events = words_at(header[EVENTS_AT], header[EVENTS] * EVENT)
    found = False
    for k in range(0, events.size, EVENT):
        word = words_at(events[k], 1)
        if word[0] != 0 and control[WROTE] - control[READ] < EVENT_RING:
            row = EVENT_ROW * (control[WROTE] % EVENT_RING)
            ring[row], ring[row + 1] = number, clock[0] * FRAME + (word[0] & 0xFFFF) - 1
            ring[row + 2], ring[row + 3] = events[k + 1], word[0] >> 16
            word[0] = 0
            fence()
            control[WROTE] += 1
            found = True
    clock[0] += 1
    return found


@native("int64(int64[::1])")
def tick(control):
    """One frame of all calls; the number of calls that have news for the event loop."""
    table = words_at(control[TABLE], TABLE_HEADER)
    fence()
    control[SEEN] = table[GENERATION]
    plans = words_at(table[PLANS_AT], 2 * table[PLANS])
    news = 0
    mode = float_mode()
    set_float_mode(mode | FLUSH)
    for k in range(0, plans.size, 2):
        run_plan(plans[k + 1], 0, FRAME)
        news += _collect(control, plans[k], plans[k + 1])
    set_float_mode(mode)
    control[TICKS] += 1
    return news


@native("void(int64[::1], int64)")
def wake(control, column):
    """Write every waker's number for `before` (1) or `after` (2) the tick."""
    table = words_at(control[TABLE], TABLE_HEADER)
    fence()
    wakes = words_at(table[WAKES_AT], 3 * table[WAKES])
    for k in range(0, wakes.size, 3):
        if wakes[k + column] != 0:
            _write(wakes[k], wakes.ctypes.data + 8 * (k + column), 8)


@native("void(int64[::1], int64[::1], int64[::1])")
def serve(control, lateness, spec):
    """The audio thread: from here to the end no Python runs. lateness: nanoseconds by tick, the latest ones."""
    due = now(spec)
    while control[STOP] == 0:
        due += TICK
        sleep_until(due - LEAD, spec)
        wake(control, 1)
        sleep_until(due, spec)
        late = now(spec) - due
        lateness[control[TICKS] % lateness.size] = late
        control[LATE] += late > TOO_LATE
        control[WORST] = max(control[WORST], late)
        news = tick(control)
        wake(control, 2)
        if news:
            spec[0] = 1
            _write(control[WAKE_FD], spec.ctypes.data, 8)
        if late > GIVE_UP:
            control[SKIPPED] += late // TICK
            due += late // TICK * TICK


@dataclass(frozen=True)
class Stats:
    """What the audio thread has counted since the start."""

    frames: int  # ticks of 20 ms
    late: int  # ticks that began more than 5 ms after their time
    worst_ms: float  # the latest of them
    skipped: int  # ticks that were given up, because the machine slept
    calls: int  # graphs that run now


class Engine:
    """Runs graphs. Start it inside a running event loop: on a VirtualLoop it needs no thread."""

    def __init__(self):
        self.graphs: dict[int, Graph] = {}
        self.before: list[Callable[[], Any]] = []  # virtual clock: run before and after each frame, in lockstep
        self.after: list[Callable[[], Any]] = []
        self._wakes: dict[Wake, tuple[int, int]] = {}
        self._numbers = 0
        self._dirty: dict[Graph, None] = {}
        self._places: dict[Graph, int] = {}  # which row of _plans, (its number, its plan), is a graph's
        self._plans = np.zeros((0, 2), np.int64)
        self._generation = 0
        self._kept: collections.deque[tuple[int, Any]] = collections.deque()
        self._events = np.zeros(EVENT_RING * EVENT_ROW, np.int64)
        self._control = np.zeros(CONTROL, np.int64)
        self._control[EVENTS_RING] = self._events.ctypes.data
        self.buses = Buses(self._control[TICKS : TICKS + 1])
        self.lateness = np.zeros(1 << 16, np.int64)
        self._thread: threading.Thread | None = None
        self._wake: Wake | None = None
        self._freeing: asyncio.TimerHandle | None = None
        self._current: Any = None
        self._publish()

    # --- Life ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        if isinstance(self.loop, VirtualLoop):
            self.loop.each_frame.append(self.step)
            return
        self._wake = Wake()
        self._control[WAKE_FD] = self._wake.write_fd
        self.loop.add_reader(self._wake.read_fd, self._woken)
        scratch = np.zeros(2, np.int64)
        self._thread = threading.Thread(
            target=serve, args=(self._control, self.lateness, scratch), name="graphvoip audio", daemon=True
        )
        self._thread.start()
        with contextlib.suppress(AttributeError, OSError):  # before all others, where we may: root, LimitRTPRIO=
            os.sched_setscheduler(self._thread.native_id, os.SCHED_FIFO, os.sched_param(1))  # type: ignore[arg-type]
        atexit.register(
            self._halt
        )  # a program that ends without stopping us: no thread may outlive the memory it runs on

    def stop(self) -> None:
        """Stop the clock. Graphs stay as they are, silent."""
        if isinstance(self.loop, VirtualLoop):
            if self.step in self.loop.each_frame:
                self.loop.each_frame.remove(self.step)
            return
        self._halt()
        atexit.unregister(self._halt)
        if self._wake:
            self.loop.remove_reader(self._wake.read_fd)
            self._wake = None

    def _halt(self) -> None:
        self._control[STOP] = 1
        if self._thread:
            self._thread.join()
            self._thread = None

    @property
    def virtual(self) -> bool:
        """True on the virtual clock: Python functions run in lockstep with the frames."""
        return isinstance(self.loop, VirtualLoop)

    def stats(self) -> Stats:
        c = self._control
        return Stats(int(c[TICKS]), int(c[LATE]), float(c[WORST]) / 1e6, int(c[SKIPPED]), len(self.graphs))

    # --- Edits --------------------------------------------------------------------------------------------------------

    def add(self, graph: Graph) -> None:
        """Run a graph from the next frame on."""
        self._numbers += 1
        self.graphs[self._numbers] = graph
        graph.buses = self.buses
        graph.live = not self.virtual
        graph.on_touch = self._touched
        self._touched(graph)

    def remove(self, graph: Graph) -> None:
        """Stop running it. Its memory is kept until the audio thread is past it."""
        for number in [number for number, one in self.graphs.items() if one is graph]:
            del self.graphs[number]
        self._dirty.pop(graph, None)
        plan = graph.plan
        graph.clear()
        self._list_plans()
        self._publish(plan)

    def add_wake(self, wake: Wake, before: int = 0, after: int = 0) -> None:
        """Give a Wake these numbers 10 ms before each tick and right after it; 0: do not.

        Its descriptor stays open while the audio thread may write to it, even after remove_wake.
        """
        self._wakes[wake] = (before, after)
        self._publish()

    def remove_wake(self, wake: Wake) -> None:
        if self._wakes.pop(wake, None):
            self._publish()

    def _touched(self, graph: Graph) -> None:
        if asyncio._get_running_loop() is not self.loop:  # a wire that another thread has changed
            self.loop.call_soon_threadsafe(self._touched, graph)
            return
        if not self._dirty:
            self.loop.call_soon(self._flush)
        self._dirty[graph] = None

    def _flush(self) -> None:
        """All the edits of one step of the event loop become one plan a graph."""
        dirty, self._dirty = self._dirty, {}
        old = [graph.plan for graph in dirty]
        for graph in dirty:
            try:
                graph.compile()
            except Exception as error:
                log.error("%s: %s; it sounds on as it was", graph.name, error)
        if dirty and all(graph in self._places for graph in dirty):
            self._plans = self._plans.copy()  # the audio thread may be reading it
            for graph in dirty:
                self._plans[self._places[graph], 1] = graph.plan.address  # type: ignore[union-attr]
        elif dirty:
            self._list_plans()
        if dirty:
            self._publish(*old)

    def _list_plans(self) -> None:
        """A call has come or gone."""
        running = [(number, graph) for number, graph in self.graphs.items() if graph.plan]
        self._places = {graph: place for place, (_, graph) in enumerate(running)}
        self._plans = np.array([(n, graph.plan.address) for n, graph in running], np.int64).reshape(-1, 2)

    def _publish(self, *old: Any) -> None:
        """Make a new table of what runs and show it to the audio thread with one store.

        old: plans that only earlier tables run. They are let go when the thread has been seen past those tables.
        """
        self._generation += 1
        plans = self._plans
        wakes = np.array([(wake.write_fd, *words) for wake, words in self._wakes.items()] or [(0, 0, 0)], np.int64)
        header = [self._generation, len(plans), plans.ctypes.data, len(self._wakes), wakes.ctypes.data]
        table = np.array(header, np.int64)
        self._kept.append((self._generation, (self._current, *old)))
        self._current = (table, plans, wakes, list(self._wakes))
        barrier()
        self._control[TABLE] = table.ctypes.data
        self._free()

    def _free(self) -> None:
        """Let go of what the audio thread is past: it has begun a tick with a later table."""
        stopped = self._control[STOP] and self._thread is None
        while self._kept and (self._kept[0][0] <= self._control[SEEN] or stopped):
            self._kept.popleft()
        if self._kept and self._thread and not self._freeing:
            self._freeing = self.loop.call_later(2 * TICK / 1e9, self._free_later)

    def _free_later(self) -> None:
        self._freeing = None
        self._free()

    # --- Frames and events --------------------------------------------------------------------------------------------

    def step(self) -> None:
        """One frame on the virtual clock: the far ends speak, the graphs run, the far ends hear, the news are told."""
        self._flush()
        for run in list(self.before):
            run()
        tick(self._control)
        for run in list(self.after):
            run()
        self._dispatch()
        self._free()

    def _woken(self) -> None:
        if self._wake:
            self._wake.take()
        self._dispatch()

    def _dispatch(self) -> None:
        """Hand the events that have come to their graphs."""
        control, rows = self._control, self._events.reshape(-1, EVENT_ROW)
        while control[READ] < control[WROTE]:
            number, sample, token, value = rows[control[READ] % EVENT_RING].tolist()
            control[READ] += 1
            graph = self.graphs.get(number)
            if graph:
                try:
                    graph.hear(token, sample, value)
                except Exception:
                    log.exception("%s: an event could not be handled", graph.name)
