#!/usr/bin/env bash
# Installs what is missing, builds everything (preset dev) and runs all tests. Arguments go to ctest, e.g. -R storage.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/deps.sh
cmake --preset dev >/dev/null
cmake --build --preset dev
ctest --preset dev -j"$(nproc)" "$@"
