#!/usr/bin/env bash
# usage: train_local.sh [--docker IMAGE] [--hosts N] [--set=NAME=VALUE ...] [DIR]
#
# Train on DIR/input as a SageMaker training job does. The model goes to
# DIR/model, packed to DIR/model.tar.gz; a failure's reason to DIR/output/failure.
# A model that is there stays until the new one is whole.
#
# With --hosts a job of N hosts trains: processes on 127.0.0.1 to N, or containers
# on a network of their own. What each host sees and writes is in DIR/hosts; the
# train channel's files are dealt if there are N at least, else all hosts have all.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/desk.sh"

hosts=1
network=""
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --hosts)
            [ $# -gt 1 ] || die "--hosts needs a number"
            hosts=$2
            shift
            ;;
        --hosts=*) hosts=${1#*=} ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
[[ $hosts =~ ^[1-9][0-9]?$ ]] || die "--hosts is $hosts and must be a number from 1 to 99"
read_arguments ${arguments[@]+"${arguments[@]}"}
[ -d "$dir/input/data/train" ] || die "$dir holds no input/data/train: put CSV or Parquet files there"
check_tools
mkdir -p "$dir/model" "$dir/output"

# Lay out host number $1's part of the job; its name is $2, all names follow.
lay_out() {
    local number=$1 name=$2 own=$dir/hosts/$2 files=() place
    shift 2
    mkdir -p "$own/input/config" "$own/input/data" "$own/model" "$own/output"
    [ ! -d "$dir/input/config" ] || cp -R "$dir/input/config/." "$own/input/config"
    printf '{"current_host": "%s", "hosts": [%s]}\n' "$name" \
        "$(printf '"%s", ' "$@" | sed 's/, $//')" >"$own/input/config/resourceconfig.json"
    cp -RL "$dir/input/data/." "$own/input/data" # not links: files are taken out of it below
    while IFS= read -r -d '' place; do
        files+=("$place")
    done < <(cd "$own/input/data/train" && find -L . -type f -print0 | sort -z)
    if [ "${#files[@]}" -ge "$hosts" ]; then
        for ((place = 0; place < ${#files[@]}; place++)); do
            [ $((place % hosts)) = "$number" ] || rm "$own/input/data/train/${files[place]}"
        done
    fi
}

# Run one host in the foreground, each of its lines behind its name.
one_host() {
    local own=$dir/hosts/$1 mount mounts=()
    if [ -n "$image" ]; then
        for mount in input:ro model:rw output:rw; do
            mounts+=(-v "$own/${mount%:*}:/opt/ml/$mount")
        done
        run docker run --rm --network "$network" --hostname "$1" --network-alias "$1" \
            "${mounts[@]}" "$image" train ${rest[@]+"${rest[@]}"}
    else
        run env SAGEMAKER_BASE_DIR="$own" sagetree train ${rest[@]+"${rest[@]}"}
    fi 2>&1 | lines_of "$1"
}

# Print what is read line by line as it comes, each behind the name $1; sed would write half lines.
lines_of() {
    local line
    while IFS= read -r line || [ -n "$line" ]; do
        printf '%s: %s\n' "$1" "$line"
    done
}

# Run all hosts; end with 1 if one of them fails.
train_together() {
    local number names=() jobs=() failed=0
    for ((number = 1; number <= hosts; number++)); do
        if [ -n "$image" ]; then names+=("algo-$number"); else names+=("127.0.0.$number"); fi
    done
    rm -rf "$dir"/hosts/*/{input,model,output} # checkpoints stay, for a job that goes on
    for ((number = 0; number < hosts; number++)); do
        lay_out "$number" "${names[number]}" "${names[@]}"
    done
    cp -R "$dir/output/." "$dir/hosts/${names[0]}/output" # what is out of date there it removes
    if [ -n "$image" ]; then
        network=sagetree-hosts-$$
        docker network create --internal "$network" >/dev/null
        trap 'docker network rm "$network" >/dev/null' EXIT
    fi
    for number in "${names[@]}"; do
        one_host "$number" &
        jobs+=($!)
    done
    for number in "${jobs[@]}"; do
        wait "$number" || failed=1
    done
    rm -rf "$dir/output"
    cp -R "$dir/hosts/${names[0]}/output" "$dir/output"
    [ "$failed" = 0 ] || exit 1
    rm -rf "${dir:?}/model"
    cp -R "$dir/hosts/${names[0]}/model" "$dir/model"
}

if [ "$hosts" = 1 ]; then
    job train input:ro model:rw output:rw
else
    train_together
fi
run tar -czf "$dir/model.tar.gz.new" -C "$dir/model" .
mv "$dir/model.tar.gz.new" "$dir/model.tar.gz"
