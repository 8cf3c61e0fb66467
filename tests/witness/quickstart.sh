#!/usr/bin/env bash
# The README's first command, as it stands there, in a fresh clone.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command=$(sed -n '/^```sh$/{n;p;q}' README.md)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
git clone --quiet . "$work/clone"
cd "$work/clone"
echo "\$ $command"
$command | tail -n 1
$command | grep 'No changes.'
