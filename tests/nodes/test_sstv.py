import json

import numpy as np
import pytest
from PIL import Image, ImageDraw

from graphvoip import load_patch, render, sstv_encode
from graphvoip.nodes import Sstv


def picture():
    image = Image.new("RGB", (160, 120), "steelblue")
    ImageDraw.Draw(image).ellipse((40, 30, 110, 100), fill="gold")
    return image


@pytest.mark.parametrize("options", [{"mode": "BW8"}, {"mode": "R36", "fsk_id": "AB1C", "vox": True}])
def test_it_is_the_function_bit_for_bit(run, options):
    expected = sstv_encode(picture(), **options)
    frames = -(-len(expected) // 160) + 1
    samples, events = run(Sstv(image=picture(), **options), frames)
    np.testing.assert_array_equal(samples[: len(expected)], expected)
    assert not samples[len(expected) :].any()
    assert events == [("done", len(expected) - 1, 0)]


def test_a_file_and_an_array_are_pictures_too(run, tmp_path):
    picture().save(tmp_path / "x.png")
    sounds = [
        run(Sstv(mode="BW8", **given), 400)[0]
        for given in ({"image": picture()}, {"file": tmp_path / "x.png"}, {"image": np.asarray(picture())})
    ]
    np.testing.assert_array_equal(sounds[0], sounds[1])
    np.testing.assert_array_equal(sounds[0], sounds[2])


def test_progress_goes_evenly_from_0_to_1():
    from graphvoip.nodes import Recorder
    from graphvoip.plan import Plan

    node = Sstv(mode="BW8")
    end = len(sstv_encode(None, "BW8"))
    recorder = Recorder(node.progress, limit=end + 100)
    Plan([recorder]).run(end // 160 + 2)
    np.testing.assert_allclose(recorder.recorded()[:end], np.arange(1, end + 1) / end, rtol=1e-6)
    assert np.all(recorder.recorded()[end:] == 1)


def test_its_level_may_be_a_signal(run, signal):
    plain = sstv_encode(None, "BW8")[:8000]
    samples, _ = run(Sstv(signal(np.linspace(0, 1, 8000)), mode="BW8"), 50)
    np.testing.assert_allclose(samples, plain * 2 * np.linspace(0, 1, 8000), atol=1e-6)


def test_a_patch_finds_the_picture_beside_it(tmp_path):
    picture().save(tmp_path / "x.png")
    nodes = {"card": {"type": "sstv", "file": "x.png", "mode": "BW8"}}
    (tmp_path / "p.json").write_text(json.dumps({"graphvoip": 1, "nodes": nodes, "out": "card", "done": "card.done"}))
    made = load_patch(tmp_path / "p.json")()
    assert made.to_json()["nodes"]["card"]["file"].endswith("x.png")
    heard = render(made)
    expected = sstv_encode(picture(), "BW8")
    np.testing.assert_array_equal(heard[160 : len(expected)], expected[160:])  # after the fade at its beginning


def test_its_memory_is_the_picture():
    """Seven minutes of sound are made from 2 MB."""
    node = Sstv(mode="P7")
    assert node.rows.nbytes + node.table.nbytes < 2.1e6


def test_wrong_options_are_refused(tmp_path):
    for values, words in (
        ({"mode": "M3"}, "sstv: mode 'M3' is none of M1, M2"),
        ({"fsk_id": "ABCDEFGHIJKLMNOPQR"}, "sstv: fsk_id has 18 letters; it may have 17"),
        ({"fsk_id": 5}, "sstv: fsk_id is 5; it is a text"),
        ({"file": tmp_path / "no.png"}, "sstv: .*no.png: .*No such file"),
        ({"file": "x.png", "image": picture()}, "sstv: both file and image are given"),
        ({"levels": "low"}, "sstv: levels 'low' is none of full, studio"),
    ):
        with pytest.raises(ValueError, match=words):
            Sstv(**values)
