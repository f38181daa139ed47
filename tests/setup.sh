#!/bin/sh
# Install the system's packages that the tests need: make test runs this once. Only Debian and its kin can be set up by it.
set -eu

# A compiler and PortAudio for PyAudio, a sound server without a card, speech, SIP telephones, the modems and codecs of others,
# and the prompts of a real voice.
packages="gcc portaudio19-dev libportaudio2 libasound2-plugins pulseaudio pulseaudio-utils espeak-ng flite festival festvox-kallpc16k baresip sip-tester sipsak minimodem multimon-ng libgsm1 libbcg729-0 asterisk-core-sounds-en-wav"

# A Python that was not built here has its headers and venv in packages of their own.
python=${PYTHON:-python3}
headers='import os, sysconfig; os.stat(os.path.join(sysconfig.get_path("include"), "Python.h"))'
"$python" -c "$headers" 2>/dev/null || packages="$packages python3-dev"
"$python" -c "import ensurepip" 2>/dev/null || packages="$packages python3-venv"

if ! command -v apt-get >/dev/null; then
    echo "The tests need what Debian calls: $packages." >&2
    echo "Install it in your system's way; what is missing makes tests fail." >&2
    exit 0
fi

missing=
for package in $packages; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
        *" installed") ;;
        *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=
elif sudo -n true 2>/dev/null || { [ -t 0 ] && command -v sudo >/dev/null; }; then
    sudo=sudo  # where somebody sits at the terminal it may ask for the password
else
    echo "The tests need system packages, and this user cannot install them:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi

echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
# Another apt may be at work: wait for it.
$sudo apt-get -q -o DPkg::Lock::Timeout=300 update
$sudo apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing
