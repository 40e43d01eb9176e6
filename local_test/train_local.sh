#!/usr/bin/env bash
# usage: train_local.sh [--docker IMAGE] [--set=NAME=VALUE ...] [DIR]
#
# Train on DIR/input as a SageMaker training job does. The model goes to
# DIR/model, packed to DIR/model.tar.gz; a failure's reason to DIR/output/failure.
# A model that is there stays until the new one is whole.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/desk.sh"
read_arguments "$@"
[ -d "$dir/input/data/train" ] || die "$dir holds no input/data/train: put CSV or Parquet files there"
check_tools
mkdir -p "$dir/model" "$dir/output"
job train input:ro model:rw output:rw
run tar -czf "$dir/model.tar.gz.new" -C "$dir/model" .
mv "$dir/model.tar.gz.new" "$dir/model.tar.gz"
