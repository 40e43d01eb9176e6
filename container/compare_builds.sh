#!/usr/bin/env bash
# usage: compare_builds.sh [IMAGE]
#
# Show that the build is reproducible: build this tree without any cache and
# compare every file (path, kind, rights, owner, content) with those of IMAGE,
# made from the same commit; without IMAGE, build twice. DOCKER_BUILD_FLAGS are
# further options for docker build. Ends with 1 and the differences if there are any.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
mine=(sagetree-compare-$$:first sagetree-compare-$$:second)
trap 'rm -rf "$work"; docker image rm "${built[@]}" >/dev/null 2>&1' EXIT
built=()

build() {
    echo "building $1 without a cache"
    # shellcheck disable=SC2086 # words
    docker build ${DOCKER_BUILD_FLAGS---network host} --no-cache --tag "$1" "$here/.." >"$work/log" 2>&1 || {
        tail -n 30 "$work/log" >&2
        exit 1
    }
    built+=("$1")
}

# The files of an image, one a line. Docker's own (hosts, resolv.conf) are empty in both.
list() {
    local container
    container=$(docker create "$1")
    docker export "$container" | python3 "$here/list_files.py"
    docker rm "$container" >/dev/null
}

first=${1-}
if [ -z "$first" ]; then
    first=${mine[0]}
    build "$first"
fi
build "${mine[1]}"
list "$first" >"$work/first"
list "${mine[1]}" >"$work/second"
if diff "$work/first" "$work/second" >"$work/difference"; then
    echo "equal: $(wc -l <"$work/first") files, sha256 of the list $(sha256sum <"$work/first" | cut -c1-64)"
else
    echo "different: $(grep -c '^[<>]' "$work/difference") lines of $(wc -l <"$work/first")" >&2
    head -n 40 "$work/difference" >&2
    exit 1
fi
