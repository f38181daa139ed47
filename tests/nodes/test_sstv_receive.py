import asyncio
import logging

import numpy as np
import pytest
from disk import room
from PIL import Image, ImageDraw

from graphvoip import patch, render, sstv_decode, sstv_encode
from graphvoip.graph import Graph
from graphvoip.line import on_line
from graphvoip.nodes import Pcm, Sine, Sstv, SstvReceive
from graphvoip.sstv_modes import MODES


def picture(width=160, height=120):
    image = Image.new("L", (width, height), 90)
    draw = ImageDraw.Draw(image)
    draw.ellipse((0.3 * width, 0.2 * height, 0.7 * width, 0.8 * height), fill=210)
    draw.rectangle((0, 0, 0.2 * width, 0.3 * height), fill=20)
    return image.convert("RGB")


def psnr(sent, seen):
    return 10 * np.log10(255**2 / np.mean((np.asarray(sent, float) - np.asarray(seen, float)) ** 2))


def received(samples, name="call 7", **options):
    """Hear all of it, and a second of silence: the node, and its events but `more`."""
    node = SstvReceive(Pcm(data=np.concatenate([samples, np.zeros(8000)])), **options)
    graph, events = Graph(name), []
    for what in ("header", "line", "picture"):
        graph.listen(node, what, lambda sample, value, what=what: events.append((what, sample, value)))
    graph.add(node)
    graph.compile()
    for frame in range(len(samples) // 160 + 50):
        graph.plan.run()
        for token, at, value in graph.plan.taken_events():
            graph.hear(token, 160 * frame + at, value)
    graph.clear()
    return node, events


def test_a_picture_becomes_a_file_and_events(tmp_path):
    sound = on_line(np.concatenate([np.zeros(4000), sstv_encode(picture(), "BW8", fsk_id="AB1C")]), "pcmu")
    node, events = received(sound, file=tmp_path / "new" / "{call}-{mode}.png")
    (one,) = node.pictures
    assert (one.mode, one.path) == ("BW8", tmp_path / "new" / "call-7-BW8.png")
    assert one.start == pytest.approx(0.5, abs=0.003)
    assert one.image.info["fsk_id"] == "AB1C"
    assert np.array_equal(np.asarray(Image.open(one.path)), np.asarray(one.image))
    assert psnr(picture(), one.image) > 36
    assert events[0] == ("header", pytest.approx(1.41 * 8000, abs=2600), list(MODES).index("BW8"))
    assert events[-1] == ("picture", pytest.approx(len(sound), abs=4500), 1)
    rows = [value for what, _, value in events if what == "line"]
    assert rows == sorted(rows)
    assert rows[-1] == 120


def test_the_picture_is_what_the_function_finds():
    sound = on_line(sstv_encode(picture(320, 240), "R36"), "pcmu, noise=-30 dB")
    node, _ = received(sound)
    ((seen, mode, _),) = sstv_decode(sound)
    (one,) = node.pictures
    assert one.mode == mode
    assert psnr(seen, one.image) > 45


def test_lines_can_be_seen_as_they_come():
    """While a picture comes, its rows are there within a line and half a second, nearly as they will be."""
    sound = on_line(sstv_encode(picture(320, 240), "BW24"), "pcmu")
    node = SstvReceive(Pcm(data=sound))
    graph, seen = Graph(), []
    graph.listen(node, "line", lambda sample, value: seen.append((sample, value)))
    graph.add(node)
    graph.compile()
    for frame in range(600):
        graph.plan.run()
        for token, at, value in graph.plan.taken_events():
            graph.hear(token, 160 * frame + at, value)
    assert node.samples("receiving")[0] == 1
    sample, rows = seen[-1]
    assert sample / 8000 < 0.91 + 0.1 * rows + 0.5
    assert 100 < rows < 112
    shown = node.preview()
    assert psnr(picture(320, 240).crop((0, 0, 320, rows)), shown[:rows]) > 32
    assert not shown[node.receiver.rows :].any()


def test_what_there_is_of_a_picture_that_is_cut_off_is_kept(tmp_path):
    """By a new one, and by the end of the call."""
    first, second = sstv_encode(picture(320, 240), "BW24"), sstv_encode(picture(), "BW8")
    sound = np.concatenate([first[: 8 * 8000], second[: 6 * 8000]])
    node, events = received(sound[:-8000], file=tmp_path / "x.png")
    modes = [(one.mode, one.path.name, one.image.info["complete"]) for one in node.pictures]
    assert modes == [("BW24", "x.png", False), ("BW8", "x-2.png", False)]
    rows = [one.image.info["rows"] for one in node.pictures]
    assert rows == [pytest.approx(71, abs=2), pytest.approx(61, abs=3)]
    assert [value for what, _, value in events if what == "header"] == [9, 7]


def test_a_header_alone_is_no_picture():
    node, events = received(sstv_encode(None, "BW8")[:9000])
    assert not node.pictures
    assert [what for what, _, _ in events if what != "line"] == ["header"]


def test_a_picture_whose_header_was_missed():
    sound = np.concatenate([sstv_encode(picture(320, 240), "BW24")[5 * 8000 :], np.zeros(5 * 8000)])
    node, events = received(sound, mode="BW24")
    (one,) = node.pictures
    assert one.image.info["rows"] == pytest.approx(199, abs=2)
    assert psnr(picture(320, 240).crop((0, 60, 320, 240)), one.image.crop((0, 19, 320, 199))) > 25
    assert [what for what, _, _ in events if what != "line"] == ["header", "picture"]
    assert not received(sound)[0].pictures  # nobody told


def test_what_is_sent_is_brightness(run, signal):
    for hz, expected in ((1500, 0), (1900, 0.5), (2300, 1), (1200, -0.375)):
        out, _ = run(SstvReceive(Sine(freq=hz) * 0.3), 10)
        np.testing.assert_allclose(out[800:], expected, atol=0.01)
    out, _ = run(SstvReceive(signal(np.zeros(1600))), 10)
    assert not out.any()


def test_it_sees_while_it_is_rendered(tmp_path):
    @patch
    def mirror():
        card = Sstv(image=picture(), mode="BW8")
        SstvReceive(card, file=tmp_path / "seen.png")
        return card * 1.0  # whose end is not the patch's

    assert len(render(mirror(), seconds=10.5)) == 84000
    assert psnr(picture(), Image.open(tmp_path / "seen.png").convert("RGB")) > 36


async def test_a_call_sends_a_picture_and_its_event_ends_a_patch(phone, tmp_path):
    found = []

    @patch
    def inbox(voice):
        receiver = SstvReceive(voice, file=tmp_path / "{call}.png", name="receiver")
        return 0 * receiver, receiver.picture

    async def handler(call):
        box = inbox()
        await asyncio.wait_for(call.play(box), 30)
        found.append((call.time, box["receiver"].pictures[-1]))

    async with phone(handler) as p:
        await p.wait(1)
        await p.play(sstv_encode(picture(), "BW8"))
        assert await p.hung_up()
    ((when, one),) = found
    assert when == pytest.approx(1 + 8.94 + 0.75, abs=0.4)
    assert one.path.name == f"{p.call.id.replace(' ', '-')}.png"
    assert psnr(picture(), one.image) > 36
    assert not np.abs(p.heard).any()


def test_a_disk_that_fails_costs_only_the_file(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.ERROR):
        node, _ = received(sstv_encode(picture(), "BW8"), file=tmp_path / "file" / "x.png")
    (one,) = node.pictures
    assert one.path is None
    assert f"call 7: sstv_receive: [Errno 20] Not a directory: '{tmp_path}/file'" in caplog.text


def test_a_full_disk_is_named_and_no_half_picture_is_left(tmp_path, caplog):
    with room():
        node, _ = received(sstv_encode(picture(), "BW8"), file=tmp_path / "{mode}" / "x.png")
    assert node.pictures[0].path is None
    assert caplog.messages == [f"call 7: sstv_receive: [Errno 27] File too large: '{tmp_path}/BW8/x.png'"]
    assert not list((tmp_path / "BW8").iterdir())


def test_wrong_options_are_refused():
    with pytest.raises(ValueError, match=r"sstv_receive: file 'x.wav' is no picture; end its name in .png"):
        SstvReceive(Sine(), file="x.wav")
    with pytest.raises(ValueError, match=r"has the unknown word \{moed\}; did you mean \{mode\}\?"):
        SstvReceive(Sine(), file="{moed}.png")
    with pytest.raises(ValueError, match="mode 'M9' is none of"):
        SstvReceive(Sine(), mode="M9")
