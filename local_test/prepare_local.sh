#!/usr/bin/env bash
# usage: prepare_local.sh [--docker IMAGE] [--OPTION=VALUE ...] [DIR]
#
# Join and split the tables in DIR/processing/input, as a SageMaker processing
# job does; the parts go to DIR/processing/output. Options are prepare's own;
# without --sql=FILE they are the example's: claims and customers.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/desk.sh"
read_arguments "$@"
[ -d "$dir/processing/input" ] || die "$dir holds no processing/input: put the tables there"
check_tools
case " ${rest[*]-} " in
    *" --sql="*) ;;
    *)  # the query is an input too, so that a container sees it
        mkdir -p "$dir/processing/input/query"
        cp "$here/claims_customers.sql" "$dir/processing/input/query/"
        base=$dir
        [ -z "$image" ] || base=/opt/ml
        rest=(--sql="$base/processing/input/query/claims_customers.sql" --key=policy_id --label=fraud ${rest[@]+"${rest[@]}"})
        ;;
esac
mkdir -p "$dir/processing/output" "$dir/output"
job prepare processing/input:ro processing/output:rw output:rw
