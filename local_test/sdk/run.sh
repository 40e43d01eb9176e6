#!/usr/bin/env bash
# usage: run.sh v2|v3 SCRIPT|NOTEBOOK [ARGUMENTS]
#
# Run a script of this folder, or a notebook, with the SDK in .sdk/v2 or .sdk/v3
# (`make sdk`), a moto server on loopback in place of AWS. A notebook's arguments are
# those of jupyter-execute: --output=NAME keeps it with what its cells printed.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$(dirname "$here")")

die() {
    echo "run.sh: $*" >&2
    exit 1
}

case ${1-} in
    --help | -h)
        sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
esac
[ $# -ge 2 ] || die "name an SDK (v2 or v3) and a script: see --help"
python=$root/.sdk/$1/bin/python
script=$here/$2
shift 2
[ -x "$python" ] || die "the SDK is not installed in $(dirname "$(dirname "$python")"): run 'make sdk'"
[ -f "$script" ] || die "there is no script $script"
docker info >/dev/null 2>&1 || die "the Docker engine does not answer: start it"
command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || die "docker-compose is not installed"

port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1
export AWS_EC2_METADATA_DISABLED=true AWS_ENDPOINT_URL=http://127.0.0.1:$port
export SAGEMAKER_VALIDATE_ROLE=false SAGEMAKER_SUPPRESS_V2_WARNING=1
unset AWS_CA_BUNDLE
config=$(mktemp)
cat >"$config" <<YAML
SchemaVersion: '1.0'
SageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}
YAML
export SAGEMAKER_USER_CONFIG_OVERRIDE=$config
"$(dirname "$python")/moto_server" -H 127.0.0.1 -p "$port" >/dev/null 2>&1 &
moto=$!
trap 'kill $moto 2>/dev/null; rm -f "$config"' EXIT
for _ in $(seq 100); do
    if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    sleep 0.2
done
case $script in
    *.ipynb) "$(dirname "$python")/jupyter-execute" --kernel_name=python3 "$script" "$@" ;;
    *) "$python" "$script" "$@" ;;
esac
