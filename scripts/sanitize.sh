#!/usr/bin/env bash
# Builds with sanitizers and runs what they can judge.   scripts/sanitize.sh [asan|tsan]   without: both
#   asan  AddressSanitizer and UBSan: all unit tests, the golden tests, the simulation. SEEDS: how many seeds (40; the tests
#         run 200 without sanitizers, which cost several times the time).
#   tsan  ThreadSanitizer: the unit tests of the rooms that have threads; the app's run a whole backend on its reactors.
set -euo pipefail
cd "$(dirname "$0")/.."

asan() {
  cmake --preset asan >/dev/null
  cmake --build --preset asan --target unit_tests golden_tests sim
  ctest --preset asan -L '^(unit|golden)$' -j"$(nproc)"
  build/asan/tests/sim/sim --seeds "${SEEDS:-40}"
}

tsan() {
  cmake --preset tsan >/dev/null
  cmake --build --preset tsan --target threads_tests
  ctest --preset tsan -L '^threads$' -j"$(nproc)"
}

scripts/deps.sh
export PATH="$PATH:/usr/lib/llvm-19/bin"  # llvm-symbolizer: names instead of addresses
case "${1:-both}" in
  asan) asan ;;
  tsan) tsan ;;
  both) asan; tsan ;;
  *) echo "usage: scripts/sanitize.sh [asan|tsan]" >&2; exit 2 ;;
esac
