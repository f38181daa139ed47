"""The sound card, tried on a real PulseAudio with a null sink: nothing here is simulated."""

import asyncio
import gc
import logging
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pyte
import pytest
from hogs import HOGS
from positions import breaks, locatable, positions
from pulse import Pulse, until

from graphvoip.client import choose_device, serve
from graphvoip.io import DeviceError, Leg, portaudio
from graphvoip.io.portaudio import CardInfo, choose
from graphvoip.io.sound_card import SoundCard, devices
from graphvoip.nodes import Sine
from graphvoip.rings import DEPTH, RATE

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
    """No call may leave a process behind."""
    yield
    until(lambda: not sides(), 10)


def sides(name: str = "") -> list[psutil.Process]:
    """The processes that move sound, of one side or of both."""
    children = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    lines = [(child, " ".join(child.cmdline())) for child in children]
    return [child for child, line in lines if "graphvoip.io.portaudio" in line and name in line]


def plug(server: Pulse, monkeypatch) -> Pulse:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    for name in ("GRAPHVOIP_INPUT", "GRAPHVOIP_OUTPUT", "GRAPHVOIP_VOLUME", "GRAPHVOIP_PUSH_TO_TALK"):
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
def test_what_is_played_comes_back_as_the_callers_voice(pulse):
    """Through the sink, its monitor and call.voice."""
    sent, heard, found = locatable(1.0), [], []

    async def handler(call):
        await call.recordPCM(maxlen=RATE // 2)  # the cards have settled
        before = call._leg.ring.counts()
        recording = call.recordPCM(maxlen=RATE * 2)
        await call.playPCM(sent)
        heard[:] = await recording
        found.append(lost(call._leg.ring.counts(), before))

    run(handler, SoundCard("me", volume=0))
    places = positions(np.array(heard), sent)
    assert breaks(places) <= found[0]
    if not found[0]:
        assert 0.02 < places[0] / RATE < 0.3  # the way out and back
        level = np.std(heard[round(places[0]) :][:RATE]) / np.std(sent)
        assert level == pytest.approx(1, rel=0.03)


@needs_server
@pytest.mark.parametrize("rate", [44100, 48000])
def test_a_card_that_does_not_take_8000_hz_is_resampled(pulse, monkeypatch, rate):
    """A stream to the sink at that rate, while another one listens at it."""
    import pyaudio

    sent, heard, over = locatable(1.0), [], threading.Event()
    monkeypatch.setattr(portaudio, "RATES", (rate,))
    with portaudio.quiet():
        audio = pyaudio.PyAudio()
        card = next(card for card in portaudio.cards_of(audio) if card.name == "pulse")
        info = CardInfo(**vars(card) | {"rate": rate})
        ear, mouth = (portaudio.Stream(audio, info, side) for side in ("input", "output"))
        assert ear.size == mouth.size == rate // 50

        def listen() -> None:
            while not over.is_set():
                heard.append(ear.read())

        thread = threading.Thread(target=listen)
        thread.start()
        dry = [mouth.write(block) for block in np.int16(32767 * sent).reshape(-1, 160)]
        mouth.drain()
        over.set()
        thread.join()
        for stream in (ear, mouth):
            stream.close()
        audio.terminate()
    found = np.concatenate(heard) / 32767
    places = positions(found, sent)
    assert breaks(places[1:]) <= sum(dry[1:])  # the first one may be before the speaker runs
    assert np.std(found[round(places[0]) :][:RATE]) / np.std(sent) == pytest.approx(1, rel=0.03)


@needs_server
def test_devices_are_chosen_by_name_and_by_number(pulse, monkeypatch):
    cards = devices()
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
    with pytest.raises(LookupError, match="no sound input 'horn'; there are: 1 'Ear'"):
        choose(cards, "input", "horn")
    assert choose([], "input", None) is None


@pytest.mark.skipif(Path("/proc/asound/card0").exists(), reason="this machine has a sound card")
def test_without_any_device(tmp_path, monkeypatch, capfd):
    alsa(tmp_path, monkeypatch, "pcm.!default { type hw card 99 }")
    assert devices() == []
    with pytest.raises(DeviceError, match=r"^no sound card: .*GRAPHVOIP_DEVICE=virtual"):
        run(lambda call: None, SoundCard("me"))
    assert capfd.readouterr().err == ""  # and no page from PortAudio, ALSA and JACK


def test_without_pyaudio(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyaudio", None)
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
    if missing == "microphone":
        assert counts["in_written"] == 0
        assert counts["out_read"] == pytest.approx(counts["out_written"], abs=DEPTH)
    else:
        assert counts["out_read"] == 0
        assert counts["in_read"] + counts["in_missed"] == pytest.approx(counts["out_written"], abs=1)


def messages(caplog, *beginnings: str) -> list[str]:
    texts = [record.message for record in caplog.records]
    return [text for text in texts if text.startswith(beginnings)] if beginnings else texts


async def said(caplog, text: str, times: int = 1) -> None:
    """Wait until the log has said it so often."""
    async with asyncio.timeout(60):
        while sum(text in message for message in messages(caplog)) < times:
            await asyncio.sleep(0.01)


async def sounds(heard, seconds: float = 0.5) -> None:
    """Wait until a recording has so much sound."""
    async with asyncio.timeout(60):
        while np.count_nonzero(heard()) < seconds * RATE:
            await asyncio.sleep(0.01)


async def moves(side, seconds: float = 60) -> bool:
    """Wait for a block of sound of a side; False if none has come."""
    before = side.words[portaudio.MOVES]
    try:
        async with asyncio.timeout(seconds):
            while side.words[portaudio.MOVES] == before:
                await asyncio.sleep(0.005)
    except TimeoutError:
        return False
    return True


GONE = "is gone (the sound system broke off): the call goes on without it"
HAS_STOPPED = "has stopped: is it suspended, or does the sound server hang? The call goes on without it"


@needs_server
def test_a_handler_that_holds_the_gil_makes_no_gap(pulse):
    """In each of the ways of hogs.py, 2 s of each: a busy machine loses some frames by itself, but not one in ten."""
    hogs, lost_frames, found = [make() for make in HOGS.values()], [], []

    async def handler(call):
        call.play(Sine(freq=FREQ))
        with pulse.recording() as heard:
            await sounds(heard)
            before, loop = call._leg.ring.counts(), asyncio.get_running_loop()
            for hog in hogs:
                end = loop.time() + 2
                while loop.time() < end:
                    hog()
                    await asyncio.sleep(0.001)
            lost_frames.append(lost(call._leg.ring.counts(), before, ways=("out",)))
            found.append(heard())

    run(handler, SoundCard("me"))
    gaps = np.diff(np.flatnonzero(found[0])) - 1
    assert lost_frames[0] < 50
    assert gaps[gaps > RATE // 1000].sum() < 1.0 * RATE


@needs_server
def test_what_leaves_for_the_speaker_is_6_db_below_full_scale_unless_asked(pulse, monkeypatch):
    def peak(card: SoundCard) -> float:
        async def handler(call):
            await call.playTone(FREQ, 0.5)

        with pulse.recording() as heard:
            run(handler, card)
            until(lambda: is_over(heard()), 30)
            return 20 * np.log10(np.abs(heard()).max() / 32768)

    assert peak(SoundCard("me")) == pytest.approx(-6, abs=0.05)
    assert peak(SoundCard("me", volume=-20)) == pytest.approx(-20, abs=0.1)
    monkeypatch.setenv("GRAPHVOIP_VOLUME", "0")
    assert peak(SoundCard("me")) == pytest.approx(0, abs=0.05)
    monkeypatch.setenv("GRAPHVOIP_VOLUME", "loud")
    with pytest.raises(DeviceError, match=r"the volume is 'loud', expected -60 to 0 dBFS\. Write for example -6\."):
        SoundCard("me")
    for wrong in (6, -61):
        with pytest.raises(DeviceError, match=f"the volume is {wrong}, expected"):
            SoundCard("me", volume=wrong)
    assert SoundCard("me", volume=-60).controls.volume == -60


# --- Sound systems that fail ------------------------------------------------------------------------------------------


@needs_server
def test_a_server_that_vanishes_and_returns(tmp_path, monkeypatch, caplog, capfd):
    pulse = plug(Pulse(tmp_path), monkeypatch)
    caplog.set_level(logging.INFO, "graphvoip")

    async def handler(call):
        call.play(Sine(freq=FREQ))
        await asyncio.sleep(0.3)
        pulse.stop()
        await said(caplog, "is gone", times=2)
        used = [side.cpu_times() for side in sides()]
        begin = call.engine.stats().frames
        while call.engine.stats().frames < begin + 50:
            await asyncio.sleep(0.01)
        spent = [sum(side.cpu_times()[:2]) - sum(before[:2]) for side, before in zip(sides(), used, strict=True)]
        assert max(spent) < 0.3  # they look for it now and then
        await asyncio.to_thread(pulse.start)
        await said(caplog, "is back", times=2)
        with pulse.recording() as heard:
            await sounds(heard)

    run(handler, SoundCard("me"))
    pulse.stop()
    said_so = messages(caplog, "microphone", "speaker")
    assert sorted(said_so[:2]) == [f"microphone 'default' {GONE}", f"speaker 'default' {GONE}"]
    assert sorted(said_so[2:]) == ["microphone 'default' is back", "speaker 'default' is back"]
    assert capfd.readouterr().err == ""


@needs_server
def test_a_device_that_is_gone_is_looked_for_each_half_second(tmp_path, monkeypatch, caplog):
    """Somebody else listens where the sound server was, and counts who comes."""
    pulse = plug(Pulse(tmp_path), monkeypatch)
    came = [0]

    async def handler(call):
        pulse.stop()
        await said(caplog, "is gone", times=2)
        sides("microphone")[0].kill()
        pulse.socket.unlink()

        def comes(reader, writer) -> None:
            came[0] += 1
            writer.close()

        server = await asyncio.start_unix_server(comes, pulse.socket)
        await asyncio.sleep(4)
        server.close()

    run(handler, SoundCard("me"))
    assert 16 <= came[0] <= 80  # 8 looks of each side at most, 4 connections a look


@needs_server
def test_a_sink_that_is_removed_and_comes_again(pulse, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "graphvoip")

    async def handler(call):
        call.play(Sine(freq=FREQ))
        await asyncio.to_thread(pulse.ask, "unload-module", "module-null-sink")
        await said(caplog, "is gone", times=2)
        await asyncio.to_thread(pulse.load_sink, "phone")
        await said(caplog, "is back", times=2)
        with pulse.recording() as heard:
            await sounds(heard)

    run(handler, SoundCard("me"))
    assert len(messages(caplog, "microphone", "speaker")) == 4


@needs_server
def test_the_default_of_the_system_is_followed(pulse, caplog):
    async def handler(call):
        call.play(Sine(freq=FREQ))
        number = (await asyncio.to_thread(pulse.load_sink, "other")).strip()
        try:
            await asyncio.to_thread(pulse.ask, "set-default-sink", "other")
            with pulse.recording(sink="other") as heard:
                await sounds(heard)
        finally:
            pulse.ask("unload-module", number)

    run(handler, SoundCard("me"))
    assert messages(caplog, "microphone", "speaker") == []


@needs_server
def test_a_device_that_was_chosen_by_number_is_found_again_by_its_name(tmp_path, monkeypatch, caplog):
    pulse = plug(Pulse(tmp_path), monkeypatch)
    caplog.set_level(logging.INFO, "graphvoip")
    config = Path(os.environ["ALSA_CONFIG_PATH"])
    horn = 'pcm.horn { type pulse handle_underrun 1 hint { show on description "Horn" } }\n'
    config.write_text(config.read_text() + horn)
    before = next(card.number for card in devices() if card.name == "horn")

    async def handler(call):
        call.play(Sine(freq=FREQ))
        pulse.stop()
        await said(caplog, "is gone", times=2)
        config.write_text(config.read_text().replace(horn, "") + horn.replace("horn", "flute") + horn)
        await asyncio.to_thread(pulse.start)
        await said(caplog, "is back", times=2)
        after = {card.name: card.number for card in await asyncio.to_thread(devices)}
        assert after["horn"] != before

    run(handler, SoundCard("me", output=before))
    pulse.stop()
    assert messages(caplog, "speaker 'horn' is gone", "speaker 'horn' is back") != []
    assert len(messages(caplog, "speaker")) == 2


@needs_server
@pytest.mark.parametrize("how", ["the server is stopped", "the sink is suspended"])
def test_a_card_that_stalls_is_told_once_and_when_it_goes_on(tmp_path, monkeypatch, caplog, how):
    pulse = plug(Pulse(tmp_path), monkeypatch)
    caplog.set_level(logging.INFO, "graphvoip")
    times = []

    async def stall(yes: bool) -> None:
        if how == "the server is stopped":
            os.kill(pulse.process.pid, signal.SIGSTOP if yes else signal.SIGCONT)
        else:
            await asyncio.to_thread(pulse.ask, "suspend-sink", "phone", str(int(yes)))

    async def handler(call):
        call.play(Sine(freq=FREQ))
        await asyncio.sleep(0.5)
        times.append(time.time())
        await stall(True)
        await said(caplog, "has stopped", times=2)
        times.append(time.time())
        await asyncio.sleep(1)
        await stall(False)
        await said(caplog, "goes on", times=2 * len(messages(caplog, "speaker")))
        with pulse.recording() as heard:
            await sounds(heard)

    run(handler, SoundCard("me"))
    pulse.stop()
    said_so = messages(caplog, "microphone", "speaker")
    assert sorted(said_so[:2]) == [f"microphone 'default' {HAS_STOPPED}", f"speaker 'default' {HAS_STOPPED}"]
    assert sorted(said_so[2:]) == ["microphone 'default' goes on", "speaker 'default' goes on"]
    assert 0.45 < times[1] - times[0] < 3  # after half a second


@needs_server
def test_a_card_that_stalls_is_told_at_the_fifth_look(tmp_path, monkeypatch, caplog):
    """Of ten a second."""
    pulse = plug(Pulse(tmp_path), monkeypatch)

    async def handler(call):
        call.play(Sine(freq=FREQ))
        await asyncio.sleep(0.5)
        card._watching.cancel()
        side = card._sides[1]
        side.look()
        await moves(side)
        os.kill(pulse.process.pid, signal.SIGSTOP)
        while await moves(side, 0.3):
            pass
        for _ in range(5):
            assert messages(caplog, "speaker") == []
            side.look()
        assert messages(caplog, "speaker") == []  # the first look saw that it moved
        side.look()
        assert messages(caplog, "speaker") == [f"speaker 'default' {HAS_STOPPED}"]

    card = SoundCard("me")
    run(handler, card)
    pulse.stop()


@needs_server
def test_a_card_that_is_slow_to_begin_is_not_said_to_go_on(tmp_path, monkeypatch, caplog):
    """It was quiet for longer than a card that plays may be, and nothing was said of it: it had not begun."""
    pulse = plug(Pulse(tmp_path), monkeypatch)
    caplog.set_level(logging.INFO, "graphvoip")

    async def handler(call):
        call.play(Sine(freq=FREQ))
        card._watching.cancel()
        side = card._sides[1]
        os.kill(pulse.process.pid, signal.SIGSTOP)
        while await moves(side, 0.3):
            pass
        side.look()
        side.begun = side.moves + 1
        for _ in range(7):
            side.look()
        os.kill(pulse.process.pid, signal.SIGCONT)
        await moves(side)
        side.look()
        looked.append(side.still)

    looked: list[int] = []
    card = SoundCard("me")
    run(handler, card)
    pulse.stop()
    assert looked == [0]
    assert messages(caplog, "speaker") == []


@needs_server
def test_a_card_that_does_not_play_is_waited_for_3_s_and_then_told(pulse, caplog):
    loops = []

    async def handler(call):
        loops.append(asyncio.get_running_loop().time())
        await said(caplog, f"speaker 'default' {HAS_STOPPED}")

    async def main():
        loops.append(asyncio.get_running_loop().time())
        await asyncio.wait_for(serve(handler, SoundCard("me")), 60)

    pulse.ask("suspend-sink", "phone", "1")
    try:
        asyncio.run(main())
    finally:
        pulse.ask("suspend-sink", "phone", "0")
    assert 3 <= loops[1] - loops[0] < 6


@needs_server
def test_a_server_that_does_not_answer_is_told_within_3_s(tmp_path, monkeypatch, caplog):
    """And the phone is a scripted one then, unless the sound card was asked for."""
    pulse = plug(Pulse(tmp_path), monkeypatch)
    monkeypatch.delenv("GRAPHVOIP_DEVICE", raising=False)
    caplog.set_level(logging.INFO, "graphvoip")
    os.kill(pulse.process.pid, signal.SIGSTOP)
    before = time.monotonic()
    assert choose_device().name == "virtual"
    assert 3 <= time.monotonic() - before < 10
    assert messages(caplog)[0] == (
        "the sound server does not answer (waited 3 s): restart it (systemctl --user restart pulseaudio pipewire): "
        "a scripted caller listens, for up to 60 s"
    )
    with pytest.raises(DeviceError, match=r"does not answer \(waited 3 s\): .*, or set GRAPHVOIP_DEVICE=virtual"):
        run(lambda call: None, SoundCard("me"))
    pulse.stop()


@needs_server
def test_ctrl_c_ends_a_program_whose_sound_server_does_not_answer(tmp_path, monkeypatch):
    pulse = plug(Pulse(tmp_path), monkeypatch)
    os.kill(pulse.process.pid, signal.SIGSTOP)
    program = subprocess.Popen(
        [sys.executable, "-c", "from graphvoip.io.sound_card import devices; print(1, flush=True); devices()"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout
    assert program.stdout.readline() == b"1\n"
    until(lambda: psutil.Process(program.pid).children())
    program.send_signal(signal.SIGINT)
    assert b"KeyboardInterrupt" in program.communicate()[1]
    pulse.stop()


@needs_server
def test_a_server_that_hangs_in_mid_call_does_not_hold_the_program(tmp_path, monkeypatch):
    """What is left to hear is waited for, half a second."""
    pulse = plug(Pulse(tmp_path), monkeypatch)
    times = []

    async def handler(call):
        os.kill(pulse.process.pid, signal.SIGSTOP)  # it neither answers nor goes away
        await asyncio.sleep(0.3)
        times.append(time.monotonic())

    run(handler, SoundCard("me"))
    assert 0.5 <= time.monotonic() - times[0] < 3
    pulse.stop()


def test_alsa_without_configuration_is_told(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "none.conf"))
    text = r"^PortAudio aborted: is ALSA configured\? Do: sudo apt install libasound2-data libasound2-plugins"
    with pytest.raises(DeviceError, match=text + "$"):
        devices()
    with pytest.raises(DeviceError, match=text + ", or set GRAPHVOIP_DEVICE=virtual"):
        run(lambda call: None, SoundCard("me"))
    assert capfd.readouterr().err == ""


@needs_server
@pytest.mark.parametrize("side", ["microphone", "speaker"])
def test_a_process_that_dies_has_a_successor(pulse, caplog, side):
    caplog.set_level(logging.INFO, "graphvoip")

    async def handler(call):
        call.play(Sine(freq=FREQ))
        await asyncio.sleep(0.3)
        before = call._leg.ring.counts()
        sides(side)[0].kill()
        await said(caplog, "is back")
        counter = "in_read" if side == "microphone" else "out_read"
        while call._leg.ring.counts()[counter] < before[counter] + 25:
            await asyncio.sleep(0.01)

    run(handler, SoundCard("me"))
    died = f"{side} 'default': the sound card's process died (signal 9): the call goes on without it"
    assert messages(caplog, "microphone", "speaker") == [died, f"{side} 'default' is back"]


def test_the_processes_end_with_ours(pulse):
    code = """
import asyncio
from graphvoip.client import serve
from graphvoip.io.sound_card import SoundCard

async def handler(call):
    print(*(side.child.process.pid for side in call.engine and card._sides), flush=True)
    await call.ended

card = SoundCard("me")
asyncio.run(serve(handler, card))
"""
    program = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert program.stdout
    children = [psutil.Process(int(number)) for number in program.stdout.readline().split()]
    assert len(children) == 2
    program.kill()
    program.wait()
    until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children))


# --- The keyboard -----------------------------------------------------------------------------------------------------


class Terminal:
    """A program in a terminal of 24 lines of 80 characters: what is on its screen, and keys for it."""

    def __init__(self, code: str):
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(Path(__file__).parents[2])
            os.execv(sys.executable, [sys.executable, "-c", code])
        termios.tcsetwinsize(self.fd, (24, 80))

    def lines(self) -> list[str]:
        while select.select([self.fd], [], [], 0.02)[0]:
            try:
                self.stream.feed(os.read(self.fd, 4096))
            except OSError:
                break
        return [line.rstrip() for line in self.screen.display]

    def shows(self, pattern: str) -> bool:
        return any(re.search(pattern, line) for line in self.lines())

    def waits(self, pattern: str) -> None:
        until(lambda: self.shows(pattern), 30)

    def type(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def ends(self) -> int:
        status = os.waitpid(self.pid, 0)[1]
        self.pid = 0
        return status

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self.ends()
        os.close(self.fd)


@pytest.fixture
def terminal(pulse, monkeypatch):
    monkeypatch.setenv("GRAPHVOIP_DEVICE", "pyaudio")
    monkeypatch.setenv("TERM", "linux")
    opened = []

    def open(code: str) -> Terminal:
        opened.append(Terminal(code))
        return opened[-1]

    yield open
    for terminal in opened:
        terminal.close()


TALKING = """
from graphvoip import runVoipClient
from graphvoip.nodes import Sine

async def handler(call):
    call.play(Sine(freq=441, amp=0.5))
    while await call.getDTMF():
        for line in range(40):
            print("line", line)

runVoipClient(handler)
"""


def test_last_line_of_the_terminal_shows_the_microphone_the_volume_and_the_keys(terminal):
    window = terminal(TALKING)
    window.waits("use headphones: the microphone hears the speaker")
    window.waits(r"^ microphone █+ +-12 dBFS   volume -6 dBFS$")
    window.type("5")
    window.waits(r"volume -6 dBFS   keys 5$")
    window.waits("line 39")
    screen = window.lines()
    assert [line for line in screen if line.startswith("line")] == [f"line {n}" for n in range(40 - 22, 40)]
    assert screen[22] == ""  # where the next line goes
    assert screen[23].startswith(" microphone")
    window.type("--")
    window.waits(r"volume -12 dBFS")
    window.waits(r"█ +-18 dBFS")
    window.type("+++++++")
    window.waits(r"volume 0 dBFS")
    window.type("m")
    window.waits(r"^ microphone muted ")
    window.type("m")
    window.waits(r"^ microphone █+")
    window.type("t")
    window.waits(r"^ microphone hold the space bar to talk")
    window.type(" ")
    window.waits(r"^ microphone █+")
    window.waits(r"^ microphone hold the space bar to talk")
    window.type("q")
    assert window.ends() == 0
    screen = window.lines()
    assert not any(line.startswith(" microphone") for line in screen)
    assert termios.tcgetattr(window.fd)[3] & termios.ICANON
    window.stream.feed(b"\x1b[24;1H\r\nat the end")
    assert window.screen.display[23].startswith("at the end")  # all lines scroll again


def test_muted_microphone_is_silence_in_the_call(pulse):
    async def handler(call):
        call.play(Sine(freq=FREQ, amp=0.5))
        await asyncio.sleep(0.3)
        levels.append(np.abs(await call.recordPCM(maxlen=RATE // 2)).max())
        card.controls.mute()
        await call.recordPCM(maxlen=RATE // 4)  # what is on its way
        levels.append(np.abs(await call.recordPCM(maxlen=RATE // 2)).max())
        card.controls.mute()
        await call.recordPCM(maxlen=RATE // 4)
        levels.append(np.abs(await call.recordPCM(maxlen=RATE // 2)).max())

    levels, card = [], SoundCard("me")
    run(handler, card)
    assert levels[1] == 0
    assert levels[0] == pytest.approx(0.25, abs=0.01)
    assert levels[2] == pytest.approx(0.25, abs=0.01)


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


def test_keys_are_typed_in_the_terminal(terminal):
    window = terminal(PROGRAM)
    window.waits("0-9 .* are the keypad")
    window.type("12#")
    window.waits("^got 12#")
    window.type("q")
    window.waits("^over")
    assert window.shows("^ended")
    assert window.shows("hung up")
    assert not window.shows("ALSA")
    assert window.ends() == 0
    assert termios.tcgetattr(window.fd)[3] & termios.ICANON


@needs_server
def test_handler_that_fails_ends_serve_with_status_1(pulse, tmp_path):
    file = tmp_path / "bad.py"
    file.write_text("async def handler(call):\n    raise KeyError('five')\n")
    words = [sys.executable, "-m", "graphvoip", "serve", str(file), "--device", "pyaudio"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "KeyError: 'five'" in done.stderr
    file.write_text("async def handler(call):\n    pass\n")
    assert subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


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
        gc.collect()  # a call's memory is a descriptor, and a call is a cycle
        return len(os.listdir("/proc/self/fd"))

    async def handler(call):
        await asyncio.sleep(0)

    run(handler, SoundCard("me"))
    before = descriptors()
    for _ in range(5):
        run(handler, SoundCard("me"))
    assert descriptors() <= before + 1
