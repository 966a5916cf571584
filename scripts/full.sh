#!/usr/bin/env bash
# What takes too long for every change: simulation with many seeds, planted bugs, long faults, image, fuzzing, figures.
#   scripts/full.sh [--seeds N] [--rounds N] [--fuzz-seconds N] [PART...]     without a part: all, in this order
#     sim      the simulation over many seeds (--seeds, 5000)
#     planted  bugs are planted in a copy of what is committed, and the simulation must find each
#     kill     kill -9 under load (--rounds, 100)
#     disk     full, refusing and failing disks; kill -9 under load on a disk that fails now and then (--rounds)
#     floods   clients that would use up the server's memory, ten thousand connections of them
#     image    the container image is built and started (as root)
#     fuzz     each fuzz target for a while (--fuzz-seconds, 300)
#     growth   the figures of docs/growth.svg in small, drawn to build/full
# Ends with a line for each part; status 1 when one has failed. What they say is in build/full/PART.log, too.
set -euo pipefail
cd "$(dirname "$0")/.."

all=(sim planted kill disk floods image fuzz growth)
seeds=5000 rounds=100 fuzz_seconds=300
out=build/full

build() {
  cmake --preset release >/dev/null
  cmake --build --preset release --target "$@"
}

with_clients() {
  scripts/python-clients.sh build/venv
  build/venv/bin/python "$@" --cohortd build/release/server/app/cohortd
}

run_sim() {
  build sim
  build/release/tests/sim/sim --seeds "$seeds"
}

run_planted() { tests/sim/planted_bugs.sh; }

run_kill() {
  build cohortd
  with_clients tests/fault/kill_under_load.py --rounds "$rounds"
}

run_disk() {
  build cohortd failing_disk
  local library=build/release/tests/system/libfailing_disk.so
  with_clients tests/fault/bad_disk.py --failing-disk $library
  with_clients tests/fault/kill_under_load.py --rounds "$rounds" --failing-disk $library
}

run_floods() {
  build cohortd
  with_clients tests/fault/floods.py --full
}

run_image() { docker/build_rootless.sh; }

run_fuzz() {
  cmake --preset fuzz -DCOHORT_FUZZ_SECONDS="$fuzz_seconds" >/dev/null
  cmake --build --preset fuzz --target fuzz_targets
  ctest --test-dir build/fuzz -R '^fuzz_' --no-tests=error --output-on-failure
}

run_growth() {
  build cohortd cohort_load
  scripts/growth.py --quick --out "$out"
}

parts=()
while [ $# -gt 0 ]; do
  case "$1" in
    --seeds) seeds=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --fuzz-seconds) fuzz_seconds=$2; shift ;;
    *) [[ " ${all[*]} " == *" $1 "* ]] || { sed -n '2,/^# Ends/s/^# //p' "$0" >&2; exit 2; }
       parts+=("$1") ;;
  esac
  shift
done
[ ${#parts[@]} -gt 0 ] || parts=("${all[@]}")

scripts/deps.sh
mkdir -p "$out"
summary=() status=0
for part in "${parts[@]}"; do
  echo "=== $part"
  begun=$SECONDS
  set +e  # not `if`: inside of a condition bash would go on after an error
  (set -e; "run_$part") 2>&1 | tee "$out/$part.log"
  failed=${PIPESTATUS[0]}
  set -e
  verdict=passed
  [ "$failed" -eq 0 ] || { verdict="FAILED (status $failed)"; status=1; }
  summary+=("$(printf '%-8s %s in %d s: %s' "$part" "$verdict" $((SECONDS - begun)) "$(tail -n 1 "$out/$part.log" | cut -c1-150)")")
done

printf '\n'
printf '%s\n' "${summary[@]}"
exit $status
