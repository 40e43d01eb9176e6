# The image: docker build --tag sagetree .
#
#   BASE_IMAGE   another source of the same base, such as
#                public.ecr.aws/docker/library/python:3.12-slim-bookworm
#   XGBOOST      cpu, or gpu: the CUDA build with NCCL
#   VERSION, REVISION   what the labels say; `make image` sets them
#
# For every builder in use, Debian's engine 20.10 too: no syntax line, no
# heredocs, no RUN --mount, no COPY --link. For amd64 and arm64: no architecture
# is named here, and every locked wheel exists for both (container/check_wheels.py).

ARG BASE_IMAGE=python:3.12-slim-bookworm

# ---- what the image has besides the Python packages
FROM ${BASE_IMAGE} AS base
# libgomp1 is OpenMP, for every build of XGBoost that does not bring a copy. Its
# version is the distribution's choice, so that security updates come with a
# rebuild. Python's own installers and headers go: no program needs them. Logs
# and caches go: they differ each time.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgomp1 \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* \
 && rm -rf /usr/local/lib/python3.*/site-packages/* /usr/local/lib/python3.*/ensurepip \
 && rm -rf /usr/local/bin/pip* /usr/local/include \
 && install -d -m 1777 /opt/ml
# /opt/ml is for any user, as /tmp is: SageMaker mounts its folders below it.

# Python's own images ship the standard library without bytecode, and here no
# program may write it: each start would compile what it imports, for a second.
RUN PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 python3 -m compileall -q -f \
        --invalidation-mode unchecked-hash -x '/(idlelib|lib2to3|test|tkinter|turtledemo)/' /usr/local/lib/python3*

# ---- the locked packages
FROM ${BASE_IMAGE} AS dependencies
WORKDIR /build
# For sagemaker-training, which comes as a source with a file in C.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends gcc libc6-dev
# uv and the build backends, by hash, in a folder of their own.
COPY container/builder/requirements.txt ./
RUN python3 -m venv /opt/pip \
 && /opt/pip/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: --target /opt/tools -r requirements.txt
ENV PATH=/opt/tools/bin:$PATH \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON=/usr/local/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_NO_PROGRESS=1 \
    UV_SYSTEM_CERTS=1
# Both builds of XGBoost are the module `xgboost`: with CUDA's, the other stays out.
ARG XGBOOST=cpu
# Optuna's store in a database is not used: what it needs for one stays out, 30 MB.
RUN case "$XGBOOST" in \
        cpu) echo "--extra script --extra tune" ;; \
        gpu) echo "--extra script --extra tune --group gpu --no-install-package xgboost-cpu" ;; \
        *) echo "XGBOOST is $XGBOOST, and must be cpu or gpu" >&2; exit 1 ;; \
    esac >options \
 && for package in alembic greenlet mako sqlalchemy; do \
        echo "--no-install-package $package" >>options; \
    done
# The time stamp of every file: ZIP's oldest, which wheels use too, and the same
# for every commit, so that equal layers stay equal.
ENV SOURCE_DATE_EPOCH=315532800
COPY pyproject.toml uv.lock ./
# Hashes are those of uv.lock. Without isolation, packages that come as sources
# are built by the pinned backends, found by PYTHONPATH, and not by the newest.
RUN PYTHONPATH=/opt/tools uv sync --quiet --locked --no-dev --no-install-project \
        --no-build-isolation $(cat options)
COPY container/builder/finish.py ./
RUN python3 finish.py /opt/venv

# ---- the project itself: a change of the source rebuilds from here
FROM dependencies AS project
COPY LICENSE README.md ./
COPY src src
# where src/cloud/templates has links to them
COPY cloud/*.yaml cloud/
RUN PYTHONPATH=/opt/tools uv pip install --quiet --no-deps --no-build-isolation \
        --python /opt/venv/bin/python --prefix /stage/opt/venv . \
 && python3 finish.py --root /stage /stage/opt/venv
COPY --from=base /var/lib/dpkg/status ./dpkg-status
COPY --from=base /usr/share/doc ./documents
COPY container/builder/sbom.py ./
RUN mkdir -p /stage/opt/sagetree/bin \
 && uv export --quiet --frozen --no-dev $(cat options) \
        --format cyclonedx1.5 --preview-features sbom-export >locked.json \
 && python3 sbom.py /opt/venv/lib/python3*/site-packages dpkg-status documents \
        <locked.json >/stage/opt/sagetree/sbom.json
COPY container/train container/serve container/prepare container/evaluate \
     container/healthcheck container/entrypoint /stage/opt/sagetree/bin/

# ---- the image
FROM base
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=project /stage /
# Ours first: SageMaker calls `train` and `serve`, and its toolkits install a
# `train` of their own. SAGEMAKER_BASE_DIR keeps the toolkits from making a tree
# in the home folder where /opt/ml does not look like SageMaker's.
ENV PATH=/opt/sagetree/bin:/opt/venv/bin:$PATH \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SAGEMAKER_BASE_DIR=/opt/ml
WORKDIR /opt/ml
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["healthcheck"]
# SageMaker may name a port (SAGEMAKER_BIND_TO_PORT), and serve many models, only
# where a label says so.
ARG BASE_IMAGE
ARG VERSION=unknown
ARG REVISION=unknown
LABEL com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true \
      com.amazonaws.sagemaker.capabilities.multi-models=true \
      org.opencontainers.image.title=sagetree \
      org.opencontainers.image.description="XGBoost training and serving for Amazon SageMaker and any other machine" \
      org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.base.name=$BASE_IMAGE \
      org.opencontainers.image.version=$VERSION \
      org.opencontainers.image.revision=$REVISION
ENTRYPOINT ["entrypoint"]
CMD ["train"]
