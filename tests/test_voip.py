"""`voip`: the names, keywords and behaviour of Quecey's VOIP library."""

import array
import asyncio
import importlib
import inspect
import io
import logging
import re
import subprocess
import sys
import wave

import numpy as np
import pytest

import graphvoip.client
import voip
import voip.engine
from graphvoip.testing import phone as ring
from graphvoip.testing import run_virtual
from voip import RecordController, runVoipClient
from voip.dtmf import DTMF
from voip.engine import AudioEngine
from voip.iface import CallInterface, delegate_method
from voip.pcm import floatToPacked, loadWAVtoPCM, normalizePCM, packedToFloat, resample, savePCMtoWAV

NAMES = {
    "voip": "runVoipClient normalizePCM loadWAVtoPCM savePCMtoWAV RecordController TTStoPCM one_at_a_time",
    "voip.pcm": "normalizePCM loadWAVtoPCM savePCMtoWAV packedToFloat floatToPacked resample",
    "voip.tts": "TTStoPCM loadWAVtoPCM",
    "voip.engine": "RecordController AudioEngine",
    "voip.dtmf": "DTMF",
    "voip.iface": "CallInterface delegate_method",
    "voip.one_at_a_time": "one_at_a_time",
    "voip.fake": "runVoipClient",
    "voip.pjsip": "runVoipClient",
}
ARGUMENTS = {
    "voip.runVoipClient": "taskFunction, port=None",
    "voip.fake.runVoipClient": "taskFunction, port=None",
    "voip.pjsip.runVoipClient": "taskFunction, port=None",
    "voip.normalizePCM": "pcm",
    "voip.loadWAVtoPCM": "filename",
    "voip.savePCMtoWAV": "pcm, filename",
    "voip.TTStoPCM": "text, opts=[], engine='espeak'",
    "voip.one_at_a_time": "func",
    "voip.pcm.packedToFloat": "high, low",
    "voip.pcm.floatToPacked": "x",
    "voip.pcm.resample": "samples, to, fro",
    "voip.engine.AudioEngine": "clockRate",
    "voip.engine.AudioEngine.playTone": "self, pitch, duration",
    "voip.engine.AudioEngine.playPCM": "self, pcm, loop=False",
    "voip.engine.AudioEngine.playCustom": "self, func",
    "voip.engine.AudioEngine.recordCustom": "self, func",
    "voip.engine.AudioEngine.recordPCM": "self, controller=None, maxlen=None",
    "voip.dtmf.DTMF.getDTMF": "self, n=1, filter=None, on_first=None",
    "voip.iface.CallInterface": "call, dtmf, engine",
    "voip.iface.delegate_method": "delegate_to, method_name",
}


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", NAMES)
def test_every_name_is_where_it_was(module):
    names = {}
    for name in NAMES[module].split():
        exec(f"from {module} import {name}", names)
        assert names[name].__doc__, name


@pytest.mark.parametrize("path", ARGUMENTS)
def test_arguments_have_their_names(path):
    name = path.removeprefix("voip.")
    found = voip
    for part in name.split("."):
        found = getattr(found, part)
    parameters = inspect.signature(found).parameters.values()
    given = ", ".join(str(one.replace(annotation=one.empty)) for one in parameters)
    assert given == ARGUMENTS[path] or given.startswith(ARGUMENTS[path] + ", ")


def test_one_at_a_time_is_a_function_and_a_module():
    module = importlib.import_module("voip.one_at_a_time")
    assert inspect.isfunction(voip.one_at_a_time)
    assert module.one_at_a_time is voip.one_at_a_time
    done = subprocess.run(
        [sys.executable, "-c", "import voip.one_at_a_time; from voip import one_at_a_time as f; print(f.__name__)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "one_at_a_time\n"


def test_modules_are_attributes_of_the_package():
    done = subprocess.run(
        [sys.executable, "-c", "import voip; print(voip.pcm.packedToFloat(0, 0), voip.engine.AudioEngine.__name__)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "0.0 AudioEngine\n"


def test_star_gives_the_documented_names():
    names = {}
    exec("from voip import *", names)
    assert set(NAMES["voip"].split()) <= names.keys()
    assert set(NAMES["voip"].split()) <= set(dir(voip))


def test_other_names_are_an_error():
    with pytest.raises(AttributeError, match=r"module 'voip' has no attribute 'runVoipServer'"):
        _ = voip.runVoipServer  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"module 'voip.engine' has no attribute 'Engine'"):
        _ = voip.engine.Engine  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="cannot import name 'runVoipServer'"):
        exec("from voip import runVoipServer")


def test_importing_the_names_imports_nothing_heavy():
    script = (
        "import sys, voip, voip.tts; from voip import loadWAVtoPCM, savePCMtoWAV, normalizePCM, TTStoPCM\n"
        "heavy = {'numpy', 'scipy', 'numba', 'soundfile', 'soxr', 'pjsua2', 'pyaudio', 'espeakng_loader'}\n"
        "print(*heavy.intersection(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", ["pjsip.Call", "pjsip.Account", "pjsip.AudioMediaPort", "fake.FakeCall"])
def test_what_makes_no_sense_here_says_so(path):
    module, _, name = path.partition(".")
    kind = getattr(importlib.import_module(f"voip.{module}"), name)
    says = rf"^voip\.{path} is not in graphvoip: .*give runVoipClient a handler"
    with pytest.raises(NotImplementedError, match=says):
        kind()
    with pytest.raises(NotImplementedError, match=says):
        type("Mine", (kind,), {})


# --- Samples ----------------------------------------------------------------------------------------------------------


def test_packed_samples_are_twos_complement_over_32767():
    assert packedToFloat(0, 0) == 0
    assert packedToFloat(0x7F, 0xFF) == 1
    assert packedToFloat(0x40, 0x00) == 16384 / 32767
    assert packedToFloat(0xFF, 0xFF) == -1 / 32767
    assert packedToFloat(0x80, 0x00) == -32768 / 32767
    assert floatToPacked(0) == (0, 0)
    assert floatToPacked(1) == (0xFF, 0x7F)
    assert floatToPacked(-1) == (0x01, 0x80)
    assert floatToPacked(0.5) == (0xFF, 0x3F)  # 16383.5, towards zero
    assert floatToPacked(-1 / 32767) == (0xFF, 0xFF)
    with pytest.raises(OverflowError):
        floatToPacked(1.1)


def test_resample_takes_means_on_the_way_down():
    assert resample([1, 3, 5, 7, 9, 11], 16000, 8000) == [2, 6]
    assert resample([1.0, 2, 3, 4], 8000, 8000) == [1, 2, 3]
    assert resample([], 44100, 8000) == []
    x = np.sin(2 * np.pi * 440 * np.arange(44100) / 44100).tolist()
    assert len(resample(x, 44100, 8000)) == pytest.approx(8000, abs=2)


def test_normalize_trims_and_scales_as_it_did():
    assert normalizePCM([0, 0.005, 0.25, -0.5, 0.1, 0.004]) == [0.5, -1.0]  # the last loud sample goes too
    assert normalizePCM([0, 0.004]) == normalizePCM([]) == normalizePCM([0, 0.9, 0]) == []
    assert type(normalizePCM(array.array("f", [0.5, 0.25, 0.5]))) is list


def test_a_file_keeps_its_16_bit_numbers(tmp_path):
    numbers = [0, 1, -1, 12345, -12345, 32767, -32768]
    with wave.open(str(tmp_path / "x.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.array(numbers, "<i2").tobytes())
    pcm = loadWAVtoPCM(str(tmp_path / "x.wav"))
    assert type(pcm) is list
    assert type(pcm[0]) is float
    assert pcm == [number / 32767 for number in numbers]
    assert loadWAVtoPCM(path=tmp_path / "x.wav") == voip.loadWAVtoPCM(filename=tmp_path / "x.wav") == pcm
    assert loadWAVtoPCM(io.BytesIO((tmp_path / "x.wav").read_bytes())) == pcm
    assert importlib.import_module("voip.tts").loadWAVtoPCM(tmp_path / "x.wav") + pcm == 2 * pcm


def test_saving_writes_32767ths(tmp_path):
    savePCMtoWAV([0, 0.5, -0.5, 1, -1, 3], filename=str(tmp_path / "x.wav"))
    voip.savePCMtoWAV(array.array("d", [0, 0.5, -0.5, 1, -1, 3]), path=tmp_path / "y.wav")
    for name in ("x.wav", "y.wav"):
        with wave.open(str(tmp_path / name), "rb") as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
            found = np.frombuffer(file.readframes(file.getnframes()), "<i2").tolist()
        assert found == [0, 16383, -16383, 32767, -32767, 32767]
    with pytest.raises(ValueError, match="savePCMtoWAV: sample 1 is nan"):
        savePCMtoWAV([0, float("nan")], tmp_path / "z.wav")


def test_speech_is_a_plain_list():
    pcm = voip.TTStoPCM("one two")
    assert type(pcm) is list
    assert type(pcm[0]) is float
    assert len(pcm) > 4000


@pytest.mark.parametrize(
    ("given", "options"), [({}, "-p bdl"), ({"opts": ["-p", "slt"]}, "-p slt"), ({"voice": "anna"}, "-p anna")]
)
def test_rhvoice_speaks_as_bdl_without_options(monkeypatch, tmp_path, given, options):
    script = tmp_path / "RHVoice-test"
    script.write_text(
        '#!/bin/sh\necho "$@" >' + f"{tmp_path}/args\n"
        'while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done\nexec espeak-ng --stdin -w "$out"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("GRAPHVOIP_CACHE", "off")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("graphvoip.tts_engines.Rhvoice.folders", ())
    assert len(voip.TTStoPCM("hello there", engine="rhvoice", **given)) > 4000
    assert re.fullmatch(rf"{options} -o \S+\n", (tmp_path / "args").read_text())


# --- DTMF and AudioEngine by themselves -------------------------------------------------------------------------------


def test_dtmf_gives_keys_to_who_waits():
    async def main():
        dtmf, firsts = DTMF(), []
        dtmf.onDtmfDigit("9")  # nobody waits: lost
        wanted = dtmf.getDTMF(n=2, filter="123", on_first=firsts.append)
        with pytest.raises(RuntimeError, match="waits for keys already"):
            dtmf.getDTMF()
        for key in "9123":
            dtmf.onDtmfDigit(key)
        assert await wanted == "12"
        assert firsts == ["1"]
        zero = dtmf.getDTMF(n=0)
        dtmf.onDtmfDigit("5")
        assert await zero == "5"
        cancelled = dtmf.getDTMF(n=4)
        dtmf.onDtmfDigit("5")
        cancelled.cancel()
        dtmf.onDtmfDigit("6")
        again = dtmf.getDTMF()
        dtmf.onDtmfDigit("7")
        assert await again == "7"

    asyncio.run(main())


def test_an_audio_engine_can_be_driven_by_hand():
    async def main():
        engine = AudioEngine(8000)
        playing = engine.playPCM([0.5, 0.75, 0.5])
        engine.playPCM([0.25, 0.5], loop=True)
        custom = engine.playCustom(lambda t, delta: None if t >= 2 * delta else 8000 * delta / 4)
        assert engine.onFrameRequested(6) == [1, 1, 0.75, 0.5, 0.25, 0.5]  # the sum, clipped
        assert await playing is await custom is True
        paced = AudioEngine(8000)
        assert paced.onFrameRequested(8000 * 60) == [0] * 480000
        assert paced.onFrameRequested(160) is None  # a minute too early

    asyncio.run(main())


def test_an_audio_engine_plays_tones():
    async def main():
        engine = AudioEngine(8000)
        tone = engine.playTone(pitch=1000, duration=0.001)
        assert engine.onFrameRequested(10) == pytest.approx(
            [0, 0.5**0.5, 1, 0.5**0.5, 0, -(0.5**0.5), -1, -(0.5**0.5), 0, 0]
        )
        assert await tone is True
        never = AudioEngine(8000)
        tone = never.playTone(1000, -1)
        assert never.onFrameRequested(1) == [0]
        assert await tone is True

    asyncio.run(main())


def test_an_audio_engine_records():
    async def main():
        engine, controller = AudioEngine(8000), RecordController()
        with pytest.raises(ValueError, match="nothing would end it"):
            engine.recordPCM()
        by_length, by_hand = engine.recordPCM(maxlen=2.5), engine.recordPCM(controller, maxlen=0)
        until_zero = engine.recordCustom(lambda sample: sample)
        engine.onFrameReceived([1, 2, 3, 4])
        controller.stopped = True
        engine.onFrameReceived([0, 6])
        assert await by_length == [1, 2, 3]
        assert await by_hand == [1, 2, 3, 4, 0]
        assert await until_zero is True

    asyncio.run(main())


def test_a_call_interface_delegates():
    class Fake:
        remoteUri = "sip:me"

        def getDTMF(self, n):
            return n * "1"

        def playTone(self, pitch, duration):
            return pitch, duration

    call = CallInterface(Fake(), Fake(), Fake())
    assert call.getRemoteUri() == "sip:me"
    assert call.getDTMF(n=3) == "111"
    assert call.playTone(440, duration=1) == (440, 1)
    assert delegate_method("call", "getDTMF")(call, 2) == "11"


# --- Calls ------------------------------------------------------------------------------------------------------------


async def test_a_call_is_a_call_interface_and_knows_graphvoips_methods_too(phone):
    async def handler(call):
        assert isinstance(call, CallInterface)
        assert isinstance(call.engine, AudioEngine)
        assert isinstance(call.dtmf, DTMF)
        assert call.getRemoteUri() == call.call.getRemoteUri() == '"4477" <sip:4477@localhost>'
        assert call.time == 0
        with pytest.raises(NotImplementedError, match="do not pass through Python"):
            call.engine.onFrameRequested(160)
        with pytest.raises(NotImplementedError, match="do not pass through Python"):
            call.engine.onFrameReceived([0])
        with pytest.raises(AttributeError, match="has no attribute 'transfer'"):
            call.transfer()
        await call.sendDTMF("1")
        call.hangup()

    async with phone(handler, number="4477") as p:
        assert await p.hung_up()
        assert p.digits == "1"


def test_calls_in_real_time(live):
    async def handler(call):
        call.results = [await call.playTone(440, 0.1), await call.playPCM([0.5] * 800)]
        controller = RecordController()
        recording = call.recordPCM(controller, maxlen=0)
        call.results.append(await call.recordCustom(lambda sample: 0))
        controller.stopped = True
        call.results.append(type(await recording))

    async def test(engine, call):
        _, one, task = call(handler)
        await task
        assert one.error is None
        assert one.results == [True, True, True, list]

    live(test)


async def test_keywords_are_the_originals_and_those_of_the_api(phone):
    async def handler(call):
        await call.playTone(pitch=420, duration=0.2)
        await call.playTone(frequency=520, seconds=0.2)
        await call.playPCM(pcm=[0.25] * 800, loop=False)
        await call.playPCM(samples=[0.25] * 800)
        await call.playCustom(func=lambda t, delta: None if t > 0.1 else 0.1)
        await call.playCustom(f=lambda t, delta: None if t > 0.1 else 0.1)
        assert len(await call.recordPCM(controller=RecordController(), maxlen=160)) == 160
        await call.recordCustom(func=lambda sample: False)
        await call.recordCustom(f=lambda sample: False)
        with pytest.raises(TypeError):
            call.playTone(height=420, duration=0.2)

    async with phone(handler) as p:
        assert await p.hears_tone(420)
        assert await p.hears_tone(520)
        assert await p.hung_up()


async def test_results_are_true(phone):
    async def handler(call):
        assert await call.playTone(440, 0.1) is True
        assert await call.playTone(440, 0) is True
        assert await call.playPCM([0.5] * 100) is True
        assert await call.playPCM([]) is True
        assert await call.playCustom(lambda t, delta: None) is True
        assert await call.recordCustom(lambda sample: False) is True
        stopped = call.playPCM([0.5], loop=True)
        stopped.stop()
        assert await stopped is True
        call.reached = True

    async with phone(handler) as p:
        assert await p.hung_up()
        assert p.call.reached


async def test_negative_and_infinite_durations(phone):
    async def handler(call):
        assert await call.playTone(440, -1) is True
        assert call.time < 0.1
        for forever in (float("inf"), float("nan")):
            tone = call.playTone(440, forever)
            await asyncio.sleep(30)
            assert not tone.done()
            tone.cancel()
        call.reached = True

    async with phone(handler) as p:
        assert await p.hung_up(within=100)
        assert p.call.reached


@pytest.mark.parametrize(("pitch", "heard"), [(-440, 440), (7000, 1000), (8440, 440), (4440, 3560)])
async def test_any_pitch_sounds_as_its_samples_do(phone, pitch, heard):
    async def handler(call):
        await call.playTone(pitch, 0.5)

    async with phone(handler) as p:
        assert await p.hears_tone(heard)


async def test_keys_are_lost_while_nobody_waits(phone):
    async def handler(call):
        await call.playTone(440, 1)
        first = await call.getDTMF()
        await call.playTone(550, 1)
        call.got = first + await call.getDTMF(n=2)

    async with phone(handler) as p:
        await p.press("12")
        await p.wait(1)
        await p.press("3")
        await p.press("4")
        await p.wait(1)
        await p.press("56")
        assert await p.hung_up()
        assert p.call.got == "356"
        assert type(p.call.got) is str


async def test_filters_counts_and_the_first_key(phone):
    firsts = []

    async def handler(call):
        got = [await call.getDTMF(n=2, filter=["1", "2"], on_first=firsts.append)]
        got.append(await call.getDTMF(n=1.5, filter={"3": "any container"}))
        got.append(await call.getDTMF(n=-1))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call.getDTMF(filter=""), 1)
        call.got = got

    async with phone(handler) as p:
        await p.press("3142")
        await p.press("1332")
        await p.press("5")
        assert await p.hung_up()
        assert p.call.got == ["12", "33", "2"]
        assert firsts == ["1"]


async def test_a_hangup_cancels_what_waits_for_keys_in_another_task(phone):
    tasks = []

    async def keys(call):
        await call.getDTMF()

    async def handler(call):
        tasks.append(asyncio.ensure_future(keys(call)))
        await call.playTone(440, float("inf"))

    async with phone(handler) as p:
        await p.wait(1)
    await asyncio.wait(tasks, timeout=1)
    assert tasks[0].cancelled()


async def test_a_handler_that_swallows_the_hangup_ends_at_its_next_wait_for_keys(phone):
    async def handler(call):
        try:
            await asyncio.wait_for(call.getDTMF(), 15)
        except:  # noqa: E722
            pass
        await call.getDTMF()
        call.went_on = True

    async with phone(handler) as p:
        await p.wait(1)
        p.hangup()
        await asyncio.sleep(1)
        assert p.call._task is None  # the handler is over
        assert not hasattr(p.call, "went_on")


@pytest.mark.parametrize(("maxlen", "samples"), [(800, 800), (800.0, 800), (799.5, 800), (0.5, 1), (-5, 1), (True, 1)])
async def test_a_recording_ends_at_maxlen(phone, maxlen, samples):
    async def handler(call):
        call.got = await call.recordPCM(None, maxlen)

    async with phone(handler) as p:
        assert await p.hung_up()
        assert type(p.call.got) is list
        assert len(p.call.got) == samples


async def test_a_long_recording_is_a_list_of_all_its_samples(phone):
    async def handler(call):
        call.got = await call.recordPCM(maxlen=25 * 8000)

    async with phone(handler) as p:
        said = np.arange(25 * 8000) / 2**18
        await p.play(said)
        assert await p.hung_up()
        assert type(p.call.got) is list
        assert len(p.call.got) == 200000
        start = p.call.got.index(1 / 2**8)
        heard = p.call.got[start:]
        assert all(type(sample) is float for sample in heard)
        assert heard[80000] == pytest.approx(1 / 2**8 + 80000 / 2**18, abs=1e-4)


@pytest.mark.parametrize("maxlen", [None, 0, 0.0, float("inf"), float("nan")])
@pytest.mark.parametrize("how", ["stop", "set", "own"])
async def test_a_recording_without_a_limit_ends_by_its_controller(phone, maxlen, how):
    class Own:
        stopped = False

    async def handler(call):
        controller = Own() if how == "own" else RecordController()
        recording = call.recordPCM(controller=controller, maxlen=maxlen)
        await asyncio.sleep(1)
        assert not recording.done()
        if how == "stop":
            controller.stop()
        else:
            controller.stopped = True
        call.got = await recording

    async with phone(handler) as p:
        await p.play([0.5] * 4000)
        assert await p.hung_up()
        assert 8000 <= len(p.call.got) <= 8160
        assert p.call.got[2000] == 0.5


async def test_recordings_that_nothing_ends(phone):
    async def handler(call):
        with pytest.raises(ValueError, match="nothing would end it"):
            call.recordPCM()
        recording = call.recordPCM(maxlen=0)
        await asyncio.sleep(10)
        assert not recording.done()
        recording.cancel()
        call.recordPCM(maxlen=float("inf")).cancel()
        with pytest.raises(asyncio.CancelledError):
            await recording
        call.reached = True

    async with phone(handler) as p:
        assert await p.hung_up(within=20)
        assert p.call.reached


async def test_a_controller_that_has_stopped_records_one_sample_and_may_be_set_back(phone):
    async def handler(call):
        controller = RecordController()
        controller.stop()
        assert controller.stopped is True
        assert len(await call.recordPCM(controller)) == 1
        controller.stopped = False
        recording = call.recordPCM(controller)
        await asyncio.sleep(0.5)
        controller.stop()
        assert len(await recording) == 4000
        assert len(controller.recorded) == 4000
        call.reached = True

    async with phone(handler) as p:
        assert await p.hung_up()
        assert p.call.reached


@pytest.mark.parametrize("last", [False, 0, 0.0, np.False_, np.int16(0)])
async def test_record_custom_stops_on_what_equals_false(phone, last):
    heard = []

    async def handler(call):
        def listen(sample):
            heard.append(sample)
            return last if len(heard) == 100 else [None, True, 1, "", []][len(heard) % 5]

        assert await call.recordCustom(listen) is True

    async with phone(handler) as p:
        assert await p.hung_up()
    assert len(heard) == 100


async def test_a_coroutine_function_for_samples_is_refused(phone):
    async def listen(sample):
        return False

    async def handler(call):
        with pytest.raises(TypeError, match=r"recordCustom: .* is not a plain function"):
            call.recordCustom(listen)
        call.reached = True

    async with phone(handler) as p:
        assert await p.hung_up()
        assert p.call.reached


async def test_a_playback_can_be_cancelled(phone):
    async def handler(call):
        music = call.playPCM(np.sin(np.arange(800) * 2 * np.pi * 440 / 8000).tolist(), loop=True)
        await call.getDTMF()
        assert music.cancel()
        await asyncio.sleep(1)

    async with phone(handler) as p:
        assert await p.hears_tone(440)
        await p.press("1")
        assert await p.hears_quiet(0.5, within=1)


@pytest.mark.parametrize("own", [True, False])
def test_one_at_a_time_plays_the_scripts_own_busy_sound_if_it_has_one(tmp_path, monkeypatch, own):
    monkeypatch.chdir(tmp_path)
    if own:
        (tmp_path / "assets").mkdir()
        sound = 0.5 * np.sin(2 * np.pi * 777 * np.arange(8000) / 8000)
        savePCMtoWAV(sound.tolist(), tmp_path / "assets" / "experiment_busy.wav")

    @voip.one_at_a_time
    async def handler(call):
        await call.getDTMF()
        await call.playTone(440, 0.2)
        return "done"

    async def main():
        async with ring(handler) as first, ring(handler) as second:
            assert await second.hears_tone(777, within=2) is own
            assert await second.hung_up(within=20)
            assert second.heard.any()
            await first.press("1")
            assert await first.hears_tone(440)

    run_virtual(main())


def test_one_at_a_time_gives_what_the_handler_gives():
    @voip.one_at_a_time
    async def handler(call):
        return call

    assert asyncio.run(handler("the call")) == "the call"
    assert handler.__name__ == "handler"


# --- runVoipClient ----------------------------------------------------------------------------------------------------


async def two_keys(call):
    await asyncio.sleep(1)
    print(type(call).__name__, call.getRemoteUri(), await call.getDTMF(n=2))


@pytest.mark.parametrize("module", ["voip", "voip.fake"])
def test_run_voip_client_rings_a_simulated_call(monkeypatch, capsys, module):
    monkeypatch.setenv("GRAPHVOIP_DEVICE", "virtual")
    monkeypatch.setenv("GRAPHVOIP_SCRIPT", "keys 9; wait 2; keys 12; wait 1")
    monkeypatch.setattr(sys, "argv", ["script.py", "4477"])
    run = importlib.import_module(module).runVoipClient
    run(taskFunction=two_keys, port=5070)
    run(handler=two_keys)
    run(two_keys)
    assert capsys.readouterr().out == 3 * 'VoipCall "4477" <sip:4477@localhost> 12\n'


def test_fake_is_simulated_whatever_is_set_and_pjsip_is_sip(monkeypatch):
    devices = []

    def run(handler, device, limit=10):
        devices.append(device.name)

    monkeypatch.setattr(graphvoip.client, "run", run)
    monkeypatch.setattr("graphvoip.io.sound_card.devices", list)
    monkeypatch.setattr(sys, "argv", ["script.py"])
    fake, pjsip = (importlib.import_module(f"voip.{name}").runVoipClient for name in ("fake", "pjsip"))
    for name, value in (("GRAPHVOIP_DEVICE", "pjsip"), ("QUECEY_VOIP_REAL", "1"), ("GRAPHVOIP_DEVICE", "virtual")):
        monkeypatch.setenv(name, value)
        fake(two_keys)
        pjsip(two_keys, port=5071)
    assert devices == 3 * ["virtual", "pjsip"]


SCRIPT = """
async def handler(call):
    print(type(call).__name__, call.time)
    raise ZeroDivisionError("mine")

{guard}runVoipClient(handler)
"""


@pytest.mark.parametrize("guard", ["", "if __name__ == '__main__':\n    "])
@pytest.mark.parametrize(
    ("imports", "kind"),
    [
        ("from voip import runVoipClient", "VoipCall"),
        ("from voip import *", "VoipCall"),
        ("from voip.pjsip import runVoipClient", "VoipCall"),
        ("import voip\nrunVoipClient = voip.runVoipClient", "VoipCall"),
        ("from graphvoip import runVoipClient", "Call"),
        ("from graphvoip import runVoipClient\nfrom voip import loadWAVtoPCM", "Call"),
    ],
)
def test_the_command_line_gives_a_handler_the_calls_of_its_import(graphvoip, tmp_path, imports, kind, guard):
    path = tmp_path / "answering.py"
    path.write_text(f"{imports}\n{SCRIPT.format(guard=guard)}")
    result = graphvoip("call", path)
    assert f"{kind} 0" in result.stdout
    first, place, *_, last = result.stderr.splitlines()
    assert first == "Traceback (most recent call last):"
    assert place.startswith(f'  File "{path}", line ')  # ours are left out
    assert last == "graphvoip: the handler failed: ZeroDivisionError: mine"


async def test_a_file_that_imports_the_package_only_gets_its_calls_too(phone):
    names = {}
    exec("import voip\nasync def handler(call):\n    call.kind = type(call).__name__\n", names)
    async with phone(names["handler"]) as p:
        assert await p.hung_up()
        assert p.call.kind == "VoipCall"


def test_a_handler_that_is_no_function_is_told(monkeypatch):
    monkeypatch.setenv("GRAPHVOIP_DEVICE", "virtual")
    monkeypatch.setattr(sys, "argv", ["script.py"])
    with pytest.raises(TypeError, match="the handler is None"):
        runVoipClient(None)


def test_a_handler_that_is_not_async_is_told(monkeypatch, caplog):
    def handler(call):
        call.playTone(440, 1)

    monkeypatch.setenv("GRAPHVOIP_DEVICE", "virtual")
    monkeypatch.setattr(sys, "argv", ["script.py"])
    with caplog.at_level(logging.ERROR), pytest.raises(SystemExit) as end:
        runVoipClient(handler)
    assert end.value.code == 1
    assert "write 'async def handler(call)'" in caplog.text
