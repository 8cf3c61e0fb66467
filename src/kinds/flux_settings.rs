//! The settings of `microsoft.flux` that are documented, as data. All of them are texts; what a text may say is here.
//!
//! Azure takes any name and any text and hands them to a Helm chart, which does nothing with a name that it does not
//! know, and takes any text but `false` for on (`../shared/facts/arm-contracts.md` §2.5, `../shared/facts/domain.md`
//! §1.2).

use super::cluster::ClusterType;

/// One setting, or the same one of several workloads.
pub struct Setting {
    owners: Owners,
    name: &'static str,
    /// What its text may say.
    pub form: Form,
    /// What it is without being said, in Microsoft's words; `None` where that is not documented.
    pub default: Option<&'static str>,
    /// The only type of cluster on which it does something.
    pub only_on: Option<ClusterType>,
    /// Where it is documented.
    pub source: &'static str,
}

/// Whose setting it is: the name of one begins with its workload.
enum Owners {
    /// Of the whole extension.
    None,
    /// Of each of these.
    Each(&'static [&'static str]),
}

/// What the text of a setting may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`, in any case: `az` users write `False`.
    Switch,
    /// One of these.
    Word(&'static [&'static str]),
    /// The id of an identity or a tenant.
    Guid,
    /// A whole number from 1 on.
    Count,
    /// A whole number from 1 to 100.
    Percent,
    /// A length of time as Go writes it.
    Duration,
    /// An amount of CPU as Kubernetes writes it.
    Cpu,
    /// An amount of memory as Kubernetes writes it.
    Memory,
    /// Anything.
    Text,
}

/// The controllers of Flux, in the order in which Microsoft's documents have them.
pub const CONTROLLERS: [&str; 6] = [
    "kustomize-controller",
    "helm-controller",
    "source-controller",
    "notification-controller",
    "image-automation-controller",
    "image-reflector-controller",
];

/// The controllers that run unless they are switched off.
const USUAL: &[&str] = &["source-controller", "kustomize-controller", "helm-controller", "notification-controller"];

/// The controllers that run only when they are switched on.
const OF_IMAGES: &[&str] = &["image-automation-controller", "image-reflector-controller"];

/// What talks to Azure.
const AGENTS: &[&str] = &["fluxconfig-agent", "fluxconfig-controller"];

/// The controllers with a queue, of which Microsoft documents the length.
const QUEUED: &[&str] = &["kustomize-controller", "helm-controller", "source-controller"];

/// The controllers that speak ssh.
const OVER_SSH: &[&str] = &["source-controller", "image-automation-controller"];

const KUSTOMIZE: &[&str] = &["kustomize-controller"];
const HELM: &[&str] = &["helm-controller"];

/// The setting that lets Flux sign in with a workload identity.
pub const WORKLOAD_IDENTITY: &str = "workloadIdentity.enable";

/// The client id of the identity that Flux signs in as.
pub const WORKLOAD_IDENTITY_CLIENT: &str = "workloadIdentity.azureClientId";

/// The setting that lets Flux sign in with the identity of the nodes of an AKS cluster.
pub const KUBELET_IDENTITY: &str = "useKubeletIdentity";

/// Microsoft's tutorial for GitOps with Flux v2.
const TUTORIAL: &str = "../shared/facts/arm-contracts.md §2.5 (tutorial-use-gitops-flux2.md)";

/// What Microsoft documents of the limits of each container.
const LIMITS: &str = "../shared/facts/domain.md §1.2";

/// Microsoft's release notes of the extension.
const RELEASE_NOTES: &str = "../shared/facts/arm-contracts.md §2.5 (flux-gitops-release-notes.md)";

/// Every setting that is documented.
pub const SETTINGS: &[Setting] = &[
    own("multiTenancy.enforce", Form::Switch, Some("true"), TUTORIAL),
    each(USUAL, "enabled", Form::Switch, Some("true"), TUTORIAL),
    each(OF_IMAGES, "enabled", Form::Switch, Some("false"), TUTORIAL),
    own(WORKLOAD_IDENTITY, Form::Switch, Some("false"), TUTORIAL),
    own(WORKLOAD_IDENTITY_CLIENT, Form::Guid, None, TUTORIAL),
    own("workloadIdentity.azureTenantId", Form::Guid, None, TUTORIAL),
    Setting {
        only_on: Some(ClusterType::ManagedClusters),
        ..own(KUBELET_IDENTITY, Form::Switch, Some("false"), TUTORIAL)
    },
    each(&CONTROLLERS, "log-level", Form::Word(&["info", "debug", "error"]), Some("info"), RELEASE_NOTES),
    each(AGENTS, "log-level", Form::Word(&["info", "error"]), Some("info"), RELEASE_NOTES),
    each(&CONTROLLERS, "resources.limits.cpu", Form::Cpu, Some("1000m"), LIMITS),
    each(&CONTROLLERS, "resources.limits.memory", Form::Memory, Some("1Gi"), TUTORIAL),
    each(&CONTROLLERS, "resources.requests.cpu", Form::Cpu, None, TUTORIAL),
    each(&CONTROLLERS, "resources.requests.memory", Form::Memory, Some("64Mi"), TUTORIAL),
    each(AGENTS, "resources.limits.cpu", Form::Cpu, None, LIMITS),
    each(AGENTS, "resources.limits.memory", Form::Memory, Some("150Mi"), LIMITS),
    each(AGENTS, "resources.requests.cpu", Form::Cpu, None, LIMITS),
    each(AGENTS, "resources.requests.memory", Form::Memory, None, LIMITS),
    each(QUEUED, "concurrent", Form::Count, None, RELEASE_NOTES),
    each(QUEUED, "requeue-dependency", Form::Duration, None, RELEASE_NOTES),
    each(KUSTOMIZE, "enable-in-memory-build", Form::Switch, None, RELEASE_NOTES),
    each(KUSTOMIZE, "strict-substitution-mode", Form::Switch, Some("false"), RELEASE_NOTES),
    each(KUSTOMIZE, "override-manager", Form::Text, None, RELEASE_NOTES),
    each(HELM, "detectDrift", Form::Switch, Some("false"), TUTORIAL),
    each(HELM, "outOfMemoryWatch.enabled", Form::Switch, Some("false"), TUTORIAL),
    each(HELM, "outOfMemoryWatch.memoryThreshold", Form::Percent, Some("95"), TUTORIAL),
    each(HELM, "outOfMemoryWatch.interval", Form::Duration, Some("500ms"), TUTORIAL),
    own("setKubeServiceHostFqdn", Form::Switch, Some("false"), RELEASE_NOTES),
    each(OVER_SSH, "ssh-host-key-args", Form::Text, None, RELEASE_NOTES),
];

const fn own(name: &'static str, form: Form, default: Option<&'static str>, source: &'static str) -> Setting {
    Setting { owners: Owners::None, name, form, default, only_on: None, source }
}

const fn each(
    owners: &'static [&'static str],
    name: &'static str,
    form: Form,
    default: Option<&'static str>,
    source: &'static str,
) -> Setting {
    Setting { owners: Owners::Each(owners), name, form, default, only_on: None, source }
}

impl Setting {
    /// The documented setting of a name. Names are compared as they are: a chart knows the case of its values.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.is_named(name))
    }

    /// Every name that it is documented under.
    pub fn names(&self) -> Vec<String> {
        match self.owners {
            Owners::None => vec![self.name.to_owned()],
            Owners::Each(owners) => owners.iter().map(|owner| format!("{owner}.{}", self.name)).collect(),
        }
    }

    fn is_named(&self, name: &str) -> bool {
        match self.owners {
            Owners::None => self.name == name,
            Owners::Each(owners) => {
                name.split_once('.').is_some_and(|(owner, rest)| rest == self.name && owners.contains(&owner))
            }
        }
    }
}

impl Form {
    /// Whether a text says something that the setting takes.
    #[must_use]
    pub fn takes(self, text: &str) -> bool {
        let is_whole =
            |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Switch => is_on(text) || text.eq_ignore_ascii_case("false"),
            Self::Word(words) => words.contains(&text),
            Self::Guid => uuid::Uuid::try_parse(text).is_ok_and(|_| text.len() == 36),
            Self::Count => is_whole(text) && text.parse::<u32>().is_ok_and(|count| count > 0),
            Self::Percent => is_whole(text) && text.parse::<u32>().is_ok_and(|percent| (1..=100).contains(&percent)),
            Self::Duration => is_go_duration(text),
            Self::Cpu => is_quantity(text, &["", "m"]),
            Self::Memory => is_quantity(text, &["", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti"]),
            Self::Text => !text.is_empty(),
        }
    }

    /// What the setting takes, as the object of a sentence.
    #[must_use]
    pub fn shown(self) -> String {
        match self {
            Self::Switch => "`true` or `false`".to_owned(),
            Self::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                match words.split_last() {
                    Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
                    Some(_) | None => words.concat(),
                }
            }
            Self::Guid => "a GUID".to_owned(),
            Self::Count => "a whole number from 1 on, such as `8`".to_owned(),
            Self::Percent => "a whole number from 1 to 100, such as `70`".to_owned(),
            Self::Duration => "a length of time, such as `30s` or `500ms`".to_owned(),
            Self::Cpu => "an amount of CPU, such as `500m` or `1`".to_owned(),
            Self::Memory => "an amount of memory, such as `512Mi` or `2Gi`".to_owned(),
            Self::Text => "a text".to_owned(),
        }
    }
}

/// Whether the text of a switch says that it is on. Helm reads the word whatever its case.
#[must_use]
pub fn is_on(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// Whether a text is a length of time that Go's `time.ParseDuration` reads, and is not none.
fn is_go_duration(text: &str) -> bool {
    let mut rest = text;
    let mut is_some = false;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let unit = ["ms", "us", "ns", "h", "m", "s"].into_iter().find(|unit| after.starts_with(unit));
        let (Some(unit), false) = (unit, number.is_empty()) else { return false };
        is_some |= number.bytes().any(|digit| digit != b'0');
        rest = after.split_at(unit.len()).1;
    }
    is_some
}

/// Whether a text is a number, whole or with a fraction, and one of these units.
fn is_quantity(text: &str, units: &[&str]) -> bool {
    let length = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = text.split_at(length);
    let is_number = number.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0')
        && number.bytes().filter(|byte| *byte == b'.').count() <= 1
        && number.starts_with(|first: char| first.is_ascii_digit())
        && number.ends_with(|last: char| last.is_ascii_digit());
    is_number && units.contains(&unit)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_stands_once_and_is_found() {
        let names: Vec<String> = SETTINGS.iter().flat_map(Setting::names).collect();
        let once: BTreeSet<&String> = names.iter().collect();
        assert_eq!(once.len(), names.len());
        for name in &names {
            assert!(Setting::named(name).is_some_and(|setting| setting.names().contains(name)), "{name}");
        }
        for other in ["", "multitenancy.enforce", "enabled", "source-controller", "source-controller.detectDrift"] {
            assert!(Setting::named(other).is_none(), "{other}");
        }
    }

    #[test]
    fn each_default_is_one_that_the_setting_takes() {
        for setting in SETTINGS {
            assert!(setting.default.is_none_or(|default| setting.form.takes(default)), "{:?}", setting.names());
            assert!(!setting.form.shown().is_empty() && !setting.source.is_empty());
        }
    }

    #[test]
    fn what_each_form_takes() {
        let levels = Form::Word(&["info", "error"]);
        let rows: &[(Form, &[&str], &[&str])] = &[
            (Form::Switch, &["true", "false", "False", "TRUE"], &["", "yes", "no", "0", "off", "true "]),
            (levels, &["info", "error"], &["", "Info", "debug", "trace"]),
            (
                Form::Guid,
                &["3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20"],
                &["", "flux-identity", "3f0c1c5e8a534b0e9d6f2f9a4f1e7b20", "{3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20}"],
            ),
            (Form::Count, &["1", "20"], &["", "0", "-1", "1.5", "99999999999"]),
            (Form::Percent, &["1", "95", "100"], &["", "0", "101", "95%"]),
            (Form::Duration, &["30s", "500ms", "1m30s", "2h"], &["", "30", "0s", "s", "1d", "30 s", "-3s"]),
            (Form::Cpu, &["1", "0.5", "500m", "1000m"], &["", "0", "1Gi", "m", ".5", "1.", "1.2.3", "half"]),
            (Form::Memory, &["2Gi", "512Mi", "1.5Gi", "1073741824", "1G"], &["", "0", "2GB", "2gi", "500m", "Gi"]),
            (Form::Text, &["--ssh-hostkey-algos=rsa-sha2-512"], &[""]),
        ];
        for (form, good, bad) in rows {
            for text in *good {
                assert!(form.takes(text), "{form:?} takes {text:?}");
            }
            for text in *bad {
                assert!(!form.takes(text), "{form:?} does not take {text:?}");
            }
        }
    }
}
