"""Slow-scan television as data: the modes, and a picture as a row of tones. No sound is made here.

The tones: synchronisation 1200 Hz, black 1500, white 2300. Timings: N7CXI, "Proposal for SSTV mode specifications",
Dayton 2000, and KB4YZ, "List of SSTV modes with VIS codes", 1999, as slowrx, QSSTV and MMSSTV have them too.
"""

import os
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .rings import RATE

SYNC, BLACK, WHITE = 1200.0, 1500.0, 2300.0  # Hz
SPAN = WHITE - BLACK
LEADER, ONE, ZERO = 1900.0, 1100.0, 1300.0  # of the header
HEADER = 0.91  # seconds from the header's first sample to the picture's first
FSK_ONE, FSK_ZERO, FSK_BIT = 1900.0, 2100.0, 22.0  # Hz, Hz, ms a bit
FSK_GUARD, FSK_SILENCE = 100.0, 300.0  # ms: after the name, and of black before it (MMSSTV)
VOX = (1900.0, 1500.0, 1900.0, 1500.0, 2300.0, 1500.0, 2300.0, 1500.0)  # Hz, 100 ms each: they open a transmitter
TAIL = 4.0  # ms of black after the last pixel, in which the sound fades
STEPS = 128  # a pixel of the table counts such parts of one of 255 levels

# What the filters of receivers do to rows is undone in part beforehand; docs/sstv.md has what that gains. They blur, so
# rows are sharpened; and what is beside a row leaks into its first and last pixel, so these are held a little longer.
BLUR = 0.1  # ms: a row f becomes f - BLUR^2 f''
SHARPEST = 0.1  # the most that is taken off of a row's second difference: finer pixels than so do not get through
HOLD = 0.15  # ms for which a row goes on into the gaps beside it

MEAN = -1  # a Part's row: the mean of all rows of its line


class Part(NamedTuple):
    """A piece of a line: a tone of so many Hz, or (hz 0) the pixels of one row of a plane."""

    ms: float
    hz: float = 0.0
    plane: int = 0  # R G B, or Y R-Y B-Y
    row: int = 0  # of the line's rows


@dataclass(frozen=True)
class Mode:
    """One way to send a picture. A line of sound carries `rows` rows of it."""

    name: str
    title: str
    vis: int  # 7 bits
    width: int
    height: int
    line: tuple[Part, ...]
    rows: int = 1
    planes: str = "RGB"  # RGB, YUV (Y R-Y B-Y) or Y
    first: tuple[Part, ...] = ()  # once, before the first line
    odd: bool = False  # its parity bit is the other one
    ms: float = field(init=False)  # of a line

    def __post_init__(self):
        object.__setattr__(self, "ms", sum(part.ms for part in self.line))

    @property
    def lines(self) -> int:
        return self.height // self.rows

    @property
    def seconds(self) -> float:
        """From the first line to the end of the picture."""
        return (self.lead + self.lines * self.ms) / 1000

    @property
    def lead(self) -> float:
        """Milliseconds from the end of the header to the first line."""
        return sum(part.ms for part in self.first)

    @property
    def starts(self) -> list[float]:
        """Where each part of the line begins, in ms."""
        return [sum(part.ms for part in self.line[:k]) for k in range(len(self.line))]

    @property
    def syncs(self) -> list[tuple[float, float]]:
        """(start, length) of the line's synchronisation pulses, in ms."""
        return [(at, part.ms) for at, part in zip(self.starts, self.line, strict=True) if part.hz == SYNC]

    @property
    def scans(self) -> list[tuple[float, Part]]:
        """The parts that carry pixels, with their starts in ms."""
        return [(at, part) for at, part in zip(self.starts, self.line, strict=True) if not part.hz]


R, G, B = 0, 1, 2
Y, RY, BY = 0, 1, 2


def _martin(name: str, vis: int, scan: float) -> Mode:
    gap = Part(0.572, BLACK)
    line = (Part(4.862, SYNC), gap, Part(scan, 0, G), gap, Part(scan, 0, B), gap, Part(scan, 0, R), gap)
    return Mode(name, f"Martin {name}", vis, 320, 256, line)


def _scottie(name: str, vis: int, scan: float) -> Mode:
    gap, sync = Part(1.5, BLACK), Part(9.0, SYNC)
    line = (gap, Part(scan, 0, G), gap, Part(scan, 0, B), sync, gap, Part(scan, 0, R))
    return Mode(name, f"Scottie {name}", vis, 320, 256, line, first=(sync,))


def _robot36() -> Mode:
    """Two lines, for they share their colours: R-Y comes with the even one, B-Y with the odd one."""
    sync, porch, late = Part(9.0, SYNC), Part(3.0, BLACK), Part(1.5, 1900.0)
    even = (sync, porch, Part(88.0, 0, Y, 0), Part(4.5, BLACK), late, Part(44.0, 0, RY, MEAN))
    odd = (sync, porch, Part(88.0, 0, Y, 1), Part(4.5, WHITE), late, Part(44.0, 0, BY, MEAN))
    return Mode("R36", "Robot 36", 0x08, 320, 240, even + odd, 2, "YUV")


def _robot72() -> Mode:
    late = Part(1.5, 1900.0)
    line = (Part(9.0, SYNC), Part(3.0, BLACK), Part(138.0, 0, Y), Part(4.5, BLACK), late, Part(69.0, 0, RY),
            Part(4.5, WHITE), late, Part(69.0, 0, BY))  # fmt: skip
    return Mode("R72", "Robot 72", 0x0C, 320, 240, line, 1, "YUV")


def _grey(name: str, vis: int, size: tuple[int, int], scan: float, odd: bool = False) -> Mode:
    line = (Part(7.0, SYNC), Part(scan, 0, Y))
    return Mode(name, f"Robot B&W {name[2:]}", vis, *size, line, 1, "Y", odd=odd)


def _pd(name: str, vis: int, size: tuple[int, int], pixel: float) -> Mode:
    scan = pixel * size[0]
    line = (Part(20.0, SYNC), Part(2.08, BLACK), Part(scan, 0, Y, 0), Part(scan, 0, RY, MEAN), Part(scan, 0, BY, MEAN),
            Part(scan, 0, Y, 1))  # fmt: skip
    return Mode(name, f"PD {name[2:]}", vis, *size, line, 2, "YUV")


def _pasokon(name: str, vis: int, units: int) -> Mode:
    u = 1000 / units
    gap, scan = Part(5 * u, BLACK), 640 * u
    line = (Part(25 * u, SYNC), gap, Part(scan, 0, R), gap, Part(scan, 0, G), gap, Part(scan, 0, B), gap)
    return Mode(name, f"Pasokon {name}", vis, 640, 496, line)


def _wraase(name: str, vis: int, scan: float) -> Mode:
    line = (Part(5.5225, SYNC), Part(0.5, BLACK), Part(scan, 0, R), Part(scan, 0, G), Part(scan, 0, B))
    return Mode(name, f"Wraase SC2-{name[1:]}", vis, 320, 256, line)


_ALL = (
    _martin("M1", 0x2C, 146.432), _martin("M2", 0x28, 73.216),
    _scottie("S1", 0x3C, 138.24), _scottie("S2", 0x38, 88.064), _scottie("SDX", 0x4C, 345.6),
    _robot36(), _robot72(),
    _grey("BW8", 0x02, (160, 120), 59.9), _grey("BW12", 0x06, (160, 120), 93.0, odd=True),
    _grey("BW24", 0x0A, (320, 240), 93.0),
    _pd("PD50", 0x5D, (320, 256), 0.286), _pd("PD90", 0x63, (320, 256), 0.532),
    _pd("PD120", 0x5F, (640, 496), 0.19), _pd("PD160", 0x62, (512, 400), 0.382),
    _pd("PD180", 0x60, (640, 496), 0.286), _pd("PD240", 0x61, (640, 496), 0.382),
    _pd("PD290", 0x5E, (800, 616), 0.286),
    _pasokon("P3", 0x71, 4800), _pasokon("P5", 0x72, 3200), _pasokon("P7", 0x73, 2400),
    _wraase("W120", 0x3F, 475.53 / 3 - 6.0225 / 3), _wraase("W180", 0x37, 235.0),
)  # fmt: skip
MODES: dict[str, Mode] = {mode.name: mode for mode in _ALL}


def mode_of(name: str, what: str) -> Mode:
    """The mode of that name, in any case of its letters. what: who asks, for the error."""
    found = MODES.get(str(name).upper().replace(" ", "").replace("-", ""))
    if found is None:
        raise ValueError(f"{what}: no mode {name!r}; there is: {', '.join(MODES)}")
    return found


# --- Pictures ---------------------------------------------------------------------------------------------------------

# Y, R-Y, B-Y of ITU-R BT.601. "full": from 0 to 255, as in JPEG; slowrx, pysstv and sstv (Rust) have it so. "studio":
# Y from 16 to 235; the Dayton paper, MMSSTV and nSSTV.
LEVELS = ("full", "studio")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF")  # not EPS, for which Pillow runs Ghostscript
LARGEST = 50_000_000  # pixels of a picture in a file
TO_YUV = {
    "full": np.array([[0.299, 0.587, 0.114], [0.5, -0.418688, -0.081312], [-0.168736, -0.331264, 0.5]]),
    "studio": np.array([[65.738, 129.057, 25.064], [112.439, -94.154, -18.285], [-37.945, -74.494, 112.439]]) / 256,
}
ZERO_YUV = {"full": np.array([0, 128, 128]), "studio": np.array([16, 128, 128])}


def pillow(what: str) -> Any:
    """Pillow's module Image. ImportError, with the remedy, where it is not installed."""
    try:
        from PIL import Image, ImageOps  # noqa: F401
    except ImportError as error:
        raise ImportError(f"{what}: pictures need Pillow ({error}): pip install 'graphvoip[sstv]'") from None
    return Image


def picture(image: Any, mode: Mode, fit: str, what: str) -> np.ndarray:
    """Any picture as (height, width, 3) of uint8 in the mode's size.

    image: a Pillow image, the name of a file, an array (height, width, 3) or (height, width) of uint8, or None for the
    test card. fit: "crop" fills the frame and cuts off what is beyond it, "pad" shows all of it between black bars.
    """
    size = (mode.width, mode.height)
    if image is None:
        return test_card(*size)
    if isinstance(image, np.ndarray):
        if image.dtype != np.uint8 or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
            raise ValueError(
                f"{what}: image is an array of {image.dtype} {image.shape}; it is uint8, (height, width, 3)"
            )
        rgb = np.repeat(image[:, :, None], 3, 2) if image.ndim == 2 else image
        if rgb.shape[1::-1] == size:
            return rgb
        image = pillow(what).fromarray(rgb)
    return np.asarray(_fitted(_opened(image, what), size, fit, what))


def _opened(image: Any, what: str) -> Any:
    """A Pillow image: upright, without transparency."""
    Image = pillow(what)
    from PIL import ImageOps

    if isinstance(image, (str, os.PathLike)):
        try:
            opened = Image.open(image, formats=FORMATS)
            if opened.width * opened.height > LARGEST:
                raise OSError(f"it has {opened.width} x {opened.height} pixels; {LARGEST / 1e6:g} million are the most")
            opened.load()
            image = opened
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise ValueError(f"{what}: {os.fspath(image) if not hasattr(image, 'size') else image}: {error}") from None
    if not isinstance(image, Image.Image):
        raise TypeError(f"{what}: {image!r:.60} is no picture; give a Pillow image or the name of a file")
    image = ImageOps.exif_transpose(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    elif image.mode.startswith(("I", "F")):  # 16 bits and more: to 8
        deep = np.asarray(image, np.float32)
        image = Image.fromarray((deep / max(1.0, float(deep.max()) / 255)).clip(0, 255).astype(np.uint8))
    return image.convert("RGB")


def _fitted(image: Any, size: tuple[int, int], fit: str, what: str) -> Any:
    from PIL import Image, ImageOps

    if image.size == size:
        return image
    if fit == "crop":
        return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
    if fit == "pad":
        return ImageOps.pad(image, size, Image.Resampling.LANCZOS, color="black")
    raise ValueError(f"{what}: fit {fit!r} is none of crop, pad")


def test_card(width: int, height: int) -> np.ndarray:
    """What is sent where there is no picture: colour bars, a grey wedge, and lines that get finer."""
    x, y = np.arange(width), np.arange(height)[:, None]
    card = np.zeros((height, width, 3), np.uint8)
    bars = np.array([[k & 2, k & 4, k & 1] for k in range(7, -1, -1)]) > 0  # white yellow cyan green ... black
    top, middle = height * 5 // 9, height * 7 // 9
    card[:top] = np.where(bars[x * 8 // width], 200, 16)
    card[top:middle] = (x * 255 // (width - 1))[:, None]
    pitch = 2 << (np.arange(width) * 5 // width)[::-1]
    card[middle:] = np.where(x // pitch % 2, 224, 32)[:, None]
    ring = np.hypot(x - width / 2 + 0.5, y - height / 2 + 0.5) - 0.42 * height
    card[np.abs(ring) < max(1.0, height / 120)] = 255
    return card


def to_planes(rgb: np.ndarray, mode: Mode, levels: str) -> np.ndarray:
    """A picture as what its mode sends: float32 (planes, height, width), 0..255."""
    if mode.planes == "RGB":
        return np.moveaxis(rgb, 2, 0).astype(np.float32)
    count = len(mode.planes)
    flat = rgb.reshape(-1, 3).T.astype(np.float32)
    # Not `@`, for which linear algebra starts threads that turn on the spot for longer than this takes.
    made = np.einsum("pc,cn->pn", TO_YUV[levels][:count].astype(np.float32), flat)
    made += ZERO_YUV[levels][:count, None]
    return made.reshape(count, *rgb.shape[:2])


def from_planes(planes: np.ndarray, mode: Mode, levels: str) -> np.ndarray:
    """Planes (planes, height, width) as a picture (height, width, 3) of uint8."""
    if mode.planes == "RGB":
        rgb = np.moveaxis(planes, 0, 2)
    elif mode.planes == "YUV":
        flat = planes.reshape(3, -1) - ZERO_YUV[levels][:, None]
        rgb = (np.linalg.inv(TO_YUV[levels]) @ flat).T.reshape(*planes.shape[1:], 3)
    else:
        grey = (planes[0] - ZERO_YUV[levels][0]) / TO_YUV[levels][0].sum()
        rgb = np.repeat(grey[:, :, None], 3, 2)
    return np.rint(np.clip(rgb, 0, 255)).astype(np.uint8)


def pixels(rgb: np.ndarray, mode: Mode, levels: str = "full") -> np.ndarray:
    """The rows in the order in which they are sent, int16 (lines, scans, width) in STEPS of a level."""
    many = to_planes(rgb, mode, levels)
    by_line = many.reshape(len(many), mode.lines, mode.rows, mode.width)
    found = np.empty((mode.lines, len(mode.scans), mode.width), np.int16)
    for k, (_, part) in enumerate(mode.scans):
        plane = by_line[part.plane]
        row = plane.mean(1) if part.row == MEAN else plane[:, part.row]
        found[:, k] = np.rint(sharpened(row, part.ms / mode.width) * STEPS)
    return found


def sharpened(rows: np.ndarray, pixel: float) -> np.ndarray:
    """Rows (lines, width) with their second difference taken off, in 0..255. pixel: ms."""
    much = min((BLUR / pixel) ** 2, SHARPEST)
    found = (1 + 2 * much) * rows
    found[:, 1:] -= much * rows[:, :-1]
    found[:, :-1] -= much * rows[:, 1:]
    found[:, [0, -1]] -= much * rows[:, [0, -1]]  # beyond its ends it is as they are
    return found.clip(0, 255)


# --- Tones ------------------------------------------------------------------------------------------------------------


def header(mode: Mode, vox: bool) -> list[tuple[float, float]]:
    """What comes before the picture, (ms, Hz): the mode's code, vertical interval signalling."""
    found = [(100.0, hz) for hz in VOX] if vox else []
    found += [(300.0, LEADER), (10.0, SYNC), (300.0, LEADER), (30.0, SYNC)]
    bits = [mode.vis >> k & 1 for k in range(7)]
    bits.append((sum(bits) + mode.odd) % 2)
    found += [(30.0, ONE if bit else ZERO) for bit in bits]
    return [*found, (30.0, SYNC), *((part.ms, part.hz) for part in mode.first)]


def fsk(text: str, what: str) -> list[tuple[float, float]]:
    """Who sends, after the picture, in 6 bits a letter: MMSSTV's form, its sum included."""
    codes = [ord(letter) - 0x20 for letter in text.upper()]
    for letter, code in zip(text, codes, strict=True):
        if not 0 <= code < 64:
            raise ValueError(f"{what}: fsk_id has {letter!r}; it may have letters, digits, blanks and ASCII's signs")
    if len(codes) > 17:
        raise ValueError(f"{what}: fsk_id has {len(codes)} letters; it may have 17")
    if not codes:
        return []
    total = 0
    for code in codes:
        total ^= code
    bits = [code >> k & 1 for code in (0x20, 0x2A, *codes, 0x01, total) for k in range(6)]
    tones = [(FSK_BIT, FSK_ONE if bit else FSK_ZERO) for bit in bits]
    return [(FSK_SILENCE, BLACK), *tones, (FSK_GUARD, FSK_ZERO)]


def stops(mode: Mode) -> list[float]:
    """Where each part of a line stops, in ms: rows go on into gaps beside them, not into pulses and not into rows."""
    found = []
    for start, part, after in zip(mode.starts, mode.line, mode.line[1:] + mode.line[:1], strict=True):
        late = (not part.hz and after.hz >= BLACK) - (not after.hz and part.hz >= BLACK)
        found.append(start + part.ms + late * HOLD)
    return found


def tones(mode: Mode, fsk_id: str = "", vox: bool = False, what: str = "sstv") -> np.ndarray:
    """The transmission as float64 (pieces, 5), times in samples: end, Hz or 0, and of a row the length of a pixel, the
    place of its first one among all pixels, and when that begins by the standard.

    Times are sums of the exact lengths, never of rounded ones, so nothing drifts.
    """
    before = np.array(header(mode, vox))
    after = np.array([*fsk(fsk_id, what), (TAIL, BLACK)])
    start = before[:, 0].sum()
    begins = start + mode.ms * np.arange(mode.lines)[:, None]
    lines = np.zeros((mode.lines, len(mode.line), 5))
    lines[:, :, 0] = begins + stops(mode)
    lines[:, :, 1] = [part.hz for part in mode.line]
    scans = [k for k, part in enumerate(mode.line) if not part.hz]
    lines[:, scans, 2] = [part.ms / mode.width for _, part in mode.scans]
    lines[:, scans, 3] = mode.width * np.arange(mode.lines * len(scans)).reshape(mode.lines, -1)
    lines[:, scans, 4] = begins + [at for at, _ in mode.scans]
    made = np.zeros((len(before) + len(after), 5))
    made[:, 0] = np.concatenate([np.cumsum(before[:, 0]), start + mode.lines * mode.ms + np.cumsum(after[:, 0])])
    made[:, 1] = np.concatenate([before[:, 1], after[:, 1]])
    found = np.concatenate([made[: len(before)], lines.reshape(-1, 5), made[len(before) :]])
    found[:, [0, 2, 4]] *= RATE / 1000
    return np.ascontiguousarray(found)
