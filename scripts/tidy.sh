#!/usr/bin/env bash
# Runs clang-tidy over our own code with the checks of .clang-tidy. Arguments choose files by a part of their path.
# Quick when little has changed: tests/lint/tidy.py remembers what passed.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/deps.sh
cmake --preset dev >/dev/null
cmake --build --preset dev --target cohort_generate
python3 tests/lint/tidy.py "$@"
