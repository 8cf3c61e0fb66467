//! Changes of one field of a configuration, each with the path at which it must show.

use arcflux::kinds::extension::ExtensionSpec;
use arcflux::kinds::flux_configuration::{ConfigurationSpec, GitRepositorySpec, KustomizationSpec, Provider, Scope};
use arcflux::model::Seconds;

/// A change of one field.
pub(crate) struct Edit {
    pub(crate) name: &'static str,
    /// Where it shows below `properties`; `*` stands for the first kustomization.
    path: &'static str,
    change: Change,
}

enum Change {
    Configuration(fn(&mut ConfigurationSpec)),
    /// Of the first kustomization.
    Kustomization(fn(&mut KustomizationSpec)),
}

impl Edit {
    /// Makes the change, and says where it must show.
    pub(crate) fn make(&self, spec: &mut ConfigurationSpec) -> String {
        let (name, kustomization) = spec.kustomizations.iter_mut().next().unwrap();
        let path = self.path.replace('*', name);
        match self.change {
            Change::Kustomization(change) => change(kustomization),
            Change::Configuration(change) => change(spec),
        }
        path
    }
}

const fn of_all(name: &'static str, path: &'static str, change: fn(&mut ConfigurationSpec)) -> Edit {
    Edit { name, path, change: Change::Configuration(change) }
}

const fn of_one(name: &'static str, path: &'static str, change: fn(&mut KustomizationSpec)) -> Edit {
    Edit { name, path, change: Change::Kustomization(change) }
}

fn other(seconds: Seconds) -> Seconds {
    Seconds::new(if seconds.get() == 1 { 2 } else { seconds.get() - 1 }).unwrap()
}

fn git(spec: &mut ConfigurationSpec) -> &mut GitRepositorySpec {
    spec.git_repository.as_mut().unwrap()
}

/// Every field that a spec can say of a git source and its kustomizations, once.
pub(crate) const EDITS: &[Edit] = &[
    of_all("scope", "scope", |spec| {
        spec.scope = match spec.scope {
            Scope::Cluster => Scope::Namespace,
            Scope::Namespace => Scope::Cluster,
        };
    }),
    of_all("namespace", "namespace", |spec| spec.namespace.push('x')),
    of_all("url", "gitRepository.url", |spec| git(spec).url.push_str("/other")),
    of_all("branch", "gitRepository.repositoryRef.branch", |spec| {
        let branch = git(spec).branch.take();
        git(spec).branch = Some(format!("{}x", branch.unwrap_or_default()));
    }),
    of_all("tag", "gitRepository.repositoryRef.tag", |spec| {
        let tag = git(spec).tag.take();
        git(spec).tag = Some(format!("{}x", tag.unwrap_or_default()));
    }),
    of_all("semver", "gitRepository.repositoryRef.semver", |spec| {
        let semver = git(spec).semver.take();
        git(spec).semver = Some(format!("{}*", semver.unwrap_or_default()));
    }),
    of_all("commit", "gitRepository.repositoryRef.commit", |spec| {
        let commit = git(spec).commit.take();
        git(spec).commit = commit.map_or(Some("c".repeat(40)), |_| None);
    }),
    of_all("interval", "gitRepository.syncIntervalInSeconds", |spec| {
        git(spec).interval = other(git(spec).interval);
    }),
    of_all("timeout", "gitRepository.timeoutInSeconds", |spec| {
        git(spec).timeout = other(git(spec).timeout);
    }),
    of_all("provider", "gitRepository.provider", |spec| {
        git(spec).provider = match git(spec).provider {
            Provider::Generic => Provider::Azure,
            Provider::Azure => Provider::GitHub,
            Provider::GitHub => Provider::Generic,
        };
    }),
    of_all("httpsUser", "gitRepository.httpsUser", |spec| {
        let user = git(spec).https_user.take();
        git(spec).https_user = Some(format!("{}x", user.unwrap_or_default()));
    }),
    of_all("sshKnownHosts", "gitRepository.sshKnownHosts", |spec| {
        let hosts = git(spec).ssh_known_hosts.take();
        git(spec).ssh_known_hosts = Some(format!("{}x", hosts.unwrap_or_default()));
    }),
    of_all("httpsCACert", "gitRepository.httpsCACert", |spec| {
        let certificate = git(spec).https_ca_cert.take();
        git(spec).https_ca_cert = Some(format!("{}x", certificate.unwrap_or_default()));
    }),
    of_all("localAuthRef", "gitRepository.localAuthRef", |spec| {
        let reference = git(spec).local_auth_ref.take();
        git(spec).local_auth_ref = Some(format!("{}x", reference.unwrap_or_default()));
    }),
    of_one("path", "kustomizations.*.path", |one| one.path.push_str("/other")),
    of_one("dependsOn", "kustomizations.*.dependsOn", |one| one.depends_on.push("another".to_owned())),
    of_one("interval of one", "kustomizations.*.syncIntervalInSeconds", |one| one.interval = other(one.interval)),
    of_one("timeout of one", "kustomizations.*.timeoutInSeconds", |one| one.timeout = other(one.timeout)),
    of_one("retryInterval", "kustomizations.*.retryIntervalInSeconds", |one| {
        one.retry_interval = one.retry_interval.map_or(Seconds::new(30), |_| None);
    }),
    of_one("prune", "kustomizations.*.prune", |one| one.prune = !one.prune),
    of_one("force", "kustomizations.*.force", |one| one.force = !one.force),
    of_one("wait", "kustomizations.*.wait", |one| one.wait = !one.wait),
];

/// A change of one field of an extension.
pub(crate) struct ExtensionEdit {
    /// Where it shows below `properties`.
    pub(crate) path: &'static str,
    pub(crate) change: fn(&mut ExtensionSpec),
}

/// Every field that a spec can say of an extension that exists, once.
pub(crate) const EXTENSION_EDITS: &[ExtensionEdit] = &[
    ExtensionEdit {
        path: r#"configurationSettings["multiTenancy.enforce"]"#,
        change: |spec| spec.multi_tenancy = Some(!spec.multi_tenancy.unwrap_or(true)),
    },
    ExtensionEdit {
        path: "configurationSettings.useKubeletIdentity",
        change: |spec| {
            spec.configuration_settings.insert("useKubeletIdentity".to_owned(), "x".to_owned());
        },
    },
    ExtensionEdit { path: "version", change: |spec| spec.version = Some("9.9.9".to_owned()) },
    ExtensionEdit { path: "releaseTrain", change: |spec| spec.release_train = Some("experimental".to_owned()) },
    ExtensionEdit {
        path: "autoUpgradeMinorVersion",
        change: |spec| spec.auto_upgrade_minor_version = Some(!spec.auto_upgrade_minor_version.unwrap_or(true)),
    },
];
