#!/usr/bin/env bash
# usage: engine.sh
#
# End with 0 when a Docker engine answers. Where none does and this is root on
# Linux with dockerd installed, such as a CI machine, one is started; its log
# goes to /tmp/dockerd.log. Otherwise, or if DOCKER_HOST names an engine that is
# not there, one sentence says what is missing.

set -euo pipefail

log=/tmp/dockerd.log
start_seconds=60

die() {
    echo "$*" >&2
    exit 1
}

answers() { docker info >/dev/null 2>&1; }

command -v docker >/dev/null || die "Docker is not installed: the image can neither be built nor tested"
answers && exit 0
if [ "$(id -u)" != 0 ] || [ -n "${DOCKER_HOST-}" ] || ! command -v dockerd >/dev/null; then
    die "The Docker engine does not answer and cannot be started from here: start it, then try again"
fi
echo "No Docker engine answers: starting dockerd, its log is $log"
setsid dockerd >"$log" 2>&1 </dev/null &
for ((second = 0; second < start_seconds; second++)); do
    answers && exit 0
    kill -0 $! 2>/dev/null || break
    sleep 1
done
die "dockerd could not be started ($(grep -v '^$' "$log" | tail -n 1)): the image can neither be built nor tested"
