#!/usr/bin/env bash
# usage: nightly.sh
#
# Run all long tests, and the test suite on each Python from 3.11 on that this machine
# has, in a clone of its own; say which it has not.

set -euo pipefail
cd "$(dirname "$0")/.."
versions=(3.11 3.12 3.13 3.14)
export PYTEST_ADDOPTS="--hypothesis-profile=many ${PYTEST_ADDOPTS:-}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
absent=() failed=()

# The path of python$1: on PATH, or one of pyenv's or of uv's.
find_python() {
    local python of_uv
    of_uv=$(.venv/bin/uv python find --system --managed-python --no-python-downloads "$1" 2>/dev/null || true)
    for python in "$(command -v "python$1" || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python "$of_uv"; do
        # pyenv's shims are on PATH for versions that it does not choose
        if [ -x "$python" ] && "$python" -c '' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
}

.venv/bin/python -m pytest -m "long and not docker" || failed+=("of .venv: long tests")
for version in "${versions[@]}"; do
    python=$(find_python "$version")
    if [ -z "$python" ]; then
        absent+=("$version")
        continue
    fi
    printf '\n==== Python %s: %s\n' "$version" "$python"
    git clone --quiet . "$work/$version"
    make --no-print-directory -C "$work/$version" test PYTHON="$python" || failed+=("$version")
    rm -rf "${work:?}/$version"
done
[ ${#absent[@]} -eq 0 ] || echo "Not on this machine: Python ${absent[*]}"
[ ${#failed[@]} -eq 0 ] || echo "The suite fails on Python ${failed[*]}"
[ ${#failed[@]} -eq 0 ]
