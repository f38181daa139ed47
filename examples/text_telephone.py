"""A text telephone (TDD, 45.45 Bd) for callers who type: it reads what they send, spells it aloud and answers in text.

They end with GA, "go ahead", as these telephones' users do.
"""

from graphvoip import runVoipClient
from graphvoip.nodes import Fsk, FskReceive


async def handler(call):
    read, text = FskReceive(call.voice, standard="tdd"), ""
    await call.play(Fsk(text="HELLO, WHO IS CALLING GA", standard="tdd"))
    while not text.endswith("GA"):
        await call.when(read.received)
        text += read.take()
    name = text.removesuffix("GA").strip()
    await call.say(f"You are {name}.")
    await call.play(Fsk(text=f"GOOD DAY {name} SK", standard="tdd"))


if __name__ == "__main__":
    runVoipClient(handler)
