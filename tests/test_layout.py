import itertools
import random
import re

import pytest

from graphvoip.layout import Box, Wire, layout


def box(inputs=1, outputs=1, **more):
    height = 20.0 + 16 * max(inputs, outputs)
    return Box(60.0, height, [24.0 + 16 * k for k in range(inputs)], [12.0 + 16 * k for k in range(outputs)], **more)


def graph(seed, size):
    """A random graph with loops."""
    rng = random.Random(seed)
    boxes = [box(rng.randint(1, 4), rng.randint(1, 3)) for _ in range(size)]
    wires = []
    for k, one in enumerate(boxes):
        for slot in range(len(one.inputs)):
            source = boxes[rng.randrange(max(0, k - 8), k)] if k and rng.random() < 0.8 else None
            if source:
                wires.append(Wire(source, rng.randrange(len(source.outputs)), one, slot))
    for _ in range(size // 6):
        a, b = sorted(rng.sample(range(size), 2))
        wires.append(Wire(boxes[b], 0, boxes[a], 0, back=True))
    wires.append(Wire(boxes[-1], 0, boxes[-1], 0, back=True))
    boxes[-1].at_end = True
    return boxes, wires


def points(path):
    return [tuple(map(float, one.split(","))) for one in re.findall(r"[-\d.]+,[-\d.]+", path)]


def curve(a, b, c, d):
    for k in range(1, 10):
        t = k / 10
        yield tuple((1 - t) ** 3 * p + 3 * (1 - t) ** 2 * t * q + 3 * (1 - t) * t * t * r + t**3 * s
                    for p, q, r, s in zip(a, b, c, d, strict=True))  # fmt: skip


def way(path):
    """Points along a path."""
    found = []
    for command, rest in re.findall(r"([MLC])([^MLC]*)", path):
        new = points(rest)
        if command == "C":
            found += [*curve(found[-1], *new), new[-1]]
        elif found:
            found += [tuple(a + (b - a) * k / 10 for a, b in zip(found[-1], new[0], strict=True)) for k in range(1, 11)]
        else:
            found += new
    return found


@pytest.mark.parametrize(("seed", "size"), [(1, 2), (2, 5), (3, 20), (4, 60), (5, 60), (6, 150), (7, 650)])
def test_boxes_are_apart_and_wires_go_around_them(seed, size):
    boxes, wires = graph(seed, size)
    width, height = layout(boxes, wires)
    for a, b in itertools.combinations(boxes, 2):
        if a.column == b.column:
            assert a.y + a.height + 9 <= b.y + 0.01 or b.y + b.height + 9 <= a.y + 0.01
        else:
            assert a.x + a.width < b.x or b.x + b.width < a.x
    for one in boxes:
        assert one.x >= 0
        assert one.y >= -0.01
        assert one.x + one.width <= width
        assert one.y + one.height <= height + 0.01
    for wire in wires:
        assert wire.back or wire.source.column < wire.target.column
        along = way(wire.path)
        assert along[0] == pytest.approx(
            (wire.source.x + 60, wire.source.y + wire.source.outputs[wire.output]), abs=0.1
        )
        assert along[-1] == pytest.approx((wire.target.x, wire.target.y + wire.target.inputs[wire.input]), abs=0.1)
        if size < 200:
            for x, y in along:
                assert not any(
                    one.x + 0.2 < x < one.x + one.width - 0.2 and one.y + 0.2 < y < one.y + one.height - 0.2
                    for one in boxes
                )


def test_a_chain_is_a_straight_line():
    boxes = [Box(50.0, 30.0, [15.0], [15.0]) for _ in range(6)]
    wires = [Wire(a, 0, b, 0) for a, b in itertools.pairwise(boxes)]
    layout(boxes, wires)
    assert [one.column for one in boxes] == list(range(6))
    assert {round(one.y, 3) for one in boxes} == {0}
    assert not any("C" in wire.path for wire in wires)


def test_what_need_not_cross_does_not():
    """Two chains whose beginnings are given the wrong way round, and a ladder."""
    left, right = [box() for _ in range(8)], [box() for _ in range(8)]
    wires = [Wire(a, 0, b, 0) for a, b in zip(left, reversed(right), strict=True)]
    layout([*left, *right], wires)
    pairs = sorted((wire.source.y, wire.target.y) for wire in wires)
    assert [end for _, end in pairs] == sorted(end for _, end in pairs)


def test_inputs_keep_their_order():
    end = Box(80.0, 100.0, [20.0, 40.0, 60.0, 80.0], [], at_end=True)
    sources = [box(0) for _ in range(4)]
    layout([end, *sources], [Wire(one, 0, end, k) for k, one in enumerate(sources)])
    assert [one.y for one in sources] == sorted(one.y for one in sources)


def test_a_source_is_near_what_it_feeds():
    chain = [box() for _ in range(6)]
    late = box(0)
    end = box(2, at_end=True)
    wires = [Wire(a, 0, b, 0) for a, b in itertools.pairwise([*chain, end])]
    layout([*chain, late, end], [*wires, Wire(late, 0, end, 1)])
    assert late.column == end.column - 1


def test_nothing_and_one():
    assert layout([], []) == (0, 0)
    one = box()
    assert layout([one], []) == (60, 36)
    assert (one.x, one.y) == (0, 0)


def test_two_layouts_are_the_same():
    found = []
    for _ in range(2):
        boxes, wires = graph(9, 40)
        layout(boxes, wires)
        found.append([wire.path for wire in wires])
    assert found[0] == found[1]
