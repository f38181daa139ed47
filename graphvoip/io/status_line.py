"""The last line of a terminal, kept for what changes all the time; all else scrolls above it."""

import os
import sys
from typing import TextIO

ROOM = "\n\x1b[A"  # scroll, if we are in the last line
SAVE, RESTORE = "\x1b7", "\x1b8"  # where the cursor is
CLEAR = "\x1b[2K"


class StatusLine:
    """Shows one line at the bottom of a terminal. Where the stream is none, it shows nothing.

    The terminal scrolls in a region without the last line meanwhile, so that what others print stays whole.
    """

    def __init__(self, stream: TextIO | None = None):
        self.stream = stream or sys.stderr
        self.rows = 0  # of the terminal, while the line is there

    def show(self, text: str) -> None:
        try:
            size = os.get_terminal_size(self.stream.fileno())
        except (OSError, ValueError, AttributeError):
            return
        if size.lines < 3:
            return
        if size.lines != self.rows:  # the first time, or somebody has resized the window
            self.write(f"{ROOM}{SAVE}\x1b[1;{size.lines - 1}r{RESTORE}")
            self.rows = size.lines
        self.write(f"{SAVE}\x1b[{self.rows};1H{CLEAR}{text[: size.columns - 1]}{RESTORE}")

    def close(self) -> None:
        """Give the whole terminal back."""
        if self.rows:
            self.write(f"{SAVE}\x1b[{self.rows};1H{CLEAR}\x1b[r{RESTORE}")
            self.rows = 0

    def write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            pass  # the terminal is gone
