"""The terminal's keyboard as the keypad of a simulated phone."""

import asyncio
import atexit
import contextlib
import os
import signal
import sys
import termios
import threading
import tty
from collections.abc import Callable
from typing import Any

from ..notes import KEYS
from .controls import Controls
from .status_line import StatusLine

HANG_UP = "q\x04"  # q or Ctrl-D
HELP = "keys: 0-9 * # A-D are the keypad, q hangs up, Ctrl-C ends the program"


class Keyboard:
    """Calls on_key("5") for each key of the keypad that is typed, and on_hangup() for q or Ctrl-D.

    In a terminal a key counts at once, without Enter; the terminal is given back at the end, however the program ends,
    and while it is stopped with Ctrl-Z. From a pipe or a file the characters are the keys (q hangs up, too), and its
    end is only the end of the keys. Both functions are called on the event loop.

    controls: what other keys of a terminal turn, and what its last line shows.
    """

    def __init__(
        self,
        on_key: Callable[[str], Any],
        on_hangup: Callable[[], Any],
        controls: Controls | None = None,
        fd: int | None = None,
    ):
        self.on_key, self.on_hangup, self.controls = on_key, on_hangup, controls
        self.line = StatusLine()
        self.fd = _stdin() if fd is None else fd
        self.is_terminal = self.fd is not None and os.isatty(self.fd)
        self._saved: list[Any] | None = None  # how the terminal was
        self._reading = self._closed = False
        self._signals: list[int] = []
        self._quit_before: Any = None

    def open(self) -> None:
        """Start to listen, inside a running event loop. Without a stdin there is nothing to do."""
        self._loop = asyncio.get_running_loop()
        if self.is_terminal:
            atexit.register(self._release)
            self._on_signal(signal.SIGTSTP, self._stopped)
            self._on_signal(signal.SIGCONT, self._grab)
            with contextlib.suppress(ValueError):  # not the main thread
                self._quit_before = signal.signal(signal.SIGQUIT, self._quit)
            self._grab()
        elif self.fd is not None:
            self._read_pipe(self.fd)

    def close(self) -> None:
        """Stop listening and give the terminal back as it was. May be called at any time, and twice."""
        self._closed = True
        self._release()
        atexit.unregister(self._release)
        if self._quit_before is not None:
            signal.signal(signal.SIGQUIT, self._quit_before)
            self._quit_before = None
        while self._signals:
            self._loop.remove_signal_handler(self._signals.pop())

    def show_status(self) -> None:
        """Bring the last line of the terminal up to date, if the terminal is ours."""
        if self._reading and self.is_terminal and self.controls:
            self.line.show(self.controls.status())

    # --- A terminal ---------------------------------------------------------------------------------------------------

    def _grab(self) -> None:
        """Take the terminal, if it is ours to take: a job in the background would be stopped for it."""
        fd = self.fd
        if fd is None or self._closed or self._reading or not _in_foreground(fd):
            return
        first = self._saved is None
        self._saved = termios.tcgetattr(fd)
        tty.setcbreak(fd, termios.TCSADRAIN)  # keys that have been typed already count
        self._loop.add_reader(fd, self._readable)
        self._reading = True
        if first:
            print(HELP, file=sys.stderr)
            if self.controls:
                print(self.controls.help, file=sys.stderr)
            sys.stderr.flush()

    def _release(self) -> None:
        if self._reading and self.fd is not None:
            self._reading = False
            self.line.close()
            if not self._loop.is_closed():
                self._loop.remove_reader(self.fd)
            if self._saved:
                try:
                    termios.tcsetattr(self.fd, termios.TCSADRAIN, self._saved)
                except termios.error:
                    pass  # the terminal is gone

    def _stopped(self) -> None:
        """Ctrl-Z: the shell gets its terminal as it was; when we go on (SIGCONT), we take it again."""
        self._release()
        os.kill(os.getpid(), signal.SIGSTOP)

    def _quit(self, number: int, frame: Any) -> None:
        """Ctrl-\\ ends the program at once, and does not wait for the event loop: it may be blocked."""
        self._release()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _on_signal(self, number: int, then: Callable[[], None]) -> None:
        try:
            self._loop.add_signal_handler(number, then)
            self._signals.append(number)
        except (RuntimeError, ValueError, NotImplementedError):
            pass  # not the main thread, or no such loop: Ctrl-Z leaves the terminal as it is

    # --- What comes ---------------------------------------------------------------------------------------------------

    def _read_pipe(self, fd: int) -> None:
        try:
            self._loop.add_reader(fd, self._readable)
            self._reading = True
        except PermissionError:  # a file, which cannot be waited for, as it is always ready
            threading.Thread(target=self._read_file, args=(fd,), name="graphvoip keys", daemon=True).start()

    def _readable(self) -> None:
        assert self.fd is not None
        try:
            data = os.read(self.fd, 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""  # the terminal is gone
        if data:
            self._typed(data)
        else:
            self._release()

    def _read_file(self, fd: int) -> None:
        try:
            while not self._closed and (data := os.read(fd, 1024)):
                self._loop.call_soon_threadsafe(self._typed, data)
        except (OSError, RuntimeError):
            pass  # unreadable, or the loop has been closed meanwhile

    def _typed(self, data: bytes) -> None:
        for character in data.decode("latin-1"):
            if self._closed:
                return
            if character in HANG_UP:
                self.on_hangup()
            elif character.upper() in KEYS:
                self.on_key(character.upper())
            elif self.controls and self.is_terminal and character.lower() in self.controls.keys:
                self.controls.keys[character.lower()]()
                self.show_status()


def _stdin() -> int | None:
    try:
        return sys.stdin.fileno()
    except (AttributeError, ValueError, OSError):
        return None  # closed, or replaced by something without a descriptor


def _in_foreground(fd: int) -> bool:
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True  # not our controlling terminal: nobody would stop us
