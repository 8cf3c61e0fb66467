//! The table of codes: one row for each kind of problem that a spec can have. Codes are stable: a row is never given to
//! another problem, and a code that is retired is not used again.

use crate::model::{Code, Diagnostic, Severity, Span};

/// One kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The stable code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Whether a configuration may accept it by its code, under `allow`. Every warning can be. So can an error that says
    /// no more than that a value is a mistake more often than not, where ARM takes the value, a spec says it without
    /// doubt, and nothing leaks: what is live can then be adopted as it is.
    pub can_be_allowed: bool,
    /// A few words, for lists.
    pub title: &'static str,
    /// Why it is a problem and what to do, in a few sentences.
    pub explanation: &'static str,
}

impl Row {
    /// A problem of this kind at `span`.
    pub(super) fn at(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code: self.code, severity: self.severity, message: message.into(), hint: None, span: Some(span) }
    }
}

/// The words of the table for how bad a problem is: its severity, and whether it can be allowed.
macro_rules! verdict {
    (Error) => {
        (Severity::Error, false)
    };
    (AllowableError) => {
        (Severity::Error, true)
    };
    (Warning) => {
        (Severity::Warning, true)
    };
}

/// Writes one constant per row, and the table of all of them, so that no row can be left out of the table.
macro_rules! table {
    ($($name:ident = $code:literal $verdict:ident $title:literal $explanation:literal;)*) => {
        $(
            #[doc = $title]
            pub const $name: Row = Row {
                code: Code($code),
                severity: verdict!($verdict).0,
                can_be_allowed: verdict!($verdict).1,
                title: $title,
                explanation: $explanation,
            };
        )*

        /// Every row, by code.
        pub const TABLE: &[Row] = &[$($name),*];
    };
}

table! {
    // The text.
    NOT_UTF8 = 1 Error "not UTF-8"
        "A spec is UTF-8 text. Save the file as UTF-8; a byte order mark is accepted.";
    TOO_LARGE = 2 Error "too large"
        "A spec may be 4 MiB at most: larger files are nearly always something else.";
    YAML_SYNTAX = 3 Error "not YAML"
        "The text is not YAML. The place is where reading stopped; the mistake may be on the line before.";
    EMPTY = 4 Error "nothing in it"
        "The file holds no keys. `arcflux init` writes a commented spec to start from.";
    SEVERAL_DOCUMENTS = 5 Error "several YAML documents"
        "A spec is one YAML document: remove the `---` between two, or give each its own file.";
    LIMIT = 6 Error "beyond the reader's limits"
        "Nesting, aliases and merge keys are limited, so that a small file cannot stand for a huge one.";
    DUPLICATE_KEY = 7 Error "key given twice"
        "A key may stand once in a mapping. Which of two values was meant cannot be known.";
    KEY_NOT_TEXT = 8 Error "key is not text"
        "YAML reads an unquoted number, `true` or `null` as such, also where a name is meant. Quote it.";
    TOO_MANY = 9 Error "too many problems"
        "Only the first thousand problems of a spec are listed. Correct them and look again.";
    // The shape.
    UNKNOWN_KEY = 10 Error "unknown key"
        "The key is not part of the format here. Azure ignores such keys silently, which hides typos for months.";
    WRONG_TYPE = 11 Error "wrong type"
        "The value is of another type than the key takes. YAML decides the type by the spelling: `true` is a boolean, \
         `\"true\"` a text, `1.10` the number 1.1. The words `yes`, `no`, `on` and `off` are texts here.";
    MISSING_KEY = 12 Error "missing key"
        "A key that cannot be left out is not there.";
    NOT_ALLOWED_VALUE = 13 Error "not one of the allowed values"
        "The key takes one of a few words only.";
    API_VERSION = 14 Error "unknown apiVersion"
        "This version of arcflux reads `arcflux/v1`.";
    WRONG_FORM = 15 AllowableError "value of the wrong form"
        "The text does not have the form that the key needs.";
    BAD_NAME = 16 AllowableError "not a valid name"
        "The name has characters, or a length, that Azure or Kubernetes refuses.";
    NAMES_TOO_LONG_TOGETHER = 17 AllowableError "names too long together"
        "The Kustomization in the cluster is named `<configuration>-<kustomization>`. The two names may have 62 \
         characters together.";
    NOT_A_GUID = 18 AllowableError "not a GUID"
        "Subscriptions and tenants are named by their id, such as 3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20. Their display \
         names are not unique.";
    BAD_DURATION = 19 Error "not a duration"
        "Durations are whole numbers with the units h, m and s, each at most once and in this order: `10m`, `1h30m`. \
         They go from one second to 9942h3m14s.";
    // The document.
    CLUSTER_CHOICE = 20 Error "cluster or clusters"
        "A spec is for one cluster (`cluster:`) or for several (`clusters:`): exactly one of the two keys.";
    NO_SUBSCRIPTION_OR_GROUP = 21 Error "cluster without subscription or resource group"
        "Every cluster needs `subscription` and `resourceGroup`: of its own, or from the top of the spec.";
    SAME_CLUSTER_TWICE = 22 Error "the same cluster twice"
        "Two entries of `clusters:` are the same Azure resource. Azure compares names without regard to letter case.";
    SUGAR_CLASH = 23 Error "repo and kustomizations do not fit"
        "`repo` and `kustomizations` are the short form of the configuration `flux-system`: they go together, and \
         `flux-system` cannot be declared under `configurations` at the same time.";
    GROUP_DECLARED_TWICE = 24 Error "one resource group, two declarations"
        "Two clusters are in one resource group but give it different locations or tags.";
    // Substitution.
    UNKNOWN_REFERENCE = 30 Error "unknown reference"
        "`${cluster.name}`, `${cluster.resourceGroup}`, `${cluster.subscription}`, `${cluster.type}`, `${values.NAME}` \
         and `${env:NAME}` are replaced by arcflux. Write `$${` for a literal `${`.";
    CIRCULAR_REFERENCE = 31 Error "reference to itself"
        "The name and type of a cluster may use `values`; its subscription may use those too, and its resource group \
         all of them. Nothing can use what is decided after it.";
    ENV_NOT_ALLOWED = 32 Error "environment variable may not be read"
        "Only AZURE_SUBSCRIPTION_ID, AZURE_TENANT_ID and names given with `--allow-env` may be read: a pull request \
         must not be able to print the runner's secrets.";
    ENV_NOT_SET = 33 Error "environment variable is not set"
        "The spec reads an environment variable that is not there.";
    // The source.
    NO_REF = 40 AllowableError "no revision to follow"
        "Flux needs to know what to follow: exactly one of `branch`, `tag` and `semver`.";
    TWO_REFS = 41 AllowableError "two revisions to follow"
        "One revision may be given: for git exactly one of `branch`, `tag` and `semver`, for an OCI repository at most one \
         of `tag`, `semver` and `digest`. Flux would take one of them silently.";
    COMMIT_NEEDS_BRANCH = 42 AllowableError "commit without branch"
        "A `commit` goes with the `branch` that it is on: many servers refuse to send a commit alone.";
    BAD_URL = 43 Error "not a usable URL"
        "A git source is at an `https://`, `http://` or `ssh://` URL with a host and a path; a bucket and a storage account \
         are at `https://` or `http://`, and an OCI repository is at `oci://REGISTRY/REPOSITORY`.";
    SCP_URL = 44 AllowableError "short ssh form"
        "`git@host:path` is not a URL, and Flux refuses it. The same place as a URL is `ssh://git@host/path`.";
    URL_CREDENTIALS = 45 Error "credentials in a URL"
        "Everybody who can read the configuration can read its URL. Credentials are references under keys of their own, such \
         as `httpsUser` and `httpsKey`.";
    AUTH_SCHEME = 46 AllowableError "sign-in does not fit the URL"
        "User and key, and the CA certificate, are for `https://`; the private key and the known hosts for `ssh://`.";
    USER_WITHOUT_KEY = 47 Error "user and key go together"
        "`httpsUser` and `httpsKey` are needed both, or neither.";
    LOCAL_AUTH_EXCLUSIVE = 48 AllowableError "localAuthRef excludes other ways to sign in"
        "The secret in the cluster that `localAuthRef` names holds all of the credentials.";
    PROVIDER_FIT = 49 Error "provider does not fit the source"
        "`Azure` signs in at Azure DevOps (`https://dev.azure.com/ORGANISATION/PROJECT/_git/REPOSITORY`) with a managed \
         identity, `GitHub` at an `https://` URL as a GitHub App: neither takes secrets from the spec.";
    SECRET_LITERAL = 50 Error "secret written out"
        "Secrets do not stand in a spec. Write where to read one: `{env: NAME}` or `{file: path}`.";
    SECRET_OVER_HTTP = 51 Error "secret over plain http"
        "Without TLS everybody on the way can read the secret. Use `https://` or `ssh://`.";
    KNOWN_HOSTS = 52 AllowableError "not known_hosts lines"
        "Each line of `sshKnownHosts` is a host, a key type and a key, as `ssh-keyscan` prints them, not base64 of that.";
    KNOWN_HOSTS_NEEDED = 53 Warning "host keys may be needed"
        "Azure knows the host keys of GitHub, GitLab, Bitbucket and Azure DevOps. For every other ssh server \
         `sshKnownHosts` is needed, else Flux cannot trust it.";
    CA_CERTIFICATE = 54 AllowableError "not a PEM certificate"
        "`httpsCACert` is a certificate in PEM form, not base64 of that: arcflux encodes it.";
    SOURCE_CHOICE = 55 Error "not one source"
        "A configuration applies from exactly one source: `gitRepository`, `bucket`, `azureBlob` or `ociRepository`.";
    SEVERAL_SIGN_INS = 56 AllowableError "several ways to sign in"
        "A source is signed in to in one way. Which of several would be used cannot be known.";
    HALF_A_SIGN_IN = 57 AllowableError "half of a way to sign in"
        "A bucket needs `accessKey` with `bucketSecretKey`, or `localAuthRef`; a service principal needs one of \
         `clientSecret` and `clientCertificate`; a certificate for TLS needs its `privateKey`.";
    IDENTITY_ON_ARC = 58 AllowableError "managed identity on an Arc-connected cluster"
        "Only AKS clusters have a managed identity that Flux can sign in to a storage account with.";
    INSECURE = 59 Warning "connection without TLS"
        "Whoever is on the way can change what is applied to the cluster.";
    // Kustomizations and the order of things.
    NO_KUSTOMIZATIONS = 60 Error "no kustomizations"
        "A configuration applies nothing without at least one kustomization.";
    UNKNOWN_DEPENDENCY = 61 AllowableError "dependsOn names nothing"
        "`dependsOn` of a kustomization names kustomizations of the same configuration; `dependsOn` of a configuration \
         names configurations of the same spec.";
    SELF_DEPENDENCY = 62 AllowableError "dependsOn names itself"
        "What waits for itself never starts.";
    DEPENDENCY_CYCLE = 63 AllowableError "dependsOn goes in a circle"
        "None of them can be first.";
    PATH_OUTSIDE = 64 AllowableError "path not inside the repository"
        "A path is relative to the top of the repository, with `/` between its parts: `./apps/prod`.";
    PATH_IS_ROOT = 65 Warning "path is the whole repository"
        "Flux applies every manifest that it finds below the path. The top of a repository is rarely meant.";
    PATH_OTHER_CLUSTER = 66 Warning "path of another cluster"
        "In a layout `clusters/<cluster>/…` the path names another cluster than the one that it is applied to.";
    CORAL_PATH = 67 Error "not a path of this cluster"
        "With `profile: coral` a kustomization applies `./clusters/<cluster>/<workspace>/…`. The cluster's own folder and \
         its `flux-system` hold Flux itself, which the extension already installs.";
    CORAL_NAMES = 68 Error "configuration must be flux-system"
        "What Coral generates refers to the GitRepository `flux-system` in the namespace `flux-system`, and that takes \
         its name and namespace from the configuration.";
    WAIT_DURATION_ALONE = 69 Warning "duration of a wait that is not asked for"
        "`reconciliationWaitDuration` says how long ARM's operation waits for Flux; it waits only with \
         `waitForReconciliation: true`.";
    // The extension.
    SETTING_NOT_TEXT = 70 Error "setting is not text"
        "Settings of an extension are texts, booleans and numbers too. Quote the value.";
    MULTI_TENANCY_TWICE = 71 Error "multiTenancy said twice"
        "`multiTenancy` is the setting `multiTenancy.enforce`. Say it in one place.";
    PIN_NEEDS_NO_UPGRADES = 72 Error "pinned version with automatic upgrades"
        "A `version` is kept only with `autoUpgradeMode: none` or `autoUpgradeMinorVersion: false`.";
    UPGRADES_TWICE = 73 Error "upgrades said twice"
        "`autoUpgradeMinorVersion` and `autoUpgradeMode` say the same thing. Azure's own tools take one of the two.";
    TRAIN_WITHOUT_UPGRADES = 74 Warning "release train without upgrades"
        "A release train is what automatic upgrades follow. Without them it says nothing.";
    RELEASE_NAMESPACE = 75 Warning "Flux outside flux-system"
        "The extension installs Flux into `flux-system`. Azure accepts another `releaseNamespace` and shows it back.";
    UNKNOWN_SETTING = 76 Warning "setting that is not known"
        "Azure takes any setting, and what the extension does not know does nothing. The README lists the settings that \
         arcflux knows; a newer version of the extension may have more.";
    SETTING_NOT_A_SWITCH = 77 Error "switch that is neither on nor off"
        "The setting is `true` or `false`. Any other text is not documented: `no` and `off` switch nothing off.";
    SETTING_VALUE = 78 Warning "value that the setting does not take"
        "Azure takes any text. The extension then fails to install, or Flux starts with the setting as if it were not \
         there.";
    SETTING_OF_OTHER_CLUSTERS = 79 Warning "setting of other clusters"
        "The setting does something on another type of cluster only.";
    // What is applied, and what Flux puts into it.
    STRAY_DOLLAR = 80 Warning "dollar sign that begins nothing"
        "Flux's substitution knows `${NAME}`, and what it takes after the name. A `$` that is meant as such is written \
         `$$`, here as in manifests.";
    ANYBODY_SIGNS = 81 Warning "signature of anybody"
        "Without trusted keys or identities, a signature that anybody made passes.";
    OLD_HOST_KEY = 82 Warning "ssh-rsa host key of Azure DevOps"
        "Azure DevOps refuses signatures of the old kind `ssh-rsa`, and a host key of that type lets Flux ask for one. With \
         the setting `source-controller.ssh-host-key-args` the controller asks for `rsa-sha2-256` and `rsa-sha2-512`.";
    SETTING_AND_GROUP = 83 Warning "setting that is also a group"
        "Helm reads the dots in the name of a setting as levels. What is a value and a group of values at once makes later \
         updates of the extension fail.";

    // The api-versions.
    NEWER_THAN_VERSION = 85 Error "newer than the api-version"
        "`apiVersions` pins, or the cloud offers, a version that does not have the field yet. Azure would ignore it without \
         a word.";
    SCOPE_NOT_SAID = 86 Warning "scope not said"
        "In the long form a configuration says its `scope`. Azure's own default, `cluster`, makes its service account a \
         cluster administrator; other tools have `namespace` as their default, so what was meant cannot be seen.";

    // Connecting clusters.
    CONTEXT_OF_TWO = 87 Error "one context for two clusters"
        "A context of a kubeconfig reaches one cluster, and one cluster is connected to Azure Arc once.";
    NOTHING_TO_CONNECT = 88 Error "cluster that is not connected to Azure Arc"
        "`onboard` says how a cluster is connected to Azure Arc. AKS clusters carry extensions and configurations without \
         that.";
    CERTIFICATE_BY_AZ = 89 Error "certificate that az cannot be given"
        "`az connectedk8s connect` reads the certificate of a proxy from a file, and a spec names no files. With \
         `via: native`, which is the default, it goes to the agents as it stands.";

    // What is left alone, and what goes.
    NOT_IGNORABLE = 90 Error "field that cannot be ignored"
        "`ignore` names fields of a configuration as a plan shows them. Groups, secrets and what Azure owns cannot be \
         named: they are not compared as one value.";
    PROTECTED_AND_ABSENT = 91 Error "protected and absent"
        "`protect: true` refuses every plan that deletes the configuration, and `state: absent` asks for just that.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_given_once() {
        assert!(TABLE.windows(2).all(|rows| rows[0].code < rows[1].code));
    }

    #[test]
    fn titles_fit_a_list_and_explanations_are_sentences() {
        for row in TABLE {
            assert!(row.title.len() <= 60 && !row.title.ends_with('.'), "{}", row.code);
            assert!(row.explanation.ends_with('.'), "{}", row.code);
        }
    }
}
