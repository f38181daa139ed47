"""Pictures of graphs: all that a patch has is in them, and they are sound XML."""

import asyncio
import itertools
import math
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from graphvoip import Param, load_patch, patch
from graphvoip.draw import graph_svg, patch_svg
from graphvoip.nodes import Biquad, Comb, Constant, Delay, Function, Gain, Lfo, Mix, Noise, Pcm, Sine
from graphvoip.offline import Rendering
from graphvoip.patchfile import parse_patch
from graphvoip.recipe import poly

PATCHES = sorted((Path(__file__).parent.parent / "patches").glob("*.json"))
SVG = "{http://www.w3.org/2000/svg}"


class Picture:
    """An SVG, read back."""

    def __init__(self, text):
        self.text = text
        self.root = ElementTree.fromstring(text)
        self.boxes = {}
        for group in self.root.iter(f"{SVG}g"):
            if "transform" in group.attrib and group.get("class"):
                texts = [one.text for one in group.iter(f"{SVG}text")]
                self.boxes[texts[0]] = (group, texts)

    def __contains__(self, text):
        return text in [one.text for one in self.root.iter(f"{SVG}text")]

    def wires(self, kind="wire"):
        return [one.get("d") for one in self.root.iter(f"{SVG}path") if one.get("class") == kind]

    def texts(self, name):
        """All that is written in a box."""
        return self.boxes[name][1]

    def area(self, name):
        """left, top, right, bottom of a box."""
        group, _ = self.boxes[name]
        x, y = map(float, re.fullmatch(r"translate\((.*),(.*)\)", group.get("transform")).groups())
        rect = group.find(f"{SVG}rect")
        return x, y, x + float(rect.get("width")), y + float(rect.get("height"))

    def ports(self, name):
        """Where its inputs and outputs are."""
        left, top, right, _ = self.area(name)
        circles = [
            (left + float(c.get("cx")), top + float(c.get("cy"))) for c in self.boxes[name][0].iter(f"{SVG}circle")
        ]
        return [at for at in circles if at[0] < right - 1], [at for at in circles if at[0] >= right - 1]

    def ends(self):
        """The first and last point of every wire."""
        found = []
        for d in self.wires() + self.wires("back"):
            points = [tuple(map(float, point.split(","))) for point in re.findall(r"[-\d.]+,[-\d.]+", d)]
            found.append((points[0], points[-1]))
        return found


def near(a, b):
    return math.dist(a, b) < 0.2


@pytest.mark.parametrize("path", PATCHES, ids=lambda path: path.stem)
def test_every_node_wire_and_value_of_our_patches(path):
    made = load_patch(path)()
    picture = Picture(patch_svg(made))
    assert picture.root.find(f"{SVG}title").text == made.name
    helpers = {name for name, node in made.nodes.items() if node.type == "input" and name not in made.inputs}
    assert {*made.nodes} - helpers <= {*picture.boxes}
    for name, node in made.nodes.items():
        if name in helpers:
            continue
        shown = " ".join(text for text in picture.texts(name)[1:] if text)
        for value in node.wires.values():
            if isinstance(value, float) and name not in made.inputs:
                assert f"{float(f'{value:.6g}'):g}" in shown, (name, value)
        if name in made.params:
            assert f"{node.target:g}" in shown
        else:
            assert (
                all(slot in shown for slot, wire in node.wires.items() if not isinstance(wire, list))
                or name in made.inputs
            )
    outputs = [port for name in picture.boxes for port in picture.ports(name)[1]]
    inputs = [port for name in picture.boxes for port in picture.ports(name)[0]]
    for begin, end in picture.ends():
        assert any(near(begin, port) for port in outputs)
        assert any(near(end, port) for port in inputs)
    for port in inputs:
        assert any(near(end, port) for _, end in picture.ends())


@pytest.mark.parametrize("path", PATCHES, ids=lambda path: path.stem)
def test_boxes_do_not_overlap_and_are_inside(path):
    picture = Picture(patch_svg(load_patch(path)()))
    areas = [picture.area(name) for name in picture.boxes]
    width, height = float(picture.root.get("width")), float(picture.root.get("height"))
    for k, (left, top, right, bottom) in enumerate(areas):
        assert left >= 0
        assert top >= 0
        assert right + 20 <= width
        assert bottom + 20 <= height
        for other in areas[k + 1 :]:
            assert right < other[0] or other[2] < left or bottom < other[1] or other[3] < top
    assert patch_svg(load_patch(path)()) == picture.text  # the same every time


@pytest.mark.parametrize("path", PATCHES, ids=lambda path: path.stem)
def test_texts_are_within_their_boxes(path):
    """By the width of the font's letters, all of which are equal: none runs over the edge or into another."""
    picture = Picture(patch_svg(load_patch(path)()))
    for name, (group, _) in picture.boxes.items():
        left, _, right, _ = picture.area(name)
        lines = {}
        for text in group.iter(f"{SVG}text"):
            size = float(text.get("font-size", 10.5))
            width = len(text.text) * size * 0.602
            x = float(text.get("x"))
            begin = x - {"end": width, "middle": width / 2}.get(text.get("text-anchor"), 0)
            lines.setdefault(text.get("y"), []).append((begin, begin + width))
        for spans in lines.values():
            spans.sort()
            assert spans[0][0] >= 2
            assert spans[-1][1] <= right - left - 2
            assert all(a[1] < b[0] for a, b in itertools.pairwise(spans)), name


def test_values_are_shown_with_their_units():
    picture = Picture(patch_svg(load_patch(PATCHES[[p.stem for p in PATCHES].index("chime")])()))
    assert picture.texts("pitch") == ["pitch", "880 Hz  200..1700"]
    assert picture.texts("dong")[:4] == ["dong", "sine", "freq", "pitch * 0.8"]
    assert "1.2 s" in picture.texts("hit2")
    assert "0.5 s" in picture.texts("hit2")  # an option
    assert "ends the patch" in picture.texts("hit2")
    assert "ends the patch" not in picture.texts("hit1")
    assert picture.texts("out") == ["out", "0.4 * (ding * hit1 + dong * hit2)"]
    assert len(picture.wires()) == 6
    assert "read one sample late" not in picture.text


def test_loops_go_back():
    @patch
    def dub(voice, back=0.6):
        line = Delay(voice, name="line")
        low = Biquad(line, freq=1800, name="low")
        line.input = voice + back * low
        comb = Comb(name="comb")
        comb.input = low + 0.3 * comb
        return 0.5 * voice + comb

    picture = Picture(patch_svg(dub()))
    assert len(picture.wires("back")) == 2
    assert picture.text.count('stroke-dasharray="5 3"') == 2
    assert "dashed: read one sample late, it closes a loop" in picture
    begins = [begin for begin, _ in picture.ends()[-2:]]
    assert any(near(begin, picture.ports("low")[1][0]) for begin in begins)
    assert any(near(begin, picture.ports("comb")[1][0]) for begin in begins)
    boxes = [picture.area(name) for name in picture.boxes]
    for d in picture.wires("back"):
        for x, y in [tuple(map(float, one.split(","))) for one in re.findall(r"[LM]([-\d.]+,[-\d.]+)", d)]:
            assert not any(a[0] + 1 < x < a[2] - 1 and a[1] + 1 < y < a[3] - 1 for a in boxes)


def test_a_loop_of_operators_alone():
    @patch
    def sums():
        x = Sine(name="x")
        acc = x + 0.0
        acc.a = acc * 0.5 + x
        return acc

    picture = Picture(patch_svg(sums()))
    assert len(picture.wires("back")) >= 1
    operator = next(name for name in picture.boxes if name not in ("x", "out"))
    assert operator in picture.texts(operator)[-1]
    assert any(near(begin, picture.ports(operator)[1][0]) for begin, _ in picture.ends())


def test_a_long_sum_that_is_used_twice_is_a_node():
    @patch
    def twice():
        x, y = Sine(name="a_long_name"), Sine(name="another_long_name")
        both = x * 0.25 + y * 0.125 + x * y
        return both + both * Noise(name="n")

    picture = Picture(patch_svg(twice()))
    assert picture.texts("out")[1] == "add + add * n"
    assert "a_long_name * 0.25" in " ".join(picture.texts("add"))


def test_a_sum_that_is_used_once_is_written_where_it_is_used():
    @patch
    def once():
        x, y = Sine(name="a_long_name"), Sine(name="another_long_name")
        return Gain(x * 0.25 + y * 0.125, name="g")

    picture = Picture(patch_svg(once()))
    assert {*picture.boxes} == {"a_long_name", "another_long_name", "g", "out"}
    assert " ".join(picture.texts("g")[3:5]) == "a_long_name * 0.25 + another_long_name * 0.125"


def test_a_very_long_expression_is_cut_into_parts():
    @patch
    def many():
        return sum((Sine(freq=k, name=f"oscillator{k}") * (k / 100) for k in range(1, 60)), Gain(0.0, name="g"))

    picture = Picture(patch_svg(many()))
    assert len(picture.wires()) >= 60
    assert all(len(text) < 80 for name in picture.boxes for text in picture.texts(name) if text)


def test_names_and_docs_are_escaped():
    document = {
        "graphvoip": 1,
        "name": 'a < b & "c" ]]> é',
        "doc": "<script>alert(1)</script> & more",
        "nodes": {"m": {"type": "expression", "formula": "(a < 2) * (3 > b)"}},
        "out": "m",
    }
    picture = Picture(patch_svg(parse_patch(document)()))
    assert picture.root.find(f"{SVG}title").text == document["name"]
    assert document["doc"] in picture
    assert document["name"] in picture
    assert "(a < 2) * (3 > b)" in picture.texts("m")
    assert not list(picture.root.iter(f"{SVG}script"))


def test_options_that_are_no_text():
    @patch
    def odd():
        table = Pcm(data=np.zeros(12), name="table")
        return Mix(
            table, Function(f=math.copysign, name="f"), Constant(value=3, score=[[1, 2]], name="c"), Noise(name="n")
        )

    picture = Picture(patch_svg(odd()))
    assert "12 samples" in picture.texts("table")
    assert "copysign" in picture.texts("f")
    assert "inputs[3]" in picture.texts("mix")


def test_sub_patches_and_voices():
    @patch
    def one(keys, pitch=Param(440, "Hz", 20, 2000)):
        return Sine(freq=pitch, name="s") * keys

    @patch
    def choir(keys):
        return poly(one, keys, 3, pitch=300)

    picture = Picture(patch_svg(choir()))
    assert {"keys", "out"} <= {*picture.boxes}
    assert sum(name.endswith("/s") for name in picture.boxes) == 3


def test_several_outputs_and_nodes_that_feed_nothing():
    @patch
    def two():
        Noise(name="alone")
        Gain(Sine(name="s2"), name="end")
        return {"dry": Sine(name="s"), "wet": Gain(Lfo(name="l"), name="g")}

    picture = Picture(patch_svg(two()))
    assert {"alone", "end", "s2", "dry", "wet"} <= {*picture.boxes}
    assert picture.area("s2")[2] < picture.area("end")[0]


def test_an_output_of_many_is_grey_until_it_is_used():
    path = next(path for path in PATCHES if path.stem == "keypad_fm")
    picture = Picture(patch_svg(load_patch(path)()))
    circles = list(picture.boxes["note"][0].iter(f"{SVG}circle"))[1:]
    assert [one.get("fill") == "#c9d1da" for one in circles] == [False, False, True, True]


def test_a_big_patch_is_drawn_in_a_moment():
    rng = np.random.default_rng(1)

    @patch
    def big():
        made = [Sine()]
        for _ in range(500):
            a, b = (made[rng.integers(max(0, len(made) - 20), len(made))] for _ in range(2))
            made.append(Gain(a * 0.5 + b))
        for k in range(0, 500, 25):
            made[k + 1].input = made[k + 10] * 0.1
        return made[-1]

    picture = Picture(patch_svg(big()))
    assert len(picture.boxes) >= 502


# --- What sounds ------------------------------------------------------------------------------------------------------


def run(made, seconds, keys=""):
    """A graph in the middle of being rendered."""
    rendering = Rendering(made, 100, keys, None)
    rendering.graph.compile()
    rendering._press(0)
    rendering._run(round(seconds * 50))
    return rendering.graph


def test_a_graph_that_sounds_with_its_levels():
    @patch
    def tone(amp=0.25):
        return Sine(freq=1000, name="s") * amp + Gain(0.0, name="g") + Lfo(freq=1, low=3, high=3, name="l") * 0

    graph = run(tone(), 1)
    picture = Picture(graph_svg(graph, levels=True))
    assert "0.0 dB" in picture.texts("s")
    assert "silent" in picture.texts("g")
    assert "3" in picture.texts("l")
    assert "-12.0 dB" in picture.texts("line_out")
    assert picture.texts("amp") == ["amp", "0.25"]
    assert {node.name or node.type for node in graph.model() if not node.anonymous} == {*picture.boxes}
    without = graph_svg(graph)
    assert "dB" not in without
    assert "silent" not in without


def test_the_level_of_what_is_not_finite():
    graph = run(Gain(Sine(freq=1000), gain=1), 0.1)
    node = next(node for node in graph.model() if node.type == "gain")
    node.samples()[5] = np.nan
    assert "not finite" in Picture(graph_svg(graph, levels=True)).texts("gain")


def test_parameters_at_this_moment():
    made = load_patch(next(path for path in PATCHES if path.stem == "keypad_fm"))()
    graph = run(made, 0.1, "5@0")
    picture = Picture(graph_svg(graph, levels=True))
    assert "392  out" in picture.texts("note")
    assert picture.texts("keys") == ["keys", "keypad.pressed"]
    assert "2.5  0..10" in picture.texts("index")


def test_several_nodes_of_a_type_are_told_apart():
    graph = run(Mix(Sine(freq=440), Sine(freq=550)), 0.1)
    picture = Picture(graph_svg(graph))
    assert {"sine", "sine2"} <= {*picture.boxes}


async def test_a_call_draws_what_sounds_in_it(phone, tmp_path):
    async def handler(call):
        call.play(Gain(Sine(freq=441, name="beep"), 0.5))
        await asyncio.sleep(0.5)
        call.draw(tmp_path / "call.svg")

    async with phone(handler) as p:
        assert await p.hung_up()
    text = (tmp_path / "call.svg").read_text()
    assert "beep" in text
    assert "line_out" in text
    assert "-6" in text  # dB behind the gain


async def test_a_picture_shows_what_is_written_while_it_changes(phone):
    """Numbers as they were set, and what is wired to what, though nodes stand in on the wires for a moment."""

    @patch
    def made():
        return Gain(Sine(freq=441, name="tone"), 0.5, name="g")

    async def handler(call):
        synth = call.play(made())
        await asyncio.sleep(0.1)
        synth.set("tone.amp", 0.25)
        synth.patch["g"].gain = Sine(freq=3, name="slow")
        await asyncio.sleep(0.001)
        for text in (patch_svg(synth.patch), graph_svg(call._graph)):
            shown = re.findall(r">([^<>]+)<", text)
            assert "0.25" in shown
            assert "3 Hz" in shown
            assert "handover" not in text
            assert "constant" not in text

    async with phone(handler) as p:
        await p.hung_up()
