from ..kernel import event, kernel
from ..node import Event, Node, Option, Output, Signal, State
from ..rings import RATE

HUMAN, MACHINE, SILENCE, UNSURE = 1, 2, 3, 4


class Answering(Node):
    """Tell who has answered: a human, a machine, or nobody who speaks.

    It takes what VoiceActivity says, from the moment of the answer on. Humans say a word or two and wait; machines
    talk. The rules are after those of Asterisk's application AMD, and so are the defaults:

    - nobody speaks for `initial_silence`: silence
    - there is speech, and then none for `after_greeting`: a human
    - speech (a pause of at most `after_greeting` counts) goes on for `greeting`: a machine
    - more than `words` words: a machine. A word has at least `word` of speech, after at least `between` of silence
    - `total` is over: unsure

    A busy tone is as loud as speech, and lasts. Connect `tone`, so that the tones of an exchange are neither a human
    nor a machine: while it is above 0 no verdict but unsure is given, and what was heard until then does not count.

    >>> Answering(VoiceActivity(voice, hangover=0.05), tone=CallProgress(voice).tone)
    """

    group = "analysis"
    known_as = "amd, answering machine detection, voicemail, voice mail, machine detection, cpa"
    input = Signal(None, doc="a gate that is on during speech: VoiceActivity(call.voice, hangover=0.05)")
    tone = Signal(0.0, "x", 0, 1, "above 0 while an exchange is heard, and nobody else: CallProgress(call.voice).tone")
    initial_silence = Option(2.5, "nobody speaks for so long: silence", unit="s", low=0.1, high=60)
    greeting = Option(1.5, "a greeting as long as this is a machine's", unit="s", low=0.1, high=60)
    after_greeting = Option(0.8, "silence after a greeting, for a human", unit="s", low=0.1, high=60)
    total = Option(5.0, "it has decided by then", unit="s", low=0.1, high=600)
    word = Option(0.1, "what is shorter is no word", unit="s", low=0, high=10)
    between = Option(0.05, "what is shorter is no pause between words", unit="s", low=0, high=10)
    words = Option(2, "a greeting of more words is a machine's", low=1, high=100)
    out = Output("0 until it has decided; 1 a human, 2 a machine, 3 silence, 4 unsure")
    verdict = Event("it has decided; value: as `out`")
    state = State(
        limits=("i8", 6), most="i8", at="i8", code="i8", speech="i8", silence="i8", begun="i8", since="i8", count="i8",
        counted="i8",
    )  # fmt: skip

    def start(self):
        seconds = (self.initial_silence, self.greeting, self.after_greeting, self.total, self.word, self.between)
        self.state["limits"][:] = [round(RATE * one) for one in seconds]
        self.state["most"] = self.words

    @kernel
    def process(state, input, tone, out):
        initial, greeting, after, total, word, between = state.limits
        for i in range(out.size):
            if state.code == 0:
                state.at += 1
                if input[i] > 0:
                    if state.silence > between:
                        state.speech = 0
                        state.counted = 0
                    state.silence = 0
                    state.speech += 1
                    if state.speech >= max(word, 1) and state.counted == 0:
                        state.counted = 1
                        state.count += 1
                        state.since = state.since if state.begun else state.at - state.speech
                        state.begun = 1
                else:
                    state.silence += 1
                code = 0
                if state.begun and state.silence >= after:
                    code = HUMAN
                elif state.begun and (state.count > state.most or state.at - state.silence - state.since >= greeting):
                    code = MACHINE
                elif not state.begun and state.at >= initial:
                    code = SILENCE
                if code > 0 and tone[i] > 0:  # what was heard was nobody's speech
                    code, state.begun, state.count, state.counted, state.speech = 0, 0, 0, 1, 0
                state.code = UNSURE if code == 0 and state.at >= total else code
                if state.code > 0 and state.verdict == 0:
                    state.verdict = event(i, state.code)
            out[i] = state.code
