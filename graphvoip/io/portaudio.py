"""One side of a sound card, in a process of its own: sound_card.py starts it, never a user.

PortAudio's streams block: of its two interfaces this is the one that says at once when a card is unplugged. Microphone
and speaker have a process each. So the list of devices, which PortAudio makes once when it starts, can be made anew for
one while the other sounds on, and a side that hangs can be killed.

All of it meets the call in a line ring only; the card's own clock is dealt with in elastic.py. PyAudio and the device's
number are known here and nowhere else.
"""

import contextlib
import ctypes
import fcntl
import json
import math
import mmap
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from graphvoip.io.elastic import FRAME_SECONDS, Beat, FromGraph, Resampler, ToGraph
from graphvoip.rings import (
    FRAME,
    IN_START,
    IN_WRITTEN,
    OUT_LOST,
    OUT_READ,
    OUT_SKIPPED,
    OUT_WRITTEN,
    RATE,
    RING_BYTES,
    LineRing,
)

RATES = (RATE, 48000, 44100)  # samples a second that are tried, after the first the card's own
ANSWER = 3.0  # seconds the sound system may take to list and open a device: who waits longer waits for ever
RETRY = 0.5  # seconds between looks for a device that is not there
STEADY = 25  # frames of the graph after which its beat is known: half a second

# What the two sides and the phone share behind the ring: words of 64 bits, those of the microphone first.
MICROPHONE, SPEAKER = "microphone", "speaker"
WORDS = 8
STOP, GAIN, MOVES, PEAK = range(4)  # we write the last two: signs of life, and the loudest sample since somebody looked
GO, DRAIN, NOW = range(3)  # STOP
UNITY = 1 << 16  # GAIN
MEMORY = RING_BYTES + 2 * 8 * WORDS

# PortAudio's errors in plain words.
REASONS = {
    -9999: "the sound system broke off",
    -9996: "there is no such device",
    -9987: "it takes no sound",
    -9986: "the sound system has an error",
    -9985: "it was unplugged, or another program has it",
}


def words_of(memory: Any, name: str) -> Any:
    """The words of a side."""
    offset = RING_BYTES + 8 * WORDS * (MICROPHONE, SPEAKER).index(name)
    return (ctypes.c_int64 * WORDS).from_buffer(memory, offset)


# --- PortAudio --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """PortAudio, ALSA and JACK print pages about what they did not find: not here.

    C's stderr is pointed to nowhere, not descriptor 2: what Python writes there meanwhile is not lost.
    """
    try:
        c = ctypes.CDLL(None)
        c.fopen.restype = ctypes.c_void_p
        variable = ctypes.c_void_p.in_dll(c, "__stderrp" if sys.platform == "darwin" else "stderr")
    except (OSError, ValueError, AttributeError):
        yield
        return
    before, variable.value = variable.value, c.fopen(b"/dev/null", b"w")
    try:
        yield
    finally:
        variable.value = before


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Die by SIGALRM if the sound system does not answer: it may hold the thread, and the GIL, for ever."""
    signal.setitimer(signal.ITIMER_REAL, ANSWER)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@dataclass(frozen=True)
class CardInfo:
    """One of the machine's sound devices, as PortAudio numbers and names them."""

    number: int
    name: str
    inputs: int  # channels
    outputs: int
    rate: int  # samples a second that it likes best
    default_input: bool
    default_output: bool


def cards_of(audio: Any) -> list[CardInfo]:
    def default(ask: Callable[[], dict]) -> int | None:
        try:
            return int(ask()["index"])
        except OSError:
            return None

    first_in = default(audio.get_default_input_device_info)
    first_out = default(audio.get_default_output_device_info)
    cards = []
    for number in range(audio.get_device_count()):
        info = audio.get_device_info_by_index(number)
        channels = int(info["maxInputChannels"]), int(info["maxOutputChannels"])
        defaults = number == first_in, number == first_out
        cards.append(CardInfo(number, str(info["name"]), *channels, int(info["defaultSampleRate"]), *defaults))
    return cards


def choose(cards: list[CardInfo], side: str, wanted: str | int | None) -> CardInfo | None:
    """The device for a side, "input" or "output": by number or by part of its name, else the default, else None.

    A name that none has, or more precisely none with a channel on that side, is a LookupError that lists what there is.
    """
    fit = [card for card in cards if getattr(card, side + "s")]
    if wanted is None or wanted == "":
        return next((card for card in fit if getattr(card, "default_" + side)), fit[0] if fit else None)
    text = str(wanted).strip().lower()
    tests: list[Callable[[CardInfo], bool]] = [
        lambda card: str(card.number) == text,
        lambda card: card.name.lower() == text,
        lambda card: text in card.name.lower(),
    ]
    for test in tests:
        for card in fit:
            if test(card):
                return card
    there = ", ".join(f"{card.number} {card.name!r}" for card in fit) or "none"
    raise LookupError(f"no sound {side} {wanted!r}; there are: {there}")


def lasting(wanted: str | int | None, name: str) -> str | int | None:
    """How to find a device again that was `wanted`, though its number is another then: by its name without numbers."""
    return re.sub(r"[ :-]*\(hw:.*\)$", "", name) if str(wanted).strip().isdigit() else wanted


def reason(error: OSError) -> str:
    return REASONS.get(error.errno or 0) or str(error.strerror or error).lower()


# --- A stream ---------------------------------------------------------------------------------------------------------


class Stream:
    """A stream to or from a card, in blocks of 20 ms at 8000 Hz. All methods raise OSError when the card is gone."""

    def __init__(self, audio: Any, info: CardInfo, side: str):
        """Open it at 8000 Hz, mono, or at what it can."""
        import pyaudio

        rates = [rate for rate in dict.fromkeys((RATES[0], info.rate, *RATES[1:])) if rate % 50 == 0]
        formats = [(rate, channels) for rate in rates for channels in (1, 2)]
        for rate, channels in formats:
            try:
                self.stream = audio.open(
                    rate=rate,
                    channels=channels,
                    format=pyaudio.paInt16,
                    frames_per_buffer=rate // 50,
                    **{side: True, f"{side}_device_index": info.number},
                )
                break
            except OSError as error:
                if error.errno not in (pyaudio.paInvalidSampleRate, pyaudio.paInvalidChannelCount):
                    raise
        else:
            raise OSError(f"it takes none of {', '.join(map(str, rates))} Hz")
        self.size, self.channels = rate // 50, channels
        self.room = self.stream.get_write_available() if side == "output" else 0  # samples; nothing has been played yet
        self.resample: Callable[[np.ndarray], np.ndarray] = lambda block: block
        if rate != RATE:
            self.resample = Resampler(FRAME, self.size) if side == "output" else Resampler(self.size, FRAME)

    def read(self) -> np.ndarray:
        """The next block that was heard; waits for it."""
        data = self.stream.read(self.size, exception_on_overflow=False)
        return self.resample(np.frombuffer(data, np.int16)[:: self.channels])

    def write(self, samples: np.ndarray) -> bool:
        """Play 160 samples; waits until the card has room. True if the card had run dry before them."""
        ran_dry = self.stream.get_write_available() >= self.room
        block = np.repeat(self.resample(samples), self.channels)
        self.stream.write(block.tobytes(), len(block) // self.channels, exception_on_underflow=False)
        return ran_dry

    def drain(self) -> None:
        """Wait until all has been heard: what has room behind it has been taken. (Pa_StopStream loses 30 ms of it.)"""
        for _ in range(math.ceil(self.stream.get_output_latency() / FRAME_SECONDS) + 2):
            self.write(np.zeros(FRAME, np.int16))

    def close(self) -> None:
        self.stream.close()


# --- A side -----------------------------------------------------------------------------------------------------------


class Side:
    """The microphone or the speaker: finds its device, moves its sound, and looks for it again when it has gone."""

    name = ""
    way = ""  # what PortAudio calls it

    def __init__(self, option: dict[str, Any]):
        self.wanted = option["wanted"]
        self.lock = option["memory"]  # a file, to lock: one side at a time looks at devices, for a look can use one
        memory = mmap.mmap(self.lock, MEMORY)
        self.ring, self.words = LineRing(memory), words_of(memory, self.name)
        self.beat = Beat(self.ring)
        self.pipe = socket.socket(fileno=option["pipe"])
        self.fresh = option["fresh"]  # the call has not begun: what is wrong is an error
        self.state = self.device_name = ""
        self.gain = self.words[GAIN]

    def tell(self, state: str, **more: Any) -> None:
        """Tell our parent the state we are in, when it is another than before."""
        if state != self.state:
            self.state = state
            self.pipe.sendall(json.dumps({"event": state, **more}).encode() + b"\n")

    def run(self) -> None:
        threading.Thread(target=self.end_with_parent, daemon=True).start()
        threading.Thread(target=self.find_beat, daemon=True).start()
        while not self.words[STOP]:
            try:
                with self.device() as stream:
                    if stream:
                        self.move(stream)
            except OSError as error:
                self.tell("gone", name=self.device_name, reason=reason(error))
            except LookupError as error:
                if self.fresh:
                    self.tell("failed", what=str(error))
                    return
                self.tell("gone", name=self.device_name, reason="it is not there")
            self.fresh = False
            if not self.words[STOP]:
                time.sleep(RETRY)

    def end_with_parent(self) -> None:
        """It says nothing: what is read is the end of the pipe."""
        os.read(self.pipe.fileno(), 1)
        os._exit(0)

    def find_beat(self) -> None:
        begin = self.ring.words[OUT_WRITTEN]
        while self.ring.words[OUT_WRITTEN] - begin < STEADY:
            self.beat.look()
            time.sleep(0.001)

    @contextlib.contextmanager
    def device(self) -> Iterator[Stream | None]:
        """A stream of the device that is wanted; None, where none is wanted and there is none."""
        import pyaudio

        fcntl.lockf(self.lock, fcntl.LOCK_EX)
        try:
            with answering():
                audio = pyaudio.PyAudio()
                info = choose(cards_of(audio), self.way, self.wanted)
                self.device_name = info.name if info else ""
                stream = info and Stream(audio, info, self.way)
        finally:
            fcntl.lockf(self.lock, fcntl.LOCK_UN)
        if info:
            self.wanted = lasting(self.wanted, info.name)
            self.tell("open", name=info.name, wanted=self.wanted)
        else:
            self.tell("none")
        try:
            yield stream
        finally:
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()
            audio.terminate()

    def move(self, stream: Stream) -> None:
        """Move blocks until we are stopped, or until an OSError of the stream."""
        raise NotImplementedError

    def moved(self, block: np.ndarray) -> np.ndarray:
        """The block as loud as it shall be, and a sign that one has come by."""
        before, self.gain = self.gain, self.words[GAIN]
        if before != self.gain or self.gain != UNITY:
            scale = np.linspace(before, self.gain, FRAME) / UNITY  # a step would click
            block = np.rint(block * scale).astype(np.int16)
        self.words[PEAK] = max(self.words[PEAK], int(np.abs(block.astype(np.int32)).max()))
        self.words[MOVES] += 1
        return block


class Microphone(Side):
    name, way = MICROPHONE, "input"

    def __init__(self, option: dict[str, Any]):
        super().__init__(option)
        self.ring.words[IN_START] = self.ring.words[IN_WRITTEN]
        self.flow = ToGraph(self.ring, self.beat)

    def move(self, stream: Stream) -> None:
        while not self.words[STOP]:
            self.flow.put(self.moved(stream.read()))
            if wait := self.flow.send():
                time.sleep(wait)
                self.flow.send()


class Speaker(Side):
    name, way = SPEAKER, "output"

    def __init__(self, option: dict[str, Any]):
        super().__init__(option)
        self.flow = FromGraph(self.ring, self.beat)

    def move(self, stream: Stream) -> None:
        words = self.ring.words
        words[OUT_SKIPPED] += max(0, words[OUT_WRITTEN] - words[OUT_READ])  # what was made while nothing played
        words[OUT_READ] = words[OUT_WRITTEN]
        while not self.words[STOP]:
            self.play(stream, self.flow.block())
        if self.words[STOP] == DRAIN:
            rest = self.flow.rest()
            for block in np.pad(rest, (0, -len(rest) % FRAME)).reshape(-1, FRAME):
                self.play(stream, block)
            stream.drain()

    def play(self, stream: Stream, block: np.ndarray) -> None:
        ran_dry = stream.write(self.moved(block))
        self.ring.words[OUT_LOST] += ran_dry and self.flow.begun


def listed() -> list[dict[str, Any]]:
    import pyaudio

    with answering():
        audio = pyaudio.PyAudio()
        cards = [asdict(card) for card in cards_of(audio)]
        audio.terminate()
    return cards


def run(option: dict[str, Any]) -> dict[str, Any]:
    """Do what we were started for; the last message."""
    try:
        if option["side"] == "list":
            return {"event": "listed", "cards": listed()}
        {MICROPHONE: Microphone, SPEAKER: Speaker}[option["side"]](option).run()
        return {"event": "over"}
    except ImportError as error:
        return {"event": "failed", "what": f"PyAudio does not load ({error})"}
    except OSError as error:
        return {"event": "failed", "what": f"PortAudio does not start: {reason(error)}"}


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C and systemd reach the whole group;
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # our parent tells us when to stop
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with contextlib.suppress(AttributeError, OSError):  # before all others, where we may, as the audio thread is
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    option = json.loads(sys.argv[1])
    with quiet():
        message = run(option)
        os.write(option["pipe"], json.dumps(message).encode() + b"\n")
        os._exit(0)  # a sound system that hangs in its own end shall not hold us


if __name__ == "__main__":
    main()
