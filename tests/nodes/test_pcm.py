import asyncio
import tracemalloc

import numpy as np
import pytest
import soundfile

from graphvoip import load_patch, render
from graphvoip.io.wav import load, loadWAVtoPCM
from graphvoip.nodes import Pcm, Sine


@pytest.mark.parametrize("length", [1, 160, 161, 500])
def test_once_it_plays_its_samples_and_is_done_with_the_last(run, length):
    data = np.arange(1, length + 1, dtype=np.float32)
    samples, events = run(Pcm(data=data), 4)
    np.testing.assert_array_equal(samples[:length], data)
    assert not np.any(samples[length:])
    assert events == [("done", length - 1, 0)]


@pytest.mark.parametrize("length", [1, 7, 160, 333])
def test_in_a_loop_there_is_no_seam_and_no_end(run, length):
    data = np.arange(1, length + 1, dtype=np.float32)
    samples, events = run(Pcm(data=data, loop=True), 5)
    np.testing.assert_array_equal(samples, np.tile(data, 800 // length + 1)[:800])
    assert events == []


@pytest.mark.parametrize("loop", [False, True])
def test_no_samples_are_silence_that_is_done_at_once(run, loop):
    samples, events = run(Pcm(data=[], loop=loop), 2)
    assert not np.any(samples)
    assert events == [("done", 0, 0)]


# --- Files that are read while they are heard -------------------------------------------------------------------------


def noise(seconds, rate=8000, channels=1):
    made = np.random.default_rng(1).uniform(-0.5, 0.5, (round(seconds * rate), channels))
    return made.astype(np.float32)


@pytest.mark.parametrize(
    ("name", "rate", "channels", "seconds"),
    [("a.wav", 8000, 1, 40), ("a.wav", 8000, 1, 0.01), ("a.wav", 44100, 2, 21), ("a.flac", 16000, 1, 20),
     ("a.ogg", 8000, 1, 20), ("a.wav", 11025, 1, 0.01), ("a.sln", 8000, 1, 20)],
)  # fmt: skip
@pytest.mark.parametrize("loop", [False, True])
def test_a_file_is_heard_as_its_samples_are(tmp_path, name, rate, channels, seconds, loop):
    path, sound = tmp_path / name, noise(seconds, rate, channels)
    if name.endswith(".sln"):
        path.write_bytes((sound * 32767).astype("<i2").tobytes())
    else:
        soundfile.write(path, sound, rate)
    wanted = render(Pcm(data=load(path), loop=loop), seconds=1.5 * seconds + 1)
    np.testing.assert_array_equal(render(Pcm(file=path, loop=loop), seconds=1.5 * seconds + 1), wanted)
    if not loop:
        np.testing.assert_array_equal(render(Pcm(file=path)), render(Pcm(data=load(path))))


async def test_a_call_hears_a_file_as_it_hears_its_samples(phone, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(30), 8000)
    heard = []
    for values in ({"file": tmp_path / "a.wav"}, {"data": tmp_path / "a.wav"}):

        async def handler(call, values=values):
            await call.play(Pcm(**values))

        async with phone(handler) as p:
            assert await p.hung_up(within=40)
        heard.append(p.heard)
    assert len(heard[0]) >= 30 * 8000
    np.testing.assert_array_equal(*heard)


@pytest.mark.parametrize("loop", [False, True])
def test_an_empty_file_is_done_at_once(run, tmp_path, loop):
    soundfile.write(tmp_path / "a.wav", noise(0), 8000)
    samples, events = run(Pcm(file=tmp_path / "a.wav", loop=loop), 2)
    assert not np.any(samples)
    assert events == [("done", 0, 0)]


def two_hours(path):
    """Silence, on a disk that need not hold it."""
    soundfile.write(path, np.zeros(0), 8000)
    data = 2 * 7200 * 8000
    with open(path, "r+b") as file:
        file.seek(40)
        file.write(data.to_bytes(4, "little"))
        file.truncate(44 + data)
    return path


def test_of_two_hours_little_is_in_memory(tmp_path):
    path = two_hours(tmp_path / "a.wav")
    render(Pcm(file=path), seconds=0.1)
    tracemalloc.start()
    try:
        node = Pcm(file=path)
        heard = render(node, seconds=60)
        streamed = tracemalloc.get_traced_memory()[1]
        pcm = loadWAVtoPCM(path)
        loaded = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(heard) == 60 * 8000
    assert streamed < 10_000_000
    assert len(pcm) == 57_600_000
    assert loaded < 4.5 * 57_600_000


def test_a_thread_fills_a_live_call_whatever_the_event_loop_does(live, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(30), 8000)

    async def test(engine, call):
        node = Pcm(file=tmp_path / "a.wav")
        assert node.state["written"] < 10 * 8000

        async def handler(call):
            await call.play(node)

        _, one, _ = call(handler)
        while node.graph is None:
            await asyncio.sleep(0)
        frames = engine.stats().frames
        while node.state["written"] < 16 * 8000 and engine.stats().frames < frames + 500:
            pass  # a handler that blocks
        assert node.state["written"] == 1 << 17
        assert node.state["missed"] == 0
        one.hangup()

    live(test)


def test_a_file_that_is_wrong_is_told_when_the_node_is_made(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.wav: no such sound file"):
        Pcm(file=tmp_path / "x.wav")
    with pytest.raises(ValueError, match="pcm: it plays `data` or a `file`, not both"):
        Pcm(data=[0.5], file=tmp_path / "x.wav")
    (tmp_path / "x.wav").write_text("no sound")
    with pytest.raises(ValueError, match=r"x\.wav: not a sound file"):
        Pcm(file=tmp_path / "x.wav")


def late_fault(path):
    """A file whose fault is beyond what is read at first."""
    sound = noise(20)
    sound[19 * 8000] = np.nan
    soundfile.write(path, sound, 8000, subtype="FLOAT")
    return path


async def test_a_fault_further_on_in_a_file_is_raised_where_it_is_awaited(phone, tmp_path):
    path = late_fault(tmp_path / "a.wav")

    async def handler(call):
        with pytest.raises(ValueError, match=r"a\.wav: sample 152000 is nan"):
            await call.play(0.5 * Pcm(file=path) + 0 * Sine())
        call.seen = True

    async with phone(handler) as p:
        assert await p.hung_up(within=40)
    assert p.call.seen
    with pytest.raises(ValueError, match=r"a\.wav: sample 152000 is nan"):
        render(Pcm(file=path), seconds=20)


def test_a_patch_names_a_file_to_be_read(tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(20), 8000)
    (tmp_path / "p.json").write_text(
        '{"graphvoip": 1, "nodes": {"a": {"type": "pcm", "file": "a.wav"}}, "out": "a", "done": "a.done"}'
    )
    recipe = load_patch(tmp_path / "p.json")
    np.testing.assert_array_equal(render(recipe()), render(Pcm(file=tmp_path / "a.wav")))
    recipe().save(tmp_path / "q.json")
    assert '"file": "a.wav"' in (tmp_path / "q.json").read_text()
