"""`call.say`: speech that begins at once, can be cut off, and holds nobody up."""

import asyncio
import os
import re
import stat
import threading
import time

import numpy as np
import pytest

from graphvoip import TTStoPCM, tts_cache
from graphvoip.tts_espeak import Espeak

RATE = 8000
TEXT = "This is a test of speech, spoken by a machine. It has two sentences."


@pytest.fixture
def slow_engine(monkeypatch, tmp_path):
    """flite as it might be: a command that takes half a second for each part, and leaves a mark when it is killed."""
    script = tmp_path / "flite"
    script.write_text(f'#!/bin/sh\necho $$ >>{tmp_path}/pids\nsleep 0.5\nexec /usr/bin/flite "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


async def ring(phone, handler, seconds=600):
    async with phone(handler) as p:
        assert await p.hung_up(seconds)
    return np.array(p.heard)


def speakers():
    return [one for one in threading.enumerate() if one.name == "graphvoip speaker"]


async def test_what_the_caller_hears_is_the_text_from_the_first_frame_on(phone, either):
    async def handler(call):
        await call.say(TEXT)

    heard = await ring(phone, handler)
    expected = np.array(TTStoPCM(TEXT))
    begin = np.flatnonzero(heard)[0] - np.flatnonzero(expected)[0]
    assert begin <= 2 * 160
    np.testing.assert_allclose(heard[begin : begin + len(expected)], expected[: len(heard) - begin], atol=1 / 32768)


async def test_it_lasts_as_long_as_the_text_and_empty_ones_no_time(phone):
    times = []

    async def handler(call):
        await call.say(" ")
        times.append(call.time)
        await call.say(TEXT)
        times.append(call.time)

    await ring(phone, handler)
    assert times[0] == 0
    assert times[1] == pytest.approx(len(TTStoPCM(TEXT)) / RATE, abs=0.06)


async def test_it_is_cut_off_within_a_frame(phone, either):
    async def handler(call):
        playback = call.say(TEXT * 50)
        await asyncio.sleep(1.2)
        playback.cancel()
        await asyncio.sleep(1)

    heard = await ring(phone, handler)
    assert np.abs(heard[RATE : RATE + 1440]).max() > 0.05
    assert not np.any(heard[round(1.2 * RATE) + 3 * 160 :])


async def test_a_long_text_is_spoken_to_its_end_whatever_the_ring_holds(phone, monkeypatch):
    """Three minutes in parts: the sound of all of them, in their order."""
    monkeypatch.setattr("graphvoip.speaker.AHEAD", 10 * RATE)
    text = "".join(f"Sentence number {n} of a long text. " for n in range(90))

    async def handler(call):
        await call.say(text)

    heard = await ring(phone, handler)
    expected = np.array(TTStoPCM(text))
    assert len(expected) > 150 * RATE
    begin = np.flatnonzero(heard)[0] - np.flatnonzero(expected)[0]
    np.testing.assert_allclose(heard[begin : begin + len(expected)], expected[: len(heard) - begin], atol=1 / 32768)


async def test_what_is_wrong_is_told_at_once_or_where_it_is_awaited(phone):
    said = []

    async def handler(call):
        for text, values in ((5, {}), ("x", {"engine": "parrot"}), ("x", {"opts": "-s 140"})):
            with pytest.raises((TypeError, ValueError), match=r"^say: "):
                call.say(text, **values)
        with pytest.raises(ValueError, match=r"^say: espeak-ng has no voice 'klingonese'; it has .*de"):
            await call.say("hello", voice="klingonese")
        said.append(call.time)

    await ring(phone, handler)
    assert said


async def test_nobody_awaits_and_the_voice_is_wrong(phone):
    async def handler(call):
        call.say("hello", voice="klingonese")
        await asyncio.sleep(60)

    with pytest.raises(ValueError, match="klingonese"):
        await ring(phone, handler)


def test_a_slow_engine_delays_neither_frames_nor_the_loop(live, slow_engine):
    """On the real clock: while it works for half a second, the loop is asked every 10 ms."""

    async def test(engine, call):
        gaps, done = [], []

        async def handler(one):
            playback = one.say("Hello.", voice="slt", engine="flite")
            before = time.monotonic()
            while not playback.done():
                await asyncio.sleep(0.01)
                now = time.monotonic()
                gaps.append(now - before)
                before = now
            done.append(one.time)

        _, _, task = call(handler)
        await task
        assert done[0] > 0.9
        assert len(gaps) > 40
        assert np.median(gaps) < 0.05

    live(test)
    assert not speakers()


def test_the_first_sound_is_there_soon_and_a_cancelled_engine_is_killed(live, slow_engine):
    async def test(engine, call):
        async def handler(one):
            playback = one.say("Hello. " * 100, engine="flite")
            await asyncio.sleep(0.2)
            playback.cancel()
            await asyncio.sleep(0.2)
            assert not speakers()
            pid = int((slow_engine / "pids").read_text().split()[0])
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
            playback = one.say("Good day.")  # this one streams
            await asyncio.sleep(0.5)
            written.append(playback.node.state["read"])
            await playback

        written = []
        _, one, task = call(handler)
        await task
        assert one.error is None
        assert written[0] > 0.3 * RATE

    live(test)


def test_a_call_that_ends_ends_its_speech(live):
    async def test(engine, call):
        async def handler(one):
            one.say("A long text. " * 1000)
            await asyncio.sleep(0.1)

        _, _, task = call(handler)
        await task
        await asyncio.sleep(0.2)
        assert not speakers()

    live(test)


def test_an_engine_that_is_too_slow_is_told(live, caplog, monkeypatch):
    """Its parts are short and each takes longer to come than it lasts: the node is silent, and the log has how long."""
    monkeypatch.setattr("graphvoip.speaker.AHEAD", 1)
    monkeypatch.setattr("graphvoip.speaker.POLL", 0.3)
    monkeypatch.setattr(Espeak, "first", 4)
    monkeypatch.setattr(Espeak, "part", 4)

    async def test(engine, call):
        async def handler(one):
            await one.say("A, a, a, a.")

        _, _, task = call(handler)
        await task

    live(test)
    assert re.search(r"say: espeak was slower than it speaks, (?!0\.00)\d\.\d\d s were silent", caplog.text)


# --- The cache --------------------------------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHVOIP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "speech"


def test_a_text_is_spoken_once(cache, monkeypatch):
    first = TTStoPCM(TEXT)
    (file,) = cache.iterdir()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert TTStoPCM(TEXT) == first
    file.write_bytes(b"RIFF no sound")
    assert TTStoPCM(TEXT) != []  # spoken again
    kept = file.stat().st_mtime_ns
    for other in ([TEXT + " "], [TEXT, ["-s", "200"]], [TEXT, [], "flite"], [TEXT, [], "espeak", "de"]):
        TTStoPCM(*other)
    assert len(list(cache.iterdir())) == 5
    assert file.stat().st_mtime_ns == kept


@pytest.mark.parametrize("harm", ["empty", "header only", "cut", "a bit"])
def test_a_prompt_that_is_damaged_is_spoken_anew_and_logged_once(cache, caplog, harm):
    first = TTStoPCM(TEXT)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    middle = len(whole) // 2
    bit = bytes([*whole[:middle], whole[middle] ^ 1, *whole[middle + 1 :]])
    file.write_bytes({"empty": b"", "header only": whole[:44], "cut": whole[:middle], "a bit": bit}[harm])
    assert TTStoPCM(TEXT) == first
    assert caplog.messages == [f"{file}: damaged, made anew; 'graphvoip doctor' looks through the others"]
    assert file.read_bytes() == whole


def test_another_version_of_the_engine_speaks_anew(cache, monkeypatch, tmp_path):
    script = tmp_path / "espeak-ng"
    for speed in (150, 300):
        script.write_text(f'#!/bin/sh\nexec /usr/bin/espeak-ng -s {speed} "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        TTStoPCM(TEXT)
    assert len(list(cache.iterdir())) == 2


def test_the_cache_stays_within_its_bound_and_forgets_the_oldest(cache, monkeypatch):
    monkeypatch.setattr(tts_cache.prompts, "limit", 40_000)
    names = []
    for n in range(6):
        samples = np.full(RATE // 2, n / 32768, np.float32)
        names.append(tts_cache.name_of(str(n)))
        tts_cache.save(names[-1], samples)
        os.utime(cache / names[-1], (n, n))
        tts_cache.load(names[0])  # used all the time
    left = {file.name for file in cache.iterdir()}
    assert left == {names[0], *names[-3:]}
    np.testing.assert_array_equal(tts_cache.load(names[5]), np.full(RATE // 2, 5 / 32768, np.float32))


def test_where_it_is_and_that_it_can_be_off(monkeypatch, tmp_path):
    monkeypatch.delenv("GRAPHVOIP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert tts_cache.folder() == tmp_path / "graphvoip" / "speech"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tts_cache.folder() == tmp_path / ".cache" / "graphvoip" / "speech"
    monkeypatch.setenv("GRAPHVOIP_CACHE", "off")
    assert tts_cache.folder() is None
    TTStoPCM("hello")
    assert not list(tmp_path.rglob("*.wav"))


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail_and_logged_once(monkeypatch, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRAPHVOIP_CACHE", str(tmp_path / "file"))
    assert TTStoPCM("hello")
    assert TTStoPCM("hello")
    assert caplog.messages == [
        f"spoken prompts cannot be kept: {tmp_path}/file/speech: Not a directory. Each process speaks them again; "
        "let GRAPHVOIP_CACHE name a folder that can be written, or say off."
    ]


async def test_a_speech_that_was_cut_off_is_not_kept(phone, cache):
    async def handler(call):
        playback = call.say(TEXT * 100)
        await asyncio.sleep(0.5)
        playback.cancel()
        await asyncio.sleep(0.1)

    await ring(phone, handler)
    assert not cache.exists() or not any(cache.iterdir())
