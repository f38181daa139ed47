"""The menu: four digits lead to an experiment."""

import asyncio

import dialasong
import echo
import hangman
import makeafish
import memo
import phoneventure
import test

from voip import loadWAVtoPCM, runVoipClient

EXPERIMENTS = {
    "0000": test.handler,
    "1111": makeafish.handler,
    "1234": phoneventure.handler,
    "4264": hangman.handler,
    "6366": memo.handler,
    "6962": dialasong.handler,
    "9999": echo.handler,
}

which = loadWAVtoPCM("assets/enter_experiment.wav")
wrong = loadWAVtoPCM("assets/invalid_experiment.wav")
teleport = loadWAVtoPCM("assets/teleport.wav")


async def handler(call):
    prompt = call.playPCM(which)
    try:
        digits = call.getDTMF(filter="0123456789", n=4, on_first=lambda digit: prompt.cancel())
        code = await asyncio.wait_for(digits, 60)
    except TimeoutError:
        code = ""
    prompt.cancel()
    if code in EXPERIMENTS:
        await call.playPCM(teleport)
        await EXPERIMENTS[code](call)
    else:
        await call.playPCM(wrong)


if __name__ == "__main__":
    runVoipClient(handler)
