import asyncio
import re

import numpy as np
import pytest
import soundfile
from disk import room

from graphvoip import patch, render
from graphvoip.graph import Graph
from graphvoip.nodes import Pcm, Record, Sine


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
    assert caplog.messages[-1].endswith(
        f"800 samples are lost, they could not be written: {tmp_path}/file: Not a directory"
    )


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


def test_a_disk_that_has_room_again_after_a_long_time_is_written_to_again(tmp_path, caplog):
    node = Record(Sine(freq=441), file=tmp_path / "x.wav")
    graph = sounding(node)
    run_for(graph, 4)
    with room(100):
        run_for(graph, 31)
    assert caplog.messages == [
        f"{tmp_path}/x.wav: File too large; tried again every 5 s, what does not fit into a memory of 15 s is lost"
    ]
    run_for(graph, 10)
    graph.clear()
    lost = int(node.state["lost"])
    assert lost == 25 * 8000  # the first 15 s are kept, and written at 40 s
    assert len(soundfile.read(node.path)[0]) == 45 * 8000 - lost
    assert caplog.messages[1:] == [
        f"{tmp_path}/x.wav: {lost} samples are lost, they could not be written: File too large"
    ]


def test_a_disk_that_has_no_room_for_the_file_itself_is_tried_again(tmp_path, caplog):
    with room(10):
        node = Record(Sine(freq=441), file=tmp_path / "{call}" / "x.wav")
        graph = sounding(node)
        run_for(graph, 4)
    run_for(graph, 4)
    graph.clear()
    assert [text.split(";")[0] for text in caplog.messages] == [f"{tmp_path}/call-7/x.wav: File too large"]
    assert len(soundfile.read(node.path)[0]) == 8 * 8000


def test_a_folder_that_comes_late_is_found(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    node = Record(Sine(freq=441), file=tmp_path / "file" / "x.wav")
    graph = sounding(node)
    run_for(graph, 4)
    (tmp_path / "file").unlink()
    run_for(graph, 4)
    graph.clear()
    (text,) = caplog.messages
    assert text.startswith(f"{tmp_path}/file/x.wav: {tmp_path}/file: Not a directory; tried again every 5 s")
    assert len(soundfile.read(node.path)[0]) == 8 * 8000


def test_a_second_trouble_is_told_too(tmp_path, caplog):
    graph = sounding(Record(Sine(freq=441), file=tmp_path / "x.wav"))
    for _ in range(2):
        with room(100):
            run_for(graph, 5)
        run_for(graph, 5)
    graph.clear()
    assert caplog.text.count("File too large") == 2


def test_what_was_written_in_part_is_not_there_twice_and_not_heard_before_it_is_whole(tmp_path):
    node = Record(Sine(freq=441), file=tmp_path / "x.wav")
    graph = sounding(node)
    for size in (44 + 40_000, 44 + 100_001):
        with room(size):
            run_for(graph, 5)
        assert node.path.stat().st_size == size
        assert len(soundfile.read(node.path)[0]) == 0
    run_for(graph, 6)
    graph.clear()
    samples, _ = soundfile.read(node.path)
    np.testing.assert_allclose(samples, np.sin(2 * np.pi * 441 * np.arange(128000) / 8000), atol=2e-4)


@pytest.mark.parametrize(("harm", "why"), [("gone", "No such file or directory"), ("folder", "Is a directory"),
                                           ("full", "File too large")])  # fmt: skip
def test_leaving_never_raises_and_tells_what_is_lost(tmp_path, caplog, harm, why):
    node = Record(Sine(freq=441), file=tmp_path / "x.wav")
    graph = sounding(node)
    run_for(graph, 1)
    if harm != "full":
        node.path.unlink()
    if harm == "folder":
        node.path.mkdir()
    with room(100):
        graph.clear()
    assert caplog.messages == [f"{tmp_path}/x.wav: 8000 samples are lost, they could not be written: {why}"]


def test_a_recording_is_what_a_call_sends_bit_for_bit(tmp_path):
    steps = np.array([-1, -32767 / 32768, -1 / 32768, 0, 1 / 32768, 0.25, 32767 / 32768, 1], np.float32)
    recorded(Record(Pcm(data=steps), file=tmp_path / "x.wav"), 1)
    samples = soundfile.read(tmp_path / "x.wav", dtype="int16")[0]
    assert samples[:8].tolist() == [-32768, -32767, -1, 0, 1, 8192, 32767, 32767]


def test_words_stand_in_folders_too(tmp_path):
    node = Record(Sine(freq=441), file=tmp_path / "{call}" / "at {time}" / "{call}.wav")
    recorded(node, 5, name="../up and/away")
    folder, at, name = node.path.relative_to(tmp_path).parts
    assert (folder, name) == ("-up-and-away", "-up-and-away.wav")
    assert re.fullmatch(r"at \d{8}-\d{6}", at)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("{cal}.wav", "the unknown word {cal}; did you mean {call}?"),
        ("{date}/{call}.wav", "the unknown word {date}; it may have {call} {time}"),
        ("{}.wav", "the unknown word {}; it may have {call} {time}"),
        ("{mode}.wav", "the unknown word {mode}"),
    ],
)
def test_an_unknown_word_in_its_name_is_refused(name, says):
    with pytest.raises(ValueError, match=re.escape(f"record: file '{name}' has {says}")):
        Record(Sine(), file=name)


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
