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


@pytest.mark.parametrize("name", ["x.mp3", "x.flac", "x"])
def test_another_kind_of_file_is_refused(name):
    with pytest.raises(ValueError, match=rf"record: file '{name}' is no WAV file; end its name in .wav"):
        Record(Sine(), file=name)


class Disk:
    """The disk under soundfile: while `full`, nothing can be written; `halves` is how often it takes half only."""

    def __init__(self, monkeypatch):
        self.full, self.halves, self.tries = False, 0, 0
        write = soundfile.SoundFile.write

        def limited(file, samples):
            self.tries += 1
            if self.full:
                raise OSError(28, "No space left on device")
            if self.halves:
                self.halves -= 1
                write(file, samples[: len(samples) // 2])
                raise OSError(28, "No space left on device")
            write(file, samples)

        monkeypatch.setattr(soundfile.SoundFile, "write", limited)


def run_for(graph, seconds):
    for _ in range(round(seconds * 50)):
        graph.plan.run()
        for token, at, value in graph.plan.taken_events():
            graph.hear(token, at, value)


def sounding(node, name="call 7"):
    graph = Graph(name)
    graph.add(node)
    graph.compile()
    return graph


def test_a_disk_that_has_room_again_after_a_long_time_is_written_to_again(tmp_path, monkeypatch, caplog):
    disk = Disk(monkeypatch)
    node = Record(Sine(freq=441), file=tmp_path / "x.wav")
    graph = sounding(node)
    run_for(graph, 4)
    disk.full = True
    run_for(graph, 31)
    assert disk.tries == 7
    assert len(caplog.records) == 1
    assert "x.wav: [Errno 28] No space left on device; tried again every 5 s" in caplog.text
    disk.full = False
    run_for(graph, 10)
    graph.clear()
    lost = int(node.state["lost"])
    assert lost == 25 * 8000  # the first 15 s are kept, and written at 40 s
    assert len(soundfile.read(node.path)[0]) == 45 * 8000 - lost
    assert f"{lost} samples are lost, they could not be written: [Errno 28] No space" in caplog.records[-1].message
    assert len(caplog.records) == 2


def test_a_second_trouble_is_told_too(tmp_path, monkeypatch, caplog):
    disk = Disk(monkeypatch)
    graph = sounding(Record(Sine(freq=441), file=tmp_path / "x.wav"))
    for full in (True, False, True, False):
        disk.full = full
        run_for(graph, 5)
    graph.clear()
    assert caplog.text.count("No space left") == 2


def test_what_was_written_in_part_is_not_there_twice(tmp_path, monkeypatch):
    disk = Disk(monkeypatch)
    disk.halves = 2
    samples, _ = recorded(Record(Sine(freq=441), file=tmp_path / "x.wav"), 800)
    assert disk.tries == 4
    np.testing.assert_allclose(samples, np.sin(2 * np.pi * 441 * np.arange(128000) / 8000), atol=2e-4)


@pytest.mark.parametrize("error", [OSError("gone"), AssertionError("odd"), KeyError("x"), MemoryError("none left")])
def test_leaving_never_raises_and_tells_what_is_lost(tmp_path, monkeypatch, caplog, error):
    def refuse(*given):
        raise error

    node = Record(Sine(freq=441), file=tmp_path / "x.wav")
    graph = sounding(node)
    run_for(graph, 1)
    monkeypatch.setattr(soundfile, "SoundFile", refuse)
    graph.clear()
    assert f"x.wav: 8000 samples are lost, they could not be written: {error}" in caplog.text
    assert "tried again" not in caplog.text


def test_the_left_signal_goes_through_as_it_is(run):
    np.testing.assert_array_equal(run(Record(Sine(freq=441), Sine(freq=600)), 3)[0], run(Sine(freq=441), 3)[0])


async def test_it_may_be_played_itself(phone, tmp_path):
    async def handler(call):
        playback = call.play(Record(call.voice, file=tmp_path / "x.wav"))
        await asyncio.sleep(0.5)
        playback.stop()
        await playback

    async with phone(handler) as p:
        await p.play(np.full(1600, 0.5))
        await p.hung_up()
    samples, _ = soundfile.read(tmp_path / "x.wav")
    assert np.median(samples[400:1400]) == pytest.approx(0.5, abs=0.01)
    assert np.abs(p.heard).max() == pytest.approx(0.5, abs=0.01)
