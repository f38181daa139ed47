import itertools

import numpy as np
import pytest

from graphvoip.plot import draw, plot_call, plot_sound

MANY = [
    (0.0, "call", 'from "Somebody with a name that is much too long for a label" <sip:5556667777@localhost>'),
    *((n / 3, "caller" if n % 2 else "call", f"sound, {n:.1f} s, in a loop") for n in range(60)),
    (20.0, "call", "ended: the caller hung up"),
]


def labels(figure):
    """The labels of the events, and their places in dots."""
    story = figure.axes[0]
    return [(text.get_text(), text.get_window_extent()) for text in story.texts]


@pytest.mark.parametrize("seconds", [20, 60, 600])
def test_labels_are_legible(seconds):
    figure = draw(np.zeros(8000 * seconds), MANY)
    figure.canvas.draw()
    boxes = labels(figure)
    assert len(boxes) > 5
    width, height = figure.canvas.get_width_height()
    for _, box in boxes:
        assert box.x0 >= 0
        assert box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        assert not a.overlaps(b), (one, other)
    stems = [line.get_window_extent() for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert not any(stem.x0 > box.x0 and stem.overlaps(box) for stem in stems for _, box in boxes)


def test_keys_pressed_one_after_the_other_are_one_label():
    keys = [(1 + 0.2 * n, "caller", f"presses {key}") for n, key in enumerate("12#")]
    echoed = [(at + 0.02, "call", what.replace("presses", "key")) for at, _, what in keys]
    later = [(3.0, "caller", "presses 4")]
    figure = draw(np.zeros(40000), sorted([*keys, *echoed, *later]))
    assert [text for text, _ in labels(figure)] == ["presses 12#", "presses 4"]


@pytest.mark.parametrize("heard", [np.zeros(0), np.zeros(160), np.full(1000, np.float32(0.5))])
def test_the_shortest_calls(heard, tmp_path):
    plot_call(heard, [(0.0, "call", "ended: we hung up")], tmp_path / "call.png")
    assert (tmp_path / "call.png").read_bytes().startswith(b"\x89PNG")


def test_a_call_of_an_hour_is_drawn_too(tmp_path):
    plot_call(np.zeros(3600 * 8000, np.float32), [], tmp_path / "call.png")
    assert (tmp_path / "call.png").stat().st_size < 1e6


@pytest.mark.parametrize("samples", [0, 1, 160, 8000, 80000])
def test_a_sound(samples, tmp_path):
    plot_sound(np.random.default_rng(1).uniform(-1, 1, samples), tmp_path / "sound.png")
    data = (tmp_path / "sound.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20]) > 1000  # its width
