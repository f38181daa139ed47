"""The golden renders of patches/: what each of them sounded like when somebody last looked at it.

    python tests/golden/make.py [NAME ...]

makes them anew, all or some, and says how far each is from what was there. Do it when a patch is meant to sound
different, look at the pictures that docs/make.py makes of them, and commit both.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from graphvoip import load_patch, render
from graphvoip.io.wav import load
from graphvoip.recipe import Patch
from graphvoip.rings import RATE

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATCHES = ROOT / "patches"
SPEECH = "graphvoip/assets/busy.wav"  # two beeps, and "This line is busy. Please call again later."


@dataclass(frozen=True)
class Take:
    """How a patch is played: for how long (None: until it is done), and what the caller presses and says."""

    seconds: float | None
    keys: str = ""
    voice: str | None = None
    values: dict[str, float] = field(default_factory=dict)

    def command(self, name: str) -> str:
        """The same from the command line."""
        words = [f"graphvoip render patches/{name}.json"]
        words += [f"--seconds {self.seconds:g}"] if self.seconds else []
        words += [f"--set {key}={value:g}" for key, value in self.values.items()]
        words += [f'--keys "{self.keys}"'] if self.keys else []
        words += [f"--voice {self.voice}"] if self.voice else []
        return " ".join(words)


TAKES = {
    "arpeggio": Take(6),
    "bell_tower": Take(None, values={"hour": 1, "tempo": 280}),
    "chime": Take(None),
    "dial_a_drone": Take(7, "5@2.5 7@4.5"),
    "drum_line": Take(6, "0@2.3 1@2.4 2@2.7 1@3 4@3.2 7@3.4 5@3.6 6@3.8 8@4.1 9@4.3 3@4.4 0@4.6"),
    "dub_siren": Take(6, "1@0.3 5@1.8 9@3.1 3@3.8"),
    "duck_radio": Take(7, voice=SPEECH),
    "keypad_fm": Take(4, "1@0.2 5@0.7 9@1.2 3@2 6@2.1 1@2.2"),
    "line_simulator": Take(5, voice=SPEECH),
    "loop_station": Take(8, "1@1 1@2.2 5@2.3 2@2.4 6@3 2@4.1 7@4.2 1@7", SPEECH),
    "music_box": Take(6),
    "night_train": Take(9),
    "number_station": Take(8),
    "parrot": Take(5, voice=SPEECH),
    "party_line": Take(5, voice=SPEECH),
    "pluck_choir": Take(6, "1@0.2 5@0.6 6@1 8@1.4 9@1.8 0@2.2 #@2.6 9@3 6@3.4 1@4 4@4.02 7@4.04"),
    "pluck_voice": Take(2.5, "1@0.2 5@1"),
    "postcard": Take(None),
    "rain_garden": Take(7),
    "robot": Take(5, voice=SPEECH),
    "switchboard": Take(10, "5@0.8 5@1.1 0@1.4 1@1.7", values={"patience": 2.5}),
    "theremin": Take(5, voice=SPEECH),
    "vocoder": Take(5, "2@2.7", SPEECH),
}


def build(name: str) -> Patch:
    return load_patch(PATCHES / f"{name}.json")(**TAKES[name].values)


def voice(name: str) -> np.ndarray | None:
    """What the caller says in this take."""
    said = TAKES[name].voice
    return None if said is None else load(ROOT / said)


def take(name: str, patch: Patch | None = None) -> np.ndarray:
    """Render it, or another patch as it is played."""
    return render(patch or build(name), TAKES[name].seconds, TAKES[name].keys, voice(name))


def in_16_bits(samples: np.ndarray) -> np.ndarray:
    """What leaves on a line."""
    return np.rint(samples * np.float32(32768)).clip(-32768, 32767).astype(np.int16)


def golden(name: str) -> np.ndarray:
    """The samples that are kept, int16."""
    return soundfile.read(HERE / f"{name}.flac", dtype="int16")[0]


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Of two takes, int16, in dB below the first; inf if their lengths differ."""
    if len(a) != len(b):
        return float("inf")
    apart, level = np.mean((a.astype(float) - b) ** 2), np.mean(a.astype(float) ** 2)
    return 10 * float(np.log10(max(apart, 1e-9) / max(level, 1e-9)))


if __name__ == "__main__":
    for one in sys.argv[1:] or TAKES:
        made = in_16_bits(take(one))
        path = HERE / f"{one}.flac"
        before = f"{difference(golden(one), made):.1f} dB from what was there" if path.exists() else "new"
        soundfile.write(path, made, RATE, format="FLAC", subtype="PCM_16", compression_level=1.0)
        print(f"{one}: {len(made) / RATE:.2f} s, {path.stat().st_size / 1000:.0f} kB, {before}")
