//! The spec that `arcflux init` writes.

/// The first line of a spec, by which editors find the schema.
pub(super) const EDITOR_LINE: &str = "# yaml-language-server: \
     $schema=https://raw.githubusercontent.com/arcflux/arcflux/main/schemas/spec.schema.json";

/// A commented spec to start from. It is valid as it is; every value in it is to be replaced.
#[must_use]
pub fn starter() -> String {
    format!("{EDITOR_LINE}\n{STARTER}")
}

const STARTER: &str = r##"#
# What one cluster is to have. `arcflux validate` checks this file, `arcflux plan` shows what would change,
# `arcflux apply` changes it. `arcflux validate --expand` prints the long form with every default.
apiVersion: arcflux/v1

# The id of the subscription, not its name: `az account show --query id`.
subscription: 00000000-0000-0000-0000-000000000000

# The resource group of the cluster. To have it created when it is missing, write
#   resourceGroup: {name: rg-edge, location: westeurope}
resourceGroup: rg-edge

cluster:
  name: store-001
  # connectedClusters for a cluster connected to Azure Arc, managedClusters for AKS.
  type: connectedClusters

# Flux itself. Azure installs it with multi-tenancy on: Flux objects may then not refer to objects in other
# namespaces. Layouts that do (Coral, repositories made by `flux bootstrap`) need `multiTenancy: false`, which lets
# every configuration act on the whole cluster. Without this block the setting is left as it is found.
extension:
  multiTenancy: false

# The git repository to apply from. Exactly one of branch, tag and semver; a commit goes with a branch.
# A private repository needs a secret. It never stands here, only where to read it:
#   httpsUser: git
#   httpsKey: {env: GIT_TOKEN}
repo:
  url: https://github.com/contoso/gitops
  branch: main
  interval: 10m

# What to apply from it, by name.
kustomizations:
  infrastructure:
    # A directory, from the top of the repository.
    path: ./clusters/store-001/infrastructure
    # Delete what was applied once it is gone from the directory.
    prune: true
  app:
    path: ./clusters/store-001/apps
    prune: true
    # Only after these are ready.
    dependsOn: [infrastructure]
"##;
