# make demo    ring a scripted caller; leaves demo.wav and demo.png
# make test    all tests, with all that they need
# make fresh   both of them on a new Debian, as root and as a user, to see what a machine may lack; needs root
# make bench   microseconds a frame, late frames, calls over SIP
# make mutants change promised numbers one at a time, and list those that no test notices; WHAT=digits.py for one module
# make clean   remove what these have made

PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/pip install --quiet --disable-pip-version-check

DEMO = until quiet; keys 1; until tone 1000; wait 0.4; play assets/my_sound.wav; keys \#; until quiet; \
       keys 2; wait 0.3; play assets/password_correct.wav; keys 09; wait 1

demo: .venv/demo
	$(BIN)/graphvoip call examples/demo.py --script "$(DEMO)" --out demo.wav --plot demo.png

test: .venv/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --level warning --pythonpath $(BIN)/python
	$(BIN)/python tests/confined.py $(BIN)/pytest --numprocesses 2 --dist loadgroup

fresh:
	tests/fresh.sh root sam

bench: .venv/test
	for bench in $(filter-out bench/measure.py, $(wildcard bench/*.py)); do $(BIN)/python $$bench || exit 1; done

clean:
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis demo.wav demo.png
	find . -name __pycache__ -prune -exec rm -rf {} +

mutants: .venv/test
	$(BIN)/python tests/mutants.py $(WHAT)

.PHONY: demo test fresh bench mutants clean
.NOTPARALLEL:

# --- What they need. A file in .venv says when it was set up; a newer pyproject.toml sets it up again. ---

.venv/demo: pyproject.toml | .venv/made
	@echo "setting up .venv"
	@$(PIP) --editable '.[tts,plot]'
	@touch $@

.venv/test: pyproject.toml .venv/system | .venv/made
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || { echo "The tests ring real SIP calls, and" \
	  "PJSIP comes prebuilt for Python 3.11 and 3.12: make clean, then make test PYTHON=python3.12" >&2; exit 1; }
	@echo "setting up .venv for the tests"
	@$(PIP) --editable '.[sip,audio,tts,vad,piper,listen,sstv,plot,test]'
	@touch $@ .venv/demo

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "graphvoip needs Python 3.11 or later;" \
	  "$(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) lacks venv: sudo apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/system: tests/setup.sh
	@PYTHON=$(PYTHON) sh tests/setup.sh
	@mkdir -p .venv && touch $@
