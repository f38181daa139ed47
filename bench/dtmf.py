"""DTMF receivers against the standards, speech and music: ours, spandsp's and multimon-ng's, in one table.

    python bench/dtmf.py [--json] [--times 3] [--seed 1] [--part all]

A row is a requirement (tests/signals/dtmf_cases.py): of so many digits how many were missed, and how many were heard
that were not sent; `!` where that is more than is allowed. Then sounds without digits, where every digit is one too
many, and how fast each is. --part cases or sounds does one of them; --times is how much of each. What is not installed
is left out:

    sudo apt-get install libspandsp2 multimon-ng libgsm1 libbcg729-0 espeak-ng flite asterisk-moh-opsound-wav \\
        asterisk-core-sounds-{en,es,fr,it,ru}-wav
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import measure
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "signals"))
from dtmf_cases import CASES, judge, line
from dtmf_codecs import gsm
from dtmf_peers import PEERS
from dtmf_sounds import chords, machines, music, prompts, voices

from graphvoip import detect_dtmf
from graphvoip.rings import FRAME, RATE

RECEIVERS: dict[str, Any] = {"graphvoip": detect_dtmf} | PEERS


def cases(times: int, seed: int) -> list[dict]:
    rows, met = [], dict.fromkeys(RECEIVERS, 0)
    for case in CASES:
        scores = {name: judge(case, receive, seed, times) for name, receive in RECEIVERS.items()}
        sent = next(iter(scores.values())).sent
        cells = {}
        for name, score in scores.items():
            met[name] += score.passed
            cells[name] = f"-{score.missed} +{score.extra}{' ' if score.passed else '!'}"
        rows.append({"requirement": case.name, "digits": sent} | cells)
    whole = {name: f"{count}/{len(CASES)} " for name, count in met.items()}
    return [*rows, {"requirement": "requirements met", "digits": ""} | whole]


def sounds(times: int, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """(what kind, sound)"""
    for name, sound in prompts():
        yield f"speech, {name.removeprefix('prompts ')}", sound
        if gsm:
            yield "the same through GSM", gsm(sound)
    for name, sound in machines():
        yield f"speech, {name.split()[0]}", sound
    for _, sound in music():
        yield "music", sound
    for k in range(times):
        yield "synthetic voices", voices(seed + k, 20)
        yield "chords", chords(seed + k, 20)


def false_digits(times: int, seed: int) -> list[dict]:
    minutes: dict[str, float] = {}
    found: dict[str, dict[str, int]] = {}
    took = dict.fromkeys(RECEIVERS, 0.0)
    for kind, sound in sounds(times, seed):
        minutes[kind] = minutes.get(kind, 0.0) + len(sound) / RATE / 60
        counts = found.setdefault(kind, dict.fromkeys(RECEIVERS, 0))
        for name, receive in RECEIVERS.items():
            begin = time.perf_counter()
            counts[name] += len(receive(line(sound)))
            took[name] += time.perf_counter() - begin
    rows: list[dict] = [{"sound": kind, "minutes": minutes[kind]} | found[kind] for kind in found]
    speech = [kind for kind in found if kind.startswith(("speech", "the same"))]
    rows.append(
        {"sound": "all speech", "minutes": sum(minutes[kind] for kind in speech)}
        | {name: sum(found[kind][name] for kind in speech) for name in RECEIVERS}
    )
    faster = {name: round(60 * sum(minutes.values()) / took[name]) for name in RECEIVERS}
    return [*rows, {"sound": "times real time", "minutes": ""} | faster]


def costs() -> list[dict]:
    """Microseconds a frame of the node."""
    from graphvoip.nodes import Dtmf, DtmfTone, Pcm
    from graphvoip.plan import Plan

    random = np.random.default_rng(1)
    inputs = {
        "noise": random.uniform(-0.5, 0.5, 10 * RATE),
        "synthetic voices": voices(1, 0.3),
        "chords": chords(1, 0.3),
        "digits": DtmfTone(text="123A456B789C*0#D" * 100),
    }
    rows = []
    for name, sound in inputs.items():
        source = sound if isinstance(sound, DtmfTone) else Pcm(data=sound, loop=True)
        plan = Plan([Dtmf(source)])
        ((least, median),) = measure.alternate(9, (lambda plan=plan: plan.run(1000), 1000))
        rows.append({"input": name, "us a frame": median, "least": least})
    return rows


if __name__ == "__main__":
    options = measure.arguments(__doc__, times=3, seed=1, part="all")
    detect_dtmf(np.zeros(FRAME))  # compiled
    tables = {}
    if options.part in ("all", "cases"):
        tables["Digits missed and too many"] = cases(options.times, options.seed)
    if options.part in ("all", "sounds"):
        tables["False digits"] = false_digits(options.times, options.seed)
    if options.part in ("all", "cost"):
        tables["What the node costs"] = costs()
    measure.show(tables, options.json)
