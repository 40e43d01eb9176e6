#!/usr/bin/env bash
# usage: report.sh IMAGE
#
# Print the unpacked size of an image and its ten largest parts: Python packages,
# and the folders of what lies around them.

set -euo pipefail
image=${1:?usage: report.sh IMAGE}

# The image's own du counts, as root: other users may not enter every folder.
# A library's folder NAME.libs is what its wheel brought along.
# shellcheck disable=SC2016 # expanded in the container
measure='
    packages=$(echo /opt/venv/lib/python3*/site-packages)
    du -xsk "$packages"/* /opt/venv/bin /opt/sagetree
    du -xsk /usr/local/* /usr/lib/* /usr/share/* /usr/bin /usr/sbin /var /etc
'
bytes=$(docker image inspect --format '{{.Size}}' "$image")
printf '%s: %d MB unpacked. Its ten largest parts, in MB:\n' "$image" $((bytes / 1000000))
docker run --rm --network none --user 0 "$image" sh -c "$measure" | sort -rn |
    awk 'NR <= 10 { sub("/opt/venv/lib/python3[.0-9]*/site-packages/", "", $2)
                    printf "%8.1f  %s\n", $1 * 1024 / 1e6, $2 }'
