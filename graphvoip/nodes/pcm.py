import logging
from collections.abc import Iterator

import numpy as np

from ..kernel import barrier, event, fence, floats_at, kernel
from ..node import Event, Node, Option, Output, Sound, SoundFile, State
from ..rings import RATE
from ..streams import filler

RING = 1 << 17  # samples of a file that are held: 16 s; it is read on when half of them have been heard
ENDLESS = np.iinfo(np.int64).max

log = logging.getLogger("graphvoip")


class Pcm(Node):
    """Play samples, once or in a loop. The samples are what is heard, from the first to the last.

    `data` is in memory as a whole, and shared by all that play it. A `file` is read while it is heard, however long it
    is: 16 s of it are in memory.

    >>> Pcm(data=np.sin(np.arange(4000) ** 1.4 / 30) * 0.5, loop=True)
    """

    group = "sources"
    known_as = "sample player, wav player, one-shot, playback, sound file, audio file, announcement, music on hold, moh"
    data = Sound(None, "samples at 8000 Hz, 1.0 is full scale, or the name of a sound file")
    file = SoundFile(None, "the name of a sound file of any length, in place of `data`")
    loop = Option(False, "at the end begin again, without a gap")
    out = Output()
    done = Event("its last sample has been made, or there is none; never in a loop of samples")
    more = Event("half of what is held of a file has been heard")
    # Counts of samples: heard, there, and at the end (-1: not known). What is there lies in a ring of `size`.
    state = State(address="i8", size="i8", at="i8", written="i8", last="i8", ended="i8", asked="i8", missed="i8")

    def start(self):
        self._blocks: Iterator[np.ndarray] | None = None  # what is still to come
        self._next: np.ndarray | None = None  # a part of a block for which there was no room yet
        if self.file is not None:
            if self.data.size:
                raise ValueError("pcm: it plays `data` or a `file`, not both")
            self.pour(self._read())
            return
        self._hold(self.data)
        looped = self.loop and self.data.size
        self.state["written"], self.state["last"] = (ENDLESS, -1) if looped else (self.data.size, self.data.size)
        self.state["asked"] = 1  # nothing is to come

    def _hold(self, memory: np.ndarray) -> None:
        self._ring = memory
        self.state["address"], self.state["size"] = memory.ctypes.data, memory.size

    def _read(self) -> Iterator[np.ndarray]:
        """The file's blocks, again and again in a loop."""
        found = True
        while found:
            found = False
            for block in type(self).file.blocks(self):
                found = self.loop and (found or len(block) > 0)
                yield block

    def pour(self, blocks: Iterator[np.ndarray], size: int | None = None) -> None:
        """Play what comes in blocks. The first one is taken here, and what is wrong with it is raised here.

        size: how many samples there will be; they are kept, for a loop. None: it is not known, and none is kept.
        """
        self._blocks = blocks
        self._kept = size is not None
        self._hold(np.zeros(RING, np.float32) if size is None else np.empty(size, np.float32))
        self.state["written"], self.state["asked"] = 0, self._kept
        self.state["last"] = -1 if size is None or self.loop else size
        while self._blocks is not None and self.state["written"] == 0:
            self._take()

    def join(self, graph):
        if self._blocks is None:
            return
        if graph.live:
            filler.add(self)
        else:
            graph.listen(self, "more", lambda sample, value: self._fill_up())
            self._fill_up()

    def leave(self):
        filler.remove(self)
        if self.state["missed"]:
            log.warning("pcm: what it plays came too late, %.2f s were silent", self.state["missed"] / RATE)

    def _fill_up(self) -> None:
        while self.fill():
            pass

    def fill(self) -> bool:
        """Put the next block in, if there is room. True: it would take another one at once."""
        if self._blocks is None:
            return False
        if not self._kept and self._room() < RING // 2:
            return False
        try:
            self._take()
        except Exception as error:
            self._blocks = None
            if self.graph is not None:
                self.graph.on_error(self, error)
        return True

    def _room(self) -> int:
        return int(self._ring.size - self.state["written"] + (0 if self._kept else self.state["at"]))

    def _take(self) -> None:
        """The next block, as much of it as there is room for."""
        assert self._blocks is not None
        block = next(self._blocks, None) if self._next is None else self._next
        if block is None:
            self._blocks = None
            if self.state["last"] < 0:
                self.state["written" if self._kept else "last"] = ENDLESS if self._kept else self.state["written"]
            return
        ring, at, size = self._ring, int(self.state["written"] % self._ring.size), min(len(block), self._room())
        upto = min(size, ring.size - at)
        ring[at : at + upto] = block[:upto]
        ring[: size - upto] = block[upto:size]
        self._next = block[size:] if size < len(block) else None
        barrier()
        self.state["written"] += size
        self.state["asked"] = self._kept

    @kernel
    def process(state, out):
        data = floats_at(state.address, state.size)
        last = state.last
        fence()
        written = state.written
        fence()
        made = 0
        while made < out.size and state.at < written:
            place = state.at % state.size
            size = min(out.size - made, written - state.at, state.size - place)
            for i in range(size):
                out[made + i] = data[place + i]
            made += size
            state.at += size
        for i in range(made, out.size):
            out[i] = 0
        if last >= 0 and state.at >= last:
            if state.ended == 0 and state.done == 0:
                state.ended = 1
                state.done = event(max(0, made - 1))
        else:
            state.missed += out.size - made
            if state.asked == 0 and written - state.at <= RING // 2:
                state.asked = 1
                state.more = event(max(0, made - 1))
