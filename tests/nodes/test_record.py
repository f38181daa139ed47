import asyncio

import numpy as np
import pytest
import soundfile

from graphvoip import patch, render
from graphvoip.graph import Graph
from graphvoip.nodes import Record, Sine


def recorded(node, frames, name="call 7"):
    graph = Graph(name)
    graph.add(node)
    graph.compile()
    for _ in range(frames):
        graph.plan.run()
        for token, at, value in graph.plan.taken_events():
            graph.hear(token, at, value)
    graph.clear()
    return soundfile.read(node.path)


def test_one_wire_is_a_mono_file(tmp_path):
    samples, rate = recorded(Record(Sine(freq=441), file=tmp_path / "new" / "{call}.wav"), 60)
    assert rate == 8000
    assert (tmp_path / "new" / "call-7.wav").exists()
    np.testing.assert_allclose(samples, np.sin(2 * np.pi * 441 * np.arange(9600) / 8000), atol=1e-4)


def test_two_wires_are_left_and_right_and_no_sample_is_missing_over_pieces(tmp_path):
    node = Record(Sine(freq=441), Sine(freq=600), file=tmp_path / "x.wav")
    samples, _ = recorded(node, 900)  # 18 s: more than its memory holds at once
    assert samples.shape == (144000, 2)
    assert node.state["lost"] == 0
    t = np.arange(144000) / 8000
    np.testing.assert_allclose(samples[:, 0], np.sin(2 * np.pi * 441 * t), atol=2e-4)
    np.testing.assert_allclose(samples[:, 1], np.sin(2 * np.pi * 600 * t), atol=2e-4)


def test_a_file_that_is_there_is_kept(tmp_path):
    for _ in range(3):
        recorded(Record(Sine(freq=441), file=tmp_path / "x.wav"), 5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-2.wav", "x-3.wav", "x.wav"]


def test_what_has_been_recorded_can_be_read_while_it_goes_on(tmp_path):
    node = Record(Sine(freq=441), file=tmp_path / "x.wav")
    graph = Graph()
    graph.add(node)
    graph.compile()
    for _ in range(300):
        graph.plan.run()
        for token, at, value in graph.plan.taken_events():
            graph.hear(token, at, value)
    assert len(soundfile.read(node.path)[0]) >= 40000
    graph.clear()


def test_a_disk_that_fails_costs_only_the_file(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")

    @patch
    def taped():
        tone = Sine(freq=441) * 0.5
        Record(tone, file=tmp_path / "file" / "x.wav")
        return tone

    assert np.abs(render(taped(), seconds=0.1)).max() > 0.4
    assert "record 'record'" in caplog.text


async def test_it_records_a_call(phone, tmp_path):
    @patch
    def taped(voice):
        tone = Sine(freq=441) * 0.25
        Record(voice, tone, file=tmp_path / "{call}.wav")
        return tone

    async def handler(call):
        synth = call.play(taped())
        await asyncio.sleep(0.5)
        synth.stop()
        await asyncio.sleep(0.1)

    async with phone(handler) as p:
        await p.play(np.full(1600, 0.5))
        await p.hung_up()
    (file,) = tmp_path.iterdir()
    assert file.name == f"{p.call.id.replace(' ', '-')}.wav"
    samples, _ = soundfile.read(file)
    assert np.median(samples[400:1400, 0]) == pytest.approx(0.5, abs=0.01)
    assert np.abs(samples[:, 1]).max() == pytest.approx(0.25, abs=0.01)


def test_another_kind_of_file_is_refused():
    with pytest.raises(ValueError, match=r"record: file 'x.mp3' is no WAV or FLAC file"):
        Record(Sine(), file="x.mp3")
