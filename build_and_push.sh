#!/usr/bin/env bash
# usage: build_and_push.sh [options]
#        build_and_push.sh --delete [--yes] [options]
#
# Build the image, test it, and push it to Amazon ECR under two tags, both with
# the architecture: version-amd64 and version-gitsha-amd64. It ends by printing
# the image's URI and digest. The image is pushed as one manifest in Docker's own
# format, and read back to be sure: SageMaker and Lambda accept no index, no OCI
# format and no attestation. If it creates the repository, it lets Lambda pull
# from it.
#
# With --delete it deletes the repository with all images in it.
#
#   --repository NAME    ECR repository, created if missing  (sagetree)
#   --tag TAG            tag instead of the version; the architecture follows
#   --platform P[,P]     linux/amd64, linux/arm64            (this machine's)
#   --region REGION      AWS region                          (the AWS CLI's)
#   --profile PROFILE    AWS CLI profile
#   --keep N             untagged images that ECR keeps      (10)
#   --gpu                XGBoost's CUDA build
#   --sign KEY           sign what was pushed by cosign: a key file, or
#                        awskms:///ARN; COSIGN_PASSWORD is the file's password.
#                        Nothing goes to a public log: verify it with
#                        cosign verify --key PUBLIC --private-infrastructure
#   --allow-dirty        push although the tree has changes
#   --delete             delete the repository and its images; asks first
#   --yes                do not ask
#   --dry-run            print what would be done, and change nothing; it needs
#                        credentials, since it reads what is in ECR
#
# ECR_REGISTRY names another registry than ACCOUNT.dkr.ecr.REGION.amazonaws.com.

set -euo pipefail
root=$(cd "$(dirname "$0")" && pwd)
cd "$root"

die() {
    echo "build_and_push.sh: $*" >&2
    exit 1
}

repository=sagetree tag="" platforms="" region="" keep=10 variant=cpu sign="" allow_dirty="" dry_run="" delete="" yes=""
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
        --delete) delete=yes ;;
        --yes) yes=yes ;;
        --repository | --tag | --platform | --region | --profile | --keep | --sign)
            [ $# -gt 1 ] || die "$1 needs a value"
            case $1 in
                --repository) repository=$2 ;;
                --tag) tag=$2 ;;
                --platform) platforms=$2 ;;
                --region) region=$2 ;;
                --profile) aws_options+=(--profile "$2") ;;
                --keep) keep=$2 ;;
                --sign) sign=$2 ;;
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

# cosign's public log would show the registry's address to everybody. From cosign 3 on a signing
# configuration names the log, and has to be turned off too.
unlogged=(--tlog-upload=false)
if [ -n "$sign" ] && [[ $(cosign sign --help 2>&1) == *--use-signing-config* ]]; then
    unlogged+=(--use-signing-config=false)
fi

ecr() {
    aws ${aws_options[@]+"${aws_options[@]}"} --region "$region" ecr "$@"
}

[[ $keep =~ ^[1-9][0-9]*$ ]] || die "--keep is $keep and must be a whole number from 1"
[ -z "$yes" ] || [ -n "$delete" ] || die "--yes goes with --delete only"
command -v aws >/dev/null || die "the AWS CLI is not installed"
if [ -z "$delete" ]; then
    command -v docker >/dev/null || die "Docker is not installed"
    docker info >/dev/null 2>&1 || die "the Docker engine does not answer: start it"
    command -v git >/dev/null || die "git is not installed"
    command -v python3 >/dev/null || die "python3 is not installed: it reads back what was pushed"
    [ -z "$sign" ] || command -v cosign >/dev/null || die "cosign is not installed: it signs what was pushed"
    sha=$(git rev-parse --short=12 HEAD 2>/dev/null) || die "this is not a git checkout: the image's tag needs a commit"
    [ -n "$allow_dirty" ] || [ -z "$(git status --porcelain)" ] ||
        die "the tree has changes that are not committed: commit them, or use --allow-dirty"
fi
region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws ${aws_options[@]+"${aws_options[@]}"} configure get region || true)}}}
[ -n "$region" ] || die "no region is set: use --region"
identity=$(aws ${aws_options[@]+"${aws_options[@]}"} --region "$region" sts get-caller-identity --query '[Account, Arn]' --output text 2>/dev/null) ||
    die "AWS accepts no credentials: run 'aws configure', or use --profile"
read -r account arn <<<"$identity"
IFS=: read -r _ partition _ <<<"$arn"

# Print a command for ECR as it could be typed, and run it unless this is a dry run.
run_ecr() {
    run aws ${aws_options[@]+"${aws_options[@]}"} --region "$region" ecr "$@"
}

exists() { ecr describe-repositories --repository-names "$repository" >/dev/null 2>&1; }

delete_repository() {
    exists || die "there is no repository $repository in $region"
    count=$(ecr list-images --repository-name "$repository" --query 'length(imageIds)' --output text)
    if [ -z "$yes$dry_run" ]; then
        echo "This deletes the repository $repository in $region with its $count tags and images."
        echo "A stack or an endpoint that uses one of them can no longer start. To go on, type its name:"
        read -r answer || true
        [ "$answer" = "$repository" ] || die "nothing was deleted: type the repository's name, or use --yes"
    fi
    run_ecr delete-repository --repository-name "$repository" --force --query repository.repositoryUri --output text
    [ -n "$dry_run" ] || echo "deleted $repository with its $count tags and images"
}

if [ -n "$delete" ]; then
    delete_repository
    exit 0
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
suffix=""
[ "$variant" = cpu ] || suffix=-$variant
tag=${tag:-$version$suffix}
registry=${ECR_REGISTRY:-$account.dkr.ecr.$region.amazonaws.com}
uri=$registry/$repository

architectures=()
IFS=, read -ra wanted <<<"${platforms:-$(docker version --format '{{.Server.Os}}/{{.Server.Arch}}')}"
for platform in "${wanted[@]}"; do
    [[ $platform =~ ^linux/(amd64|arm64)$ ]] || die "--platform is $platform and must be linux/amd64 or linux/arm64"
    architectures+=("${platform##*/}")
done

# Lambda's service pulls an image by itself, as nobody of the account.
lambda_policy='{"Version": "2012-10-17", "Statement": [{"Sid": "LambdaPulls", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], "Condition": {"ArnLike": {"aws:SourceArn": "arn:'$partition:lambda:$region:$account':function:*"}}}]}'
if exists; then
    for architecture in "${architectures[@]}"; do
        for name in "$tag-$architecture" "$tag-$sha-$architecture"; do
            ! ecr describe-images --repository-name "$repository" --image-ids "imageTag=$name" >/dev/null 2>&1 ||
                die "the tag $name is in $repository already: raise the version, or use --tag"
        done
    done
    policy=$(ecr get-repository-policy --repository-name "$repository" --query policyText --output text 2>/dev/null) || policy=""
    if [ -z "$policy" ]; then
        run_ecr set-repository-policy --repository-name "$repository" --policy-text "$lambda_policy"
    elif [[ $policy != *lambda.amazonaws.com* ]]; then
        echo "Note: the repository's policy does not let Lambda pull; the solution on AWS needs it to"
    fi
else
    policy='{"rules": [{"rulePriority": 1, "description": "keep the newest untagged images", "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": '$keep'}, "action": {"type": "expire"}}]}'
    run_ecr create-repository --repository-name "$repository" --image-scanning-configuration scanOnPush=true --image-tag-mutability IMMUTABLE
    run_ecr put-lifecycle-policy --repository-name "$repository" --lifecycle-policy-text "$policy"
    run_ecr set-repository-policy --repository-name "$repository" --policy-text "$lambda_policy"
fi

printf '+ aws ecr get-login-password | docker login --username AWS --password-stdin %s\n' "$registry"
if [ -z "$dry_run" ]; then
    password=$(ecr get-login-password) || die "ECR gives no password for $registry"
    docker login --username AWS --password-stdin "$registry" <<<"$password" >/dev/null ||
        die "docker cannot log in to $registry"
fi

# BuildKit would add attestations, and an index around them; an engine that stores images in
# containerd would choose OCI's format.
plain=()
if docker buildx version >/dev/null 2>&1; then
    plain=(--provenance=false --sbom=false --output "type=image,oci-mediatypes=false")
fi

for number in "${!wanted[@]}"; do
    name=$uri:$tag-$sha-${architectures[number]}
    options=(--network host --build-arg "XGBOOST=$variant" --build-arg "VERSION=$version" --build-arg "REVISION=$sha")
    [ -z "$platforms" ] || options+=(--platform "${wanted[number]}")
    run docker build "${options[@]}" ${plain[@]+"${plain[@]}"} --tag "$name" .
    run local_test/smoke.sh --docker "$name"
done

for architecture in "${architectures[@]}"; do
    run docker tag "$uri:$tag-$sha-$architecture" "$uri:$tag-$architecture"
    for name in "$tag-$sha-$architecture" "$tag-$architecture"; do
        run docker push --quiet "$uri:$name"
        printf '+ python3 container/pushed.py %s %s %s\n' "$registry" "$repository" "$name"
        [ -n "$dry_run" ] || digest=$(python3 container/pushed.py "$registry" "$repository" "$name" <<<"$password")
    done
    # the digest, since a tag may be moved; both tags are it
    [ -z "$sign" ] || run cosign sign --yes --key "$sign" "${unlogged[@]}" "$uri@${digest:-DIGEST}"
    [ -n "$dry_run" ] || printf 'pushed %s\ndigest %s\n' "$uri:$tag-$architecture" "$digest"
done
