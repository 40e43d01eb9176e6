#!/usr/bin/env bash
# usage: predict.sh [--port=PORT] PAYLOAD [CONTENT_TYPE [ACCEPT]]
#
# Post the file PAYLOAD to /invocations on 127.0.0.1:PORT (8080) and print
# status, headers and body. CONTENT_TYPE is that of PAYLOAD's ending (.csv,
# .json, .jsonl, .parquet, .libsvm, .npy, .pbr for recordio-protobuf), ACCEPT
# is what the server prefers. If a file PAYLOAD.expected lies beside it, the
# body is compared with it.
#
# payloads/claims.* are for the example's model in test_dir, payloads/numbers.*
# for the small one in numbers_dir: serve_local.sh numbers_dir.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/desk.sh"
port=8080
words=()
for word in "$@"; do
    case $word in
        --help | -h)
            sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        --port=*) port=${word#--port=} ;;
        *) words+=("$word") ;;
    esac
done
[ ${#words[@]} -gt 0 ] || die "name a payload file, such as $here/payloads/claims.csv"
payload=${words[0]}
[ -f "$payload" ] || die "$payload does not exist"
case $payload in
    *.json) type=application/json ;;
    *.jsonl) type=application/jsonlines ;;
    *.parquet) type=application/x-parquet ;;
    *.libsvm) type=text/libsvm ;;
    *.npy) type=application/x-npy ;;
    *.pbr) type=application/x-recordio-protobuf ;;
    *) type=text/csv ;;
esac
type=${words[1]:-$type}
check_python
answer=$(mktemp -d)
trap 'rm -rf "$answer"' EXIT
run python3 "$here/ask.py" "http://127.0.0.1:$port/invocations" "$payload" \
    --content-type "$type" --accept "${words[2]-*/*}" --body "$answer/body" ||
    die "no server answers on port $port: start serve_local.sh"
cat "$answer/body"
echo
if [ -f "$payload.expected" ]; then
    cmp -s "$answer/body" "$payload.expected" || die "the body is not the one in $payload.expected"
    echo "as expected"
fi
