#!/usr/bin/env bash
# The official JavaScript SDK, unmodified, against `arcflux sim serve --tls`.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/witness/serve.sh

npm install --prefix "$work/npm" --silent --ignore-scripts --no-audit --no-fund \
  @azure/identity@4.14.1 @azure/arm-kubernetesconfiguration@6.1.0

serve --tls "$work/tls" --seed specs/quickstart.yaml
NODE_PATH=$work/npm/node_modules NODE_EXTRA_CA_CERTS=$work/tls/ca.pem \
  timeout 300 node tests/witness/javascript_sdk.cjs "$url" "$arcflux" specs/quickstart.yaml "$work/tls/ca.pem"
