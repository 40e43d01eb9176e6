# shellcheck shell=bash
# What the scripts of this folder share. Sourced, not run.
#
# A folder DIR stands for /opt/ml; `--docker IMAGE` runs the image on it with
# SageMaker's mounts, without it the installed `sagetree` runs on it directly.

root=$(dirname "$here")
image=""
dir=""
rest=()

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# Print a command as it could be typed, then run it.
run() {
    printf '+' && printf ' %q' "$@" && printf '\n'
    "$@"
}

# Read [--docker IMAGE] [DIR]; what else there is goes to `rest`.
read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --help | -h)
                sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
                exit 0
                ;;
            --docker)
                [ $# -gt 1 ] || die "--docker needs the name of an image"
                image=$2
                shift
                ;;
            --*) rest+=("$1") ;;
            *)
                [ -z "$dir" ] || die "there are two folders, $dir and $1: name one"
                dir=$1
                ;;
        esac
        shift
    done
    dir=${dir:-$here/test_dir}
    [ -d "$dir" ] || die "$dir is not a folder: name one that holds input/ or processing/"
    dir=$(cd "$dir" && pwd)
}

# End unless this machine can run what was asked for.
check_tools() {
    if [ -n "$image" ]; then
        command -v docker >/dev/null || die "Docker is not installed: leave --docker out to run without it"
        docker info >/dev/null 2>&1 || die "the Docker engine does not answer: start it, or leave --docker out"
        docker image inspect "$image" >/dev/null 2>&1 || die "there is no image $image: build it with 'make image'"
    else
        PATH=$root/.venv/bin:$PATH
        command -v sagetree >/dev/null || die "sagetree is not installed: run 'make install' first"
    fi
}

# Find Python, which asks a server; the project's own, or any other.
check_python() {
    PATH=$root/.venv/bin:$PATH
    command -v python3 >/dev/null || die "Python is not installed: run 'make install' first"
}

# Run a job's program: `job PROGRAM MOUNT...`, each mount is PATH:ro or PATH:rw below DIR.
job() {
    local program=$1 mounts=() mount
    shift
    if [ -n "$image" ]; then
        for mount in "$@"; do
            mounts+=(-v "$dir/${mount%:*}:/opt/ml/$mount")
        done
        run docker run --rm "${mounts[@]}" "$image" "$program" ${rest[@]+"${rest[@]}"}
    else
        run env SAGEMAKER_BASE_DIR="$dir" sagetree "$program" ${rest[@]+"${rest[@]}"}
    fi
}

# Make folders below DIR, empty.
fresh() {
    local folder
    for folder in "$@"; do
        rm -rf "${dir:?}/$folder"
        mkdir -p "$dir/$folder"
    done
}
