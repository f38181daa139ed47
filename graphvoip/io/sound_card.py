"""A sound card and the keyboard as a phone: it rings once, when it is opened.

Microphone and speaker are moved by a process each (portaudio.py), so that no Python of a handler can disturb them. Here
they are started, watched and told how loud to be; the call's line ring lies in memory that all of them share.
"""

import asyncio
import importlib.util
import json
import logging
import mmap
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from ..rings import LineRing
from . import DeviceError, Leg
from .child import Child, command, environment, shared_memory
from .controls import Controls, decibels
from .keyboard import Keyboard
from .portaudio import DRAIN, MEMORY, MICROPHONE, MOVES, NOW, SPEAKER, STOP, CardInfo, words_of

log = logging.getLogger("graphvoip")

MODULE = "graphvoip.io.portaudio"
VOLUME = -6.0  # dBFS: the loudest that leaves for the speaker, which may be at an ear
STARTING = 3.0  # seconds a card may take until it plays; the phone rings then
REST = 0.5  # seconds in which what is left is heard after we hang up
AGAIN = 0.5  # seconds after which a process that has died has a successor
LOOK = 0.1  # seconds between two looks at the sides
STALL = 5  # looks without a block of sound after which a side has stopped,
SLOW = round(STARTING / LOOK)  # or that many when it has not yet begun
BEGUN = {MICROPHONE: 1, SPEAKER: 10}  # blocks after which a side really runs: the speaker's buffer is full

INSTALL = {
    "linux": "sudo apt install portaudio19-dev python3-dev && pip install 'graphvoip[audio]'",
    "darwin": "brew install portaudio && pip install 'graphvoip[audio]'",
}
WITHOUT = ", or set GRAPHVOIP_DEVICE=virtual to do without"
# What the end of a process of ours, by a signal, means.
DEATHS: dict[int, str] = {
    signal.SIGALRM: "the sound server does not answer (waited 3 s): "
    "restart it (systemctl --user restart pulseaudio pipewire)",
    signal.SIGABRT: "PortAudio aborted: is ALSA configured? Do: sudo apt install libasound2-data libasound2-plugins",
}
STOPPED = "%s %r has stopped: is it suspended, or does the sound server hang? The call goes on without it"
HINT = "use headphones: the microphone hears the speaker, and so the call hears itself"


class NotInstalled(DeviceError):
    """PyAudio is missing, which is an extra."""

    def __init__(self):
        remedy = INSTALL.get(sys.platform, "pip install 'graphvoip[audio]'")
        super().__init__(f"the sound card needs PyAudio: {remedy}")


def check_installed() -> None:
    try:
        found = importlib.util.find_spec("pyaudio")
    except ValueError:
        found = None
    if not found:
        raise NotInstalled


def death(status: int) -> str:
    """Say why a process of ours has ended, from its exit status."""
    cause = f"signal {-status}" if status < 0 else f"exit code {status}"
    return DEATHS.get(-status, f"the sound card's process died ({cause})")


def devices() -> list[CardInfo]:
    """The sound devices there are. DeviceError, one line with the remedy, where that cannot be told."""
    check_installed()
    argument = command(MODULE, {"side": "list", "pipe": 1})
    done = subprocess.run(argument, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment(), check=False)
    match json.loads(done.stdout or "{}"):
        case {"cards": cards}:
            return [CardInfo(**card) for card in cards]
        case {"what": what}:
            raise DeviceError(what)
    raise DeviceError(death(done.returncode))


# --- A side -----------------------------------------------------------------------------------------------------------


class Side:
    """The microphone or the speaker, seen from the event loop: its process, and what has happened to its device."""

    def __init__(self, name: str, wanted: str | int | None, memory: int, words: Any):
        self.name, self.wanted, self.memory, self.words = name, wanted, memory, words
        self.ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()  # what went wrong, or nothing
        self.gone = asyncio.Event()  # for good
        self.child: Child | None = None
        self.restart: asyncio.TimerHandle | None = None
        self.device = ""  # the name of the one that is open
        self.away = False  # it has been said that there is none
        self.moves = self.begun = self.still = 0
        self.start(fresh=True)

    def start(self, fresh: bool = False) -> None:
        option = {"side": self.name, "wanted": self.wanted, "fresh": fresh}
        self.child = Child(MODULE, option, {"memory": self.memory}, self.hear, self.lost)

    def flows(self) -> bool:
        """Whether its sound flows, if it has a device."""
        return not self.device or self.words[MOVES] >= BEGUN[self.name]

    def hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"event": "open", "name": device, "wanted": wanted}:
                self.opened(device, wanted)
            case {"event": "none"}:
                self.lacks(f"no {self.name}", "one")
            case {"event": "gone", "name": device, "reason": reason}:
                what = "is gone" if self.device else "cannot be opened"
                self.lacks(f"{self.name} {device!r} {what} ({reason})")
            case {"event": "failed", "what": what}:
                settle(self.ready, what)

    def opened(self, device: str, wanted: str | int | None) -> None:
        if self.away:
            log.info("%s %r is back", self.name, device)
        self.device, self.wanted, self.away = device, wanted, False
        self.moves = self.words[MOVES]
        self.begun = self.moves + BEGUN[self.name]
        self.still = 0
        settle(self.ready)

    def lacks(self, what: str, it: str = "it") -> None:
        """Say once that the side is silent, and why."""
        self.device = ""
        if not self.away:
            log.warning("%s: the call goes on without %s", what, it)
        self.away = True
        settle(self.ready)

    def lost(self, status: int) -> None:
        """The process is gone. Unless the call is over another one starts, and finds the device by its name."""
        self.child = None
        if not self.ready.done():
            self.ready.set_result(death(status) + WITHOUT)
        elif not self.words[STOP]:
            self.lacks(f"{self.name} {self.device!r}: {death(status)}")
            self.restart = asyncio.get_running_loop().call_later(AGAIN, self.start)
            return
        self.gone.set()

    def look(self) -> None:
        """Called ten times a second: say when a device has stopped without an error, and when it goes on."""
        before, self.moves = self.moves, self.words[MOVES]
        limit = STALL if before >= self.begun else SLOW
        if not self.device:
            return
        if self.moves == before:
            self.still += 1
            if self.still == limit:
                log.warning(STOPPED, self.name, self.device)
        else:
            if self.still >= limit:
                log.info("%s %r goes on", self.name, self.device)
            self.still = 0

    def end(self, how: int) -> None:
        """Let the process end: at once (NOW), or when what is on its way has been heard (DRAIN)."""
        self.words[STOP] = how
        if self.restart:
            self.restart.cancel()
        if not self.child:
            self.gone.set()

    def kill(self) -> None:
        if self.child:
            self.child.kill()


def settle(future: "asyncio.Future[str]", result: str = "") -> None:
    if not future.done():
        future.set_result(result)


# --- The phone --------------------------------------------------------------------------------------------------------


class SoundCardLeg(Leg):
    def __init__(self, uri: str, ring: LineRing, end: Callable[[], None]):
        super().__init__(uri, ring)
        self.tones = False  # what the microphone hears of them is ours
        self._end = end

    def hangup(self) -> None:
        """What is on its way to the speaker is heard first, for half a second at most."""
        self._end()


class SoundCard:
    """The Device: one call from whoever sits at this machine.

    uri: the caller's, as call.getRemoteUri() gives it. input, output: a device's number or part of its name, else the
    environment's GRAPHVOIP_INPUT and GRAPHVOIP_OUTPUT, else the system's default. volume: the loudest that leaves for
    the speaker, -60 to 0 dBFS, else GRAPHVOIP_VOLUME, else -6. push_to_talk: the microphone hears only while the space
    bar is held, else GRAPHVOIP_PUSH_TO_TALK.
    """

    name = "pyaudio"
    limit = 1

    def __init__(
        self,
        uri: str,
        input: str | int | None = None,
        output: str | int | None = None,
        volume: float | None = None,
        push_to_talk: bool | None = None,
    ):
        self.uri = uri
        self.input = os.environ.get("GRAPHVOIP_INPUT") if input is None else input
        self.output = os.environ.get("GRAPHVOIP_OUTPUT") if output is None else output
        told = os.environ.get("GRAPHVOIP_PUSH_TO_TALK", "0") != "0"
        self.controls = Controls(
            decibels((os.environ.get("GRAPHVOIP_VOLUME") or VOLUME) if volume is None else volume),
            told if push_to_talk is None else push_to_talk,
        )
        self.leg: SoundCardLeg | None = None  # while the call lasts
        self._keyboard = Keyboard(self._key, lambda: self._far_end_gone("hung up"), self.controls)
        self._sides: list[Side] = []
        self._memory: int | None = None
        self._over, self._stop = asyncio.Event(), asyncio.Event()
        self._watching: asyncio.Task | None = None
        self._shutting: asyncio.Task | None = None

    async def open(self, engine: Any, incoming: Callable[[Leg], bool]) -> None:
        """Ring. DeviceError without PyAudio, without any device, or without the one that was asked for."""
        check_installed()
        try:
            leg = SoundCardLeg(self.uri, await self._start(), self._hang_up)
        except BaseException:
            await self.close()
            raise
        self.leg = leg
        log.info(HINT)
        self._keyboard.open()
        if not incoming(leg):
            self.leg = None
            log.warning("busy: the handler takes no call")
            self._finish(NOW)

    async def closed(self) -> None:
        await self._over.wait()

    async def close(self) -> None:
        self._far_end_gone("the sound card was closed")
        self._finish(NOW)
        await self._over.wait()

    async def _start(self) -> LineRing:
        """Start both sides and wait until they run: some take a second, and the first word is not to be lost."""
        self._memory = shared_memory(MEMORY)
        memory = mmap.mmap(self._memory, MEMORY)
        self.controls.words = [words_of(memory, name) for name in (MICROPHONE, SPEAKER)]
        self.controls.apply()
        for name, wanted in ((MICROPHONE, self.input), (SPEAKER, self.output)):
            self._sides.append(Side(name, wanted, self._memory, words_of(memory, name)))
        for side in self._sides:
            if failure := await side.ready:
                raise DeviceError(failure)
        if not any(side.device for side in self._sides):
            raise DeviceError(f"no sound card: plug one in{WITHOUT}")
        self._watching = asyncio.get_running_loop().create_task(self._watch())
        await self._until(lambda: all(side.flows() for side in self._sides), STARTING)
        return LineRing(memory)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            for side in self._sides:
                side.look()
            self._keyboard.show_status()

    # --- The call -----------------------------------------------------------------------------------------------------

    def _key(self, digit: str) -> None:
        if self.leg:
            self.controls.pressed += digit
            self.leg.on_digit(digit, "keyboard")

    def _far_end_gone(self, reason: str) -> None:
        leg, self.leg = self.leg, None
        if leg:
            self._finish(NOW)
            leg.on_end(reason)

    def _hang_up(self) -> None:
        self.leg = None
        self._finish(DRAIN)

    def _finish(self, how: int) -> None:
        if how == NOW:
            self._stop.set()
        if not self._shutting:
            self._shutting = asyncio.get_running_loop().create_task(self._shut(how))

    async def _shut(self, how: int) -> None:
        """Let the speaker have the last word, then end both processes."""
        if self._watching:
            self._watching.cancel()
        self._keyboard.close()
        for side in self._sides:
            side.end(how)
        await self._until(lambda: self._stop.is_set() or self._ended(), REST)
        for side in self._sides:
            side.end(NOW)
        await self._until(self._ended, LOOK)
        for side in self._sides:
            side.kill()
            await side.gone.wait()
        if self._memory is not None:
            os.close(self._memory)
        self._over.set()

    def _ended(self) -> bool:
        return all(side.gone.is_set() for side in self._sides)

    @staticmethod
    async def _until(condition: Callable[[], bool], seconds: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        while not condition() and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.005)
