//! What to do about what Flux says: symptoms people meet, with the remedy (`../shared/facts/domain.md` §3.1).

/// A symptom: a part of a message, in lower case, and the remedy.
const TABLE: &[(&str, &str)] = &[
    ("namespace not specified", "add `namespace:` to the kustomization.yaml of the path, or to each manifest"),
    (
        "kustomization path not found",
        "check `path` against the repository at that revision (`git ls-tree REF PATH`), and that it was pushed",
    ),
    (
        "cross-namespace references have been blocked",
        "set `extension: {multiTenancy: false}`, or move the objects into the configuration's namespace",
    ),
    (
        "flux-applier\" not found",
        "set `extension: {multiTenancy: false}`, or keep Flux objects in the configuration's namespace",
    ),
    (
        "field is immutable",
        "set `force: true` on that kustomization: Flux then deletes and recreates what cannot change",
    ),
    ("no matches for kind", "install its CRD in an earlier kustomization (`dependsOn`), or migrate the apiVersion"),
    ("couldn't find remote ref", "check `branch` or `tag`: the repository has no such ref"),
    ("reference not found", "check `branch` or `tag`: the repository has no such ref"),
    ("authentication required", "check `httpsUser` and `httpsKey`: the server does not accept them"),
    ("invalid username or", "check `httpsUser` and `httpsKey`: the server does not accept them"),
    (
        "unable to authenticate",
        "add the configuration's public key (`repositoryPublicKey`) to the server as a deploy key",
    ),
    ("knownhosts", "set `sshKnownHosts` to what `ssh-keyscan` prints for the server"),
    ("certificate signed by unknown authority", "set `httpsCACert` to the certificate authority of the server"),
    (
        "helm installation failed",
        "let the cluster reach mcr.microsoft.com and the endpoints of Azure Arc, look at taints, quotas and policies, then run this again",
    ),
    ("secret", "create the secret that `localAuthRef` names in the configuration's namespace"),
    ("variable not set", "set the variable in `postBuild.substitute`"),
    ("timeout waiting for", "look at the pods behind it (`kubectl describe`), raise `timeout`, or set `wait: false`"),
    ("i/o timeout", "let the cluster reach the git server: proxy, firewall, network policy"),
    ("no such host", "let the cluster reach the git server: name resolution, proxy"),
    ("namespaces \"", "add the Namespace to an earlier kustomization (`dependsOn`)"),
];

/// What to look at while an installation of Flux reports nothing: what keeps its pods from starting, most often first
/// (mspnp/aks-baseline#295 and #393; `../shared/facts/domain.md` §3).
pub const SILENT_INSTALLATION: [&str; 4] = [
    "see whether its pods can be scheduled, with taints and the sizes of the nodes (`kubectl -n flux-system get pods`)",
    "let the cluster reach mcr.microsoft.com and the endpoints of Azure Arc",
    "look at resource quotas and admission policies for the namespace flux-system",
    "see whether the agents run (`kubectl -n azure-arc get pods`)",
];

/// The remedy for a failure with this reason and message, where one is known.
#[must_use]
pub fn remedy(reason: &str, message: &str) -> Option<&'static str> {
    let text = format!("{reason} {message}").to_ascii_lowercase();
    TABLE.iter().find(|(symptom, _)| text.contains(symptom)).map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fitting_row_wins_and_unknown_symptoms_have_none() {
        let remedy_of = |message| remedy("", message).unwrap_or_default();
        assert!(remedy_of("kustomization path not found: stat /tmp/x: no such file or directory").contains("path"));
        assert!(remedy_of("couldn't find remote ref \"refs/heads/mian\"").contains("branch"));
        assert_eq!(remedy("Odd", "something new"), None);
    }
}
