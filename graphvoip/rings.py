"""Rings of frames: the only way in and out of the audio thread.

A *line ring* joins a call's graph to its far end: a page of memory that two threads, or two processes, share.

    16 words of 64 bits      counters, see WORDS
    DEPTH frames in          from the far end to the graph, 160 samples of 16 bits each
    DEPTH frames out         from the graph to the far end

A writer never waits and never looks at the reader; the reader alone decides what to skip. So there is no lock, a slow
side delays nobody, and a frame too many is dropped where it costs least: before it is heard late for ever.

This module needs the standard library only, because a line process (io/pjsip/line.py) imports it too.
"""

import ctypes
import os
import select
from typing import Any

RATE = 8000  # samples a second, everywhere
FRAME = 160  # samples a frame: 20 ms, one RTP packet, one block of the graph

DEPTH = 8  # frames a ring can hold
LIMIT = 2  # frames a reader lets wait before it skips to the newest
PATIENCE = 250  # frames after which a wait that never went away is cut: it is delay, not reserve

HEADER = 16  # words before the frames
# The far end writes the first five and the last two, the graph the others. Lost is what a far end knows of the way
# beyond the ring: in, what never came, came too late or too much at once; out, what was not played in time.
WORDS = (
    "in_written", "in_start", "out_read", "out_missed", "out_skipped",
    "in_read", "out_written", "in_missed", "in_skipped", "in_seen", "in_least",
    "in_lost", "out_lost",
)  # fmt: skip
IN_WRITTEN, IN_START, OUT_READ, OUT_MISSED, OUT_SKIPPED = range(5)
IN_READ, OUT_WRITTEN, IN_MISSED, IN_SKIPPED, IN_SEEN, IN_LEAST, IN_LOST, OUT_LOST = range(5, 13)

FRAME_BYTES = 2 * FRAME
IN_FRAMES = 8 * HEADER  # byte offset of the frames in
OUT_FRAMES = IN_FRAMES + DEPTH * FRAME_BYTES
RING_BYTES = OUT_FRAMES + DEPTH * FRAME_BYTES

SILENCE = bytes(FRAME_BYTES)
BEAT_BYTES = 8  # the last of the memory that a line shares: a number that grows while the event loop turns


class LineRing:
    """The far end's side of a line ring. The graph's side is machine code: nodes/line_in.py and nodes/line_out.py.

    memory: a writable buffer of at least offset + RING_BYTES bytes (a shared map, say); without it, memory of its own.
    """

    def __init__(self, memory: Any = None, offset: int = 0):
        self.memory = bytearray(RING_BYTES) if memory is None else memory
        self.words = (ctypes.c_int64 * HEADER).from_buffer(self.memory, offset)
        self.address = ctypes.addressof(self.words)
        self._seen, self._least = 0, DEPTH

    def open(self) -> None:
        """Forget the frames of an earlier call: neither side may hear them."""
        self.words[IN_LOST] = self.words[OUT_LOST] = 0
        self.words[IN_START] = self.words[IN_WRITTEN]
        self.words[OUT_READ] = self.words[OUT_WRITTEN]

    def send(self, frame: bytes) -> None:
        """Hand one frame, 320 bytes, to the graph."""
        ctypes.memmove(self.next_in(), frame, FRAME_BYTES)
        self.words[IN_WRITTEN] += 1

    def receive(self) -> bytes | None:
        """The next frame from the graph, 320 bytes, or None when none is there."""
        address = self.next_out()
        return None if address is None else ctypes.string_at(address, FRAME_BYTES)

    def next_in(self) -> int:
        """Where the next frame in is written; add one to words[IN_WRITTEN] after that."""
        return self.address + IN_FRAMES + FRAME_BYTES * (self.words[IN_WRITTEN] % DEPTH)

    def next_out(self) -> int | None:
        """Where the next frame out can be read; it counts as read. None, and counted as missed, when there is none."""
        words = self.words
        waiting = words[OUT_WRITTEN] - words[OUT_READ]
        if waiting <= 0:
            words[OUT_MISSED] += 1
            return None
        skip = waiting - 1 if waiting > LIMIT else 0
        self._seen, self._least = self._seen + 1, min(self._least, waiting - 1)
        if self._seen == PATIENCE:
            skip = max(skip, self._least)
            self._seen, self._least = 0, DEPTH
        words[OUT_SKIPPED] += skip
        read = words[OUT_READ] + skip
        words[OUT_READ] = read + 1
        return self.address + OUT_FRAMES + FRAME_BYTES * (read % DEPTH)

    def waiting(self) -> int:
        """Frames that the graph has made and the far end has not read."""
        return self.words[OUT_WRITTEN] - self.words[OUT_READ]

    def counts(self) -> dict[str, int]:
        """Return the counters by name: frames written, read, missed, skipped and lost in both directions."""
        return {name: self.words[i] for i, name in enumerate(WORDS) if name not in ("in_seen", "in_least")}


class Wake:
    """A descriptor by which the audio thread wakes somebody: it writes a number of 8 bytes and never blocks.

    An eventfd adds the numbers up, so a reader that sleeps costs nothing; where there is none, a pipe does the same.
    """

    def __init__(self):
        if hasattr(os, "eventfd"):
            self.read_fd = self.write_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self.read_fd, self.write_fd = os.pipe()
            os.set_blocking(self.read_fd, False)
            os.set_blocking(self.write_fd, False)

    def take(self) -> int:
        """The sum of the numbers since the last take, 0 if there was none."""
        try:
            data = os.read(self.read_fd, 4096)
        except BlockingIOError:
            return 0
        return sum(memoryview(data).cast("q"))

    def wait(self, seconds: float | None = None) -> int:
        """Sleep until somebody wakes us, at most so long; the sum, as take gives it."""
        poll = select.poll()
        poll.register(self.read_fd, select.POLLIN)
        poll.poll(None if seconds is None else 1000 * seconds)
        return self.take()

    def give(self, number: int = 1) -> None:
        try:
            os.write(self.write_fd, number.to_bytes(8, "little"))
        except BlockingIOError:
            pass  # it has been woken more often than it can count

    def __del__(self):
        # Not before the last who may use it has let go: a number written to a descriptor that is somebody else's by now
        # would be heard as sound or read as a command.
        for fd in {self.read_fd, self.write_fd}:
            os.close(fd)
