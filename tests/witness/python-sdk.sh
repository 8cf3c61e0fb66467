#!/usr/bin/env bash
# The official Python SDKs, unmodified, against `arcflux sim serve`, and arcflux's opinion of what they made: over http,
# and over TLS with a sign-in.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/witness/serve.sh

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  azure-identity==1.27.0 \
  azure-mgmt-hybridkubernetes==2.0.0 \
  azure-mgmt-kubernetesconfiguration-extensions==1.0.0 \
  azure-mgmt-kubernetesconfiguration-fluxconfigurations==1.0.0 \
  azure-mgmt-resource==26.0.0

echo '-- over http'
serve
timeout 300 "$work/venv/bin/python" tests/witness/python_sdk.py "$url" "$arcflux" specs/quickstart.yaml

echo '-- over TLS'
serve --tls "$work/tls"
REQUESTS_CA_BUNDLE=$work/tls/ca.pem \
  timeout 300 "$work/venv/bin/python" tests/witness/python_sdk.py "$url" "$arcflux" specs/quickstart.yaml "$work/tls/ca.pem"
