#!/usr/bin/env bash
# usage: smoke.sh [--docker IMAGE] [--port=PORT]
#
# Train on a small table, serve the model, ask /ping and for one prediction, and
# stop: whether an image, or the installed programs, work at all.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/desk.sh"
work=$(mktemp -d)
# What a container wrote belongs to root: it is removed the way it came.
trap 'rm -rf "$work" 2>/dev/null || true' EXIT
read_arguments "$@" "$work"
port=18080
for option in ${rest[@]+"${rest[@]}"}; do
    case $option in
        --port=*) port=${option#--port=} ;;
        *) die "unknown option $option" ;;
    esac
done
check_tools
check_python
ask() { python3 "$here/ask.py" "http://127.0.0.1:$port/$1" "${@:2}" 2>/dev/null; }

mkdir -p "$work/input/config" "$work/input/data/train"
echo '{"target": "bought", "num_round": "20"}' >"$work/input/config/hyperparameters.json"
awk -v OFS=, 'BEGIN {
    print "bought,age,plan"
    for (i = 0; i < 300; i++) print (i % 3 == 0), 20 + (i * 7) % 50 + (i % 3 == 0) * 5, (i % 2 ? "N/A" : "pro")
}' >"$work/input/data/train/people.csv"
printf 'plan,age\npro,41\n' >"$work/payload.csv"

backend=()
[ -z "$image" ] || backend=(--docker "$image")
"$here/train_local.sh" ${backend[@]+"${backend[@]}"} "$work" >"$work/train.log" || { cat "$work/train.log"; die "training failed"; }
"$here/serve_local.sh" ${backend[@]+"${backend[@]}"} "--port=$port" "$work" >"$work/serve.log" 2>&1 &
server=$!
stop() {
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    rm -rf "$work" 2>/dev/null || true
}
trap stop EXIT
for _ in $(seq 100); do
    if [[ $(ask ping) == "HTTP/1.1 200 "* ]]; then break; fi
    kill -0 "$server" 2>/dev/null || { cat "$work/serve.log"; die "the server ended"; }
    sleep 0.3
done
[[ $(ask invocations "$work/payload.csv" --body "$work/answer") == "HTTP/1.1 200 "* ]] ||
    { cat "$work/serve.log"; die "the prediction failed"; }
answer=$(cat "$work/answer")
[[ $answer =~ ^0\.[0-9]+$ ]] || die "the prediction is $answer, which is not a probability"
echo "smoke test passed: trained, served, pinged, predicted $answer"
