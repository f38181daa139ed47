"""The sound card, tried on a real PulseAudio with a null sink: nothing here is simulated."""

import asyncio
import contextlib
import logging
import os
import pty
import resource
import select
import shutil
import signal
import sys
import termios
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest
from positions import breaks, locatable, positions
from pulse import Pulse, until

from graphvoip.client import serve
from graphvoip.clock import run_virtual
from graphvoip.io import DeviceError, Leg
from graphvoip.io import pyaudio as sound_card
from graphvoip.io.pyaudio import CardInfo, SoundCard, available, choose, devices
from graphvoip.rings import DEPTH, RATE, LineRing

pytest.importorskip("pyaudio")
needs_server = pytest.mark.skipif(
    not all(map(shutil.which, ("pulseaudio", "pactl", "parec"))), reason="needs pulseaudio and pulseaudio-utils"
)
FREQ = 441


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pulse = Pulse(tmp_path_factory.mktemp("pulse"))
    yield pulse
    pulse.stop()


@pytest.fixture
def pulse(server, monkeypatch):
    return plug(server, monkeypatch)


@pytest.fixture(autouse=True)
def nothing_left():
    """No call may leave a thread or a descriptor behind."""
    yield
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("graphvoip")], 10)


def plug(server: Pulse, monkeypatch) -> Pulse:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("GRAPHVOIP_INPUT", "GRAPHVOIP_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    return server


def alsa(tmp_path, monkeypatch, text: str) -> None:
    """Let ALSA know these devices only."""
    (tmp_path / "asound.conf").write_text(text)
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))


def lost(counts: dict[str, int], before: dict[str, int] | None = None, ways: tuple[str, ...] = ("in", "out")) -> int:
    """How many frames our side says were lost: a machine that is busy loses some, and none goes uncounted."""
    kinds = [f"{way}_{kind}" for way in ways for kind in ("missed", "skipped", "lost")]
    return sum(counts[kind] - (before or {}).get(kind, 0) for kind in kinds)


def run(handler, card: SoundCard, seconds: float = 60) -> None:
    asyncio.run(asyncio.wait_for(serve(handler, card), seconds))


@needs_server
def test_a_tone_is_heard_to_its_end(pulse):
    """Hanging up at once after it cuts nothing off, and breaks are heard only where frames were lost and counted."""
    sent, legs = locatable(1.0), []

    async def handler(call):
        assert call.getRemoteUri() == "me"
        legs.append(call._leg)
        await call.playPCM(sent)

    with pulse.recording() as heard:
        run(handler, SoundCard("me"))
        until(lambda: is_over(heard()), 30)
        sound = heard() / 32768
    assert breaks(positions(sound, sent)) <= lost(legs[0].ring.counts(), ways=("out",))


def is_over(sound: np.ndarray) -> bool:
    """There was sound, and then 0.1 s of silence."""
    return len(sound) > 800 and bool(sound.any()) and not sound[-800:].any()


@needs_server
@pytest.mark.parametrize("rates", [(8000,), (44100,), (48000,)])
def test_what_is_played_comes_back_as_the_callers_voice(pulse, rates, monkeypatch):
    """Through the sink, its monitor and call.voice; on cards that do not take 8000 Hz too."""
    monkeypatch.setattr(sound_card, "RATES", rates)
    sent, heard, found = locatable(1.0), [], []

    async def handler(call):
        await call.recordPCM(maxlen=RATE // 2)  # the cards have settled
        before = call._leg.ring.counts()
        recording = call.recordPCM(maxlen=RATE * 2)
        await call.playPCM(sent)
        heard[:] = await recording
        found.append(lost(call._leg.ring.counts(), before))

    run(handler, SoundCard("me"))
    places = positions(np.array(heard), sent)
    assert breaks(places) <= found[0]
    if not found[0]:
        assert 0.02 < places[0] / RATE < 0.3  # the way out and back
        level = np.std(heard[round(places[0]) :][:RATE]) / np.std(sent)
        assert level == pytest.approx(1, rel=0.03)


@needs_server
def test_devices_are_chosen_by_name_and_by_number(pulse, monkeypatch):
    cards = devices()
    assert available()
    number = next(card.number for card in cards if card.name == "pulse")
    for wanted in ("PULSE", number, str(number), "uls"):
        chosen = choose(cards, "output", wanted)
        assert chosen
        assert chosen.name == "pulse"
    monkeypatch.setenv("GRAPHVOIP_OUTPUT", "trumpet")
    with pytest.raises(DeviceError) as error:
        run(lambda call: None, SoundCard("me"))
    assert "'trumpet'" in str(error.value)
    assert f"{number} 'pulse'" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_device_needs_a_channel_on_the_side_it_is_wanted_for():
    cards = [CardInfo(0, "Horn", 0, 2, 48000, False, True), CardInfo(1, "Ear", 1, 0, 48000, True, False)]
    chosen = choose(cards, "input", None)
    assert chosen
    assert chosen.name == "Ear"
    with pytest.raises(DeviceError, match="no sound input 'horn'; there are: 1 'Ear'"):
        choose(cards, "input", "horn")
    assert choose([], "input", None) is None


@pytest.mark.skipif(Path("/proc/asound/card0").exists(), reason="this machine has a sound card")
def test_without_any_device(tmp_path, monkeypatch, capfd):
    alsa(tmp_path, monkeypatch, "pcm.!default { type hw card 99 }")
    assert not available()
    assert devices() == []
    with pytest.raises(DeviceError, match=r"^no sound card: .*GRAPHVOIP_DEVICE=virtual"):
        run(lambda call: None, SoundCard("me"))
    assert capfd.readouterr().err == ""  # and no page from PortAudio, ALSA and JACK


def test_without_pyaudio(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    assert not available()
    with pytest.raises(DeviceError) as error:
        run(lambda call: None, SoundCard("me"))
    assert "pip install 'graphvoip[audio]'" in str(error.value)
    assert "\n" not in str(error.value)


@needs_server
@pytest.mark.parametrize(("side", "missing"), [("playback", "microphone"), ("capture", "speaker")])
def test_one_side_is_missing(pulse, tmp_path, monkeypatch, caplog, side, missing):
    library = 'pcm_type.pulse { lib "libasound_module_pcm_pulse.so" }'
    hint = 'hint { show on description "One" }'
    alsa(tmp_path, monkeypatch, f"{library}\npcm.!default {{ type asym {side}.pcm {{ type pulse }} {hint} }}")
    counts = {}

    async def handler(call):
        await call.playTone(FREQ, 0.5)
        counts.update(call._leg.ring.counts())

    with caplog.at_level(logging.WARNING, "graphvoip"):
        run(handler, SoundCard("me"))
    assert [record.message for record in caplog.records] == [f"no {missing}: the call goes on without one"]
    assert counts["out_read"] == pytest.approx(counts["out_written"], abs=DEPTH)  # nothing is left lying
    heard = counts["in_read"] + counts["in_missed"]
    assert heard == pytest.approx(counts["out_written"], abs=1)  # one in each tick, or it was missed
    assert counts["in_written"] + lost(counts, ways=("in",)) >= heard


@needs_server
def test_unplugged_in_the_middle_and_back(tmp_path, monkeypatch, caplog, capfd):
    pulse = plug(Pulse(tmp_path), monkeypatch)
    monkeypatch.setattr(sound_card, "RETRY", 0.3)
    counts = []

    def messages() -> list[str]:
        return [record.message for record in caplog.records if "default' is" in record.message]

    async def handler(call):
        ring, frames = call._leg.ring, lambda: call.engine.stats().frames
        playing = call.playTone(FREQ, 60)
        await asyncio.sleep(0.3)
        pulse.stop()
        while len(messages()) < 2:
            await asyncio.sleep(0.01)
        used, read, begin = resource.getrusage(resource.RUSAGE_SELF), ring.counts()["out_read"], frames()
        await asyncio.sleep(1.0)
        now = resource.getrusage(resource.RUSAGE_SELF)
        counts.append(ring.counts()["out_read"] - read - (frames() - begin))
        counts.append(now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)
        assert len(messages()) == 2
        await asyncio.to_thread(pulse.start)
        while len(messages()) < 4:
            await asyncio.sleep(0.01)
        with pulse.recording() as heard:
            while len(heard()) < RATE // 2:
                await asyncio.sleep(0.01)
            assert np.count_nonzero(heard()) > RATE // 4  # it plays again
        playing.cancel()

    with caplog.at_level(logging.INFO, "graphvoip"):
        run(handler, SoundCard("me"))
    pulse.stop()
    gone, back = sorted(messages()[:2]), sorted(messages()[2:])
    for name, was, again in zip(("microphone", "speaker"), gone, back, strict=True):
        assert was.startswith(f"{name} 'default' is gone (")
        assert was.endswith("): the call goes on without it")
        assert again == f"{name} 'default' is back"
    assert abs(counts[0]) <= DEPTH  # the frames are still taken, each of them
    assert counts[1] < 0.3  # and nothing spins
    assert capfd.readouterr().err == ""


@needs_server
def test_a_server_that_hangs_does_not_hold_the_program(tmp_path, monkeypatch, caplog):
    pulse = plug(Pulse(tmp_path), monkeypatch)

    async def handler(call):
        os.kill(pulse.process.pid, signal.SIGSTOP)  # it neither answers nor goes away
        await asyncio.sleep(0.3)

    run(handler, SoundCard("me"))
    assert "does not answer" in caplog.text
    pulse.stop()


PROGRAM = """
from graphvoip import runVoipClient

async def handler(call):
    try:
        print("got", await call.getDTMF(3), flush=True)
        await call.getDTMF()
    finally:
        print("ended", call.ended, flush=True)

runVoipClient(handler)
print("over", flush=True)
"""


@needs_server
def test_keys_are_typed_in_the_terminal(pulse, monkeypatch):
    monkeypatch.setenv("GRAPHVOIP_DEVICE", "pyaudio")
    pid, fd = pty.fork()
    if not pid:
        os.chdir(Path(__file__).parents[2])
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM])
    seen = ""

    def reads(text: str) -> bool:
        nonlocal seen
        if select.select([fd], [], [], 0.05)[0]:
            with contextlib.suppress(OSError):
                seen += os.read(fd, 4096).decode()
        return text in seen

    try:
        until(lambda: reads("keypad"), 20)
        os.write(fd, b"12#")
        until(lambda: reads("got 12#"))
        os.write(fd, b"q")
        until(lambda: reads("over"))
        assert "ended" in seen
        assert "hung up" in seen
        assert "ALSA" not in seen
        assert os.waitpid(pid, 0)[1] == 0
        assert termios.tcgetattr(fd)[3] & termios.ICANON
        pid = 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        os.close(fd)


@needs_server
def test_closed_at_any_moment(pulse):
    """Before it is open, while it opens, and in mid-call: the call is told, and nothing is left."""

    async def main():
        card = SoundCard("me")
        await card.close()
        await card.closed()

        card = SoundCard("me")
        opening = asyncio.create_task(card.open(None, lambda leg: True))
        await asyncio.sleep(0.02)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await card.closed()

        card = SoundCard("me")
        ends: list[str] = []

        def incoming(leg: Leg) -> bool:
            leg.on_end = ends.append
            return True

        await card.open(None, incoming)
        await card.close()
        await card.close()
        assert ends == ["the sound card was closed"]

        card = SoundCard("me")
        await card.open(None, lambda leg: False)  # busy
        await card.closed()
        await card.close()

    asyncio.run(main())


@needs_server
def test_ten_calls_leave_no_descriptor(pulse):
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def handler(call):
        await asyncio.sleep(0)

    run(handler, SoundCard("me"))
    before = descriptors()
    for _ in range(5):
        run(handler, SoundCard("me"))
    assert descriptors() <= before + 1


class Stuck:
    """A side of a card whose thread waits until it is let go."""

    def __init__(self):
        self.go = threading.Event()

    def do(self, act):
        self.go.wait()
        return act(self)

    def read(self):
        return np.zeros(160, np.int16)

    def write(self, samples):
        return False

    def drain(self):
        pass

    def close(self):
        pass


def on_simulated_clock(monkeypatch, main):
    async def with_clock():
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(sound_card, "time", types.SimpleNamespace(monotonic=loop.time))
        await main(loop)

    run_virtual(with_clock())


def test_card_that_does_not_play_is_waited_for_3_s(monkeypatch):
    async def main(loop):
        card, stuck = SoundCard("me"), Stuck()
        await card._start(Leg("me", LineRing()), stuck, stuck)
        assert loop.time() == pytest.approx(3, abs=0.03)
        card._ending.set()
        stuck.go.set()

    on_simulated_clock(monkeypatch, main)


def test_rest_is_heard_for_half_a_second_after_hanging_up(monkeypatch):
    async def main(loop):
        card, stuck = SoundCard("me"), Stuck()
        card._run("speaker", stuck.go.wait)
        card._hang_up()
        while not card._stop.is_set():
            await asyncio.sleep(0.02)
        assert loop.time() == pytest.approx(0.5, abs=0.05)
        stuck.go.set()
        await card.closed()

    on_simulated_clock(monkeypatch, main)


def test_card_that_cannot_be_opened_is_tried_again_after_3_s():
    audio = sound_card._portaudio()
    try:
        before = time.monotonic()
        side = sound_card.Side(audio, CardInfo(999, "gone", 1, 1, 48000, True, True), "output")
        assert before + 3 <= side.card.again <= time.monotonic() + 3
    finally:
        audio.terminate()
