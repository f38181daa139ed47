"""Every example is rung on the virtual clock, and what the caller hears is measured."""

import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from graphvoip import TTStoPCM, loadWAVtoPCM, normalizePCM, sstv_decode, sstv_encode
from graphvoip.cli_files import load_handler
from graphvoip.listen import level, tones
from graphvoip.telegraph import fsk_decode, fsk_encode

ROOT = Path(__file__).parent.parent
FRAME = 160


@pytest.fixture
def example():
    """example(name) -> the handler of that file, imported anew; its module's globals are handler.__globals__."""
    before = set(sys.modules)
    yield lambda name: load_handler(ROOT / "examples" / f"{name}.py")
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", "").startswith(str(ROOT / "examples")):
            del sys.modules[name]


def stretches(heard):
    """Where it sounds: (first sample, length), silences shorter than 5 ms not counted as such."""
    sound = np.flatnonzero(heard)
    if not sound.size:
        return []
    cuts = np.flatnonzero(np.diff(sound) > 40)
    firsts, lasts = sound[np.r_[0, cuts + 1]], sound[np.r_[cuts, sound.size - 1]]
    return [(int(first), int(last - first) + 1) for first, last in zip(firsts, lasts, strict=True)]


def assert_tones(heard, *expected):
    """Nothing but these tones: (frequency, first sample, length), exact to the samples that are 0 at a tone's ends."""
    found = stretches(heard)
    assert len(found) == len(expected)
    for (first, length), (frequency, start, size) in zip(found, expected, strict=True):
        assert first == pytest.approx(start, abs=2)
        assert length == pytest.approx(size, abs=3)
        ((pitch, loudness),) = tones(heard[first : first + length])
        assert pitch == pytest.approx(frequency, abs=1)
        assert loudness == pytest.approx(-3, abs=0.5)


def asset(name):
    return np.array(loadWAVtoPCM(ROOT / "assets" / name))


def in_16_bits(samples):
    """What a line of 16 bits makes of samples."""
    return np.clip(np.rint(np.asarray(samples) * 32768), -32768, 32767) / 32768


def noise(seconds, seed=1):
    return in_16_bits(np.random.default_rng(seed).uniform(-0.5, 0.5, round(8000 * seconds)))


def frames(samples):
    """When something of so many samples is over: the next frame begins."""
    return -(-samples // FRAME) * FRAME


# --- Sounds -----------------------------------------------------------------------------------------------------------


async def test_hello(phone, example):
    async with phone(example("hello")) as p:
        assert await p.hung_up()
    assert_tones(p.heard[:4000], (420, 0, 4000))
    assert_tones(p.heard[4000:8000], (560, 0, 4000))
    assert_tones(p.heard[8000:], (650, 0, 4000))
    assert len(p.heard) == 12000


async def test_custom_sound(phone, example):
    async with phone(example("custom_sound")) as p:
        assert await p.hung_up()
    sound = asset("my_sound.wav")
    assert np.array_equal(p.heard[: sound.size], sound)
    assert len(p.heard) == frames(sound.size)


async def test_speech(phone, example):
    async with phone(example("speech")) as p:
        assert await p.hung_up(within=30)
    hello = in_16_bits(TTStoPCM("Hello, and thank you for your call."))
    bye = in_16_bits(TTStoPCM("Good bye.", opts=["-v", "en+f3", "-s", "120"]))
    second = frames(hello.size)
    assert np.array_equal(p.heard[: hello.size], hello)
    assert np.array_equal(p.heard[second : second + bye.size], bye)
    assert 1 < hello.size / 8000 < 5
    assert -35 < level(hello) < -6


async def test_text_telephone(phone, example):
    async with phone(example("text_telephone")) as p:
        await p.wait(6)
        await p.play(fsk_encode("ADA GA", "tdd"))
        assert await p.hung_up(within=30)
        assert fsk_decode(p.heard, "tdd") == "HELLO, WHO IS CALLING GAGOOD DAY ADA SK"
        said = in_16_bits(TTStoPCM("You are ADA."))
        size = len(said)
        assert any(np.array_equal(p.heard[at : at + size], said) for at in range(0, len(p.heard), 160))


# --- Keys -------------------------------------------------------------------------------------------------------------


async def test_one_key(phone, example, capsys):
    async with phone(example("one_key")) as p:
        await p.wait(2)
        await p.press("5")
        assert await p.hung_up()
    assert_tones(p.heard, (1000, 0, 2000))
    assert capsys.readouterr().out == "5\n"


async def test_four_keys(phone, example, capsys):
    async with phone(example("four_keys")) as p:
        await p.wait(1)
        await p.press("1*2#34")
        assert await p.hung_up()
    assert capsys.readouterr().out == "1234\n"
    assert_tones(p.heard, (1000, 0, 2000), (650, 2 * 8000 + FRAME, 4000))


async def test_timeout(phone, example, capsys):
    async with phone(example("timeout")) as p:
        assert await p.hung_up(within=70)
    assert_tones(p.heard, (1000, 0, 2000), (420, frames(2000) + 60 * 8000, 4000))
    assert capsys.readouterr().out == "nobody pressed a key\n"


async def test_timeout_with_a_key_in_its_last_second(phone, example, capsys):
    async with phone(example("timeout")) as p:
        await p.wait(60)
        await p.press("7")
        assert await p.hung_up()
    assert_tones(p.heard, (1000, 0, 2000), (650, 60 * 8000 + FRAME, 4000))
    assert capsys.readouterr().out == "7\n"


async def test_cancel(phone, example):
    handler = example("cancel")
    sine = in_16_bits(0.5 * np.sin(2 * np.pi * 441 * np.arange(8000) / 8000))
    handler.__globals__["my_sound"] = sine
    async with phone(handler) as p:
        await p.wait(2)
        await p.press("1")
        assert await p.hung_up()
    key = 2 * 8000
    assert np.array_equal(p.heard[: key + FRAME], np.tile(sine, 3)[: key + FRAME])
    # It fades in the frame after the key's, and then there is only the tone that was begun meanwhile.
    assert all(abs(pitch - 650) < 20 for pitch, _ in tones(p.heard[key + 2 * FRAME :], share=1e-4))
    assert len(p.heard) == key + FRAME + 4000
    # No click where the fade begins and ends: a cut would be heard far above both pitches, at -25 dB.
    edges = p.heard[key : key + 4 * FRAME]
    spectrum = np.abs(np.fft.rfft(edges * np.hanning(edges.size))) * 4 / edges.size
    assert 20 * np.log10(spectrum[round(1500 * edges.size / 8000) :].max()) < -50


async def test_cancel_with_another_key(phone, example):
    async with phone(example("cancel")) as p:
        await p.wait(1)
        await p.press("2")
        assert await p.hung_up()
    assert_tones(p.heard[8000 + 2 * FRAME :], (420, 0, 4000 - FRAME))


@pytest.mark.parametrize(("keys", "name"), [("1234", "password_correct.wav"), ("1243", "password_incorrect.wav")])
async def test_password(phone, example, keys, name):
    async with phone(example("password")) as p:
        await p.wait(2)
        await p.press(keys)
        assert await p.hung_up()
    assert_tones(p.heard[: 2 * 8000], (420, 0, 4000), (560, 4800, 4000), (650, 9600, 4000))
    answer, last_key = asset(name), round((2 + 3 * 0.2) * 8000)
    assert np.array_equal(p.heard[last_key + FRAME :][: answer.size], answer)
    assert len(p.heard) == last_key + FRAME + frames(answer.size)


async def test_password_typed_ahead(phone, example):
    async with phone(example("password")) as p:
        await p.press("1234")
        assert await p.hung_up()
    answer = asset("password_correct.wav")
    assert np.array_equal(p.heard[14400 : 14400 + answer.size], answer)


async def test_password_of_nobody(phone, example):
    async with phone(example("password")) as p:
        assert await p.hung_up(within=70)
    assert len(p.heard) == 14400 + 60 * 8000
    assert len(stretches(p.heard)) == 3


# --- What the caller says ---------------------------------------------------------------------------------------------


async def test_record(phone, example):
    async with phone(example("record")) as p:
        await p.wait(1)
        await p.play(noise(1))
        await p.press("1")
        assert await p.hung_up()
    # Recorded is all that was said after the beep, up to the end of the frame in which the key came.
    begin, end = frames(2000), 2 * 8000 + FRAME
    assert_tones(p.heard[:end], (1000, 0, 2000))
    assert np.array_equal(p.heard[end:], p.said[begin:end])


async def test_echo(phone, example):
    async with phone(example("echo")) as p:
        await p.wait(0.5)
        await p.play(noise(2))
        await p.wait(1)
    delay = int(np.argmax(np.correlate(p.heard, p.said, "full"))) - len(p.said) + 1
    assert delay == 3 * FRAME - 1  # 60 ms, less the one sample by which the queue begins
    assert np.array_equal(p.heard[delay:], p.said[:-delay])


async def test_graph(phone, example):
    async with phone(example("graph")) as p:
        await p.wait(2)
        await p.play(0.5 * np.sin(2 * np.pi * 441 * np.arange(8000) / 8000))
        await p.press("1")
        assert await p.hung_up()
    fifth, echo = p.heard[:8000], p.heard[2 * 8000 :]
    assert sorted(round(pitch) for pitch, _ in tones(fifth)) == [440, 660]
    assert [loudness for _, loudness in tones(fifth[800:4800])] == pytest.approx([-15.05, -15.05], abs=0.4)
    assert stretches(p.heard)[0][1] == pytest.approx(8000 + 0.2 * 8000, abs=FRAME)
    assert np.abs(echo - 0.5 * p.said[2 * 8000 :]).max() <= 1 / 32768  # in the very frame in which it was said


# --- Larger ones ------------------------------------------------------------------------------------------------------


async def test_menu_tells_the_time(phone, example):
    handler = example("menu")
    inspect.unwrap(handler).__globals__["time"] = SimpleNamespace(localtime=lambda: SimpleNamespace(tm_hour=15))
    async with phone(handler) as p:
        await p.wait(1)
        await p.press("1")
        await p.wait(1)
        p.hangup()
    assert_tones(p.heard[:15000], (560, 0, 4000), *((800, 8000 + FRAME + n * 2400, 800) for n in range(3)))


async def test_menu_asks_again(phone, example):
    async with phone(example("menu")) as p:
        await p.wait(11)
    assert_tones(p.heard, *((560, n * 5 * 8000, 4000) for n in range(3)))


async def test_menu_on_hold(phone, example):
    music = np.tile(asset("my_sound.wav"), 3)
    async with phone(example("menu")) as p:
        await p.wait(1)
        await p.press("2")
        await p.wait(4)
        await p.press("5")
        assert await p.hears_tone(560)
    begin = 8000 + FRAME
    assert np.array_equal(p.heard[begin : begin + 4 * 8000], music[: 4 * 8000])


async def test_menu_typed_ahead(phone, example):
    async with phone(example("menu")) as p:
        await p.press("259")
        assert await p.hears_tone(420)
        assert await p.hung_up()
    assert len(p.heard) < 1.2 * 8000


async def test_menu_is_for_one_at_a_time(phone, example):
    handler = example("menu")
    async with phone(handler) as first, phone(handler) as second:
        assert await second.hears_tone(480)
        assert await first.hears_tone(560)
        assert await second.hung_up(within=10)
        assert first.ended is None


async def test_keypad_synth(phone, example):
    async with phone(example("keypad_synth")) as p:
        await p.press("1")
        assert await p.hears_tone(261.63)
        await p.press("5")
        assert await p.hears_tone(392.0)
        await p.wait(2)
        await p.press("135")
        await p.wait(0.3)
        chord = sorted(pitch for pitch, _ in tones(p.heard[-2400:], share=0.01))
        assert chord == pytest.approx([261.63, 329.63, 392.0], abs=2)
        await p.press("#")
        assert await p.hung_up()


async def test_demo_memo(phone, example):
    async with phone(example("demo")) as p:
        await p.wait(0.5)
        await p.press("1")  # cuts the melody short
        assert await p.hears_tone(1000)
        await p.wait(0.5)
        await p.play(noise(0.5))
        key = len(p.heard)
        await p.press("#")
        assert await p.hears_quiet(0.5)
    assert_tones(p.heard[4000 + 2 * FRAME : key], (1000, 0, 2000 - FRAME))
    said = in_16_bits(normalizePCM(noise(0.5)))
    assert np.array_equal(p.heard[key + FRAME :][: said.size], said)


async def test_demo_metal(phone, example):
    async with phone(example("demo")) as p:
        await p.press("2")
        await p.play(0.5 * np.sin(2 * np.pi * 441 * np.arange(4000) / 8000))
        assert sorted(round(pitch) for pitch, _ in tones(p.heard[-3200:])) == [441 - 60, 441 + 60]
        await p.press("09")
        assert await p.hears_tone(783.99)
        assert await p.hung_up()


async def test_patch_keypad(phone, example):
    async with phone(example("patch_keypad")) as p:
        await p.press("1")
        assert await p.hears_tone(262)
        assert await p.hears_quiet(0.3)
        before = overtones(p.heard, 262)
        await p.press("***")
        await p.press("1")
        assert await p.hears_quiet(0.3)
        dull = overtones(p.heard[-8000:], 262)
        await p.press("#####")
        await p.press("1")
        assert await p.hears_quiet(0.3)
        bright = overtones(p.heard[-8000:], 262)
        assert dull < before / 4 < before < bright
        await p.press("0")
        assert await p.hung_up()


def overtones(samples, pitch):
    """What is above the first overtone, as a share of all."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    return power[round(2.5 * pitch * len(samples) / 8000) :].sum() / power.sum()


async def test_synth_patch(phone, example):
    async with phone(example("synth_patch")) as p:
        await p.press("15")
        assert await p.hears_tone(261.63)
        await p.wait(0.6)
        both = [pitch for pitch, _ in tones(p.heard[-4000:], share=0.05)]  # the first rings on
        assert all(min(abs(note - pitch) for pitch in both) < 4 for note in (261.63, 440))
        await p.press("0")
        await p.wait(3)
        await p.press("9")
        await p.wait(0.2)
        ((pitch, _),) = tones(p.heard[-1600:], share=0.01)
        assert pitch == pytest.approx(783.99, abs=4)
        await p.press("#")
        assert await p.hung_up()


async def test_party(phone, example):
    """A chime for each; then everyone hears the others, a frame later, and of himself only a little of the room."""
    handler = example("party")
    tone = 0.4 * np.sin(2 * np.pi * 441 * np.arange(8000) / 8000)
    async with phone(handler) as first, phone(handler) as second, phone(handler) as third:
        for one in (first, second, third):
            assert await one.hears_sound(within=1)
        await first.wait(2.5)
        await first.play(tone)
        louder = [level(one.heard[-4000:]) for one in (first, second, third)]
        assert louder[1] == pytest.approx(louder[2], abs=0.1)
        assert louder[1] > louder[0] + 10
        assert await second.hears_tone(441)
        assert await third.hears_tone(441)
        await second.press("#")
        assert await second.hears_tone(420)
        assert await second.hung_up()
        assert first.ended is None


# --- Pictures ---------------------------------------------------------------------------------------------------------


async def test_picture_line(phone, example):
    handler = example("picture_line")
    module = inspect.unwrap(handler).__globals__
    module["time"] = SimpleNamespace(strftime=lambda form: "12:34:56")
    async with phone(handler) as p:
        await p.wait(1)
        await p.press("3")
        await p.wait(41)
    assert_tones(p.heard[:4000], (660, 0, 2000))
    ((image, mode, start),) = sstv_decode(p.heard)
    assert (mode, image.info["fsk_id"]) == ("R36", "LINE")
    assert start == pytest.approx(1, abs=0.1)
    sent = np.asarray(module["card"]("3", p.call.getRemoteUri()), float)
    assert np.sqrt(np.mean((np.asarray(image) - sent) ** 2)) < 12  # it has sharp edges; of 255


async def test_picture_mailbox(phone, example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shades = np.linspace(20, 230, 160).astype(np.uint8)
    picture = np.stack([np.tile(shades, (120, 1))] * 3, 2)
    async with phone(example("picture_mailbox")) as p:
        await p.wait(1)
        await p.play(sstv_encode(picture, "BW8"))
        assert await p.hears_tone(660)
        back = len(p.heard)
        await p.wait(13)
    (file,) = (tmp_path / "pictures").iterdir()
    assert capsys.readouterr().out == f"pictures/{file.name}: BW8, 120 rows\n"
    kept = np.asarray(Image.open(file), float)
    assert np.sqrt(np.mean((kept - picture) ** 2)) < 3
    ((image, mode, _),) = sstv_decode(p.heard[back:])
    assert (mode, image.info["fsk_id"]) == ("BW8", "MAILBOX")
    assert np.sqrt(np.mean((np.asarray(image) - kept) ** 2)) < 4


# --- As scripts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "script", "printed"),
    [
        ("hello", "until tone 420; until tone 560; until tone 650", ""),
        ("four_keys", "wait 1; keys 12*34; until tone 650", "1234\n"),
        ("password", "wait 2; keys 1234; until quiet", ""),
    ],
)
def test_as_a_script_from_any_directory(name, script, printed, tmp_path):
    env = os.environ | {"GRAPHVOIP_DEVICE": "virtual", "GRAPHVOIP_SCRIPT": script, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, ROOT / "examples" / f"{name}.py", "5551234567"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed
    assert "5551234567" in done.stderr


@pytest.mark.parametrize(("inband", "way"), [(False, "event"), (True, "tones")])
async def test_keys(phone, example, capsys, inband, way):
    """They are sent back as they came: as telephone events, or as tones."""
    async with phone(example("keys"), inband=inband) as p:
        await p.press("1470#")
        assert await p.hung_up()
    assert p.digits == "1470"
    told = capsys.readouterr().out.splitlines()
    assert [line[0] for line in told] == list("1470")
    assert all(line.endswith(f" s by {way}") for line in told)


def test_every_example_is_tested():
    names = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert names <= {name for name in names if f'example("{name}")' in Path(__file__).read_text()}
