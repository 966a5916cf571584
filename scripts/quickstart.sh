#!/usr/bin/env bash
# Builds cohortd and shows its main job with real clients: a consumer group shares a topic, loses a member, loses the server.
#   scripts/quickstart.sh          leaves the server running on 127.0.0.1:9092 until Ctrl-C
#   scripts/quickstart.sh --once   stops the server at the end; the exit status says whether all went well
# COHORT_DATA names the data folder (default build/quickstart-data), COHORT_PORT another port.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/deps.sh
cmake --preset release >/dev/null
cmake --build --preset release --target cohortd
scripts/python-clients.sh build/venv

exec build/venv/bin/python tests/system/main_job.py --cohortd build/release/server/app/cohortd \
  --data "${COHORT_DATA:-build/quickstart-data}" --port "${COHORT_PORT:-9092}" "$@"
