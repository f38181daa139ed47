"""Call progress detection in figures: every tone of the table through bad lines, and what speech and music set off.

    python bench/progress.py [--quick]

prints the tables of docs/signals.md. False alarms are counted on what this machine has: Debian's prompts
(asterisk-core-sounds-en-wav, -es-wav, -fr-wav, -it-wav, -ru-wav: half an hour of a real voice each), its music on hold
(asterisk-moh-opsound-wav), half an hour of espeak-ng, and the patches of this project. Everything goes through G.711.
"""

import argparse
import itertools
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from graphvoip import load_patch, render
from graphvoip.io.wav import load
from graphvoip.line import on_line
from graphvoip.nodes import Answering, Beep, CallProgress, Pcm, VoiceActivity
from graphvoip.nodes.call_progress import CADENCES
from graphvoip.plan import Plan
from graphvoip.progress import FULL, TONES, is_once
from graphvoip.rings import RATE

BEEPS = ("beep.wav", "confbridge-leave.wav", "descending-2tone.wav")  # of the prompts, real ones
VOICES = {
    "en_US_f_Allison": "prompts, English",
    "es_MX_f_Allison": "prompts, Spanish",
    "fr_CA_f_June": "prompts, French",
    "it_IT_m_Carlo": "prompts, Italian",
    "ru_RU_f_IvrvoiceRU": "prompts, Russian",
}
SOUNDS, MUSIC = Path("/usr/share/asterisk/sounds"), Path("/usr/share/asterisk/moh")
VERDICTS = ("", "human", "machine", "silence", "unsure")
ROOT = Path(__file__).parent.parent
# Name: line, factor on pitch, factor on times, dB on the level. {15}: 15 dB below one tone, in dB of full scale.
LINES = {
    "as specified": ("pcmu", 1, 1, 0),
    "A-law, 15 dB softer": ("pcma", 1, 1, -15),
    "pitch +1.5 %": ("pcmu", 1.015, 1, 0),
    "pitch -1.5 %": ("pcmu", 0.985, 1, 0),
    "times +10 %": ("pcmu", 1, 1.1, 0),
    "times -10 %": ("pcmu", 1, 0.9, 0),
    "noise 15 dB below": ("pcmu, noise={15}dB", 1, 1, 0),
    "noise 9 dB below": ("pcmu, noise={9}dB", 1, 1, 0),
    "GSM": ("gsm", 1, 1, 0),
    "echo, hum": ("pcmu, echo=-15dB, echo_time=40ms, hum=-30dB", 1, 1, 0),
    "3 % of packets lost": ("pcmu, loss=3%", 1, 1, 0),
}
BEEP_LINES = {
    "G.711 mu-law": "pcmu",
    "G.711 A-law": "pcma",
    "GSM": "gsm",
    "noise 20 dB below": "pcmu, noise={20}dB",
    "noise 15 dB below": "pcmu, noise={15}dB",
    "echo": "pcmu, echo=-15dB, echo_time=40ms",
}


def tone(country: str, kind: str, seconds: float, pitch: float, times: float, gain: float, seed: int) -> np.ndarray:
    """A tone of the table by plain numpy, at another pitch and pace."""
    random = np.random.default_rng(seed)
    base, *bursts = TONES[country][kind]
    found, size = [np.zeros(random.integers(160, 4000))], 0
    for frequencies, on, off in bursts if is_once(kind) else itertools.cycle(bursts):
        t = np.arange(round((on or seconds) * times * RATE)) / RATE
        burst = np.zeros(len(t))
        for one in frequencies:
            frequency, more = one if isinstance(one, tuple) else (one, 0)
            turn = random.uniform() if len(frequencies) < 3 else 0.25  # the sides of a carrier have its phase
            burst += 10 ** ((base + more + gain - FULL) / 20) * np.sin(2 * np.pi * (frequency * pitch * t + turn))
        found += [burst, np.zeros(round(off * times * RATE))]
        size += len(t) + len(found[-1])
        if size >= seconds * RATE:
            break
    return np.concatenate([*found, np.zeros(RATE)])


def events(node, samples: np.ndarray) -> list[tuple[float, str, int]]:
    """(seconds, name, value) of what a node says of samples."""
    plan, names, found = Plan([node]), list(node.slots.events), []
    for frame in range(len(samples) // 160):
        plan.run()
        for token, at, value in plan.taken_events():
            if token >> 4 == node.id:
                found.append(((160 * frame + at) / RATE, names[token & 15], value))
    return found


def detection(quick: bool) -> None:
    print("| line | heard, of | right | within two periods | latest, periods | with country any: right |")
    print("|---|---|---|---|---|---|")
    for name, (line, pitch, times, gain) in LINES.items():
        right = soon = total = loose = 0
        worst = []
        for seed in range(1 if quick else 3):
            for country, kinds in TONES.items():
                for kind in (kind for kind in kinds if kind in CADENCES or kind in ("sit", "cng", "ced")):
                    base, *bursts = TONES[country][kind]
                    period = sum(on + off for _, on, off in bursts) * times
                    stays = bursts[0][1] == 0 or kind in ("sit", "ced")
                    sound = tone(country, kind, max(4.0, 2.6 * period), pitch, times, gain, seed)
                    begin = np.flatnonzero(sound)[0] / RATE
                    sound = on_line(sound, line.format(*(base - FULL - 3.01 - below for below in range(20))))
                    wanted = "busy" if (country, kind) == ("jp", "reorder") else kind
                    said = events(CallProgress(Pcm(data=sound), country=country), sound)
                    total += 1
                    right += [what for _, what, _ in said] == [wanted]
                    if said and not stays and kind != "cng":
                        worst.append(((said[0][0] - begin) / period, f"{country} {kind}"))
                        soon += worst[-1][0] <= 2
                    elif said:
                        soon += 1
                    said = events(CallProgress(Pcm(data=sound)), sound)
                    loose += [what for _, what, _ in said][:1] == [wanted]
        late, who = max(worst)
        print(f"| {name} | {total} | {100 * right / total:.1f} % | {100 * soon / total:.1f} % | {late:.2f} ({who}) "
              f"| {100 * loose / total:.1f} % |")  # fmt: skip


def beep(freq: float, seconds: float, level: float, edge: float, random: np.random.Generator) -> np.ndarray:
    """A beep by plain numpy; level: dB of full scale, edge: seconds in which it comes and goes."""
    t = np.arange(round(seconds * RATE)) / RATE
    loud = np.minimum(1, np.minimum(t + 1 / RATE, t[::-1] + 1 / RATE) / edge) if edge else 1
    samples = 10 ** (level / 20) * loud * np.sin(2 * np.pi * (freq * t + random.uniform()))
    return np.concatenate([np.zeros(4000 + random.integers(160)), samples, np.zeros(4000)])


def beeps(quick: bool) -> None:
    """Beeps at -3, -12 and -30 dBFS, of 405 to 1990 Hz and as many below 460 Hz, with edges of 0, 5 and 10 ms."""
    lengths = (0.1, 0.13, 0.2, 0.5, 2.0)
    print("\n| beeps heard, line | " + " | ".join(f"{seconds} s" for seconds in lengths) + " |")
    print("|---" * (len(lengths) + 1) + "|")
    for name, line in BEEP_LINES.items():
        random, row = np.random.default_rng(1), []
        for seconds in lengths:
            right = []
            for k, level in itertools.product(range(6 if quick else 30), (-3, -12, -30)):
                freq = random.uniform(405, 460 if k % 2 else 1990)
                sound = beep(freq, seconds, level, (0, 0.005, 0.01)[k % 3], random)
                sound = on_line(sound, line.format(*(level - 3.01 - below for below in range(21))))
                said = [pitch for _, _, pitch in events(Beep(Pcm(data=sound)), sound)]
                right.append(len(said) == 1 and abs(said[0] / freq - 1) < 0.02)
            row.append(f"{100 * np.mean(right):.1f} %")
        print(f"| {name} | " + " | ".join(row) + " |", flush=True)


def talk(quick: bool) -> Iterator[tuple[str, np.ndarray]]:
    """Speech and music, by name: one row of samples each."""
    for folder, what in VOICES.items():
        files = [file for file in sorted((SOUNDS / folder).rglob("*.wav")) if file.name not in BEEPS]
        files = files[:: 5 if quick else 1]
        parts = [part for file in files for part in (load(file), np.zeros(RATE // 2))]
        yield what, np.concatenate(parts) if parts else np.zeros(0)
    texts = " ".join(file.read_text() for file in sorted((ROOT / "docs").glob("*.md")))
    parts = []
    for voice, pitch in (("en", 50), ("en-us", 30), ("en+f3", 60), ("de", 45), ("fr", 55), ("es", 70), ("it+f2", 50)):
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            text = texts[: 500 if quick else 3600]
            subprocess.run(
                ["espeak-ng", "-v", voice, "-p", str(pitch), "-w", file.name], input=text.encode(), check=True
            )
            parts.append(load(file.name))
    yield "espeak-ng, 7 voices", np.concatenate(parts)
    files = sorted(MUSIC.glob("*.wav"))[:: 5 if quick else 1]
    yield "music on hold", np.concatenate([load(file) for file in files]) if files else np.zeros(0)
    said = load(ROOT / "graphvoip" / "assets" / "busy.wav")[RATE:]  # after its tones
    parts = [
        render(load_patch(file)(), 10 if quick else 60, keys="5@0.5 1@3 9@6 3@8", voice=np.tile(said, 20))
        if "keys" in file.read_text()
        else render(load_patch(file)(), 10 if quick else 60, voice=np.tile(said, 20))
        for file in sorted((ROOT / "patches").glob("*.json"))
    ]
    yield "patches of ours", np.concatenate(parts)


def false_alarms(quick: bool) -> None:
    print("\n| what | minutes | false, any country | of a country, an hour | beep, an hour |")
    print("|---|---|---|---|---|")
    for what, samples in talk(quick):
        if not len(samples):
            print(f"| {what} | not installed | | | |")
            continue
        samples = on_line(np.clip(samples, -1, 1), "pcmu")
        hours = len(samples) / RATE / 3600
        loose = Counter(name for _, name, _ in events(CallProgress(Pcm(data=samples)), samples))
        strict = [len(events(CallProgress(Pcm(data=samples), country=country), samples)) for country in TONES]
        beeps = len(events(Beep(Pcm(data=samples)), samples))
        named = ", ".join(f"{count} {name}" for name, count in loose.items()) or "0"
        each = f"{np.mean(strict) / hours:.2f} on the average, {max(strict) / hours:.1f} at worst"
        print(f"| {what} | {60 * hours:.1f} | {named} | {each} | {beeps / hours:.1f} |", flush=True)


def verdicts(quick: bool) -> None:
    """Prompts as greetings: short ones are a human's hello, long ones a machine's."""
    files = sorted((SOUNDS / "en_US_f_Allison").rglob("*.wav"))[:: 8 if quick else 1]
    found: dict[str, Counter] = {"under 0.8 s": Counter(), "over 2.5 s": Counter()}
    for file in (file for file in files if "silence" not in file.parts):
        said = load(file)
        seconds = len(said) / RATE
        kind = "under 0.8 s" if 0.3 < seconds < 0.8 else "over 2.5 s" if seconds > 2.5 else None
        if kind:
            samples = on_line(np.concatenate([np.zeros(4000), said, np.zeros(6 * RATE)]), "pcmu, noise=-55dB")
            node = Answering(VoiceActivity(Pcm(data=samples), hangover=0.05))
            found[kind][VERDICTS[events(node, samples)[0][2]]] += 1
    print("\n| prompts as greetings | human | machine | silence | unsure |\n|---|---|---|---|---|")
    for kind, counts in found.items():
        print(f"| {kind} | " + " | ".join(str(counts[name]) for name in VERDICTS[1:]) + " |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="less of everything")
    quick = parser.parse_args().quick
    detection(quick)
    beeps(quick)
    false_alarms(quick)
    verdicts(quick)
