"""Pictures by telephone in figures: our encoder and decoder beside those of others, on one picture.

    pip install sstv nsstv pysstv
    python bench/sstv_peers.py [--json] [--modes M1,S1,PD90] [--pictures docs/sstv]

prints the tables of docs/sstv.md; what is not installed is left out. Figures are PSNR in dB against the picture that
was sent, a landscape of noise with the spectrum of a photograph and hard edges; 3 dB are half the power of the error.
Sounds are at -10 dBFS and go through G.711 (u-law) at 8000 Hz. The decoder `sstv` (Rust) is given 48000 Hz, for at
8000 Hz it is 15 dB worse. nSSTV has other levels of Y in Robot and PD modes (levels="studio"): as a decoder it is given
our sound with these.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure
import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import hilbert, resample_poly

from graphvoip import sstv_decode, sstv_encode
from graphvoip.io.wav import savePCMtoWAV
from graphvoip.line import on_line
from graphvoip.rings import FRAME, RATE
from graphvoip.sstv_modes import MODES

LEVEL = 10 ** (-10 / 20)
G711 = "pcmu, band=off"
SILENCE = np.zeros(RATE // 2)
RUST = {
    "M1": "MARTIN_1", "M2": "MARTIN_2", "S1": "SCOTTIE_1", "S2": "SCOTTIE_2", "SDX": "SCOTTIE_DX", "R36": "ROBOT_36",
    "R72": "ROBOT_72", "P3": "PASOKON_P3", "P5": "PASOKON_P5", "P7": "PASOKON_P7", "W180": "WRASSE_SC2_180",
} | {name: f"PD_{name[2:]}" for name in MODES if name.startswith("PD")}  # fmt: skip
PYSSTV = {
    "M1": "MartinM1", "M2": "MartinM2", "S1": "ScottieS1", "S2": "ScottieS2", "SDX": "ScottieDX", "R36": "Robot36",
    "P3": "PasokonP3", "P5": "PasokonP5", "P7": "PasokonP7", "W120": "WraaseSC2120", "W180": "WraaseSC2180",
    "BW8": "Robot8BW", "BW24": "Robot24BW",
} | {name: name for name in MODES if name.startswith("PD") and name != "PD50"}  # fmt: skip
NSSTV = {
    "M1": "Martin M1", "M2": "Martin M2", "S1": "Scottie S1", "S2": "Scottie S2", "SDX": "Scottie DX",
    "R36": "Robot 36", "R72": "Robot 72", "P3": "Pasokon P3", "P5": "Pasokon P5", "P7": "Pasokon P7",
    "W120": "Wraase SC-2 120", "W180": "Wraase SC-2 180",
} | {name: f"PD-{name[2:]}" for name in MODES if name.startswith("PD")}  # fmt: skip


# --- The picture ------------------------------------------------------------------------------------------------------


def landscape(width: int, height: int, grey: bool = False) -> np.ndarray:
    """Sky, hills, a house: (height, width, 3) of uint8."""
    random = np.random.default_rng(1)
    k = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width) * width)
    k[0, 0] = 1

    def cloud(steep: float) -> np.ndarray:
        waves = (random.normal(size=k.shape) + 1j * random.normal(size=k.shape)) * k**-steep
        made = np.fft.irfft2(waves, (height, width))
        return (made / made.std())[..., None]

    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    image = np.stack([90 + 100 * y, 140 + 80 * y, 235 - 20 * y], -1) + 14 * cloud(1.8)
    ground = np.stack([110 - 40 * y, 110 - 30 * y, 50 + 20 * x], -1) + 13 * cloud(1.4)
    hill = y > 0.62 + 0.08 * np.sin(7 * x) + 0.03 * np.sin(23 * x + 1)
    image[hill] = ground[hill]
    image[np.hypot((x - 0.78) * width / height, y - 0.2) < 0.09] = [255, 225, 120]
    wall = (abs(x - 0.3) < 0.12) & (y > 0.5) & (y < 0.78)
    image[wall] = ([215, 190, 165] + 8 * cloud(1.2))[wall]
    image[(y < 0.5) & (y > 0.36) & (abs(x - 0.3) < 0.15 * (y - 0.36) / 0.14)] = [150, 45, 40]
    image[(abs(abs(x - 0.3) - 0.06) < 0.025) & (y > 0.56) & (y < 0.64)] = [40, 60, 90]
    image[(abs(x - 0.3) < 0.02) & (y > 0.66) & (y < 0.78)] = [90, 50, 25]
    if grey:
        image = np.repeat((image @ [0.299, 0.587, 0.114])[..., None], 3, 2)
    return image.clip(0, 255).astype(np.uint8)


def psnr(sent: np.ndarray, seen: np.ndarray | None) -> float | str:
    if seen is None or seen.shape != sent.shape:
        return "none"
    return round(float(10 * np.log10(255**2 / np.mean((sent.astype(float) - seen) ** 2))), 2)


# --- Encoders: (picture, mode) -> samples at full scale ---------------------------------------------------------------


def by_us(image: np.ndarray, mode: str, levels: str = "full") -> np.ndarray:
    return sstv_encode(image, mode, levels=levels) * 2


def by_rust(image: np.ndarray, mode: str) -> np.ndarray:
    import sstv

    return sstv.encode(image, getattr(sstv.Mode, RUST[mode]), RATE) / 32768


def by_pysstv(image: np.ndarray, mode: str) -> np.ndarray:
    from PIL import Image
    from pysstv import color, grayscale

    kind = getattr(color, PYSSTV[mode], None) or getattr(grayscale, PYSSTV[mode])
    picture = Image.fromarray(image).resize((kind.WIDTH, kind.HEIGHT))
    return np.fromiter(kind(picture, RATE, 16).gen_samples(), float) / 32768


def by_nsstv(image: np.ndarray, mode: str) -> np.ndarray:
    import nSSTV
    import soundfile
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder, quiet():
        Image.fromarray(image).save(f"{folder}/x.png")
        nSSTV.encode_image_to_sstv_audio(
            f"{folder}/x.png", f"{folder}/x.wav", mode_name=NSSTV[mode], sample_rate=RATE, amplitude=1.0
        )
        return soundfile.read(f"{folder}/x.wav")[0]


# --- Decoders: samples -> picture -------------------------------------------------------------------------------------


def from_us(samples: np.ndarray) -> np.ndarray | None:
    found = sstv_decode(samples)
    return np.asarray(found[0][0]) if found else None


def from_rust(samples: np.ndarray) -> np.ndarray | None:
    import sstv

    found = sstv.decode(resample_poly(samples, 6, 1).astype(np.float32), 6 * RATE)
    return np.asarray(found[0]) if found else None


def from_nsstv(samples: np.ndarray) -> np.ndarray | None:
    import nSSTV
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder, quiet():
        savePCMtoWAV(samples, f"{folder}/x.wav")
        nSSTV.decode(f"{folder}/x.wav", out=f"{folder}/seen.png", sidecar=False, fmt="png")
        files = sorted(Path(folder).glob("seen*.png"))
        return np.asarray(Image.open(files[0]).convert("RGB")) if files else None


@contextlib.contextmanager
def quiet():
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


ENCODERS = {"ours": by_us, "sstv (Rust)": by_rust, "pysstv": by_pysstv, "nSSTV": by_nsstv}
DECODERS = {"ours": from_us, "sstv (Rust)": from_rust, "nSSTV": from_nsstv}


def attempt(run: Callable, *args: Any) -> Any:
    """None where that program does not know the mode, is not installed, or fails."""
    try:
        return run(*args)
    except (KeyError, ImportError):
        return None
    except Exception as error:  # a decoder that breaks on a bad line has found no picture
        print(f"{run.__name__}: {error!r:.100}")
        return None


# --- Lines ------------------------------------------------------------------------------------------------------------


def sent(samples: np.ndarray) -> np.ndarray:
    return np.concatenate([SILENCE, samples * LEVEL, SILENCE])


def noise(samples: np.ndarray, db: float) -> np.ndarray:
    """White noise so many dB below the tone."""
    random = np.random.default_rng(5)
    return samples + random.normal(0, LEVEL / np.sqrt(2) * 10 ** (-db / 20), samples.size)


def detuned(samples: np.ndarray, hz: float) -> np.ndarray:
    turning = np.exp(2j * np.pi * hz / RATE * np.arange(samples.size))
    return np.real(hilbert(samples) * turning)


def slower(samples: np.ndarray, ppm: float) -> np.ndarray:
    """By another clock."""
    fine = CubicSpline(np.arange(4 * samples.size) / 4, resample_poly(samples, 4, 1))
    return fine(np.arange(int(samples.size * (1 + 1e-6 * ppm))) / (1 + 1e-6 * ppm))


def lossy(samples: np.ndarray, share: float) -> np.ndarray:
    """With frames of silence."""
    random = np.random.default_rng(7)
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME).copy()
    frames[random.random(len(frames)) < share] = 0
    return frames.ravel()


LINES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "G.711": lambda x: on_line(x, G711),
    "G.711, 300 to 3400 Hz": lambda x: on_line(x, "pcmu"),
    "+50 Hz": lambda x: on_line(detuned(x, 50), G711),
    "-50 Hz": lambda x: on_line(detuned(x, -50), G711),
    "clock +200 ppm": lambda x: on_line(slower(x, 200), G711),
    "clock -200 ppm": lambda x: on_line(slower(x, -200), G711),
    "1 % of frames lost": lambda x: lossy(on_line(x, G711), 0.01),
    "noise 20 dB below": lambda x: on_line(noise(x, 20), G711),
    "all of these at once": lambda x: lossy(on_line(noise(detuned(slower(x, -180), 37), 20), G711), 0.01),
    "noise 10 dB below": lambda x: on_line(noise(x, 10), G711),
    "noise 5 dB below": lambda x: on_line(noise(x, 5), G711),
}


# --- Tables -----------------------------------------------------------------------------------------------------------


def picture_of(mode: str) -> np.ndarray:
    return landscape(MODES[mode].width, MODES[mode].height, MODES[mode].planes == "Y")


def encoders(modes: list[str]) -> list[dict[str, Any]]:
    """Each encoder's picture, through G.711, in the eyes of each decoder."""
    rows = []
    for mode in modes:
        image = picture_of(mode)
        sounds = {name: attempt(encoder, image, mode) for name, encoder in ENCODERS.items()}
        lines = {name: on_line(sent(sound), G711) for name, sound in sounds.items() if sound is not None}
        for decoder, known in (("sstv (Rust)", RUST), ("nSSTV", NSSTV), ("ours", MODES)):
            if mode in known:
                row = {"mode": mode, "decoder": decoder}
                heard = dict(lines)
                if decoder == "nSSTV":
                    heard["ours"] = on_line(sent(by_us(image, mode, "studio")), G711)
                for name in ENCODERS:
                    row[name] = psnr(image, attempt(DECODERS[decoder], heard[name])) if name in lines else "-"
                rows.append(row)
    return rows


def decoders(modes: list[str]) -> list[dict[str, Any]]:
    """What each decoder sees of our picture, on good lines and on bad ones."""
    rows = []
    for mode in modes:
        image = picture_of(mode)
        sounds = {name: sent(by_us(image, mode, "studio" if name == "nSSTV" else "full")) for name in DECODERS}
        for line, through in LINES.items():
            row: dict[str, Any] = {"mode": mode, "line": line}
            for name, run in DECODERS.items():
                row[name] = psnr(image, attempt(run, through(sounds[name]).astype(np.float32)))
            rows.append(row)
    return rows


def seconds(run: Callable, *args: Any, times: int = 3) -> float:
    best = np.inf
    for _ in range(times):
        begin = time.process_time()
        run(*args)
        best = min(best, time.process_time() - begin)
    return best


def speed(modes: list[str]) -> list[dict[str, Any]]:
    """Seconds of processor time for one picture."""
    rows = []
    for mode in modes:
        image = picture_of(mode)
        sound = sent(by_us(image, mode)).astype(np.float32)
        row: dict[str, Any] = {"mode": mode, "sound": round(sound.size / RATE - 1, 1)}
        row |= {"ours": seconds(by_us, image, mode, times=7)}
        row |= {"pysstv": seconds(by_pysstv, image, mode) if mode in PYSSTV else "-"}
        row |= {"times": round(row["pysstv"] / row["ours"]) if mode in PYSSTV else "-"}
        rows.append(row | {"our decoder": seconds(from_us, sound, times=1)})
    return rows


def pictures(folder: Path) -> None:
    """Side by side: what was sent, and what each decoder saw of it."""
    from PIL import Image, ImageDraw

    folder.mkdir(parents=True, exist_ok=True)
    for name, mode, line in (
        ("m1", "M1", "G.711"),
        ("pd90_lost", "PD90", "1 % of frames lost"),
        ("r36_noise", "R36", "noise 20 dB below"),
        ("s1_bad", "S1", "all of these at once"),
        ("m1_noise", "M1", "noise 10 dB below"),
    ):
        image = picture_of(mode)
        seen: dict[str, Any] = {"sent": image}
        for decoder, run in DECODERS.items():
            sound = sent(by_us(image, mode, "studio" if decoder == "nSSTV" else "full"))
            seen[decoder] = attempt(run, LINES[line](sound).astype(np.float32))
        wide, high = image.shape[1], image.shape[0]
        sheet = Image.new("RGB", ((wide + 6) * len(seen) - 6, high + 14), "white")
        draw = ImageDraw.Draw(sheet)
        for k, (what, one) in enumerate(seen.items()):
            if one is not None and one.shape == image.shape:
                sheet.paste(Image.fromarray(one), (k * (wide + 6), 14))
            else:
                draw.rectangle((k * (wide + 6), 14, k * (wide + 6) + wide, high + 14), fill="#dddddd")
                draw.text((k * (wide + 6) + 10, 30), "no picture", fill="black")
            score = psnr(image, one) if what != "sent" else "none"
            says = f": {score} dB" if score != "none" else ""
            draw.text((k * (wide + 6) + 2, 1), f"{what}{says}" if k else f"{mode}, {line}: what was sent", fill="black")
        sheet.save(folder / f"{name}.jpg", quality=72)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--modes", default=",".join(MODES), help="of the first table; all")
    parser.add_argument("--pictures", type=Path, help="write pictures side by side to this folder, and nothing else")
    options = parser.parse_args()
    if options.pictures:
        pictures(options.pictures)
    else:
        chosen = options.modes.split(",")
        tables = {
            "encoders, through G.711": encoders(chosen),
            "decoders, our encoder's M1, PD90 and R36": decoders(["M1", "PD90", "R36"]),
            "seconds of processor time for a picture": speed(
                ["M1", "S1", "R36", "PD90", "PD120", "PD290", "P7", "W180"]
            ),
        }
        print(json.dumps(tables, indent=1)) if options.json else measure.show(tables, False)
