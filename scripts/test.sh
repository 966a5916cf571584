#!/usr/bin/env bash
# Installs what is missing, builds everything (preset release) and runs all tests. Arguments go to ctest, e.g. -R storage.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/deps.sh
cmake --preset release >/dev/null
cmake --build --preset release
ctest --preset release -j"$(nproc)" "$@"
grep -h "^left out" build/clients/summary 2>/dev/null || true  # client libraries without their toolchain
