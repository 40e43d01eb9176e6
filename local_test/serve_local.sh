#!/usr/bin/env bash
# usage: serve_local.sh [--docker IMAGE] [--port=PORT] [--reload] [DIR]
#
# Serve the model in DIR/model on http://127.0.0.1:PORT (8080), until Ctrl-C.
# With --docker the packed DIR/model.tar.gz is unpacked for the container, as
# SageMaker does. --reload takes up changes of code and model (not with --docker).

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/desk.sh"
read_arguments "$@"
port=8080
options=()
for option in ${rest[@]+"${rest[@]}"}; do
    case $option in
        --port=*) port=${option#--port=} ;;
        --reload) options+=(--reload) ;;
        *) die "unknown option $option" ;;
    esac
done
[ -d "$dir/model" ] || die "$dir holds no model: run train_local.sh first"
check_tools
if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    die "port $port is taken: name another one with --port=PORT"
fi
if [ -z "$image" ]; then
    export SAGEMAKER_BASE_DIR=$dir
    echo "+ SAGEMAKER_BASE_DIR=$dir sagetree serve --host 127.0.0.1 --port $port ${options[*]-}"
    exec sagetree serve --host 127.0.0.1 --port "$port" ${options[@]+"${options[@]}"}
fi
[ -f "$dir/model.tar.gz" ] || die "$dir holds no model.tar.gz: run train_local.sh first"
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
tar -xzf "$dir/model.tar.gz" -C "$unpacked"
chmod -R a+rX "$unpacked"
name=sagetree-serve-$$
# In the background, so that a signal reaches this script, which stops the container.
trap 'docker stop --time 30 "$name" >/dev/null 2>&1 || true' INT TERM
run docker run --rm --name "$name" -p "127.0.0.1:$port:8080" -v "$unpacked:/opt/ml/model:ro" "$image" serve &
client=$!
status=0
wait "$client" || status=$?
# A signal ends the first wait; the second one gets the server's own exit code.
if kill -0 "$client" 2>/dev/null; then
    status=0
    wait "$client" || status=$?
fi
exit "$status"
