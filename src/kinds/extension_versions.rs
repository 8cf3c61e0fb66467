//! What is known of the versions of `microsoft.flux`, as data: which Flux is in them, which steps between them are legal,
//! what one takes away, which are known to be bad, and since when settings exist. The facts are of August 2026
//! (`../shared/facts/domain.md` §1.2, `../shared/facts/pains-and-conventions.md` fact 5, `../shared/facts/arm-contracts.md`
//! §2.5).

use semver::Version;

use super::cluster::ClusterType;

/// The newest version that these facts know of.
pub const NEWEST_KNOWN: Version = Version::new(1, 24, 1);

/// The version that no longer serves the beta APIs of Flux.
pub const WITHOUT_BETA_APIS: Version = Version::new(1, 23, 0);

/// The APIs that [`WITHOUT_BETA_APIS`] took away.
pub const BETA_APIS: &str = "source.toolkit.fluxcd.io v1beta1 and v1beta2, kustomize.toolkit.fluxcd.io v1beta1 and v1beta2, \
                             helm.toolkit.fluxcd.io v2beta1 and v2beta2, notification.toolkit.fluxcd.io v1beta1, \
                             image.toolkit.fluxcd.io v1beta1";

/// The versions through which one must go that is older than the first of them, before it goes beyond the last: stored
/// objects are migrated there.
pub const INTERIM: (Version, Version) = (Version::new(1, 21, 0), Version::new(1, 22, 2));

/// The version from which on `waitForReconciliation` does not leave a configuration `Failed` for ever.
pub const WAITS_PROPERLY: Version = Version::new(1, 22, 1);

/// The version from which on the extension works on AKS Automatic (AKS #5645).
pub const ON_AKS_AUTOMATIC: Version = Version::new(1, 20, 4);

/// How many minor versions before the newest one Azure supports.
const SUPPORTED_BEFORE_NEWEST: u64 = 2;

/// Which Flux is in a version, where that is known.
const FLUX: &[(Version, &str)] = &[(Version::new(1, 24, 1), "2.7.5")];

/// A version that people had trouble with.
struct Fault {
    version: Version,
    what: &'static str,
    instead: &'static str,
}

const FAULTS: &[Fault] = &[
    Fault {
        version: Version::new(1, 15, 1),
        what: "in some regions its chart cannot be rendered (`AZURE_TENANT_ID … index of untyped nil`)",
        instead: "1.15.2",
    },
    Fault {
        version: Version::new(1, 16, 1),
        what: "it fails to pull Helm charts from OCI registries (AKS #4900)",
        instead: "a newer one",
    },
    Fault {
        version: Version::new(1, 16, 2),
        what: "in some regions its chart cannot be rendered (`AZURE_TENANT_ID … index of untyped nil`)",
        instead: "1.16.3",
    },
    Fault {
        version: Version::new(1, 19, 3),
        what: "its fluxconfig-agent is evicted (AKS #5607)",
        instead: "a newer one",
    },
];

/// Which clusters a setting is about.
#[derive(PartialEq)]
enum On {
    Any,
    Type(ClusterType),
}

/// Since when settings exist. A name that begins with `*` stands for every controller's setting that ends so.
const SETTINGS: &[(&str, On, Version)] = &[
    ("workloadIdentity.enable", On::Type(ClusterType::ManagedClusters), Version::new(1, 8, 0)),
    ("workloadIdentity.enable", On::Type(ClusterType::ConnectedClusters), Version::new(1, 15, 1)),
    ("fluxconfig-agent.log-level", On::Any, Version::new(1, 9, 1)),
    ("fluxconfig-controller.log-level", On::Any, Version::new(1, 9, 1)),
    ("*-controller.log-level", On::Any, Version::new(1, 8, 3)),
    ("helm-controller.detectDrift", On::Any, Version::new(1, 7, 5)),
    ("setKubeServiceHostFqdn", On::Any, Version::new(1, 11, 1)),
    ("*.concurrent", On::Any, Version::new(1, 12, 0)),
    ("*.requeue-dependency", On::Any, Version::new(1, 12, 0)),
    ("kustomize-controller.strict-substitution-mode", On::Any, Version::new(1, 13, 1)),
    ("kustomize-controller.override-manager", On::Any, Version::new(1, 24, 0)),
];

/// How to get from one version to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hop {
    /// In one step.
    Direct,
    /// Only by way of a version from the first to the last of these.
    Through(Version, Version),
}

/// How to get from one version to another.
#[must_use]
pub fn hop(from: &Version, to: &Version) -> Hop {
    let (first, last) = INTERIM;
    if *from < first && *to >= WITHOUT_BETA_APIS { Hop::Through(first, last) } else { Hop::Direct }
}

/// A version as people read it, with the Flux in it where that is known: `1.24.1 (Flux 2.7.5)`.
#[must_use]
pub fn shown(version: &str) -> String {
    match FLUX.iter().find(|(known, _)| parsed(version).as_ref() == Some(known)) {
        Some((_, flux)) => format!("{version} (Flux {flux})"),
        None => version.to_owned(),
    }
}

/// A version as ARM writes it.
#[must_use]
pub fn parsed(version: &str) -> Option<Version> {
    Version::parse(version.trim().trim_start_matches('v')).ok()
}

/// What is wrong with a version, and which to take instead.
#[must_use]
pub fn fault(version: &Version) -> Option<(&'static str, &'static str)> {
    FAULTS.iter().find(|fault| fault.version == *version).map(|fault| (fault.what, fault.instead))
}

/// Whether a version is older than what Azure supports: the newest minor version and two before it.
#[must_use]
pub fn is_out_of_support(version: &Version) -> bool {
    (version.major, version.minor + SUPPORTED_BEFORE_NEWEST) < (NEWEST_KNOWN.major, NEWEST_KNOWN.minor)
}

/// The version that a setting needs, where that is known.
#[must_use]
pub fn setting_since(setting: &str, cluster_type: ClusterType) -> Option<&'static Version> {
    let fits = |name: &str| match name.strip_prefix('*') {
        Some(end) => setting.ends_with(end),
        None => name == setting,
    };
    let is_here = |on: &On| *on == On::Any || *on == On::Type(cluster_type);
    SETTINGS.iter().find(|(name, on, _)| fits(name) && is_here(on)).map(|(_, _, since)| since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        parsed(text).unwrap_or(Version::new(0, 0, 0))
    }

    #[test]
    fn old_versions_go_through_the_interim_ones() {
        let hop = |from: &str, to: &str| hop(&version(from), &version(to));
        let interim = Hop::Through(version("1.21.0"), version("1.22.2"));
        assert_eq!(hop("1.20.4", "1.23.0"), interim);
        assert_eq!(hop("1.7.0", "1.24.1"), interim);
        assert_eq!(hop("1.20.4", "1.22.2"), Hop::Direct);
        assert_eq!(hop("1.21.0", "1.24.1"), Hop::Direct);
        assert_eq!(hop("1.24.1", "1.20.4"), Hop::Direct, "back is another matter");
    }

    #[test]
    fn flux_is_named_only_where_it_is_known() {
        assert_eq!(shown("1.24.1"), "1.24.1 (Flux 2.7.5)");
        assert_eq!(shown("1.24.0"), "1.24.0");
        assert_eq!(shown("preview"), "preview");
    }

    #[test]
    fn two_minor_versions_before_the_newest_are_supported() {
        assert!(!is_out_of_support(&version("1.22.0")));
        assert!(is_out_of_support(&version("1.21.9")));
        assert!(!is_out_of_support(&version("2.0.0")));
    }

    #[test]
    fn workload_identity_came_later_to_arc() {
        let since = |cluster_type| setting_since("workloadIdentity.enable", cluster_type).map(ToString::to_string);
        assert_eq!(since(ClusterType::ManagedClusters).as_deref(), Some("1.8.0"));
        assert_eq!(since(ClusterType::ConnectedClusters).as_deref(), Some("1.15.1"));
        let agent = setting_since("fluxconfig-agent.log-level", ClusterType::default()).map(ToString::to_string);
        assert_eq!(agent.as_deref(), Some("1.9.1"));
        assert_eq!(setting_since("multiTenancy.enforce", ClusterType::default()), None);
    }
}
