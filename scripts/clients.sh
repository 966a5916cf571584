#!/usr/bin/env bash
# Runs the client libraries of tests/system/clients against a cohortd. Usage: clients.sh [--cohortd PATH] [--only NAME]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cohortd=$root/build/release/server/app/cohortd
only=()
while [ $# -gt 0 ]; do
  case $1 in
    --cohortd) cohortd=$2 ;;
    --only) only=(--only "$2") ;;
    *) echo "unknown argument $1" >&2; exit 1 ;;
  esac
  shift 2
done
"$root/scripts/python-clients.sh" "$root/build/venv"
mkdir -p "$root/build/clients"
"$root/build/venv/bin/python" "$root/tests/system/clients/run.py" --cohortd "$cohortd" --folder "$root/build/clients" \
  "${only[@]}" | tee "$root/build/clients/summary"
