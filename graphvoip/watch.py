"""Play a patch to callers, and take over its file whenever it is saved."""

import asyncio
import logging
import math
from typing import TYPE_CHECKING, Any

from .cli_files import Problem, Source, tell

if TYPE_CHECKING:
    from .call import Call
    from .playback import Synth

log = logging.getLogger("graphvoip")

POLL = 0.2  # seconds between looks at the files


class Watched:
    """A patch's source, read again when one of its files has changed."""

    def __init__(self, source: Source):
        self.source, self.version = source, 0
        self._stamp = self._look()
        self._failed: Any = None  # the stamp with which it could not be read

    def _look(self) -> list[Any]:
        found: list[Any] = []
        for path in self.source.files:
            try:
                stat = path.stat()
                found.append((path, stat.st_mtime_ns, stat.st_size, stat.st_ino))
            except OSError:
                found.append((path, None))
        return found

    def poll(self) -> int:
        """The number of the version; another one than before, if the file has been saved and is sound.

        What is wrong with it is told when it has been looked at twice: an editor may be in the middle of writing it.
        """
        stamp = self._look()
        if stamp == self._stamp:
            return self.version
        try:
            self.source.load()
        except (Problem, OSError) as error:
            if stamp == self._failed:
                tell(error)
                self._stamp = stamp
            self._failed = stamp
        else:
            self._stamp, self._failed = self._look(), None  # it may have other sub-patches now
            self.version += 1
        return self.version


class Player:
    """A handler that plays a patch to its caller, until its end or for so many seconds.

    watch: its file is taken over whenever it is saved; when the patch has come to its end, the next one is waited for.
    """

    def __init__(self, source: Source, values: dict[str, float], seed: int | None = None,
                 seconds: float | None = None, watch: bool = False):  # fmt: skip
        self.source, self.values, self.seed, self.seconds = source, values, seed, seconds
        self.watched = Watched(source) if watch else None
        self.trouble: BaseException | None = None  # what ended a call

    async def answer(self, call: "Call") -> None:
        try:
            await self._play(call)
        except Exception as error:
            self.trouble = error
            raise

    async def _play(self, call: "Call") -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + (self.seconds or math.inf)
        synth = call.play(self.source.playable(self.seed, self.values))
        version = self.watched.version if self.watched else 0
        while (left := end - loop.time()) > 0 and (self.watched or not synth.done()):
            pause = min(left, POLL if self.watched else math.inf)
            if not synth.done():
                await asyncio.wait([synth], timeout=None if math.isinf(pause) else pause)
                error = synth.exception() if self.watched and synth.done() else None
                if error:
                    tell(error)
            else:
                await asyncio.sleep(pause)
            if self.watched and self.watched.poll() != version:
                version = self.watched.version
                synth = self._take_over(call, synth)
        if not synth.done():
            synth.stop()
        await synth

    def _take_over(self, call: "Call", synth: "Synth") -> "Synth":
        """Go on with the file as it is now; if that cannot be, with what plays."""
        try:
            patch = self.source.playable(self.seed, self.values)
            if synth.done():
                synth = call.play(patch)
            else:
                synth.reload(patch)
        except (Problem, TypeError, ValueError) as error:
            tell(error)
        else:
            log.info("%s: taken over", self.source.text)
        return synth
