#!/usr/bin/env bash
# Installs the Debian packages that building and testing cohort needs. Does nothing, and needs no network, when all are there.
#   scripts/deps.sh          all
#   scripts/deps.sh build    those that cohortd alone needs, without tests
set -euo pipefail

packages=(
  clang-19 lld-19 cmake ninja-build ccache pkg-config
  libboost1.81-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libcli11-dev
  libssl-dev zlib1g-dev liblz4-dev libzstd-dev libsnappy-dev libre2-dev libxxhash-dev libjemalloc-dev
)
[ "${1:-all}" = build ] || packages+=(
  git clang-tidy-19 llvm-19 libclang-rt-19-dev catch2 librdkafka-dev python3 python3-venv
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "deps.sh: these packages are missing and only root can install them: ${missing[*]}" >&2
  exit 1
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
