"""The five patches for Pure Data, as patch files. Its blocks are of 64 samples: they are powers of two."""

import shutil
from pathlib import Path

from . import patches as p

INSTALL = "apt-get install puredata-core"


class Canvas:
    """A patch file: boxes, known by their numbers, and wires between them."""

    def __init__(self):
        self.boxes: list[str] = []
        self.wires: list[str] = []
        self.quarter = self.box("0.75", self.box("loadbang"), kind="msg")

    def box(self, text: str, *sources: int, kind: str = "obj") -> int:
        """A box whose first inlet gets these signals; Pure Data adds them up."""
        number = len(self.boxes)
        escaped = text.replace(",", " \\,").replace(";", " \\;").replace("$", "\\$")
        self.boxes.append(f"#X {kind} 10 10 {escaped};")
        for source in sources:
            self.wire(source, number, 0)
        return number

    def wire(self, source: int, target: int, inlet: int) -> None:
        self.wires.append(f"#X connect {source} 0 {target} {inlet};")

    def sine(self, freq: float | None = None, *sources: int) -> int:
        """osc~ is a cosine: three quarters of a turn make it a sine."""
        sine = self.box("osc~" if freq is None else f"osc~ {freq:g}", *sources)
        self.wire(self.quarter, sine, 1)
        return sine

    def line(self, every: float, stages: str) -> int:
        """A line of sample accuracy, again and again."""
        clock = self.box(f"metro {1000 * every:g}", self.box("loadbang"))
        return self.box("vline~", self.box(stages, clock, kind="msg"))

    def times(self, a: int, b: int) -> int:
        product = self.box("*~", a)
        self.wire(b, product, 1)
        return product

    def text(self) -> str:
        return "\n".join(["#N canvas 0 0 500 500 10;", *self.boxes, *self.wires]) + "\n"


def p1(c: Canvas) -> int:
    coefficients = " ".join(f"{x:.9g}" for x in (*(-a for a in p.P1_A), *p.P1_B))
    low = c.box(f"biquad~ {coefficients}", *(c.sine(freq) for freq in p.P1_FREQS))
    return c.box(f"*~ {p.P1_GAIN:g}", low)


def p2(c: Canvas) -> int:
    attack, decay, release = 1000 * p.P2_ATTACK, 1000 * p.P2_DECAY, 1000 * p.P2_RELEASE
    stages = f"1 {attack:g}, {p.P2_SUSTAIN:g} {decay:g} {attack:g}, 0 {release:g} {500 / p.P2_GATE:g}"
    voices = []
    for freq in p.P2_FREQS:
        swept = c.sine(None, c.box(f"+~ {freq:g}", c.box(f"*~ {2 * freq:g}", c.sine(2 * freq))))
        voices.append(c.times(swept, c.line(1 / p.P2_GATE, stages)))
    return c.box("expr~ tanh($v1)", c.box(f"*~ {p.P2_GAIN:g}", *voices))


def p3(c: Canvas) -> int:
    tones = [c.box(f"*~ {a:.9g}", c.sine(freq)) for freq, a in zip(p.P3_TONES, p.P3_LEVELS, strict=True)]
    key = c.line(p.P3_ON + p.P3_OFF, f"1, 0 0 {1000 * p.P3_ON:g}")
    keyed = c.box("*~", *tones)
    c.wire(key, keyed, 1)
    return c.box("+~", keyed, c.box(f"*~ {p.P3_NOISE:g}", c.box("noise~")))


def p4(c: Canvas) -> int:
    sound = c.sine(p.P4_FREQ)
    for gain in p.P4_GAINS:
        sound = c.box(f"*~ {gain:g}", sound)
    return sound


def p5(c: Canvas) -> int:
    return c.box(f"*~ {p.P5_GAIN:g}", *(c.box(f"*~ {p.P5_EACH:.9g}", c.sine(freq)) for freq in p.P5_FREQS))


def command(name: str, seconds: float, folder: Path, sound: Path | None) -> list[str]:
    """Write what renders a patch, and give the command for it. Its sound: a WAV file of float32."""
    canvas = Canvas()
    out = globals()[name.lower()](canvas)
    begin = canvas.box("loadbang")
    canvas.box("; pd dsp 1", begin, kind="msg")
    end = canvas.box(f"delay {1000 * seconds:g}", begin)
    if sound:
        canvas.box(f"table heard {round(seconds * p.RATE)}")
        table = canvas.box("tabwrite~ heard", out)
        canvas.wire(begin, table, 0)
        save = f"write -wave -bytes 4 {sound} heard"
        canvas.box("soundfiler", canvas.box(save, canvas.box("delay 100", end), kind="msg"))
        end = canvas.box("delay 200", end)
    canvas.box("; pd quit", end, kind="msg")
    file = folder / f"{name}-{seconds:g}.pd"
    file.write_text(canvas.text())
    return ["pd", "-batch", "-noprefs", "-nomidi", "-noaudio", "-r", str(p.RATE), str(file)]


def find() -> str | None:
    return shutil.which("pd")
