#!/usr/bin/env bash
# Builds the image without a docker engine and without a registry (buildah; the base image from Debian's packages), starts
# it with podman and plays a smoke test: it starts, is healthy, takes and gives records, ends at SIGTERM.
#   docker/build_rootless.sh [TAG]     default: localhost/cohort
# Needs Debian's buildah, podman, runc and mmdebstrap, which it installs when it is root. COHORT_CCACHE names a folder of
# ccache that the build may use; COHORT_PORT the port of the smoke test (19092).
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:-localhost/cohort}
base=docker.io/library/debian:bookworm-slim
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}

for package in buildah podman runc mmdebstrap; do
  command -v "$package" >/dev/null && continue
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends buildah podman runc mmdebstrap >/dev/null
  break
done

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  echo "=== base image $base"
  folder=$(mktemp -d)
  trap 'rm -rf -- "$folder"' EXIT
  shopt -s nullglob
  sources=()
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -s "$file" ] && sources+=("$file")
  done
  mmdebstrap --quiet --variant=minbase --mode=root --include=ca-certificates bookworm "$folder/rootfs.tar" "${sources[@]}"
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$folder/rootfs.tar" / >/dev/null
  buildah config --cmd /bin/bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit --quiet --rm "$container" "$base" >/dev/null
fi

echo "=== image $tag"
cache=()
[ -n "${COHORT_CCACHE:-}" ] && cache=(--volume "$COHORT_CCACHE:/root/.cache/ccache")
# Docker's format: OCI's has no HEALTHCHECK.
buildah build --format docker --pull-never --network host --layers=true "${cache[@]}" -t "$tag" -f docker/Dockerfile .
buildah images "$tag"

echo "=== smoke test"
scripts/python-clients.sh build/venv
build/venv/bin/python docker/smoke_test.py --image "$tag" --port "${COHORT_PORT:-19092}"
