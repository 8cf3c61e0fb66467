#!/usr/bin/env bash
# The official Python SDK, unmodified, against `arcflux sim serve`, and arcflux's opinion of what it made.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

cargo build --locked --quiet
arcflux=${CARGO_TARGET_DIR:-target}/debug/arcflux

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  azure-mgmt-kubernetesconfiguration-fluxconfigurations==1.0.0 \
  azure-mgmt-kubernetesconfiguration-extensions==1.0.0

"$arcflux" sim serve --listen 127.0.0.1:0 --seed specs/quickstart.yaml --speed 60 >"$work/url" 2>"$work/log" &
server=$!
for _ in $(seq 50); do
  [ -s "$work/url" ] && break
  sleep 0.1
done
[ -s "$work/url" ] || { cat "$work/log"; exit 1; }

"$work/venv/bin/python" tests/witness/flux_sdk.py "$(cat "$work/url")" "$arcflux" specs/quickstart.yaml
