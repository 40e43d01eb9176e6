#!/usr/bin/env bash
# usage: evaluate_local.sh [--docker IMAGE] [--OPTION=VALUE ...] [DIR]
#
# Evaluate DIR/model.tar.gz on the rows in DIR/processing/output/test, as a
# SageMaker processing job does; the result goes to DIR/processing/evaluation.
# Options are evaluate's own.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/desk.sh"
read_arguments "$@"
[ -f "$dir/model.tar.gz" ] || die "$dir holds no model.tar.gz: run train_local.sh first"
[ -d "$dir/processing/output/test" ] || die "$dir holds no processing/output/test: run prepare_local.sh first"
check_tools
fresh processing/model processing/test processing/evaluation
mkdir -p "$dir/output"
cp "$dir/model.tar.gz" "$dir/processing/model/"
cp -r "$dir/processing/output/test/." "$dir/processing/test/"
job evaluate processing/model:ro processing/test:ro processing/evaluation:rw output:rw
