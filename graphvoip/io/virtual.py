"""The scripted phone: a caller on the virtual clock. No packages, no devices, and two runs are the same.

    wait 1.5; keys 12#; play file.wav; say "my name"; until quiet; until tone 440; hangup

The same phone is what tests hold in their hand: `async with phone(handler) as p` (graphvoip/testing.py).
"""

import asyncio
import difflib
import logging
import shlex
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..listen import WINDOW, has_tone, is_quiet
from ..pcm import samples as as_samples
from ..rings import FRAME, FRAME_BYTES, RATE, SILENCE, LineRing
from . import NUMBER, DeviceError, Leg, uri_of
from .tape import Tape

log = logging.getLogger("graphvoip")

PATIENCE = 60.0  # seconds for which a caller without a script listens, and a script waits for what it expects
KEY = 0.1  # seconds that a key is held, and that pass before the next
ROWS, COLUMNS, LAYOUT = (697, 770, 852, 941), (1209, 1336, 1477, 1633), "123A456B789C*0#D"  # ITU-T Q.23


def dtmf_tone(key: str, seconds: float = KEY) -> np.ndarray:
    """The two tones of a key (ITU-T Q.23), -10 dBFS each."""
    t = np.arange(round(seconds * RATE)) / RATE
    place = LAYOUT.index(key)
    pair = np.sin(2 * np.pi * ROWS[place // 4] * t) + np.sin(2 * np.pi * COLUMNS[place % 4] * t)
    return (10 ** (-10 / 20) * pair).astype(np.float32)


class _Leg(Leg):
    def __init__(self, uri: str, phone: "Phone"):
        super().__init__(uri, LineRing())
        self.phone: Phone | None = phone
        self.events = not phone.inband

    def send_key(self, key: str, seconds: float) -> None:
        if self.phone:
            self.phone._sent.append((self.phone.time, key))

    def hangup(self) -> None:
        phone, self.phone = self.phone, None
        if phone:
            phone._over("the other side hung up")


class Phone:
    """One caller. What it hears and says is kept; it acts by script, or by its methods.

    number: whose; script: what it does, see the module; inband: keys are sent as tones and not as events.
    """

    name = "virtual"
    limit = 1

    def __init__(self, number: str = NUMBER, script: str | None = None, inband: bool = False):
        self.number, self.inband = number, inband
        self.line: Any = None  # what is between it and the call: said(frame) and heard(frame) give what comes out
        self.steps = parse(script) if script else None
        self.ended: str | None = None  # why the call is over, or None
        self.busy = False  # the call was not taken
        self.history: list[tuple[float, str]] = []
        self._heard, self._said = Tape(), Tape()
        self._sent: list[tuple[float, str]] = []  # keys that came as telephone events, and when
        self._voice, self._at = b"", 0  # what it is about to say, 16-bit, and how much of it has been said
        self._since = 0  # samples heard at its last action or finding: where the next one is looked for
        self._leg: _Leg | None = None
        self._script: asyncio.Task | None = None
        self._frame: list[asyncio.Future] = []  # who waits for the next frame

    # --- Calling ------------------------------------------------------------------------------------------------------

    async def open(self, engine: Any, incoming: Callable[[Leg], bool]) -> None:
        """Call. engine must run on the virtual clock."""
        if not engine.virtual:
            raise DeviceError("the scripted phone needs the virtual clock: run it with graphvoip.clock.run_virtual")
        self._engine = engine
        self._closed: asyncio.Future[None] = engine.loop.create_future()
        self._leg = _Leg(uri_of(self.number), self)
        engine.before.append(self._speak)
        engine.after.append(self._listen)
        if not incoming(self._leg):
            self.busy = True
            self._over("busy")
        elif self.steps is not None:
            self._script = engine.loop.create_task(self._run())

    async def closed(self) -> None:
        """Wait for the end of the call. A caller without a script loses patience after a minute.

        Raises DeviceError if the script waited for a sound that never came.
        """
        if self._script is None and self.steps is None:
            self._script = self._engine.loop.create_task(self._wait_patiently())
        await asyncio.shield(self._closed)
        if self._script:
            await self._script  # it sees that the call is over

    async def close(self) -> None:
        self.hangup()

    # --- What a caller does -------------------------------------------------------------------------------------------

    async def wait(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def press(self, keys: str, inband: bool | None = None) -> None:
        """Press keys, each held for 0.1 s with 0.1 s after it. They arrive as telephone events, or inband, as tones."""
        for key in keys.upper():
            if key not in LAYOUT:
                raise ValueError(f"{key!r} is not a key; there are {''.join(sorted(LAYOUT))}")
        for key in keys.upper():
            if self.ended:
                break
            self._act(f"presses {key}")
            if self.inband if inband is None else inband:
                self._say(dtmf_tone(key))
            elif self._leg:
                self._leg.on_digit(key, "event")
            await asyncio.sleep(2 * KEY)

    async def play(self, sound: "str | Path | Sequence[float] | np.ndarray", name: str = "samples") -> None:
        """Play a sound file, or samples, into the telephone; returns when it has been said."""
        if isinstance(sound, (str, Path)):
            from .wav import load

            samples, name = load(sound), str(sound)
        else:
            samples = as_samples(sound, "play")
        self._act(f"plays {name}, {len(samples) / RATE:.2f} s")
        self._say(samples)
        while self._at < len(self._voice) and not self.ended:
            await self._next_frame()

    async def say(self, text: str) -> None:
        """Speak, by TTStoPCM."""
        from ..tts import TTStoPCM

        self._act(f"says {text!r}")
        await self.play(TTStoPCM(text), "speech")

    def hangup(self) -> None:
        """Hang up, if the call goes on."""
        leg = self._leg
        if leg and not self.ended:
            self._act("hangs up")
            leg.phone = None
            self._over("the caller hung up")
            leg.on_end("the caller hung up")

    # --- What a caller hears ------------------------------------------------------------------------------------------

    @property
    def heard(self) -> np.ndarray:
        """All that was heard since the call began, float32."""
        return _floats(self._heard.read())

    @property
    def said(self) -> np.ndarray:
        """All that was said, as long as what was heard, float32."""
        return _floats(self._said.read())

    @property
    def digits(self) -> str:
        """The keys that were sent to it since the call began, as telephone events or as tones."""
        from ..dtmf import detect_dtmf

        tones = [(begin, digit) for digit, begin, _ in detect_dtmf(self.heard)]
        return "".join(key for _, key in sorted(self._sent + tones))

    @property
    def time(self) -> float:
        """Seconds since the call began."""
        return len(self._heard) / (2 * RATE)

    async def hears_tone(self, frequency: float, within: float = 5.0) -> bool:
        """Is this tone heard, for 0.1 s, within so many seconds? False, when it is not or the call ends before.

        It is looked for from the caller's last action on (a key, a word), or from what the last such question found: a
        tone that came in between is not missed, and tones can be asked for one after the other.
        """
        return await self._hears(lambda window: has_tone(window, frequency), WINDOW, within)

    async def hears_sound(self, within: float = 5.0) -> bool:
        """Is anything heard within so many seconds?"""
        return await self._hears(lambda window: not is_quiet(window), WINDOW, within)

    async def hears_quiet(self, seconds: float = 0.5, within: float = 30.0) -> bool:
        """Is it quiet for so long, within so many seconds?"""
        return await self._hears(is_quiet, round(seconds * RATE), within)

    async def hung_up(self, within: float = 5.0) -> bool:
        """Is the call over within so many seconds?"""
        end = self._engine.loop.time() + within
        while not self.ended and self._engine.loop.time() < end:
            await self._next_frame()
        return self.ended is not None

    async def _hears(self, is_it: Callable[[np.ndarray], bool], size: int, within: float) -> bool:
        end = self._engine.loop.time() + within
        at = self._since
        while True:
            while 2 * (at + size) <= len(self._heard):
                if is_it(_floats(self._heard.read(2 * at, 2 * size))):
                    self._since = at + size
                    return True
                at += FRAME
            if self.ended or self._engine.loop.time() >= end:
                return False
            await self._next_frame()

    # --- Inside -------------------------------------------------------------------------------------------------------

    def _act(self, what: str) -> None:
        self.history.append((self.time, f"caller {what}"))
        self._since = len(self._heard) // 2

    def _say(self, samples: np.ndarray) -> None:
        self._voice = self._voice[self._at :] + np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()
        self._at = 0

    def _speak(self) -> None:
        """Before a frame: what the caller says in it."""
        frame = self._voice[self._at : self._at + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
        self._at += FRAME_BYTES
        if self._leg:
            self._leg.ring.send(self.line.said(frame) if self.line else frame)
        self._said.append(frame)

    def _listen(self) -> None:
        """After a frame: what the caller heard in it."""
        if self._leg:
            frame = self._leg.ring.receive() or SILENCE
            self._heard.append(self.line.heard(frame) if self.line else frame)
        waiting, self._frame = self._frame, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def _next_frame(self) -> None:
        future = self._engine.loop.create_future()
        self._frame.append(future)
        await future

    def _over(self, reason: str) -> None:
        self.ended = reason
        self.history.append((self.time, reason))
        self._engine.before.remove(self._speak)
        self._engine.after.remove(self._listen)
        self._leg = None
        for future in self._frame:
            if not future.done():
                future.set_result(None)
        if not self._closed.done():
            self._closed.set_result(None)

    async def _run(self) -> None:
        """Act by the script, as long as there is a call; after its last step the caller hangs up."""
        try:
            for text, step in self.steps or []:
                try:
                    happened = await step(self)
                except (OSError, RuntimeError, ValueError) as error:  # no voice to say it with, for one
                    raise DeviceError(f"script: '{text}': {error}") from None
                if not happened:
                    when = "before the call ended" if self.ended else f"within {PATIENCE:g} s"
                    raise DeviceError(f"script: '{text}' did not happen {when}")
                if self.ended:
                    break
        finally:
            self.hangup()

    async def _pause(self, seconds: float) -> None:
        """wait, but not beyond the end of the call."""
        if not self.ended:
            await asyncio.wait([self._closed], timeout=seconds)

    async def _wait_patiently(self) -> None:
        await self._pause(PATIENCE)
        if not self.ended:
            self.history.append((self.time, "caller loses patience"))
            self.hangup()


def _floats(data: bytes) -> np.ndarray:
    return np.frombuffer(data, "<i2") * np.float32(1 / 32768)


# --- The script -------------------------------------------------------------------------------------------------------

Step = Callable[[Phone], Awaitable[Any]]


def parse(script: str) -> list[tuple[str, Step]]:
    """Steps, divided by `;` or new lines. Raises DeviceError that names the step and says what was expected."""
    try:
        lexer = shlex.shlex(script.replace("\n", ";"), posix=True, punctuation_chars=";")
        lexer.whitespace_split, lexer.commenters = True, ""
        words = list(lexer)
    except ValueError as error:
        raise DeviceError(f"script: {str(error).lower()}: {script!r}") from None
    steps: list[list[str]] = [[]]
    for word in words:
        steps.append([]) if set(word) == {";"} else steps[-1].append(word)
    return [(" ".join(step), _step(step, n)) for n, step in enumerate(filter(None, steps), 1)]


def _step(words: list[str], n: int) -> Step:
    verb, rest = words[0], " ".join(words[1:])
    if verb not in _STEPS:
        near = difflib.get_close_matches(verb, _STEPS, 1)
        raise DeviceError(
            f"script: step {n}: there is no '{verb}'; "
            + (f"did you mean '{near[0]}'?" if near else f"there are {', '.join(_STEPS)}")
        )
    try:
        return _STEPS[verb](rest)
    except (ValueError, OSError) as error:
        raise DeviceError(f"script: step {n}, '{' '.join(words)}': {error}") from None


def _wait(rest: str) -> Step:
    try:
        seconds = float(rest)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 86400:
        raise ValueError("wait takes seconds: wait 1.5")
    return lambda phone: _did(phone._pause(seconds))


def _keys(rest: str) -> Step:
    keys = rest.replace(" ", "").upper()
    if not keys or set(keys) - set(LAYOUT):
        raise ValueError("keys takes keys of a telephone (0-9 * # A-D): keys 12#")
    return lambda phone: _did(phone.press(keys))


def _play(rest: str) -> Step:
    from .wav import load

    sound = load(rest)
    return lambda phone: _did(phone.play(sound, rest))


def _say(rest: str) -> Step:
    if not rest:
        raise ValueError('say takes words: say "my name"')
    return lambda phone: _did(phone.say(rest))


def _until(rest: str) -> Step:
    what, _, value = rest.partition(" ")
    if what == "quiet" and not value:
        return lambda phone: _quiet(phone)
    if what == "tone":
        try:
            frequency = float(value)
        except ValueError:
            frequency = 0.0
        if 20 <= frequency <= 4000:
            return lambda phone: phone.hears_tone(frequency, within=PATIENCE)
    raise ValueError("until takes quiet, or a tone of 20 to 4000 Hz: until quiet; until tone 440")


def _hangup(rest: str) -> Step:
    if rest:
        raise ValueError("hangup takes nothing after it")

    async def step(phone: Phone) -> bool:
        phone.hangup()
        return True

    return step


async def _quiet(phone: Phone) -> bool:
    """Something has been heard, and then it is quiet, or the call is over."""
    if not await phone.hears_sound(within=PATIENCE):
        return False
    return await phone.hears_quiet(within=PATIENCE) or phone.ended is not None


async def _did(action: Awaitable[Any]) -> bool:
    await action
    return True


_STEPS: dict[str, Callable[[str], Step]] = {
    "wait": _wait,
    "keys": _keys,
    "play": _play,
    "say": _say,
    "until": _until,
    "hangup": _hangup,
}
