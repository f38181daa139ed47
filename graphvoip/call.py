"""A call: the documented methods, each an edit of the call's graph.

    caller -> line_in (call.voice) ----------------------------> recorders, sinks, dtmf -> keypad
    what plays -> fade -> line_out -> caller        keypad -> digits

Everything here runs on the event loop. Futures are made at once and resolved when the audio thread says so.
"""

import asyncio
import collections
import inspect
import itertools
import logging
import numbers
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from . import hearing
from .digits import Dialling, Digits, Key, Presses, dialled
from .engine import Engine
from .feeder import Feeder, Listener, Source
from .graph import Graph, walk
from .io import Leg
from .keys import Keys
from .node import Node, NodeEvent, Port
from .nodes.custom import Custom
from .nodes.dtmf import Dtmf
from .nodes.dtmf_tone import DtmfTone
from .nodes.fade import Fade
from .nodes.keypad import Keypad
from .nodes.line_in import LineIn
from .nodes.line_out import LineOut
from .nodes.pcm import Pcm
from .nodes.recorder import Recorder
from .nodes.sink import Sink
from .nodes.speech import Speech
from .nodes.tone import Tone
from .nodes.voice_activity import VoiceActivity
from .notes import KEYS
from .pcm import PCM, PIECE, converted, of_file, samples
from .plan import order
from .playback import FADE, LONGEST, Pending, Playback, Synth, check_number, take_futures
from .recipe import Patch, Recipe, adopt
from .rings import RATE
from .speaker import Speaker
from .tts import Utterance
from .watchdog import Blocked

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger("graphvoip")

ECHO = 0.5  # seconds after our own touch tones in which the same ones are their echo
HISTORY = 1000  # entries that a call's history keeps
SPEECHLESS = 5.0  # seconds for which a recording that silence ends waits for the first word
STUBBORN = 10  # seconds after the end of a call at which its handler should have ended

_numbers = itertools.count(1)


class RecordController:
    """Stops a recording: give it to recordPCM and call stop()."""

    def __init__(self):
        self._stopped = False
        self._recorders: list[tuple[Recorder, Callable[[], Any]]] = []

    def stop(self) -> None:
        """End the recording at this moment; its future resolves. May be called from a playCustom function too."""
        self._stopped = True
        for _, stop in self._recorders:
            stop()

    @property
    def stopped(self) -> bool:
        """Whether stop() has been called. Setting it to True is another way of calling it."""
        return self._stopped

    @stopped.setter
    def stopped(self, stopped: bool) -> None:
        self._stopped = bool(stopped)
        if stopped:
            self.stop()

    @property
    def recorded(self) -> PCM:
        """What has been recorded so far. It is there after a hangup too, when the future has been cancelled."""
        found = PCM()
        for recorder, _ in self._recorders:
            found += PCM.adopt(recorder.recorded())
        return found


class History(collections.deque[tuple[float, str]]):
    """What has happened, and when; the oldest go first. It can be sliced as a list."""

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index] if isinstance(index, slice) else super().__getitem__(index)


class Call:
    """One call, given to your handler. Times are seconds, frequencies Hz, samples floats in [-1, 1] at 8000 Hz.

    Everything that is pending when the call ends is cancelled, and so is the handler's task.
    """

    def __init__(self, leg: Leg, engine: Engine):
        self.id = f"call {next(_numbers)}"
        self.engine = engine
        self.error: BaseException | None = None  # what ended the handler, if it was not a normal end
        self.history = History(maxlen=HISTORY)
        take_futures(engine.loop)
        self._leg = leg
        self._graph = Graph(self.id)
        self._keys = Keys()
        self._presses = Presses()
        self._ways: collections.deque[tuple[str, float]] = collections.deque()  # of the keys on their way, and when
        self._dialling: list[tuple[Playback, str]] = []  # touch tones of ours that play or have just played
        self._pending: set[Pending] = set()
        self._playing: dict[Fade, Playback | None] = {}
        self._sinks: dict[Fade, list[Node]] = {}  # what a patch wants to be pulled besides
        self._feeder: Feeder | None = None
        self._task: asyncio.Task | None = None
        self._ended: asyncio.Future[str] = engine.loop.create_future()
        self._closed = asyncio.Event()  # a little later: what was playing has faded, and nothing is left
        self._keypad, self.voice, self._out = Keypad(), LineIn(ring=leg.ring), LineOut(ring=leg.ring)
        for node in (self._keypad, self.voice, self._out):
            node.home = self._graph  # another call must never hear this caller
        for root in (self._keypad, self.voice, self._out):
            self._graph.add(root)
        self.keys = self._keypad.port("pressed")
        self._graph.listen(self._keypad, "digit", self._digit)
        self._tones = Dtmf(self.voice) if leg.tones else None
        if self._tones:
            self._graph.add(self._tones)
            self._graph.listen(self._tones, "digit", self._heard)
            self._graph.listen(self._tones, "release", lambda sample, value: self._presses.released(self.time))
        leg.on_digit, leg.on_end = self._pressed, self._gone
        self._graph.on_python = self._feed_node
        self._graph.on_error = lambda node, error: engine.loop.call_soon_threadsafe(self._function_failed, node, error)
        engine.add(self._graph)
        self._note(f"from {leg.uri}")

    # --- The documented methods ---------------------------------------------------------------------------------------

    def playTone(self, frequency: float, seconds: float) -> Playback:
        """Play a sine. frequency: 0 to 4000 Hz; seconds: 0 or more."""
        check_number("playTone", "frequency", frequency, RATE / 2)
        check_number("playTone", "seconds", seconds, LONGEST)
        self._note(f"tone {frequency:g} Hz, {seconds:g} s")
        return self._play(Tone(freq=frequency, seconds=seconds), empty=round(seconds * RATE) == 0)

    def playPCM(self, samples: "Sequence[float] | np.ndarray", loop: bool = False) -> Playback:
        """Play samples, once or in a loop: a PCM, list, tuple, array.array or numpy array of floats.

        They are heard as they are now, whatever is done to them later. A PCM is not copied for that. Of a list longer
        than 10 s the rest is converted while the beginning is heard: what is wrong there is raised where the playback
        is awaited. A list longer than 60 s must not be changed beyond its first minute until then: play a copy, as
        PCM(samples), of one that is.
        """
        if isinstance(samples, list | tuple) and len(samples) > PIECE:
            self._note(f"sound, {len(samples) / RATE:.2f} s{', in a loop' if loop else ''}")
            node = Pcm(loop=loop)
            if not self._ended.done():
                node.pour(converted(samples, "playPCM"), len(samples))
            return self._play(node)
        if isinstance(samples, Node | Port | Patch | Recipe):
            says = "call.play plays nodes and patches"
            raise TypeError(f"playPCM: samples are a sequence of floats, not {type(samples).__name__}; {says}")
        data = _samples(samples, "playPCM")
        if data.flags.writeable and not isinstance(samples, (list, tuple)):
            data = data.copy()  # its owner may go on and change it; make an array read-only to share it between calls
        self._note(f"sound, {len(data) / RATE:.2f} s{', in a loop' if loop else ''}")
        return self._play(Pcm(data=data, loop=loop), empty=not len(data))

    def playCustom(self, f: Callable[[float, float], float | None]) -> Playback:
        """Play what f(t, delta) gives, sample by sample, until it gives None.

        t: seconds since this playback began; delta: 1/8000. f runs in a thread of this call, 40 ms ahead of its sound.
        """
        if not callable(f) or inspect.iscoroutinefunction(f):
            raise TypeError(f"playCustom: {f!r} is not a plain function of (t, delta)")
        node = Custom()
        source = Source(node, f)
        playback = self._play(node)
        if not playback.done():
            self._note(f"function {getattr(f, '__name__', 'f')}")
            self._feed(source, playback)
        return playback

    def say(self, text: str, voice: str | None = None, engine: str = "espeak", opts: Iterable[str] = ()) -> Playback:
        """Speak a text of any length. It is spoken while it is heard, and begins at once.

        voice, engine, opts: as for TTStoPCM. Neither the sound of calls nor the event loop waits for an engine. What it
        does not like (a voice that there is not) is raised where the playback is awaited.
        """
        utterance = Utterance("say", text, opts, engine, voice)
        node = Speech()
        playback = self._play(node, empty=not text.strip())
        if not playback.done():
            self._note(f"says {text if len(text) <= 60 else text[:57] + '...'!r}")
            speaker = Speaker(self.engine, node, utterance, self._function_failed)
            speaker.future = playback
            playback.then(lambda: self._said(speaker))
            speaker.start()
        return playback

    def recordPCM(
        self,
        controller: RecordController | None = None,
        maxlen: int | None = None,
        silence: float | None = None,
    ) -> "asyncio.Future[PCM]":
        """Record the caller until controller.stop() or for maxlen samples (8000 a second), whichever is first.

        silence: it ends too when the caller has spoken and then been silent for so many seconds. When nobody says
        anything for 5 s, or for `silence` if that is longer, it ends and gives an empty one.
        """
        if controller is None and maxlen is None and silence is None:
            raise ValueError(
                "recordPCM: nothing would end it; give a RecordController, or maxlen in samples, or silence in seconds"
            )
        if silence is not None and (not isinstance(silence, numbers.Real) or not 0.1 <= float(silence) <= 10):
            raise ValueError(f"recordPCM: silence is {silence!r}; it is a number of seconds, 0.1 to 10")
        if controller is not None and not isinstance(controller, RecordController):
            raise TypeError(f"recordPCM: controller is {controller!r}; it is a RecordController")
        if maxlen is not None and (not isinstance(maxlen, numbers.Integral) or not 1 <= maxlen <= LONGEST * RATE):
            raise ValueError(f"recordPCM: maxlen is {maxlen!r}; it is a number of samples, 1 to {LONGEST * RATE:.0f}")
        if controller and controller.stopped and controller._recorders:
            raise ValueError("recordPCM: this RecordController has stopped a recording already; make a new one")
        future = self._future()
        if future.done():
            return future
        if controller and controller.stopped:
            future.set_result(PCM())
            return future
        recorder = Recorder(self.voice, limit=None if maxlen is None else int(maxlen), shorts=True)
        self._graph.add(recorder)
        self._graph.listen(recorder, "more", lambda sample, value: recorder.grow())
        self._graph.listen(recorder, "done", lambda sample, value: stop())
        future.then(lambda: self._graph.remove(recorder))
        self._note("recording begins")

        def stop() -> None:
            if not future.done():
                future.set_result(PCM.adopt(recorder.recorded()))
                self._note(f"recorded {len(future.result()) / RATE:.2f} s")
                if recorder.state["lost"]:
                    log.warning("%s: %d samples of a recording are lost", self.id, recorder.state["lost"])

        if controller:
            controller._recorders.append((recorder, lambda: self._on_loop(stop)))
        if silence is not None:
            self._listen_for_silence(float(silence), future, stop)
        return future

    def _listen_for_silence(self, seconds: float, future: Pending, stop: Callable[[], Any]) -> None:
        """Stop when somebody has spoken and falls silent, or give up when nobody speaks."""
        ear = VoiceActivity(self.voice, hangover=seconds)

        def give_up() -> None:
            if not future.done():
                future.set_result(PCM())
                self._note("nobody has said anything")

        patience = self.engine.loop.call_later(max(seconds, SPEECHLESS), give_up)
        self._graph.add(ear)
        self._graph.listen(ear, "speech", lambda sample, value: patience.cancel())
        self._graph.listen(ear, "silence", lambda sample, value: stop())
        future.then(patience.cancel)
        future.then(lambda: self._graph.remove(ear))

    def recordCustom(self, f: Callable[[float], Any]) -> asyncio.Future:
        """Call f(sample) for every sample of the caller, until it returns False. It runs in a thread of this call."""
        if not callable(f) or inspect.iscoroutinefunction(f):
            raise TypeError(f"recordCustom: {f!r} is not a plain function of one sample")
        future = self._future()
        if not future.done():
            sink = Sink(self.voice)
            listener = Listener(sink, f, lambda: self._on_loop(lambda: future.done() or future.set_result(True)))
            self._graph.add(sink)
            self._feed(listener, future)
            future.then(lambda: self._graph.remove(sink))
            self._note(f"listening by {getattr(f, '__name__', 'f')}")
        return future

    async def listen(self, phrases: Sequence[str], timeout: float = 5.0) -> str | None:
        """Wait for the caller to say one of a few phrases of English; which one it was most likely, or None.

        timeout: seconds in which it must have been said. It ends with the first half second of silence after speech.
        Needs the extra `listen`.
        """
        words = hearing.checked(phrases)
        check_number("listen", "timeout", timeout, LONGEST)
        loop = self.engine.loop
        recognizer = await loop.run_in_executor(None, hearing.recognizer, words)
        try:
            said = await asyncio.wait_for(self.recordPCM(silence=0.5), timeout)
        except TimeoutError:
            said = PCM()
        found = await loop.run_in_executor(None, recognizer.hear, said) if said else None
        self._note(f"heard {found!r}" if found else "heard nothing")
        return found

    def getDTMF(
        self, n: int = 1, filter: Collection[str] | None = None, on_first: Callable[[str], Any] | None = None
    ) -> "asyncio.Future[Digits]":
        """Wait for n keys of the keypad (0-9 * # A-D); a string of n characters.

        filter: keys that count; others are ignored. on_first(key): called at the first key that counts.
        Keys that were pressed before, and that nobody has asked for, come first (type-ahead); flushDTMF forgets them.
        The string's `how` and `times` say of each key which way it came ("event", "info", "tones") and when.
        """
        self._only_here("getDTMF")
        if self._ended.done():
            self._keys.flush()  # nobody is there who would want them
        wanted = self._keys.want(n, filter, on_first)
        if self._ended.done():
            wanted.cancel()
        return wanted

    def sendDTMF(self, digits: str, how: str | None = None, on: float = 0.1, off: float = 0.1) -> "Playback | Dialling":
        """Press keys at the far end: 0-9 * # A-D, and a comma for a pause of 1 s. Await it until the last is sent.

        how: "events" sends telephone events, "tones" plays them into the sound; None: events if they were agreed on.
        on, off: seconds that each is held, and that pass before the next.
        """
        self._only_here("sendDTMF")
        text = dialled(digits)
        if how not in (None, "events", "tones"):
            raise ValueError(f"sendDTMF: how is {how!r}; it is 'events', 'tones' or None")
        for name, value in (("on", on), ("off", off)):
            check_number("sendDTMF", name, value, 10)
        if how == "events" and not self._leg.events:
            raise ValueError("sendDTMF: the far end has not agreed on telephone events; how='tones' plays them")
        self._note(f"sends {text}")
        if not self._ended.done() and (how == "events" or (how is None and self._leg.events)):
            dialling = Dialling(self, self._leg.send_key, text, on, off)
            self._pending.add(dialling)
            dialling.then(lambda: self._pending.discard(dialling))
            return dialling
        playback = self._play(DtmfTone(text=text, on=on, off=off), empty=not text)
        mine = (playback, text)
        self._dialling.append(mine)
        playback.then(lambda: self.engine.loop.call_later(ECHO, self._dialling.remove, mine))
        return playback

    def getRemoteUri(self) -> str:
        """Who calls: '"5556667777" <sip:5556667777@localhost>'."""
        return self._leg.uri

    # --- The graph ----------------------------------------------------------------------------------------------------

    def play(self, node: "Node | Port | Patch", fade: float = FADE, until: Node | None = None) -> Any:
        """Play any node, graph and all, or a patch, until its event `done`, or until it is stopped or cancelled.

        fade: seconds in which it comes in. until: the node whose `done` ends it, if that is another one. The inputs of
        a patch that are still open are wired by name: `voice` is the caller, `keys` the keypad. Gives a Playback; for a
        patch a Synth, whose attributes are the patch's parameters.
        """
        if not isinstance(node, (Node, Port, Patch)):
            hint = "; playPCM plays samples, playCustom a function"
            if isinstance(node, Recipe):
                hint = "; call it to make a patch"
            raise TypeError(f"play: {node!r} is not a node{of_file(node) or hint}")
        check_number("play", "fade", fade, LONGEST)
        source = node if isinstance(node, Node) else node.port().node
        if until is not None and not (isinstance(until, Node) and "done" in until.slots.events):
            raise ValueError(f"play: {until!r} is no node with an event 'done' to wait for")
        if until is not None and until not in walk([source]):
            raise ValueError(f"play: {until.type} is not a part of what plays; its end would never come")
        if isinstance(node, Patch):
            return self._play_patch(node, fade, until)
        if (until or source).ended:
            raise ValueError(f"play: this {(until or source).type} has come to its end; build another one")
        self._note(f"graph of {source.type}")
        return self._play(node, fade=fade, until=until or source)

    def when(self, event: NodeEvent) -> "asyncio.Future[int]":
        """A future of an event's value: `await call.when(Answering(VoiceActivity(call.voice)).verdict)`.

        The node, with all that is wired to it, is run while somebody waits for it, whether it plays or not.
        """
        if not isinstance(event, NodeEvent):
            raise TypeError(f"when: {event!r} is not an event of a node; write node.name")
        future = self._future()
        if not future.done():
            node = event.node
            self._graph.add(node)
            self._graph.listen(node, event.name, lambda sample, value: future.done() or future.set_result(value))
            future.then(lambda: self._graph.remove(node))
        return future

    def update(self) -> None:
        """Take over wires that were changed behind a node's back (`node.wires[...]`) while the graph sounds."""
        self._graph.claim(*self._graph.roots)
        for node in walk(self._graph.roots):
            node.wires.row = None
        self._graph.touch()

    def draw(self, path: "str | os.PathLike[str]") -> None:
        """Draw what sounds at this moment, with the level of every output, to an SVG file."""
        from .draw import graph_svg
        from .files import write_whole

        if Path(path).suffix.lower() != ".svg":
            raise ValueError(f"draw: {path}: its name must end in .svg")
        write_whole(path, graph_svg(self._graph, levels=True).encode())

    def flushDTMF(self) -> str:
        """Forget the keys that were typed ahead; they are returned."""
        return self._keys.flush()

    def hangup(self) -> None:
        """End the call. What plays fades away; whatever is pending, and the handler's task, is cancelled."""
        self._on_loop(lambda: self._end("we hung up", ours=True))

    @property
    def ended(self) -> "asyncio.Future[str]":
        """Await it for the end of the call; it gives the reason."""
        return asyncio.shield(self._ended)

    @property
    def time(self) -> float:
        """Seconds since the call began, in frames of 20 ms."""
        return int(self._graph.clock[0]) * FADE

    def __repr__(self) -> str:
        state = f"ended: {self._ended.result()}" if self._ended.done() else f"{self.time:.2f} s"
        return f"<{self.id}, {self._leg.uri}, {state}>"

    # --- Playing ------------------------------------------------------------------------------------------------------

    def _play(self, node: "Node | Port", fade: float = 0.0, until: Node | None = None, empty: bool = False) -> Playback:
        self._only_here("a playback")
        source = node.node if isinstance(node, Port) else node
        if self._ended.done() or empty:
            playback = Playback(self, source)
            playback.set_result(True) if not self._ended.done() else playback.cancel()
            return playback
        way_out = Fade(node, over=round(fade * RATE))
        self._graph.claim(way_out)
        until = until if until is not None else source
        playback = Playback(self, source, way_out)
        self._begin(playback, way_out)
        if "done" in until.slots.events:
            self._graph.listen(until, "done", lambda sample, value: self._over(until, way_out))
        return playback

    def _play_patch(self, patch: Patch, fade: float, until: Node | None) -> Synth:
        self._only_here("a playback")
        if self._ended.done():
            synth = Synth(self, patch)
            synth.cancel()
            return synth
        if any(isinstance(one, Synth) and one.patch is patch for one in self._playing.values()):
            raise ValueError(f"play: this {patch.name} plays already; make another one")
        for node in patch.nodes.values():
            self._graph.check(node)
        patch.bind(voice=self.voice.port(), keys=self.keys)
        if until is not None:
            patch.done = NodeEvent(until, "done")
        if patch.done and patch.done.node.ended:
            raise ValueError(f"play: this {patch.name} has come to its end; build another one")
        way_out = Fade(patch, over=round(fade * RATE))
        self._graph.claim(way_out, *patch.sinks)
        synth = Synth(self, patch, way_out)
        self._note(f"patch {patch.name}")
        self._begin(synth, way_out)
        self._sinks[way_out] = patch.sinks
        for sink in patch.sinks:
            self._graph.add(sink)
        self._wait_for_end(synth, patch.nodes.values())
        return synth

    def _begin(self, playback: Playback, way_out: Fade) -> None:
        self._playing[way_out] = playback
        self._out.wires["inputs"] = [*self._out.wires["inputs"], way_out.port()]
        self._graph.touch()
        self._graph.listen(way_out, "fault", lambda sample, value: self._faulty(way_out))

    def _wait_for_end(self, synth: Synth, nodes: Iterable[Node]) -> None:
        """Fade it out at the event at which its patch ends. A reload may make any other one its end."""

        def listen(end: NodeEvent) -> None:
            def over(sample: int, value: int) -> None:
                synth._ends.add(end)
                if synth.patch.done == end and not synth.done():
                    self._end_of(synth)

            self._graph.listen(end.node, end.name, over)

        done = synth.patch.done
        ends = {NodeEvent(node, "done") for node in nodes if "done" in node.slots.events}
        for end in sorted(ends | ({done} if done and done.node in nodes else set()), key=lambda one: one.node.id):
            listen(end)

    def _end_of(self, synth: Synth) -> None:
        if synth.patch.done:
            synth.patch.done.node.ended = True
        self._fade_out(synth, FADE)

    def _reload(self, synth: Synth, patch: Patch) -> None:
        self._only_here("a reload")
        old, fade = synth.patch, synth._fade
        if patch is old:
            return
        if any(node.graph or node.claimed for node in patch.nodes.values()):
            raise ValueError(f"reload: this {patch.name} plays already; make another one")
        patch.bind(voice=self.voice.port(), keys=self.keys)
        if fade is None or fade not in self._playing:
            raise ValueError(f"reload: {old.name} ends; play the new one")
        before = set(old.nodes.values())
        adopt(patch, old, self._graph)
        synth.patch = patch
        fade.input = patch
        for sink in patch.sinks:
            self._graph.add(sink)
        for sink in self._sinks.get(fade, ()):
            self._graph.remove(sink)
        self._sinks[fade] = patch.sinks
        self._wait_for_end(synth, [node for node in patch.nodes.values() if node not in before])
        if patch.done in synth._ends:
            self._end_of(synth)
        self._note(f"patch {patch.name}, reloaded")

    def _fade_out(self, playback: Playback, seconds: float) -> None:
        fade = playback._fade
        if fade is None or fade not in self._playing:
            return
        if fade.graph is None:  # it has not sounded yet, and will not
            self._remove(fade)
            return
        fade.end(round(seconds * RATE))
        self._graph.listen(fade, "done", lambda sample, value: self._remove(fade))

    def _over(self, node: Node, fade: Fade) -> None:
        node.ended = True
        self._remove(fade)

    def _remove(self, fade: Fade) -> None:
        """Its last sample has left."""
        playback = self._playing.pop(fade, None)
        self._out.wires["inputs"] = [port for port in self._out.wires["inputs"] if port.node is not fade]
        for sink in self._sinks.pop(fade, ()):
            self._graph.remove(sink)
        self._graph.touch()
        if fade.graph is None:  # it never sounded
            for node in walk([fade]):
                self._graph.forget(node)
        if playback:
            playback._finish()

    def _faulty(self, fade: Fade) -> None:
        way = [node for part in order([fade.input.node]) for node in part if node.slots.outputs]
        culprit = next((node for node in way if not node.is_finite()), fade.input.node)
        log.warning("%s: the sound of %s is not finite; it is silenced and the call goes on", self.id, culprit.type)
        self._note(f"{culprit.type} is not finite: silenced")
        self._remove(fade)

    # --- Python functions ---------------------------------------------------------------------------------------------

    def _feed_node(self, node: Node) -> None:
        """Run the function of a node while it sounds, whatever plays it."""
        if node.graph is self._graph:
            self._feeding().add(node)
        elif self._feeder:
            self._feeder.remove(node)
            if (trouble := cast(Any, node).trouble()) and not self._ended.done():
                log.warning("%s: %s", self.id, trouble)

    def _feeding(self) -> Feeder:
        if self._feeder is None:
            self._feeder = Feeder(self.engine, self._function_failed)
        return self._feeder

    def _feed(self, job: Any, future: Pending) -> None:
        job.future = future
        feeder = self._feeding()
        feeder.add(job)
        future.then(lambda: self._let_go(feeder, job))

    def _let_go(self, feeder: Feeder, job: Any) -> None:
        """A cancelled playback is fed on while it fades."""
        if job.trouble():
            log.warning("%s: %s", self.id, job.trouble())
        if not isinstance(job, Listener) and not self._ended.done():
            self.engine.loop.call_later(2 * FADE, feeder.remove, job)
        else:
            feeder.remove(job)

    def _said(self, speaker: Speaker) -> None:
        speaker.stop()
        if speaker.trouble():
            log.warning("%s: %s", self.id, speaker.trouble())

    def _function_failed(self, job: Any, error: Exception) -> None:
        """An exception in a user's function is raised where the handler awaits it, or else in the handler itself."""
        if isinstance(job, Node):
            playing = [one for fade, one in self._playing.items()
                       if one and job in walk([fade, *self._sinks.get(fade, ())])]  # fmt: skip
            for one in playing:
                self._raise_in(one, error)
            if not playing:
                self._fail(error)
        else:
            self._raise_in(job.future, error)

    def _raise_in(self, future: Pending, error: Exception) -> None:
        if future.done():
            return
        if isinstance(future, Playback) and future._fade:
            self._playing[future._fade] = None
            self._fade_out(future, FADE)
        future.set_exception(error)
        if not future.awaited:
            future.exception()  # seen: it is raised in the handler
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self.error = error
        if self._task:
            self._task.cancel()

    # --- Events and the end -------------------------------------------------------------------------------------------

    def _pressed(self, key: str, how: str) -> None:
        """The device heard a key; the keypad gives it its place among the samples."""
        if key.upper() in KEYS:
            self._press(key.upper(), how, self.time)
        if self._tones and not self._leg.tones:  # now we know that none of its keys come as tones
            self._graph.remove(self._tones)
            self._presses.released(self.time)
            self._tones = None

    def _heard(self, sample: int, value: int) -> None:
        """There are the tones of a key in the sound. They may be ours, come back."""
        key = chr(value & 0xFF)
        if not any(key in text for _, text in self._dialling):
            self._press(key, "tones", (sample - (value >> 8)) / RATE)

    def _press(self, key: str, how: str, since: float) -> None:
        if self._presses.is_new(key, how, self.time, since):
            self._ways.append((how, since))
            self._keypad.press(key)

    def _digit(self, sample: int, value: int) -> None:
        self._keypad.feed()
        how, since = self._ways.popleft() if self._ways else ("", self.time)
        self._note(f"key {chr(value)}" + (f", by {how}" if how in ("info", "tones") else ""))
        self._keys.press(Key(chr(value), how, since))

    def _gone(self, reason: str) -> None:
        self._end(reason, ours=False)

    def _end(self, reason: str, ours: bool) -> None:
        if self._ended.done():
            return
        self._note(f"ended: {reason}")
        self._ended.set_result(reason)
        for future in [*self._pending, *filter(None, self._playing.values()), self._keys.wanted]:
            if future and not future.done():
                future.cancel()
        if self._task and not self._task.done():
            self._task.cancel()
            reminder = self.engine.loop.call_later(STUBBORN, self._remind)
            self._task.add_done_callback(lambda _: reminder.cancel())  # _run may never have begun: an early CANCEL
        if ours and self._playing:
            self.engine.loop.call_later(2 * FADE, self._close, True)  # let it fade away
        else:
            self._close(ours)

    def _remind(self) -> None:
        log.warning("%s: its handler goes on %g s after the end; does it catch CancelledError?", self.id, STUBBORN)

    def _close(self, hang_up: bool) -> None:
        """Let go of everything, so that nothing of the call stays."""
        if self._feeder:
            self._feeder.stop()
            self._feeder = None
        self.engine.remove(self._graph)
        self._playing.clear()
        self._leg.on_digit, self._leg.on_end = _ignore, _ignore
        if hang_up:
            self._leg.hangup()
        self._closed.set()

    def _future(self) -> Pending:
        """A future that the end of the call cancels."""
        self._only_here("a recording")
        future = Pending(loop=self.engine.loop)
        if self._ended.done():
            future.cancel()
        else:
            self._pending.add(future)
            future.then(lambda: self._pending.discard(future))
        return future

    def _on_loop(self, run: Callable[[], Any]) -> None:
        """Run it now if we are on the event loop, or as soon as it can, from another thread."""
        if self._here():
            run()
        elif not self.engine.loop.is_closed():
            self.engine.loop.call_soon_threadsafe(run)

    def _here(self) -> bool:
        """Are we on the event loop, and not in a user's function, which on the virtual clock runs in its thread too?"""
        return _running_loop() is self.engine.loop and not (self._feeder and self._feeder.running)

    def _only_here(self, what: str) -> None:
        if not self._here():
            raise RuntimeError(
                f"{what} cannot be begun in a function of the call or in another thread; let the handler do it"
            )

    def _note(self, text: str) -> None:
        self.history.append((self.time, text))
        log.debug("%s %.2f s: %s", self.id, self.time, text)

    async def _run(self, handler: Callable[["Call"], Any]) -> None:
        """Run the handler to its end, which is the call's. Nothing that it raises gets past here."""
        self._task = asyncio.current_task()
        interrupted = False
        try:
            await _awaitable(handler, handler(self))
            self._tell_forgotten()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and not task.cancelling():
                log.warning("%s: the handler ended because it awaited something that had been cancelled", self.id)
        except Blocked as error:
            self.error = RuntimeError(str(error)).with_traceback(error.__traceback__)
        except KeyboardInterrupt:  # in the middle of its code: the program ends, and waits for nothing
            interrupted = True
            raise
        except BaseException as error:
            self.error = error
            if not isinstance(error, Exception):
                raise
        finally:
            if self.error:
                log.error("%s: the handler failed", self.id, exc_info=self.error)
                self._note(f"failed: {self.error!r}")
            self._task = None
            self._end("the handler failed" if self.error else "the handler is done", ours=True)
            if not interrupted:
                await self._closed.wait()

    def _tell_forgotten(self) -> None:
        """Say what the handler has begun and cannot have meant to leave: these are futures, and Python says nothing."""
        found = [
            f"the handler ended before its {fade.input.node.type} was heard: write 'await' before what plays it"
            for fade in self._playing
            if fade.graph is None
        ]
        wanted = self._keys.wanted
        if wanted and not wanted.done() and not wanted.awaited:
            found.append("the handler ended while getDTMF waited for a key: write 'key = await call.getDTMF()'")
        for text in found:
            log.warning("%s: %s", self.id, text)
            self._note(text)


def prepare() -> None:
    """Compile, or load from the disk, all that a call is made of, so that the first caller does not wait for it."""
    for kind in (Custom, Dtmf, Fade, Keypad, LineIn, LineOut, Pcm, Recorder, Sink, Speech, Tone):
        kind.process.compile(kind)


def _awaitable(handler: Callable, result: Any) -> Any:
    """What a handler gave, if that can be awaited."""
    if inspect.isawaitable(result):
        return result
    name = getattr(handler, "__name__", repr(handler))
    if inspect.isasyncgen(result):
        raise TypeError(f"the handler {name} has a 'yield' in it, so it never runs; await or return instead")
    written = "handler" if name == "<lambda>" else name
    raise TypeError(f"the handler {name} is not a coroutine function; write 'async def {written}(call)'")


def _ignore(*args: Any) -> None:
    """What a call that has ended does with news from its far end."""


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


_samples = samples  # playPCM's argument has the documented name
