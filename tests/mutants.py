"""Change each number that the documentation promises, and see whether a test fails: make mutants [WHAT=engine.py].

Every module-level number of the modules below is changed in a copy of the project, one at a time: to ten times as much,
and to half of it (a whole number to one less). The tests of its module run, and what leaves them green is listed. The
status is 1 then, and 2 where the tests cannot judge: they fail without a change, or do not run at all.
"""

import ast
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
GREEN, RED = 0, 1  # pytest's status when all tests have passed, and when one has failed
TIMEOUT_S = 100  # for the tests of one module, which take up to 20

NUMBERS = "tests/test_numbers.py"
SIP = "tests/io/test_sip_numbers.py"

# Module: what pytest is told, so that the tests that must notice run, and few others.
TESTS = {
    "engine.py": f"{NUMBERS} tests/test_engine.py -k 'test_numbers or events_are_stamped or edits_of_one'",
    "rings.py": f"{NUMBERS} tests/test_rings.py",
    "clock.py": f"{NUMBERS} tests/test_clock.py tests/test_watchdog.py -k 'not test_watchdog or spins_in_threads'",
    "call.py": NUMBERS,
    "pcm.py": f"{NUMBERS} tests/test_pcm.py tests/test_pcm_type.py",
    "digits.py": f"{NUMBERS} tests/test_digits.py",
    "keys.py": "tests/test_keys.py",
    "playback.py": NUMBERS,
    "feeder.py": NUMBERS,
    "client.py": NUMBERS,
    "io/__init__.py": f"{NUMBERS} {SIP}",
    "watchdog.py": "tests/test_watchdog.py -k 'first_signal or ten_seconds'",
    "heartbeat.py": "tests/test_heartbeat.py tests/io/test_blocked.py -k 'heartbeat or ends_the_server'",
    "io/sound_card.py": "tests/io/test_sound_card.py -k 'waited_for_3 or hold_the_program or below_full or stalls'",
    "io/portaudio.py": "tests/io/test_sound_card.py -k 'each_half_second or within_3_s'",
    "io/controls.py": "tests/io/test_sound_card.py -k 'last_line or below_full'",
    "io/pjsip/trunk.py": f"{SIP} tests/io/test_pjsip.py -k 'trunk or dies_within or remedy'",
    "io/pjsip/source_lock.py": f"{SIP} -k 'source or kernel'",
    "io/pjsip/line.py": f"{SIP} tests/io/test_pjsip.py tests/io/test_sip_strangers.py tests/io/test_blocked.py "
    "-k 'waits_for_an_answer or lingers_in_silence or "
    "echo_is_exact or port_in_use or never_confirm or place_of or subscription_is_refused'",
}

# What is no promise, and why.
FREE = {
    "engine.py": {
        "EVENT_RING": "a buffer: when it is full, events wait in their nodes for the next frame, and none is lost",
    },
    "clock.py": {
        "_CLOCK": "taken only where Python does not name the clock, which no system of ours is",
    },
    "pcm.py": {
        "SHOWN": "how much of a long PCM its repr shows",
    },
    "watchdog.py": {
        "POLL_S": "how often it looks; what it looks for is held by the other numbers",
        "REPEAT_S": "how often code is interrupted that swallows the interruption; any pace ends it",
    },
    "heartbeat.py": {
        "BEAT_S": "how often it looks; what it looks for is held by the other numbers",
        "_GUARD_TICK": "nanoseconds of BEAT_S",
    },
    "rings.py": {
        "BEAT_BYTES": "any place in the shared memory that both sides take for the beat",
    },
    "io/sound_card.py": {
        "AGAIN": "the pace at which a process that cannot live is started",
    },
    "io/portaudio.py": {
        "RATES": "tried in turn when a card refuses 8000 Hz and the rate that it names; any that it takes will do",
        "STEADY": "frames that are looked at more closely than the card's own pace would; more are no harm",
        "WORDS": "room for the words of a side",
        "UNITY": "the unit in which two processes tell each other gains",
        "MEMORY": "room for the ring and the words",
    },
    "io/controls.py": {
        "TALK": "how long a key that is held may take to come again, which is the terminal's affair",
        "KEYS_SHOWN": "how much of the line it takes",
        "BAR": "how much of the line it takes",
    },
    "io/pjsip/trunk.py": {
        "MEMORY": "more than a line uses: pages that nobody touches are never made",
        "BEAT": "how often a line is shown that the event loop turns; 2 s without are held by line.py",
        "START": "a limit for a line that does not start; one that starts is used at once",
        "STOP": "a limit for a line that does not end; it ends by itself within 1.4 s, and is waited for no longer",
    },
    "io/pjsip/source_lock.py": {
        "MOST_READ": "more than a socket holds (208 KiB, that is 277 packets): any number from there on empties it",
        "HIGH": "beyond the 64 descriptors that PJSIP's select() knows, and below the 1024 that a process may open",
    },
    "io/pjsip/line.py": {
        "MOST": "what PJSIP is asked for; the prebuilt one gives 4 whatever the number is",
        "RINGS": "how long a ring rests before it is used again: two are enough, more rest longer",
        "DRAIN": "a limit for last frames that are not sent; they are sent within 3 ticks, since no more than 2 wait",
        "FAREWELL": "a limit for far ends that do not confirm the end; those that do are not waited for",
        "STALL": "a limit for the ticks that are made up for after a second in which the process did not run",
        "BURST": "how much is worked off before the sound has its turn; the rest comes in the next round",
        "REST": "with the next three: how much may come at once before PJSIP's 64 sockets are used up, which takes 28 "
        "calls at once; the prebuilt PJSIP takes 4",
        "CROWD": "see REST",
        "FULL": "see REST",
        "BATCH": "see REST",
        "AT_ONCE": "no time: the two words are zero, however many follow them",
    },
}


def numbers(path: Path) -> Iterator[tuple[str, ast.Constant, str]]:
    """The module-level constants of a file: name, the first number of its value, the text of another number."""
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.Assign):
            continue
        pairs = [(node.targets[0], node.value)]
        if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):  # A, B = 1, 2
            pairs = list(zip(node.targets[0].elts, node.value.elts, strict=True))
        for target, value in pairs:
            parts = [part for part in ast.walk(value) if isinstance(part, ast.Constant)]
            part = next((part for part in parts if type(part.value) in (int, float)), None)
            if isinstance(target, ast.Name) and target.id.isupper() and part and not isinstance(value, ast.Dict):
                less = part.value / 2 if isinstance(part.value, float) else part.value - 1
                for other in {part.value * 10: 0, less: 0}:
                    if other != part.value:
                        yield target.id, part, repr(other)


class Copy:
    """A copy of the project in which tests run."""

    def __init__(self, folder: Path):
        self.root, self.output = folder / "copy", folder / "output"
        shutil.copytree(ROOT, self.root, ignore=shutil.ignore_patterns(".venv", ".git"))

    def run(self, tests: str) -> int | None:
        """Run tests; pytest's status, or None if they have not ended in time."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *shlex.split(tests)]
        environment = {"PYTHONPATH": str(self.root), "PATH": os.defpath, "HOME": str(self.root)}
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        with self.output.open("w") as output:
            process = subprocess.Popen(
                command, cwd=self.root, env=environment, stdout=output, stderr=output, start_new_session=True
            )
            try:
                return process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                return None
            finally:
                if process.poll() is None:  # and all that the tests have started
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def run_changed(self, module: str, part: ast.Constant, other: str) -> int | None:
        """Run the tests of a module with another number in it."""
        file = self.root / "graphvoip" / module
        text = file.read_text()
        lines = text.splitlines(keepends=True)
        line = lines[part.lineno - 1]
        lines[part.lineno - 1] = line[: part.col_offset] + other + line[part.end_col_offset :]
        file.write_text("".join(lines))
        for old in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            old.unlink()  # one of the same second and size would be taken for this one's
        try:
            return self.run(TESTS[module])
        finally:
            file.write_text(text)


def main(wanted: list[str]) -> int:
    modules = wanted or list(TESTS)
    verdicts = {GREEN: "SURVIVES", RED: "found", None: "found (timeout)"}
    seen = set()
    with tempfile.TemporaryDirectory(prefix="graphvoip-mutants-") as folder:
        copy = Copy(Path(folder))
        for tests in dict.fromkeys(TESTS[module] for module in modules):
            if (status := copy.run(tests)) != GREEN:
                print(copy.output.read_text()[-4000:])
                print(f"the tests fail without any change (status {status}); mend that first: pytest {tests}")
                return 2
        for module in modules:
            for name, part, other in numbers(copy.root / "graphvoip" / module):
                if name in FREE.get(module, {}):
                    continue
                status = copy.run_changed(module, part, other)
                verdict = verdicts.get(status, f"CANNOT BE JUDGED: pytest ended with status {status}")
                seen.add(verdict)
                print(f"{module}: {name} {part.value} -> {other}: {verdict}", flush=True)
    return 2 if seen - set(verdicts.values()) else 1 if verdicts[GREEN] in seen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
