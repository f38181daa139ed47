"""What somebody at the keyboard of a sound card phone can turn: mute, volume, push to talk. And what they see of it."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

from . import DeviceError
from .portaudio import GAIN, PEAK, UNITY

QUIETEST, STEP = -60.0, 3.0  # dBFS, dB: how low the volume can be, and by how much a key changes it
TALK = 0.7  # seconds that a space lets the microphone hear: a key that is held comes again sooner
KEYS_SHOWN, BAR = 20, 12  # characters
HELP = "m mutes, + - turn the volume, t is push to talk (hold the space bar)"


class Controls:
    """The state of the controls, kept in the gains of both sides.

    words: those of the microphone and the speaker, once there are some.
    """

    help = HELP

    def __init__(self, volume: float, push_to_talk: bool):
        self.volume, self.push_to_talk = volume, push_to_talk
        self.muted = self.talking = False
        self.pressed = ""  # keys of the keypad
        self.words: list[Any] = []
        self.silence: asyncio.TimerHandle | None = None
        self.keys: dict[str, Callable[[], None]] = {
            "m": self.mute,
            "t": self.switch,
            " ": self.talk,
            "+": lambda: self.turn(STEP),
            "-": lambda: self.turn(-STEP),
        }

    def hears(self) -> bool:
        return not self.muted and (self.talking or not self.push_to_talk)

    def apply(self) -> None:
        microphone, speaker = self.words
        microphone[GAIN] = UNITY if self.hears() else 0
        speaker[GAIN] = round(UNITY * 10 ** (self.volume / 20)) if self.volume > QUIETEST else 0

    def mute(self) -> None:
        self.muted = not self.muted
        self.apply()

    def switch(self) -> None:
        self.push_to_talk = not self.push_to_talk
        self.apply()

    def talk(self) -> None:
        """A terminal does not say that a key is let go: when it has not come again for a while, it was."""
        if self.silence:
            self.silence.cancel()
        self.silence = asyncio.get_running_loop().call_later(TALK, self.hush)
        self.talking = True
        self.apply()

    def hush(self) -> None:
        self.talking = False
        self.apply()

    def turn(self, change: float) -> None:
        self.volume = min(0.0, max(QUIETEST, self.volume + change))
        self.apply()

    def status(self) -> str:
        """One line: the microphone's level, the volume, and the last keys pressed."""
        if self.hears():
            peak = self.words[0][PEAK]
            self.words[0][PEAK] = 0
            level = 20 * math.log10(max(peak, 1) / 32768)
            bar = "█" * round(BAR * max(0.0, 1 + level / 60))
            microphone = f"{bar:<{BAR}} {max(level, -60):3.0f} dBFS"
        else:
            microphone = f"{'muted' if self.muted else 'hold the space bar to talk':<{BAR + 9}}"
        keys = f"   keys {self.pressed[-KEYS_SHOWN:]}" if self.pressed else ""
        return f" microphone {microphone}   volume {self.volume:.0f} dBFS{keys}"


def decibels(value: float | str) -> float:
    """A volume, from code or from the environment."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not QUIETEST <= number <= 0:
        raise DeviceError(f"the volume is {value!r}, expected -60 to 0 dBFS. Write for example -6.")
    return number
