#!/usr/bin/env bash
# usage: make_base.sh [IMAGE]
#
# Have the base image that the Dockerfile names, or IMAGE. One that is there, or
# that a registry gives, is taken as it is. Where no registry can be reached a
# look-alike is made, as root on Debian: the smallest Debian of the same name and
# the CPython of that version that this machine has, below /usr/local. It has
# this machine's certificates, and a pip that uses them.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
base=${1:-$(sed -n 's/^ARG BASE_IMAGE=//p' "$here/../Dockerfile")}
pull_seconds=120
certificates=/etc/ssl/certs/ca-certificates.crt
# What CPython's modules are linked with.
libraries=ca-certificates,libssl3,libffi8,libsqlite3-0,liblzma5,libbz2-1.0,libreadline8,zlib1g,libncursesw6,libuuid1,libexpat1,netbase,tzdata

die() {
    echo "make_base.sh: $*" >&2
    exit 1
}

docker image inspect "$base" >/dev/null 2>&1 && exit 0
echo "There is no image $base: pulling it"
timeout "$pull_seconds" docker pull --quiet "$base" 2>/dev/null && exit 0

# NAME:VERSION-slim-RELEASE
[[ $base =~ :([0-9]+\.[0-9]+)-slim-([a-z]+)$ ]] || die "$base cannot be pulled, and only a :3.N-slim-RELEASE can be made here"
version=${BASH_REMATCH[1]} release=${BASH_REMATCH[2]}
command -v mmdebstrap >/dev/null || die "$base cannot be pulled: install mmdebstrap to make one like it"

# The folder of a CPython that holds bin, lib and include of its own.
prefix=""
for python in "$(command -v "python$version" || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python3; do
    [ -x "$python" ] || continue
    found=$("$python" -c 'import sys; print(sys.base_prefix)' 2>/dev/null) || continue
    [ "$found" = /usr ] || prefix=$found
done
if [ -z "$prefix" ] && command -v uv >/dev/null && uv python install --quiet "$version"; then
    prefix=$(dirname "$(dirname "$(readlink -f "$(uv python find --managed-python "$version")")")")
fi
[ -n "$prefix" ] || die "$base cannot be pulled, and there is no Python $version to make one like it: install it with pyenv or uv"

echo "It cannot be pulled: making one like it, with Debian $release and Python of $prefix"
work=$(mktemp -d)
container=""
trap 'rm -rf "$work"; [ -z "$container" ] || docker rm --force "$container" >/dev/null' EXIT
mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1)
debian=sagetree-debian:$release
# As in Debian's own slim images: neither manuals nor translations, of the documents the licences.
slim=()
for folder in man locale info lintian linda doc; do
    slim+=(--dpkgopt="path-exclude=/usr/share/$folder/*")
done
mmdebstrap --quiet --variant=minbase "${slim[@]}" --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --include="$libraries" --format=tar "$release" - ${mirror:+"$mirror"} |
    docker import - "$debian" >/dev/null

mkdir -p "$work/local"
tar -C "$prefix" --exclude=test --exclude=__pycache__ --exclude='lib/python*/site-packages/*' \
    --exclude='*.a' --exclude=idlelib --exclude=tkinter -c bin include lib share | tar -C "$work/local" -x
find "$work/local/bin" -mindepth 1 ! -name 'python3*' -delete
ln -sf python3 "$work/local/bin/python"
printf '[global]\ncert = %s\n' "$certificates" >"$work/pip.conf"

container=$(docker create "$debian" ldconfig)
docker cp "$work/local/." "$container:/usr/local"
docker cp "$certificates" "$container:$certificates"
docker cp "$work/pip.conf" "$container:/etc/pip.conf"
docker start --attach "$container"
docker commit --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
    --change 'CMD ["python3"]' "$container" "$base" >/dev/null
docker rm --force "$container" >/dev/null
container=""
docker image rm --no-prune "$debian" >/dev/null
docker run --rm --network none "$base" python3 -c 'import bz2, ctypes, ensurepip, lzma, sqlite3, ssl, venv' ||
    die "the image that was made has not all of Python's modules"
