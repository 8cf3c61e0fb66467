#!/usr/bin/env bash
# `arcflux comment` and `plan --comment`, the real binary, against a server that holds every request, and its own answers,
# against GitHub's published OpenAPI description and GraphQL schema.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --locked --quiet
npm install --prefix "$work/npm" --silent --ignore-scripts --no-audit --no-fund \
  @octokit/openapi@23.0.2 @octokit/graphql-schema@15.26.1 ajv@8.20.0 ajv-formats@3.0.1 graphql@16.15.0

NODE_PATH=$work/npm/node_modules \
  timeout 280 node tests/witness/github.cjs "$(realpath "${CARGO_TARGET_DIR:-target}/debug/arcflux")" specs/quickstart.yaml "$work"
