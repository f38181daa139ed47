#!/bin/sh
# Run the README's two commands on a fresh Debian 12, as each of the users named (root, or anyone else: a user with sudo):
#     tests/fresh.sh [--quiet] root sam
# A fresh machine is a folder, made by debootstrap, that holds nothing but the packages below and a clone of this checkout's HEAD.
# Ends with what failed first, or with 77 where no such folder can be made, after one line that says why. --quiet leaves out the
# summary, so that the tests' own is the last word.
set -u
trap 'exit 130' INT TERM HUP

# What the README asks for before its two commands.
packages="git make python3-venv"

quiet=
[ "${1-}" = --quiet ] && { quiet=yes; shift; }

no_chroot() {
    echo "no fresh Debian can be made here: $1" >&2
    exit 77
}

# Everything below runs in namespaces of its own: what is mounted, and whatever still runs, goes with the script, however it ends.
if [ "${FRESH_NAMESPACE-}" != yes ]; then
    [ $# -gt 0 ] || { echo "Name the users: $0 root sam" >&2; exit 2; }
    [ "$(id -u)" = 0 ] || no_chroot "only root may. Run: sudo make fresh"
    checkout=$(cd "$(dirname "$0")/.." && pwd)
    git -c safe.directory='*' -C "$checkout" rev-parse --verify --quiet HEAD >/dev/null || no_chroot "$checkout is no git checkout."
    unshare --mount --pid --fork true 2>/dev/null || no_chroot "the kernel allows no new namespaces."
    command -v debootstrap >/dev/null || {
        apt-get -q -o DPkg::Lock::Timeout=300 update && DEBIAN_FRONTEND=noninteractive \
            apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends debootstrap
    } </dev/null || no_chroot "debootstrap is missing, and apt-get cannot install it."
    work=$(mktemp -d "${TMPDIR:-/var/tmp}/fresh.XXXXXX")
    trap 'rm -rf --one-file-system "$work"' EXIT
    FRESH_NAMESPACE=yes unshare --mount --pid --fork --kill-child "$0" ${quiet:+--quiet} "$checkout" "$work" "$@" </dev/null
    exit
fi

checkout=$1 work=$2
shift 2
commit=$(git -c safe.directory='*' -C "$checkout" rev-parse HEAD)

# The packages come from where this machine has its own, over the same proxies and with the same certificates.
same_debian() { grep -q '^VERSION_CODENAME=bookworm$' /etc/os-release; }

make_base() {
    mirror=
    if same_debian; then
        mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
            sed -n 's/^bookworm main //p' | head -1)
    fi
    debootstrap --variant=minbase bookworm "$work/base" $mirror || return
    if same_debian; then
        rm -rf "$work/base/etc/apt"
        copy /etc/apt
    fi
    for settings in /etc/pip.conf /etc/xdg/pip /etc/npmrc /etc/resolv.conf /etc/hosts /usr/local/share/ca-certificates; do
        copy "$settings"
    done
    inside "$work/base" root sh -c "apt-get -q update && apt-get -q install -y --no-install-recommends ca-certificates sudo $packages"
}

copy() {
    [ -e "$1" ] || return 0
    mkdir -p "$work/base$(dirname "$1")"
    cp -rL "$1" "$work/base$(dirname "$1")/"
}

# inside FOLDER USER COMMAND...: run it in the fresh machine, with what the network needs from this one's environment and no more.
inside() {
    folder=$1 user=$2
    shift 2
    home=$(chroot "$folder" getent passwd "$user" | cut -d: -f6)
    set -- DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" USER="$user" "$@"
    for name in $(env | grep -v '^PIP_FIND_LINKS=' | sed -nE 's/^((PIP_[A-Z_]*|[A-Za-z]*_proxy|[A-Z]*_PROXY|[A-Z_]*SSL_[A-Z_]*|[A-Z_]*CA_(BUNDLE|CERTS|CERT)|CI))=.*/\1/p'); do
        set -- "$name=$(printenv "$name")" "$@"
    done
    chroot --userspec="$user" "$folder" env -i "$@"
}

mount_in() {
    mount -t proc proc "$1/proc" && mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$1/dev/pts" &&
        mkdir -p "$1/dev/shm" && mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
}

new_machine() {
    user=$1 folder=$work/$1
    cp -a --reflink=auto "$work/base" "$folder" && mount_in "$folder" || return
    if [ "$user" != root ]; then
        chroot "$folder" useradd --create-home --shell /bin/bash "$user" &&
            echo "$user ALL=(ALL) NOPASSWD: ALL" >"$folder/etc/sudoers.d/$user" || return
    fi
    home=$folder$(chroot "$folder" getent passwd "$user" | cut -d: -f6)
    git -c safe.directory='*' clone --quiet --no-local "file://$checkout" "$home/graphvoip" &&
        git -c safe.directory='*' -C "$home/graphvoip" checkout --quiet "$commit" &&
        chroot "$folder" chown -R "$user:" "${home#"$folder"}/graphvoip"
}

summary=
failed=0

# timed USER COMMAND...: in that user's clone; a line of the summary comes of it.
timed() {
    user=$1
    shift
    echo "--- $user: $*"
    begun=$(date +%s)
    inside "$work/$user" "$user" sh -c "cd ~/graphvoip && $*"
    code=$?
    took=$(($(date +%s) - begun))
    [ $code = 0 ] && outcome=passed || outcome="failed ($code)"
    [ $failed != 0 ] || failed=$code
    summary="$summary$(printf '%-6s %-10s %3d min %2d s  %s' "$user" "$*" $((took / 60)) $((took % 60)) "$outcome")
"
}

make_base >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; no_chroot "debootstrap or apt-get failed, as above."; }
for user; do
    new_machine "$user" || no_chroot "copying the fresh machine or this checkout failed, as above."
    timed "$user" make demo
    timed "$user" make test
done
[ "$quiet" ] || printf '\n%s: %s\n%s' "fresh Debian 12" "$(git -c safe.directory='*' -C "$checkout" log -1 --format='%h %s' "$commit")" "$summary"
exit $failed
