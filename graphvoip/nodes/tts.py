from ..kernel import event, floats_at, kernel
from ..node import Event, Node, Option, Output, Spoken, State


class Tts(Node):
    """Speak a text.

    It is spoken when the node is built, and kept on the disk, so that it is there at once the next time; a slow engine
    makes a patch that long in the building. On a call `await call.say(text)` begins at once, whatever the engine.

    >>> Tts(text="Hello, this is a telephone.")
    """

    group = "sources"
    known_as = "text to speech, speech synthesis, speech synthesizer, voice prompt, espeak, say, announcement"
    text = Spoken("", "what is said, up to 10000 characters; SSML if it begins with <speak")
    voice = Option("", "one of the engine's voices, such as en, de, en-us+f3; without one its own")
    engine = Option("espeak", "what speaks", ("espeak", "flite", "festival", "rhvoice", "piper"))
    speed = Option(1.0, "how fast; 1 is as the voice speaks", unit="x", low=0.3, high=3)
    out = Output()
    done = Event("the last sample of the text has been made")
    state = State(address="i8", size="i8", at="i8", ended="i8")

    def start(self):
        self.data = type(self).slots.options["text"].samples(self)
        self.state["address"], self.state["size"] = self.data.ctypes.data, self.data.size

    @kernel
    def process(state, out):
        data = floats_at(state.address, state.size)
        size = min(out.size, state.size - state.at)
        for i in range(size):
            out[i] = data[state.at + i]
        for i in range(size, out.size):
            out[i] = 0
        state.at += size
        if state.at == state.size and state.ended == 0 and state.done == 0:
            state.ended = 1
            state.done = event(max(0, size - 1))
