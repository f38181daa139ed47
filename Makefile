# make demo   ring a scripted caller; leaves demo.wav and demo.png
# make test   all tests, with all that they need
# make bench  microseconds a frame, late frames
# make clean  remove what these made

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
RUNS = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'

# What the tests need beside Python packages: sound (PyAudio is compiled), speech, and far ends to call from.
SYSTEM = gcc portaudio19-dev libportaudio2 libasound2-plugins pulseaudio pulseaudio-utils espeak-ng baresip sip-tester sipsak
INSTALL = apt-get install -y --no-install-recommends $(SYSTEM)

DEMO = until quiet; keys 1; until tone 1000; wait 0.4; play assets/my_sound.wav; keys \#; until quiet; \
       keys 2; wait 0.3; play assets/password_correct.wav; keys 09; wait 1

.PHONY: demo test bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/demo
	$(BIN)/graphvoip call examples/demo.py --script "$(DEMO)" --out demo.wav --plot demo.png

test: $(VENV)/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/pytest

bench: $(VENV)/demo
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) demo.wav demo.png .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# --- The environment. A stamp in it says for which pyproject.toml it has been set up. ---

$(VENV)/made:
	@$(RUNS) || { echo "graphvoip needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) -V 2>&1)." \
	  "Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing: sudo apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/demo: $(VENV)/made pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[sip,tts,plot]'
	@touch $@

$(VENV)/test: $(VENV)/made $(VENV)/system pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[sip,audio,tts,plot,test]'
	@touch $@ $(VENV)/demo

$(VENV)/system: $(VENV)/made
	@PYTHON=$(BIN)/python .ci/system $(SYSTEM)
	@touch $@
