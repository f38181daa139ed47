"""The line between a caller and us, as one writes it."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from graphvoip import render
from graphvoip.cli import app
from graphvoip.io.wav import load
from graphvoip.line import Line, on_line, parse
from graphvoip.nodes import Pcm, PhoneLine, Sine
from graphvoip.offline import as_on_a_line
from graphvoip.plan import Plan
from graphvoip.recipe import patch

ROOT = Path(__file__).parent.parent
RATE = 8000


def test_values_and_their_units():
    assert parse("pcmu, loss=3%, burst=2, delay=80 ms, jitter=0.02s, hum_freq=60Hz, band=off, seed=4") == {
        "codec": "pcmu", "loss": pytest.approx(0.03), "burst": 2, "delay": pytest.approx(0.08), "jitter": 0.02,
        "hum_freq": 60, "band": False, "seed": 4,
    }  # fmt: skip
    assert parse("alaw, noise=-40 dB, Level=-6dB") == {
        "codec": "pcma", "noise": pytest.approx(0.01), "level": pytest.approx(0.501, abs=0.001)
    }  # fmt: skip
    assert parse("") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("los=3%", "line: there is no 'los'; did you mean 'loss'?"),
        ("opus", "line: 'opus' is no codec; write pcmu, pcma, gsm, or none for no codec, as in 'pcmu, loss=3%"),
        ("codec=opus", "line: 'opus' is no codec; write pcmu, pcma, gsm, or none"),
        ("loss", "line: 'loss' has no value; write loss=..., as in 'pcmu, loss=3%"),
        ("xyz=3", "line: there is no 'xyz'; it has level, echo,"),
        ("xyz=3", "conceal and seed, as in 'pcmu, loss=3%, noise=-45dB'"),
        ("loss=much", "line: 'loss=much': write a number, with %, dB, ms, s or Hz"),
        ("band=3", "line: 'band=3': band is on or off"),
        ("loss=1%, loss=2%", "line: loss is given twice"),
        ("loss=300%", "phone_line: loss 3 x is outside 0..1"),
        ("conceal=maybe", "line: conceal 'maybe' is none of repeat, silence"),
    ],
)
def test_what_is_wrong_is_named(text, words):
    with pytest.raises(ValueError, match=words.replace(".", r"\.").replace("?", r"\?")):
        parse(text)


def test_samples_go_through_it_whole():
    samples = np.random.default_rng(1).uniform(-1, 1, 1000).astype(np.float32)
    np.testing.assert_array_equal(on_line(samples, "none, band=off"), samples)
    assert len(on_line([], "pcmu")) == 0


def test_a_rendering_hears_both_ways_of_it():
    voice = np.random.default_rng(1).uniform(-0.5, 0.5, 8000)

    @patch
    def echo(voice):
        return voice * 0.5

    line = "pcma, loss=10%, noise=-50dB, delay=30ms"
    heard = render(echo(), 1, voice=voice, line=line)
    between = Line(line)
    said = run_alone(between.node(0.0, 0), as_on_a_line(voice))
    plain = render(echo(), 1, voice=said)
    np.testing.assert_array_equal(heard, run_alone(between.node(0.0, 1), plain))


def run_alone(node, samples):
    node.input = Pcm(data=np.asarray(samples, np.float32))
    plan, found = Plan([node]), []
    for _ in range(len(samples) // 160):
        plan.run()
        found.append(node.samples().copy())
    return np.concatenate(found)


async def test_a_phone_on_a_line_hears_what_a_rendering_does(phone):
    line = "pcmu, loss=10%, noise=-45dB, seed=2"

    async def handler(call):
        call.play(Sine(freq=441) * 0.3)
        await asyncio.sleep(0.5)

    async with phone(handler, line=line) as p:
        assert await p.hung_up()
    rendered = render(Sine(freq=441) * 0.3, 0.4, line=line)
    apart = np.abs(p.heard[:3200] - rendered[:3200])
    assert np.mean(apart < 2 / 32768) > 0.99  # before the codec a call has 16 bits: some fall on another step
    assert apart.max() < 0.01


async def test_what_the_caller_says_goes_through_it_too(phone):
    said = 0.3 * np.sin(2 * np.pi * 441 * np.arange(8000) / RATE)

    async def handler(call):
        call.heard = await call.recordPCM(maxlen=8000)

    async with phone(handler, line="pcmu, loss=30%, conceal=silence, band=off") as p:
        await p.play(said)
        assert await p.hung_up()
    packets = np.array(p.call.heard).reshape(-1, 160)
    assert 5 <= np.sum(~packets.any(axis=1)) <= 25
    assert np.abs(p.said[:8000] - said).max() < 1e-4  # the phone keeps what was said, as it was said


def test_the_commands_take_it(tmp_path):
    (tmp_path / "handler.py").write_text("async def handler(call):\n    await call.playTone(441, 0.3)\n")
    run = CliRunner().invoke
    out = tmp_path / "a.wav"
    done = run(app, ["call", str(tmp_path / "handler.py"), "--out", str(out), "--line", "pcmu, level=-20dB"])
    assert done.exit_code == 0, done.output
    assert np.abs(load(out)).max() == pytest.approx(0.1, rel=0.1)
    done = run(app, ["render", str(ROOT / "patches" / "chime.json"), "-o", str(out), "--line", "gsm=1"])
    assert done.exit_code == 1
    assert "there is no 'gsm'" in done.output
    done = run(app, ["render", str(ROOT / "patches" / "chime.json"), "-o", str(out), "--line", "none, level=-40dB"])
    assert done.exit_code == 0, done.output
    assert 0 < np.abs(load(out)).max() < 0.01


def test_a_line_is_a_node_in_files():
    assert PhoneLine.schema()["properties"]["codec"]["enum"] == ["none", "pcmu", "pcma", "gsm"]
