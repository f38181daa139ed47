"""What of the documentation is made from the code: nodes.md, gallery.md, their pictures, and patch.schema.json.

    python docs/make.py             all of it; costs are measured only where there is none yet
    python docs/make.py --costs     the same, and all costs anew
    python docs/make.py --check     write nothing; say what is out of date (but costs and pictures), and exit with 1

Text comes from the declarations of the nodes and from the patch files; a picture of a node from the example in its
docstring; those of a patch from its graph and from its golden take (tests/golden/make.py). Pictures need the extra
`plot`.
"""

import contextlib
import importlib.util
import itertools
import json
import math
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from graphvoip import load_patch
from graphvoip.node import Node
from graphvoip.palette import GROUPS, entry, example, example_source, palette
from graphvoip.patchwriter import schema
from graphvoip.rings import RATE

HERE = Path(__file__).parent
ROOT = HERE.parent
NODES, GALLERY, SCHEMA = HERE / "nodes.md", HERE / "gallery.md", HERE / "patch.schema.json"
COSTS = (1, 2, 5, 10, 20, 50, 100, 200)  # us a frame; finer steps would be noise
COST = re.compile(r"(?:less than|about) \d+ us a frame")
CURVES = {"control", "analysis"}  # groups whose nodes are drawn as curves
LISTENERS = {"conference", "receive"}  # they hear others, so for a picture somebody must speak
SECONDS = 3.0  # of a node's picture
TESTED = ("chime", "keypad_fm", "bell_tower")  # whose commands tests/test_docs.py runs


def module(path: Path) -> Any:
    """A file as a module, whatever folder it is in."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


golden = module(ROOT / "tests" / "golden" / "make.py")
Cost = Callable[[str], str]  # of a node's type or a patch's name


NODES_HEAD = f"""\
# The palette

Every node, as its class declares it. `graphvoip nodes` prints the same, and each example as a patch file too; it finds
a node by other words as well: `graphvoip nodes moog`.

An input takes a number in the range that is given, a node, or a node's output; so anything may move anything. What a
wire brings beyond the range is held at its end; a parameter or a score with a number beyond it is refused, as the
number is. An option is fixed when the node is built. The first output is what the node itself stands for: `lfo` is
`lfo.out`. An event ends a playback (`done`), or is listened to in Python. `x` is a plain factor or level; 1 is full
scale. In Python `name=` names any node, for errors and for patches.

A picture is {SECONDS:g} s of the example: the waveform, and the spectrogram up to 4 kHz; or, of control and analysis
nodes, their outputs as curves. In the examples `voice` is somebody speaking and `keys` are the keys 1, 5, 9 and 3.
Costs are those of a node at work, on one core of the machine that [performance.md](performance.md) describes; there
are 20000 us in a frame.
"""

GALLERY_HEAD = """\
# The gallery

The patches in [patches/](../patches). Render them:

```sh
TESTED
```

`graphvoip play patches/chime.json` plays one on the sound card, and a handler plays it on a call:

```python
from graphvoip import load_patch


async def handler(call):
    synth = call.play(load_patch("patches/keypad_fm.json")())
    await call.getDTMF(filter="1")
    synth.index = 6
    await call.getDTMF(filter="4")
```

`voice` is the caller's voice there and `keys` the caller's keys; from the command line they come from `--voice` and
`--keys`. Below each patch is the command whose sound the picture shows: the waveform, and the spectrogram up to 4 kHz.
[nodes.md](nodes.md) has the nodes.
"""

# --- Text -------------------------------------------------------------------------------------------------------------


def nodes_text(cost: Cost) -> str:
    lines = [NODES_HEAD]
    classes = palette()
    groups = [group for group in GROUPS if any(cls.group == group for cls in classes.values())]
    for group in groups:
        links = [f"[{name}](#{name})" for name, cls in classes.items() if cls.group == group]
        lines += [f"**{group.capitalize()}:** {' · '.join(links)}", ""]
    for group in groups:
        lines += [f"## {group.capitalize()}", ""]
        for name, cls in classes.items():
            if cls.group == group:
                lines += node_text(cls, cost(name))
    return "\n".join(lines).rstrip() + "\n"


def node_text(cls: type[Node], cost: str) -> list[str]:
    one = entry(cls)
    facts = ", ".join([f"`{one['class']}` in Python", *([cost] if cost else [])])
    lines = [f"### {one['type']}", "", f"{facts}.", "", *(f"{part}\n" for part in paragraphs(one["doc"]))]
    lines += [f"Also known as {escaped(', '.join(one['known_as']))}.", ""] if one["known_as"] else []
    lines += table(("input", "default", "range", ""), map(input_row, one["inputs"]))
    lines += table(("option", "default", "choices", ""), map(option_row, one["options"]))
    if len(one["outputs"]) > 1 or any(row["doc"] for row in one["outputs"]):
        lines += table(("output", ""), ((f"`{row['name']}`", escaped(row["doc"])) for row in one["outputs"]))
    lines += table(("event", ""), ((f"`{row['name']}`", escaped(row["doc"])) for row in one["events"]))
    if one["example"]:
        lines += ["```py", one["example"], "```", "", f"![{one['type']}](nodes/{one['type']}.png)", ""]
    return lines


def paragraphs(doc: str) -> Iterator[str]:
    """A docstring for Markdown: wrapped lines are joined, and nothing in it is markup by accident."""
    for part in doc.split("\n\n"):
        found = part if part.startswith(("- ", " ")) else " ".join(part.split())
        yield "`".join(escaped(text) if k % 2 == 0 else text for k, text in enumerate(found.split("`")))


def escaped(text: str) -> str:
    return re.sub(r"([*|]|(?<!\w)_|_(?!\w))", r"\\\1", text).replace("<", "&lt;")


def table(titles: tuple[str, ...], rows: Any) -> list[str]:
    """A table, without the columns that have nothing in them; nothing at all without a row."""
    rows = [tuple(row) for row in rows]
    used = [k for k in range(len(titles)) if k == 0 or any(row[k] for row in rows)]
    lines = [f"| {' | '.join(str(row[k]) for k in used)} |" for row in [titles, *rows]]
    return [lines[0], f"|{'---|' * len(used)}", *lines[1:], ""] if rows else []


def input_row(slot: dict[str, Any]) -> tuple[str, ...]:
    if slot["many"]:
        return f"`{slot['name']}`", "", "any number of them", escaped(slot["doc"])
    default = "must be given" if slot["default"] is None else f"{slot['default']:g}"
    return f"`{slot['name']}`", default, span(slot["low"], slot["high"], slot["unit"]), escaped(slot["doc"])


def option_row(slot: dict[str, Any]) -> tuple[str, ...]:
    default = "" if slot["default"] is None else f"`{json.dumps(slot['default'])}`"
    kind = {"file": "a file", "sound": "samples, or a sound file"}.get(slot["kind"], "")
    said = ", ".join(f"`{one}`" for one in slot["choices"]) or span(slot["low"], slot["high"], slot["unit"]) or kind
    return f"`{slot['name']}`", default, said, escaped(slot["doc"])


def span(low: float | None, high: float | None, unit: str) -> str:
    """A range in words: "0..4000 Hz"; an open end, None, is left open."""
    low, high = (None if one is None or not math.isfinite(one) else one for one in (low, high))
    if low is None and high is None:
        return unit
    return f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'} {unit}".strip()


def gallery_text(cost: Cost) -> str:
    tested = "\n".join(golden.TAKES[name].command(name) for name in TESTED)
    lines = [GALLERY_HEAD.replace("TESTED", tested), *(f"- [{name}](#{name})" for name in golden.TAKES), ""]
    for name in golden.TAKES:
        lines += patch_text(name, cost(name))
    return "\n".join(lines).rstrip() + "\n"


def patch_text(name: str, cost: str) -> list[str]:
    path = golden.PATCHES / f"{name}.json"
    recipe = load_patch(path)
    inputs = " and ".join(f"`{one}`" for one in recipe.inputs)
    facts = [f"{len(recipe().nodes)} nodes", *([cost] if cost else []), *([f"takes {inputs}"] if inputs else [])]
    rows = [
        (f"`{key}`", f"{one.default:g}", span(one.low, one.high, one.unit), escaped(one.doc))
        for key, one in recipe.params.items()
    ]
    return [
        f"## {name}",
        "",
        *paragraphs(recipe.doc),
        "",
        f"{', '.join(facts)}.",
        "",
        *table(("parameter", "default", "range", ""), rows),
        f"![The graph of {name}](gallery/{name}.svg)",
        "",
        f"![What {name} sounds like](gallery/{name}.png)",
        "",
        "```console",
        f"$ {golden.TAKES[name].command(name)}",
        "```",
        "",
        f"<details><summary>patches/{name}.json</summary>",
        "",
        "```json",
        path.read_text("utf-8").rstrip(),
        "```",
        "",
        "</details>",
        "",
    ]


def schema_text(cost: Cost) -> str:
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


TEXTS = {NODES: nodes_text, GALLERY: gallery_text, SCHEMA: schema_text}


def costless(text: str) -> str:
    """Without the costs, which are another machine's."""
    return re.sub(rf", {COST.pattern}", "", text)


def stale() -> list[str]:
    """The files that are not as the code is, and the pictures that are missing or that nothing shows."""
    found = []
    for path, text in TEXTS.items():
        written = path.read_text("utf-8") if path.exists() else ""
        if costless(written) != costless(text(lambda name: "")):
            found.append(f"docs/{path.name}")
    shown = {HERE / name for path in (NODES, GALLERY) if path.exists()
             for name in re.findall(r"!\[[^]]*\]\(([^)]*)\)", path.read_text("utf-8"))}  # fmt: skip
    there = {path for folder in ("nodes", "gallery") for path in (HERE / folder).glob("*")}
    return found + [f"docs/{path.relative_to(HERE)}" for path in sorted(shown ^ there)]


# --- Costs ------------------------------------------------------------------------------------------------------------


def in_words(us: float) -> str:
    if us < 0.7:
        return "less than 1 us a frame"
    return f"about {min(COSTS, key=lambda one: abs(math.log(one / us)))} us a frame"


def node_cost(cls: type[Node]) -> str:
    """Of a node with noise at its inputs, as bench/palette.py has it."""
    if cls.group == "call" or cls.in_python:
        return ""
    from graphvoip.plan import Plan

    sys.path.insert(0, str(ROOT / "bench"))
    at_work = module(ROOT / "bench" / "palette.py").at_work
    plan = Plan([at_work(cls, False)])
    times = []
    for _ in range(10):
        begin = time.perf_counter()
        plan.run(500)
        times.append((time.perf_counter() - begin) / 500 * 1e6)
    return in_words(min(times))


def patch_cost(name: str) -> str:
    """Of a patch as it is played for its take; after the first time, in which memory is new."""
    from graphvoip.offline import Rendering

    take = golden.TAKES[name]
    times = []
    for _ in range(6):
        rendering = Rendering(golden.build(name), take.seconds, take.keys, golden.voice(name))
        begin = time.perf_counter()
        frames = len(rendering.run()) * 50 / RATE
        times.append((time.perf_counter() - begin) / frames * 1e6)
    return in_words(min(times))


def known_costs(path: Path) -> dict[str, str]:
    """Those that are written in a page, by the headings above them."""
    parts = re.split(r"^##+ (.*)$", path.read_text("utf-8"), flags=re.M) if path.exists() else [""]
    found = {title: COST.search(text.split("```")[0]) for title, text in zip(parts[1::2], parts[2::2], strict=True)}
    return {title: cost[0] for title, cost in found.items() if cost}


# --- Pictures ---------------------------------------------------------------------------------------------------------

WIDTH, WAVE, SPECTRUM = 480, 40, 100  # dots
COLOURS = 12
INK, PAPER, LINE = (34, 48, 60), (255, 255, 255), (59, 106, 165)
HEAT = ((0, 0, 3), (40, 17, 89), (114, 31, 129), (182, 54, 121), (241, 96, 93), (254, 175, 119), (251, 252, 191))


def sound_picture(samples: np.ndarray, path: Path, width: int = WIDTH) -> None:
    """The waveform, and below it the spectrogram up to 4 kHz."""
    from PIL import Image

    edges = np.linspace(0, len(samples), width + 1).astype(int)
    image = np.full((WAVE + SPECTRUM, width, 3), PAPER, np.uint8)
    for x, (a, b) in enumerate(itertools.pairwise(edges)):
        piece = np.clip(samples[a : max(b, a + 1)], -1, 1)
        high, low = (round((WAVE - 1) / 2 * (1 - one)) for one in (piece.max(), piece.min()))
        image[high : low + 1, x] = LINE
    size = 512
    padded = np.pad(samples.astype(float), size // 2)
    columns = np.linspace(0, len(samples) - 1, width).astype(int)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[columns] * np.hanning(size)
    level = 20 * np.log10(np.maximum(np.abs(np.fft.rfft(frames, axis=1)) * 4 / size, 1e-6))[:, 1:]
    bins = np.linspace(0, level.shape[1], SPECTRUM + 1).astype(int)
    rows = np.stack([level[:, a:b].max(1) for a, b in itertools.pairwise(bins)])[::-1]
    shade = np.clip((rows + 75) / 72, 0, 1)
    shade = np.round(shade * (COLOURS - 1)) / (COLOURS - 1) * (len(HEAT) - 1)
    heat = np.array(HEAT, float)
    below = np.minimum(shade.astype(int), len(HEAT) - 2)
    image[WAVE:] = heat[below] + (heat[below + 1] - heat[below]) * (shade - below)[..., None]
    save(Image.fromarray(image), path)


def curve_picture(curves: dict[str, np.ndarray], path: Path) -> None:
    """Signals one below the other, each with its name and its least and greatest value."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("RGB", (WIDTH, WAVE + SPECTRUM), PAPER)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default_imagefont()
    height = (WAVE + SPECTRUM) / len(curves)
    left = 96
    for k, (name, samples) in enumerate(curves.items()):
        top, bottom = round(k * height) + 4, round((k + 1) * height) - 5
        low, high = float(samples.min()), float(samples.max())
        edges = np.linspace(0, len(samples), WIDTH - left + 1).astype(int)
        scale = (bottom - top) / ((high - low) or 1)
        for x, (a, b) in enumerate(itertools.pairwise(edges)):
            piece = samples[max(0, a - 1) : max(b, a + 1)]  # with the sample before it, so that the line is one
            ends = [bottom - (float(one) - low) * scale for one in (piece.max(), piece.min())]
            draw.line([(left + x, round(ends[0])), (left + x, round(ends[1]))], LINE)
        said = "..".join(f"{0 if abs(one) < (high - low) / 1000 else one:.3g}" for one in dict.fromkeys((low, high)))
        draw.text((4, (top + bottom) // 2 - 11), name, INK, font)
        draw.text((4, (top + bottom) // 2 + 1), said, INK, font)
        if k:
            draw.line([(0, round(k * height)), (WIDTH, round(k * height))], (216, 222, 228))
    save(image, path)


def save(image: Any, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    image.quantize(COLOURS + 4, dither=0).save(path, optimize=True)


def node_picture(cls: type[Node]) -> None:
    from graphvoip.graph import walk
    from graphvoip.nodes import Melody, Mix, Send
    from graphvoip.nodes.recorder import Recorder
    from graphvoip.offline import Rendering

    path = HERE / "nodes" / f"{cls.type}.png"
    rendering = Rendering(Mix(example(cls)), SECONDS, "", None)  # in a Mix, so that no event ends it
    if cls.type in LISTENERS:
        rendering.graph.add(Send(Melody(amp=0.5, loop=True), bus="party"))
    node = next((one for one in walk([rendering.fade]) if type(one) is cls), None)
    recorders = {}
    if node and cls.group in CURVES:
        for name in node.slots.outputs:
            recorders[name] = Recorder(node.port(name), limit=round(SECONDS * RATE))
            rendering.graph.add(recorders[name])
    samples = rendering.run()
    curves = {name: one.recorded() for name, one in recorders.items()}
    if curves and turns(next(iter(curves.values()))) < 300:
        curve_picture(curves, path)
    else:
        sound_picture(samples, path)


def turns(samples: np.ndarray) -> float:
    """How often a second a signal changes its sign: one that does so often is no control."""
    return np.count_nonzero(np.diff(np.signbit(samples))) / SECONDS


def patch_picture(name: str) -> None:
    from graphvoip.draw import patch_svg

    folder = HERE / "gallery"
    sound_picture(golden.golden(name) / 32768, folder / f"{name}.png", 640)
    recipe = load_patch(golden.PATCHES / f"{name}.json")
    (folder / f"{name}.svg").write_text(patch_svg(recipe()), "utf-8")


def make(costs: bool) -> None:
    classes = palette()
    nodes, patches = ({}, {}) if costs else (known_costs(NODES), known_costs(GALLERY))
    for name, cls in classes.items():
        if name not in nodes:
            nodes[name] = node_cost(cls)
    for name in golden.TAKES:
        if name not in patches:
            patches[name] = patch_cost(name)
    for path, text in TEXTS.items():
        path.write_text(text((nodes if path == NODES else patches).__getitem__), "utf-8")
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # some write files
        for cls in classes.values():
            if example_source(cls):
                node_picture(cls)
    for name in golden.TAKES:
        patch_picture(name)
    for path in stale():
        print(f"{path}: nothing shows it; remove it" if (ROOT / path).exists() else f"{path} is missing")


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        print("".join(f"{path} is out of date; run python docs/make.py\n" for path in stale()), end="")
        sys.exit(bool(stale()))
    make("--costs" in sys.argv[1:])
