#!/usr/bin/env bash
# usage: prepare_local.sh [--docker IMAGE] [--OPTION=VALUE ...] [DIR]
#
# Join and split the tables in DIR/processing/input, as a SageMaker processing
# job does; the parts go to DIR/processing/output. Options are prepare's own.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/desk.sh"
read_arguments "$@"
[ -d "$dir/processing/input" ] || die "$dir holds no processing/input: put the tables there"
check_tools
fresh processing/output output
job prepare processing/input:ro processing/output:rw output:rw
