"""A sound card and the keyboard as a phone: it rings once, when it is opened.

PortAudio's streams block, each in a thread of its own: of its two interfaces this is the one that says at once when a
card is unplugged. The threads meet the call only in its line ring; the card's own clock is dealt with in elastic.py.
"""

import asyncio
import contextlib
import ctypes
import functools
import logging
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..rings import FRAME, OUT_LOST, RATE, LineRing
from . import DeviceError, Leg
from .elastic import FRAME_SECONDS, Beat, FromGraph, Resampler, ToGraph
from .keyboard import Keyboard

log = logging.getLogger("graphvoip")

INSTALL = {
    "linux": "sudo apt install portaudio19-dev python3-dev && pip install 'graphvoip[audio]'",
    "darwin": "brew install portaudio && pip install 'graphvoip[audio]'",
}
RATES = (RATE, 48000, 44100)  # samples a second that are tried, after the first the card's own
STARTING = 3.0  # seconds a card may take until it plays; the phone rings then
DRAIN = 0.5  # seconds in which what is left is heard after we hang up
RETRY = 3.0  # seconds between attempts to open a card that was unplugged


# --- PortAudio --------------------------------------------------------------------------------------------------------


@functools.cache
def _c_stderr() -> tuple[Any, int]:
    """C's variable stderr, and a stream to nowhere. Raises where C has no such variable that can be set."""
    c = ctypes.CDLL(None)
    c.fopen.restype = ctypes.c_void_p
    variable = ctypes.c_void_p.in_dll(c, "__stderrp" if sys.platform == "darwin" else "stderr")
    return variable, c.fopen(b"/dev/null", b"w")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """PortAudio, ALSA and JACK print pages about what they did not find: not here.

    C's stderr is pointed to nowhere, not descriptor 2: what Python writes there meanwhile, in any thread, is not lost.
    """
    try:
        variable, nowhere = _c_stderr()
    except (OSError, ValueError, AttributeError):
        yield
        return
    before, variable.value = variable.value, nowhere
    try:
        yield
    finally:
        variable.value = before


def _portaudio() -> Any:
    """A started PyAudio, to be ended with terminate(). DeviceError if it is not installed."""
    try:
        import pyaudio
    except ImportError as error:
        remedy = INSTALL.get(sys.platform, "pip install 'graphvoip[audio]'")
        raise DeviceError(f"the sound card needs PyAudio ({error}): {remedy}") from None
    try:
        with quiet():
            return pyaudio.PyAudio()
    except OSError as error:
        raise DeviceError(f"PortAudio does not start: {error}") from None


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


def _list(audio: Any) -> list[CardInfo]:
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


def devices() -> list[CardInfo]:
    """The sound devices there are. DeviceError, one line with the remedy, if PyAudio is not installed."""
    audio = _portaudio()
    try:
        with quiet():
            return _list(audio)
    finally:
        audio.terminate()


def available() -> bool:
    """True if PyAudio is installed and there is a device to hear or to speak with."""
    try:
        return any(card.inputs or card.outputs for card in devices())
    except DeviceError:
        return False


def choose(cards: list[CardInfo], side: str, wanted: str | int | None) -> CardInfo | None:
    """The device for a side, "input" or "output": by number or by part of its name, else the default, else None.

    A name that none has, or more precisely none with a channel on that side, is a DeviceError that lists what there is.
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
    raise DeviceError(f"no sound {side} {wanted!r}; there are: {there}")


# --- One direction of a card ------------------------------------------------------------------------------------------


class Card:
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


class NoCard:
    """Stands in for a card that is not there: silence, at the pace of a card."""

    def __init__(self, again: float | None):
        self.again = again  # when to try for a real one
        self.due = time.monotonic()

    def _pace(self) -> None:
        now = time.monotonic()
        self.due = max(self.due + FRAME_SECONDS, now)
        time.sleep(self.due - now)

    def read(self) -> np.ndarray:
        self._pace()
        return np.zeros(FRAME, np.int16)

    def write(self, samples: np.ndarray) -> bool:
        self._pace()
        return False

    def drain(self) -> None:
        pass

    def close(self) -> None:
        pass


class Side:
    """The microphone or the speaker: opens its card, and stands in for it while it is away."""

    opening = threading.Lock()  # PortAudio opens and closes one stream at a time

    def __init__(self, audio: Any, info: CardInfo | None, side: str):
        self.audio, self.info, self.side = audio, info, side
        self.name = "microphone" if side == "input" else "speaker"
        self.card: Card | NoCard = NoCard(None)
        if info is None:
            log.warning("no %s: the call goes on without one", self.name)
        else:
            self._open(info, f"{self.name} {info.name!r} cannot be opened (%s): the call goes on without it")

    def _open(self, info: CardInfo, complaint: str) -> bool:
        try:
            with self.opening:
                self.card = Card(self.audio, info, self.side)
            return True
        except OSError as error:
            if complaint:
                log.warning(complaint, _reason(error))
            self.card = NoCard(time.monotonic() + RETRY)
            return False

    def do(self, act: Callable[[Card | NoCard], Any]) -> Any:
        """Read or write a block. A card that is unplugged meanwhile is said once and then looked for now and then."""
        card, info = self.card, self.info
        if isinstance(card, NoCard) and info and card.again and time.monotonic() > card.again and self._open(info, ""):
            log.info("%s %r is back", self.name, info.name)
        try:
            return act(self.card)
        except OSError as error:
            name = info.name if info else ""
            log.warning("%s %r is gone (%s): the call goes on without it", self.name, name, _reason(error))
            with self.opening, contextlib.suppress(OSError):
                card.close()
            self.card = NoCard(time.monotonic() + RETRY)
            return act(self.card)

    def close(self) -> None:
        with self.opening, contextlib.suppress(OSError):
            self.card.close()


def _reason(error: OSError) -> str:
    return str(error.strerror or error).lower()


# --- The phone --------------------------------------------------------------------------------------------------------


class SoundCardLeg(Leg):
    def __init__(self, uri: str, end: Callable[[], None]):
        super().__init__(uri, LineRing())
        self.tones = False  # what the microphone hears of them is ours
        self._end = end

    def hangup(self) -> None:
        """What is on its way to the speaker is heard first, for half a second at most."""
        self._end()


class SoundCard:
    """The Device: one call from whoever sits at this machine.

    uri: the caller's, as call.getRemoteUri() gives it. input, output: a device's number or part of its name, else the
    environment's GRAPHVOIP_INPUT and GRAPHVOIP_OUTPUT, else the system's default.
    """

    name = "pyaudio"
    limit = 1

    def __init__(self, uri: str, input: str | int | None = None, output: str | int | None = None):
        self.uri = uri
        self.input = os.environ.get("GRAPHVOIP_INPUT") if input is None else input
        self.output = os.environ.get("GRAPHVOIP_OUTPUT") if output is None else output
        self.leg: SoundCardLeg | None = None  # while the call lasts
        self._keyboard = Keyboard(self._key, lambda: self._far_end_gone("hung up"))
        self._ending, self._stop = threading.Event(), threading.Event()
        self._over = asyncio.Event()
        self._shutting: asyncio.Task | None = None
        self._threads: list[threading.Thread] = []
        self._audio: Any = None
        self._quiet = contextlib.ExitStack()

    async def open(self, engine: Any, incoming: Callable[[Leg], bool]) -> None:
        """Ring. DeviceError without PyAudio, without any device, or without the one that was asked for."""
        self._audio = _portaudio()
        self._quiet.enter_context(quiet())  # until the end: PortAudio has its say when a card is unplugged, too
        try:
            cards = _list(self._audio)
            microphone, speaker = choose(cards, "input", self.input), choose(cards, "output", self.output)
            if not (microphone or speaker):
                raise DeviceError("no sound card: plug one in, or set GRAPHVOIP_DEVICE=virtual to do without")
            leg = SoundCardLeg(self.uri, self._hang_up)
            await self._start(leg, Side(self._audio, microphone, "input"), Side(self._audio, speaker, "output"))
        except BaseException:
            await self.close()
            raise
        self.leg = leg
        self._keyboard.open()
        if not incoming(leg):
            self.leg = None
            log.warning("busy: the handler takes no call")
            self._finish(drain=False)

    async def closed(self) -> None:
        await self._over.wait()

    async def close(self) -> None:
        self._far_end_gone("the sound card was closed")
        self._finish(drain=False)
        await self._over.wait()

    # --- The call -----------------------------------------------------------------------------------------------------

    def _key(self, digit: str) -> None:
        if self.leg:
            self.leg.on_digit(digit, "keyboard")

    def _far_end_gone(self, reason: str) -> None:
        leg, self.leg = self.leg, None
        if leg:
            self._finish(drain=False)
            leg.on_end(reason)

    def _hang_up(self) -> None:
        self.leg = None
        self._finish(drain=True)

    def _finish(self, drain: bool) -> None:
        self._ending.set()
        if not drain:
            self._stop.set()
        if not self._shutting:
            self._shutting = asyncio.get_running_loop().create_task(self._shut())

    async def _shut(self) -> None:
        """Let the speaker have the last word, then end the threads, the streams and PortAudio."""
        self._keyboard.close()
        await self._until(lambda: self._stop.is_set() or not self._alive(), DRAIN)
        self._stop.set()
        if not await self._until(lambda: not self._alive(), 1.0):
            log.warning("a sound card does not answer: it is left alone")  # a thread still waits in PortAudio's memory
        elif self._audio:
            self._audio.terminate()
            self._quiet.close()
        self._over.set()

    def _alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    @staticmethod
    async def _until(condition: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not (there := condition()) and time.monotonic() < end:
            await asyncio.sleep(0.005)
        return there

    # --- The threads --------------------------------------------------------------------------------------------------

    async def _start(self, leg: Leg, microphone: Side, speaker: Side) -> None:
        """Start the threads and wait until the cards run: some take a second, and the first word is not to be lost."""
        beat = Beat(leg.ring)
        flowing = threading.Event(), threading.Event()
        self._run("microphone", self._listen, microphone, ToGraph(leg.ring, beat), flowing[0])
        self._run("speaker", self._speak, speaker, FromGraph(leg.ring, beat), flowing[1])
        await self._until(lambda: all(event.is_set() for event in flowing), STARTING)
        self._run("beat", self._watch, beat)

    def _run(self, name: str, run: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments, name=f"graphvoip {name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _watch(self, beat: Beat) -> None:
        """A thread that ends when the graph has run for half a second."""
        while beat.seen < 25 and not self._ending.wait(0.001):
            beat.look()

    def _listen(self, side: Side, flow: ToGraph, flowing: threading.Event) -> None:
        """The microphone's thread."""
        while not self._ending.is_set():
            block = side.do(lambda card: card.read())
            flowing.set()
            flow.put(block)
            if wait := flow.send():
                self._ending.wait(wait)
                flow.send()
        side.close()

    def _speak(self, side: Side, flow: FromGraph, flowing: threading.Event) -> None:
        """The speaker's thread."""

        def play(block: np.ndarray) -> None:
            ran_dry = side.do(lambda card: card.write(block))
            flow.ring.words[OUT_LOST] += ran_dry and flow.begun

        blocks = 0
        while not self._ending.is_set():
            play(flow.block())
            blocks += 1
            if blocks == 10:  # the card's buffer is full: it really plays
                flowing.set()
        if not self._stop.is_set():
            rest = flow.rest()
            for block in np.pad(rest, (0, -len(rest) % FRAME)).reshape(-1, FRAME):
                play(block)
            side.do(lambda card: card.drain())
        side.close()
