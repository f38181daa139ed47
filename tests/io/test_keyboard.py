"""The keyboard as a keypad, on real (pseudo) terminals, pipes and files."""

import asyncio
import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from graphvoip.io.keyboard import Keyboard

ROOT = Path(__file__).parents[2]


def canonical(fd: int) -> bool:
    """True if the terminal waits for Enter, as a shell leaves it."""
    return bool(termios.tcgetattr(fd)[3] & termios.ICANON)


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.002)


class Typed(list):
    """A keyboard that is open, and what was typed on it; "!" is hanging up."""

    def __init__(self, fd: int | None):
        self.keyboard = Keyboard(self.append, lambda: self.append("!"), fd=fd)

    def __enter__(self) -> "Typed":
        self.keyboard.open()
        return self

    def __exit__(self, *error) -> None:
        self.keyboard.close()


def test_a_terminals_keys_count_at_once(capfd):
    async def main():
        master, slave = pty.openpty()
        before = termios.tcgetattr(slave)
        with Typed(slave) as typed:
            assert not canonical(slave)
            for key in b"0123456789*#ABCDabcd":
                os.write(master, bytes([key]))
            await until(lambda: len(typed) == 20)
            assert "".join(typed) == "0123456789*#ABCDABCD"
            os.write(master, b" \nxyz?\x1b[A5")  # what is no key is none; an arrow ends in an A
            await until(lambda: typed[-1] == "5")
            assert typed[20:] in (["5"], ["A", "5"])
            os.write(master, b"q\x04")
            await until(lambda: typed[-2:] == ["!", "!"])
        assert termios.tcgetattr(slave) == before
        os.write(master, b"7\n")
        await asyncio.sleep(0)
        typed.keyboard.close()
        assert typed[-1] == "!"
        os.close(master)
        os.close(slave)

    asyncio.run(main())
    assert capfd.readouterr().err.count("\n") == 1


def test_a_terminal_that_goes_away_is_no_error():
    async def main():
        master, slave = pty.openpty()
        with Typed(slave) as typed:
            os.write(master, b"1")
            await until(lambda: typed == ["1"])
            os.close(master)
            await until(lambda: not typed.keyboard._reading)
        os.close(slave)

    asyncio.run(main())


def test_a_pipe(capfd):
    async def main():
        read, write = os.pipe()
        with Typed(read) as typed:
            os.write(write, b"1234\n#")
            await until(lambda: "".join(typed) == "1234#")
            os.write(write, b"q")
            os.close(write)
            await until(lambda: not typed.keyboard._reading)
            assert typed[-1] == "!"
        os.close(read)

    asyncio.run(main())
    assert capfd.readouterr().err == ""


def test_a_file_and_nothing(tmp_path):
    async def main():
        (tmp_path / "keys").write_text("12\n34\n")
        for path, keys in ((tmp_path / "keys", "1234"), (Path("/dev/null"), "")):
            with open(path) as file, Typed(file.fileno()) as typed:
                await until(lambda: "".join(typed) == keys)  # noqa: B023
        with Typed(None):
            pass

    asyncio.run(main())


def test_no_stdin(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert Keyboard(print, print).fd is None


PROGRAM = """
    import asyncio, resource, sys
    from graphvoip.io.keyboard import Keyboard

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # SIGQUIT would leave a file

    async def main():
        keyboard = Keyboard(lambda key: print("key", key, flush=True), lambda: over.set())
        over = asyncio.Event()
        keyboard.open()
        print("ready", flush=True)
        while "block" in sys.argv:
            pass
        await over.wait()
        if "close" in sys.argv:
            keyboard.close()
        if "raise" in sys.argv:
            raise RuntimeError

    asyncio.run(main())
"""


class Session:
    """A program in a terminal of its own, as its foreground job."""

    def __init__(self, *words: str):
        code = textwrap.dedent(PROGRAM)
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(ROOT)
            os.execv(sys.executable, [sys.executable, "-c", code, *words])
        self.seen = ""

    def wait_for(self, text: str, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.fd], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    self.seen += os.read(self.fd, 4096).decode()

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)

    def until(self, condition: Callable[[], object], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.seen
            time.sleep(0.005)

    def state(self) -> str:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def end(self) -> int:
        """Wait for the end of the program; its terminal must be as before."""
        self.until(lambda: self.state() == "Z")
        _, status = os.waitpid(self.pid, 0)
        return status


@pytest.fixture
def session():
    sessions = []

    def start(*words: str) -> Session:
        sessions.append(Session(*words))
        sessions[-1].wait_for("ready")
        return sessions[-1]

    yield start
    for one in sessions:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(one.pid, signal.SIGKILL)
            os.waitpid(one.pid, 0)
        os.close(one.fd)


@pytest.mark.parametrize(("words", "last"), [(["close"], b"q"), ([], b"q"), (["raise"], b"\x04"), ([], b"\x03")])
def test_the_terminal_is_given_back(session, words, last):
    """However the program ends: in order, without closing the keyboard, by an exception, by Ctrl-C."""
    one = session(*words)
    assert one.seen.count("keypad") == 1  # a line of help
    assert not canonical(one.fd)
    one.type(b"5#")
    one.wait_for("key 5")
    one.wait_for("key #")
    one.type(last)
    one.until(lambda: canonical(one.fd))
    one.end()
    assert canonical(one.fd)


@pytest.mark.parametrize("words", [[], ["block"]], ids=["idle", "blocked"])
def test_ctrl_backslash_gives_the_terminal_back(session, words):
    """It ends the program at once, as ever, and also where the event loop is blocked."""
    one = session(*words)
    one.until(lambda: not canonical(one.fd))
    one.type(b"\x1c")
    one.until(lambda: one.state() == "Z")
    assert canonical(one.fd)
    assert os.WTERMSIG(one.end()) == signal.SIGQUIT


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_ctrl_z_gives_the_terminal_back_meanwhile(session):
    one = session("close")
    one.type(b"\x1a")
    one.until(lambda: one.state() == "T")
    assert canonical(one.fd)
    os.kill(one.pid, signal.SIGCONT)
    one.until(lambda: not canonical(one.fd))
    one.type(b"9")
    one.wait_for("key 9")
    one.type(b"q")
    assert one.end() == 0


def test_a_program_without_a_terminal(tmp_path):
    code = textwrap.dedent(PROGRAM)
    run = subprocess.run([sys.executable, "-c", code], input=b"12q", cwd=ROOT, capture_output=True, timeout=60)
    assert run.stdout.split() == [b"ready", b"key", b"1", b"key", b"2"]
    assert run.stderr == b""
