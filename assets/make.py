"""Make the project's sounds again: python assets/make.py. The same tools give the same bytes."""

from pathlib import Path

import numpy as np

from graphvoip.io.wav import savePCMtoWAV
from graphvoip.pcm import normalizePCM
from graphvoip.rings import RATE
from graphvoip.tts import TTStoPCM

HERE = Path(__file__).parent
PEAK = 10 ** (-3 / 20)  # -3 dBFS: room for a sum with other sounds
VOICE = ["-v", "en-us+f3", "-s", "150"]


def seconds(length: float) -> np.ndarray:
    return np.arange(round(length * RATE)) / RATE


def chime(frequency: float, length: float) -> np.ndarray:
    """A struck bar: its partials are not harmonic, and the higher die away sooner."""
    t = seconds(length)
    partials = ((1, 1.0, 3.5), (2.76, 0.35, 8.0), (5.4, 0.12, 16.0))  # times the frequency, level, decay a second
    tone = sum(
        level * np.exp(-decay * t) * np.sin(2 * np.pi * ratio * frequency * t) for ratio, level, decay in partials
    )
    return tone * np.minimum(1, t / 0.004) * np.minimum(1, (length - t) / 0.05)  # no click at either end


def two_notes(first: float, second: float) -> np.ndarray:
    sound = np.zeros(round(1.9 * RATE))
    for start, tone in ((0.0, chime(first, 1.2)), (0.4, chime(second, 1.5))):
        at = round(start * RATE)
        sound[at : at + len(tone)] += tone
    return sound


def busy_tone(length: float) -> np.ndarray:
    t = seconds(length)
    edge = np.minimum(1, np.minimum(t, length - t) / 0.005)
    return edge * (np.sin(2 * np.pi * 480 * t) + np.sin(2 * np.pi * 620 * t)) / 4


def save(sound: np.ndarray | list[float], path: Path) -> None:
    savePCMtoWAV(PEAK * np.array(normalizePCM(sound)), path)


def speech(text: str) -> list[float]:
    return normalizePCM(TTStoPCM(text, VOICE))


save(speech("Password correct."), HERE / "password_correct.wav")
save(speech("Password incorrect."), HERE / "password_incorrect.wav")
save(two_notes(659.26, 523.25), HERE / "my_sound.wav")

beep, pause = busy_tone(0.3), np.zeros(round(0.2 * RATE))
message = speech("This line is busy. Please call again later.")
save(np.concatenate([beep, pause, beep, pause, message]), HERE.parent / "graphvoip" / "assets" / "busy.wav")
