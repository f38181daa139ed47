"""Sound in which there are no digits: speech, music, synthetic voices and chords, all at -15 dBm0 while it sounds.

Speech and music come from installed Debian packages (asterisk-core-sounds-*-wav, asterisk-moh-opsound-wav; espeak-ng,
flite and festival read /usr/share/common-licenses to us); what is not installed is left out.
"""

import functools
import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

RATE = 8000
LEVEL = 10 ** ((-15 - 3.14) / 20) / 2**0.5  # effective value of -15 dBm0
PROMPTS = Path("/usr/share/asterisk/sounds")
MUSIC = Path("/usr/share/asterisk/moh")
TEXTS = Path("/usr/share/common-licenses")
ESPEAK = ("en", "en-us+f2", "de", "fr+m3", "es", "it+f4", "ru", "pt+m5", "nl+f3", "pl", "sv+m7", "fi", "tr+f1", "hu",
          "en+croak", "cs+f5", "da", "ro+m2", "el+whisperf", "hi")  # fmt: skip


def at_line_level(samples: np.ndarray) -> np.ndarray:
    """At -15 dBm0, measured where it sounds: frames within 25 dB of the loudest count."""
    x = np.asarray(samples, np.float64)
    x = np.concatenate([x, np.zeros(-len(x) % 160)])
    power = np.mean(x.reshape(-1, 160) ** 2, axis=1)
    sounds = power[power > power.max(initial=0) * 10**-2.5]
    if not sounds.size or sounds.mean() <= 0:
        return x.astype(np.float32)
    return np.clip(x * LEVEL / np.sqrt(sounds.mean()), -1, 1).astype(np.float32)


def _read(data) -> np.ndarray:
    import soundfile
    import soxr

    samples, rate = soundfile.read(data, dtype="float32", always_2d=True)
    samples = samples.mean(1)
    return samples if rate == RATE else soxr.resample(samples, rate, RATE, "VHQ")


def prompts() -> Iterator[tuple[str, np.ndarray]]:
    """Voices of people: each language in one piece, half a second between the prompts."""
    for folder in sorted(PROMPTS.glob("*_*_*")):
        parts = [np.zeros(0, np.float32)]
        for file in sorted(folder.rglob("*.wav")):
            if "silence" not in file.parts:
                parts += [at_line_level(_read(str(file))), np.zeros(RATE // 2, np.float32)]
        yield f"prompts {folder.name}", np.concatenate(parts)


def music() -> Iterator[tuple[str, np.ndarray]]:
    for file in sorted(MUSIC.glob("*.wav")):
        yield f"music {file.stem}", at_line_level(_read(str(file)))


@functools.cache
def _text(name: str) -> str:
    return (TEXTS / name).read_text(errors="ignore")


def _spoken(command: list[str], text: str) -> np.ndarray:
    return at_line_level(
        _read(io.BytesIO(subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout))
    )


def machines(minutes: float = 3.0) -> Iterator[tuple[str, np.ndarray]]:
    """Voices of machines, so many minutes of each."""
    words = " ".join(_text("GPL-3").split()) if (TEXTS / "GPL-3").exists() else ""
    size, count = round(minutes * 60 * RATE), round(minutes * 1100)  # a minute is about 900 letters
    if words and shutil.which("espeak-ng"):
        for n, voice in enumerate(ESPEAK):
            begin = n * 1500 % 30000
            command = ["espeak-ng", "-v", voice, "-s", str(150 + 7 * (n % 5)), "-p", str(30 + 9 * (n % 6)), "--stdout"]
            yield f"espeak-ng {voice}", _spoken(command, words[begin : begin + count])[:size]
    if words and shutil.which("flite"):
        for n, voice in enumerate(("kal", "rms", "slt", "awb")):
            text = words[n * 3000 :][:count].replace("'", "").replace('"', "")
            yield f"flite {voice}", _spoken(["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"], "")[:size]


def voices(seed: int, minutes: float) -> np.ndarray:
    """A formant synthesizer that sings: held vowels, glides, pauses, 70 to 350 Hz, with and without vibrato."""
    from scipy.signal import lfilter

    random, parts, left = np.random.default_rng(seed), [], round(minutes * 60 * RATE)
    while left > 0:
        size = random.integers(800, 6400)
        t = np.arange(size) / RATE
        pitch = random.uniform(70, 350) * 2 ** (random.choice([0, 0, 0.2]) * random.uniform(-1, 1) * t / t[-1])
        pitch = pitch * (1 + random.choice([0, 0.02]) * np.sin(2 * np.pi * random.uniform(4, 7) * t))
        turns = np.cumsum(pitch) / RATE
        x = np.zeros(size)
        for k in range(1, 40):
            if k * pitch.max() < 3700:
                x += np.sin(2 * np.pi * (k * turns + random.random())) / k ** random.uniform(0.7, 1.1)
        formants = [(250, 900, 70), (700, 2500, 90), (2000, 3300, 140), (3000, 3800, 200)]
        for low, high, width in formants:
            f, r = random.uniform(low, high), np.exp(-np.pi * width * random.uniform(0.5, 1.3) / RATE)
            x = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * f / RATE), r * r], x) + 0.05 * x
        edge = np.minimum(1, np.minimum(t, t[::-1]) / random.uniform(0.005, 0.05))
        parts += [at_line_level(x * edge), np.zeros(random.integers(0, 2400), np.float32)]
        left -= len(parts[-1]) + len(parts[-2])
    return np.concatenate(parts)


def chords(seed: int, minutes: float) -> np.ndarray:
    """Two to five notes of the tempered scale, pure or rich, struck or held."""
    random, parts, left = np.random.default_rng(seed), [], round(minutes * 60 * RATE)
    while left > 0:
        size = random.integers(600, 8000)
        t = np.arange(size) / RATE
        notes = 440 * 2 ** (random.integers(-24, 26, random.integers(2, 6)) / 12)
        fall, rich, x = random.choice([0, 0, 3, 10]), random.integers(1, 9), np.zeros(size)
        steep = random.uniform(0.8, 3)
        for note in notes:
            for k in range(1, rich + 1):
                if k * note < 3700:
                    x += np.sin(2 * np.pi * (k * note * t + random.random())) * random.uniform(0.5, 1) / k**steep
        edge = np.minimum(1, np.minimum(t, t[::-1]) / random.uniform(0.002, 0.02))
        parts += [at_line_level(x * edge * np.exp(-fall * t)), np.zeros(random.choice([0, 800]), np.float32)]
        left -= len(parts[-1]) + len(parts[-2])
    return np.concatenate(parts)
