#!/usr/bin/env bash
# The page that `--format html` makes, in headless Chromium: Debian's package `chromium`, driven by playwright-core.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/witness/serve.sh

npm install --prefix "$work/npm" --silent --ignore-scripts --no-audit --no-fund playwright-core@1.65.1

arcflux=$(realpath "$arcflux")
case=$PWD/tests/cases/plan/P64-a-slip-that-empties-the-fleet
pages=$work/pages
mkdir "$pages"

echo '-- making pages'
"$arcflux" plan --cloud sim --sim-state "$work/small.json" -f specs/quickstart.yaml --format html >"$pages/small.html" 2>"$work/log"

# Creates, updates and deletes on twelve clusters, and values that act wherever they are not text.
cat >"$work/mixed.yaml" <<'SPEC'
apiVersion: arcflux/v1
subscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20
resourceGroup: rg-edge
clusters:
  store-001: {}
  store-002: {}
configurations:
  flux-system:
    scope: cluster
    namespace: flux-system
    gitRepository: {url: "https://github.com/contoso/gitops", branch: main}
    kustomizations:
      app:
        path: "./clusters/${cluster.name}/shop"
        postBuild:
          substitute:
            html: "</style></script><script>alert('script')</script><img src=x onerror=alert('image')>"
            attribute: "\" onmouseover=\"alert('attribute')\" x=\""
            lines: "first\n<svg onload=alert('line')>\n\u202elast"
            long: "unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken-unbroken"
  tools:
    scope: cluster
    namespace: tools
    gitRepository: {url: "https://github.com/contoso/tools", branch: main}
    kustomizations:
      tools: {path: "./clusters/${cluster.name}/tools"}
SPEC
"$arcflux" plan -f "$work/mixed.yaml" --live "$case/live.json" --base "$case/fleet.yaml" --max-delete 100% \
  --workloads keep --format html >"$pages/mixed.html" 2>"$work/log" || { cat "$work/log"; exit 1; }

# A fleet: hundreds of changes.
{
  printf 'apiVersion: arcflux/v1\nsubscription: 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20\nresourceGroup: rg-edge\nclusters:\n'
  for number in $(seq -w 120); do echo "  store-$number: {}"; done
  # shellcheck disable=SC2016
  printf 'repo: {url: "https://github.com/contoso/gitops", branch: main}\nkustomizations:\n  app: {path: "./${cluster.name}"}\n'
} >"$work/fleet.yaml"
"$arcflux" plan --cloud sim --sim-state "$work/fleet.json" --sim-pace 1000000 -f "$work/fleet.yaml" --format html \
  >"$pages/fleet.html" 2>"$work/log" || { cat "$work/log"; exit 1; }

NODE_PATH=$work/npm/node_modules timeout 300 node tests/witness/html.cjs "$(command -v chromium)" "$pages" "$work/profile" "$@"
