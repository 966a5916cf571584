#!/bin/sh
# Shows that the simulation finds bugs: plants each of tests/sim/planted/*.patch in a copy of the tree, builds the
# simulation and expects it to fail. By hand, not in ctest: every bug needs a build of its own.
#
#   tests/sim/planted_bugs.sh [NAME...]      e.g. reply_before_sync; without: all
#
# SEEDS: at most so many seeds per bug (300). COPY: folder of the copy, kept for the next time.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
copy=${COPY:-${TMPDIR:-/tmp}/cohort-planted}
seeds=${SEEDS:-300}
[ $# -gt 0 ] || set -- $(cd "$root/tests/sim/planted" && ls ./*.patch | sed 's,^\./,,; s,\.patch$,,')

mkdir -p "$copy"
missed=0
for name in "$@"; do
  # What is committed; cp -u would keep the bug before.
  find "$copy" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
  git -C "$root" archive HEAD | tar -x -m -C "$copy"
  patch -s -p1 -d "$copy" < "$root/tests/sim/planted/$name.patch"
  (cd "$copy" && cmake --preset release > /dev/null && cmake --build --preset release --target sim -- ${BUILD_FLAGS:-} > build.out 2>&1) ||
    { echo "$name: cannot be built, see $copy/build.out"; exit 2; }
  if (cd "$copy" && build/release/tests/sim/sim --seeds "$seeds" --until-failure) > "$copy/sim.out" 2>&1; then
    echo "$name: NOT FOUND in $seeds seeds"
    missed=1
  else
    echo "$name: found"
    grep -m1 -E '^seed|CHECK|Assertion' "$copy/sim.out" | cut -c1-200 | sed 's/^/  /'
  fi
done
exit $missed
