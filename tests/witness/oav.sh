#!/usr/bin/env bash
# The traffic that the other witnesses made, through oav's LiveValidator. Usage: oav.sh TRAFFIC
set -euo pipefail
traffic=$(realpath "$1")
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

npm install --prefix "$work/npm" --silent --ignore-scripts --no-audit --no-fund oav@4.0.3
# oav looks for contracts from where it runs: its exclusions do not hold for files that lie beside that place.
project=$PWD
contracts=$(realpath ../shared/contracts)
cd "$work"
NODE_PATH=$work/npm/node_modules timeout 300 \
  node "$project/tests/witness/oav.cjs" "$traffic" "$contracts" "$project/tests/witness/oav-findings.json" "$work"
