#!/usr/bin/env bash
# usage: build_and_push.sh [options]
#
# Build the image, test it, and push it to Amazon ECR under two tags: the
# version and version-gitsha. Prints the image's URI and digest.
#
#   --repository NAME    ECR repository, made if absent      (sagetree)
#   --tag TAG            tag instead of the version
#   --platform P[,P]     linux/amd64, linux/arm64            (this machine's)
#   --region REGION      AWS region                          (the AWS CLI's)
#   --profile PROFILE    AWS CLI profile
#   --keep N             untagged images ECR keeps           (10)
#   --gpu                XGBoost's CUDA build
#   --allow-dirty        push although the tree has changes
#   --dry-run            print what would be done, and do nothing
#
# ECR_REGISTRY names another registry than ACCOUNT.dkr.ecr.REGION.amazonaws.com.

set -euo pipefail
root=$(cd "$(dirname "$0")" && pwd)
cd "$root"

die() {
    echo "build_and_push.sh: $*" >&2
    exit 1
}

repository=sagetree tag="" platforms="" region="" keep=10 variant=cpu allow_dirty="" dry_run=""
aws_options=()
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h)
            sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        --gpu) variant=gpu ;;
        --allow-dirty) allow_dirty=yes ;;
        --dry-run) dry_run=yes ;;
        --repository | --tag | --platform | --region | --profile | --keep)
            [ $# -gt 1 ] || die "$1 needs a value"
            case $1 in
                --repository) repository=$2 ;;
                --tag) tag=$2 ;;
                --platform) platforms=$2 ;;
                --region) region=$2 ;;
                --profile) aws_options+=(--profile "$2") ;;
                --keep) keep=$2 ;;
            esac
            shift
            ;;
        *) die "unknown option $1: see --help" ;;
    esac
    shift
done

# Print a command as it could be typed, and run it unless this is a dry run.
run() {
    printf '+' && printf ' %q' "$@" && printf '\n'
    [ -n "$dry_run" ] || "$@"
}

ecr() {
    aws ${aws_options[@]+"${aws_options[@]}"} --region "$region" ecr "$@"
}

[[ $keep =~ ^[1-9][0-9]*$ ]] || die "--keep is $keep and must be a whole number from 1"
command -v docker >/dev/null || die "Docker is not installed"
docker info >/dev/null 2>&1 || die "the Docker engine does not answer: start it"
command -v aws >/dev/null || die "the AWS CLI is not installed"
command -v git >/dev/null || die "git is not installed"
sha=$(git rev-parse --short=12 HEAD 2>/dev/null) || die "this is no git checkout: the image's tag needs a commit"
[ -n "$allow_dirty" ] || [ -z "$(git status --porcelain)" ] ||
    die "the tree has changes that are not committed: commit them, or use --allow-dirty"
region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws ${aws_options[@]+"${aws_options[@]}"} configure get region || true)}}}
[ -n "$region" ] || die "no region is set: use --region"
account=$(aws ${aws_options[@]+"${aws_options[@]}"} --region "$region" sts get-caller-identity --query Account --output text 2>/dev/null) ||
    die "AWS accepts no credentials: run 'aws configure', or use --profile"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
suffix=""
[ "$variant" = cpu ] || suffix=-$variant
tag=${tag:-$version$suffix}
tags=("$tag" "$tag-$sha")
registry=${ECR_REGISTRY:-$account.dkr.ecr.$region.amazonaws.com}
uri=$registry/$repository

if ecr describe-repositories --repository-names "$repository" >/dev/null 2>&1; then
    for name in "${tags[@]}"; do
        ! ecr describe-images --repository-name "$repository" --image-ids "imageTag=$name" >/dev/null 2>&1 ||
            die "the tag $name is in $repository already: raise the version, or use --tag"
    done
else
    policy='{"rules": [{"rulePriority": 1, "description": "keep the newest untagged images", "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": '$keep'}, "action": {"type": "expire"}}]}'
    run ecr create-repository --repository-name "$repository" --image-scanning-configuration scanOnPush=true --image-tag-mutability IMMUTABLE
    run ecr put-lifecycle-policy --repository-name "$repository" --lifecycle-policy-text "$policy"
fi

printf '+ aws ecr get-login-password | docker login --username AWS --password-stdin %s\n' "$registry"
if [ -z "$dry_run" ]; then
    ecr get-login-password | docker login --username AWS --password-stdin "$registry" >/dev/null ||
        die "docker cannot log in to $registry"
fi

built=()
IFS=, read -ra wanted <<<"${platforms:-native}"
for platform in "${wanted[@]}"; do
    name=$uri:${tags[1]}
    options=(--network host --build-arg "XGBOOST=$variant" --build-arg "VERSION=$version" --build-arg "REVISION=$sha")
    if [ "$platform" != native ]; then
        options+=(--platform "$platform")
        [ ${#wanted[@]} -eq 1 ] || name=$name-${platform##*/}
    fi
    run docker build "${options[@]}" --tag "$name" .
    run local_test/smoke.sh --docker "$name"
    built+=("$name")
done

for name in "${built[@]}"; do
    run docker push --quiet "$name"
done
if [ ${#built[@]} -eq 1 ]; then
    run docker tag "${built[0]}" "$uri:$tag"
    run docker push --quiet "$uri:$tag"
else
    for name in "${tags[@]}"; do
        run docker manifest create "$uri:$name" "${built[@]}"
        run docker manifest push "$uri:$name"
    done
fi

[ -z "$dry_run" ] || exit 0
digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "${built[0]}" | sed -n "s#^$uri@##p" | head -1)
echo "pushed $uri:$tag"
echo "digest $digest"
