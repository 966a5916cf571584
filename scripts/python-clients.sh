#!/usr/bin/env bash
# Makes a Python environment with the real client library that the main job and the system tests use. Usage: python-clients.sh FOLDER
set -euo pipefail
folder=$1
version=2.16.1
[ -f "$folder/.confluent-kafka-$version" ] && exit 0
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check "confluent-kafka==$version"
touch "$folder/.confluent-kafka-$version"
