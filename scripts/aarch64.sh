#!/bin/sh
# An emulated 64-bit ARM machine for make test-aarch64: Debian in a folder, run by qemu.
#
#   scripts/aarch64.sh emulator                 install what emulation and cross compilation need
#   scripts/aarch64.sh install WHEEL[EXTRAS]    create the machine, unless it is cached; install a wheel
#   scripts/aarch64.sh run FOLDER COMMAND...    run a command on it, which sees FOLDER by that name
#
# Exit code 77 of the first means that this machine cannot emulate one; it prints the reason.
set -eu
# Outside of Edgewright's own cache, whose old files edgewright gc removes.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/edgewright-aarch64
root=$cache/root
wheels=$cache/wheels
venv=/opt/edgewright
python=${PYTHON:-python3}

skip() {
    echo "no emulated machine: $1" >&2
    exit 77
}

# Mounts are private to the command and end with it; the network is this machine's. /sys is left out:
# it describes this machine's processor, and ONNX Runtime crashes when it believes that.
run() { # folder, command...
    shared=$1
    shift
    exec unshare --mount --propagation private sh -c '
        root=$1 shared=$2
        shift 2
        mount --rbind /dev "$root/dev"
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/tmp"
        mkdir -p "$root$shared"
        mount --bind "$shared" "$root$shared"
        exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 \
            PATH=/opt/edgewright/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"' run "$root" "$shared" "$@"
}

emulator() {
    [ "$(id -u)" = 0 ] || skip "it needs root"
    for tool in qemu-aarch64-static mmdebstrap update-binfmts arch-test aarch64-linux-gnu-gcc; do
        command -v $tool > /dev/null && continue
        command -v apt-get > /dev/null || skip "$tool is missing, and there is no apt-get"
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends \
            qemu-user-static mmdebstrap binfmt-support arch-test \
            gcc-aarch64-linux-gnu libc6-dev-arm64-cross > /dev/null
        break
    done
    formats=/proc/sys/fs/binfmt_misc
    [ -e $formats/status ] || mount -t binfmt_misc binfmt_misc $formats ||
        skip "binfmt_misc cannot be mounted"
    [ -e $formats/qemu-aarch64 ] || update-binfmts --enable qemu-aarch64 ||
        skip "binfmt_misc does not take qemu-aarch64"
}

install() { # wheel with extras
    mkdir -p "$wheels"
    if [ ! -d "$root" ]; then
        echo "installing Debian for 64-bit ARM into $root; this takes minutes, once" >&2
        rm -rf "$root.new"
        mmdebstrap --quiet --arch=arm64 --variant=minbase --include=python3,python3-venv \
            bookworm "$root.new"
        mv "$root.new" "$root"
    fi
    rm -f "$wheels"/edgewright-*
    "$python" -m pip download --quiet --dest "$wheels" --only-binary=:all: --python-version 311 \
        --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
        --platform manylinux_2_26_aarch64 --platform manylinux_2_17_aarch64 \
        --platform manylinux2014_aarch64 --constraint constraints.txt "$1"
    # What Edgewright requires is installed again only when it changed.
    required=$(cd "$wheels" && ls | grep -v '^edgewright-' | sha256sum)
    options="--quiet --no-compile --no-index --find-links $wheels"
    if [ "$(cat "$root$venv/.required" 2> /dev/null)" != "$required" ]; then
        (run "$wheels" python3 -m venv --clear $venv)
        (run "$wheels" pip install $options "$wheels/$(basename "$1")")
        echo "$required" > "$root$venv/.required"
    else
        (run "$wheels" pip install $options --no-deps --force-reinstall \
            "$wheels/$(basename "$1" | sed 's/\[.*//')")
    fi
}

command=$1
shift
"$command" "$@"
