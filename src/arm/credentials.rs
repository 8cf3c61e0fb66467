//! Which credential to sign in with, and what to say when it does not work. Pure: the environment's values are
//! handed in.
//!
//! Without a name the order is: workload identity, Azure Pipelines and environment secret, of which the first that is
//! configured is the one that is meant (if it fails, no other identity takes its place); then `az login`; then managed
//! identity, last because asking for it means calling an address that on most machines nobody answers.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::TokenError;
use crate::http::TransportError;
use crate::model::Secret;

/// The ways to sign in, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialKind {
    /// Entra Workload Identity: a pod's federated service account token.
    WorkloadIdentity,
    /// The service connection of an Azure Pipelines task.
    AzurePipelines,
    /// A service principal's secret in the environment.
    Environment,
    /// Whoever is signed in to the Azure CLI.
    AzCli,
    /// The managed identity of this machine.
    ManagedIdentity,
}

impl CredentialKind {
    /// Every way, in order.
    pub const ALL: [Self; 5] =
        [Self::WorkloadIdentity, Self::AzurePipelines, Self::Environment, Self::AzCli, Self::ManagedIdentity];

    /// Its name on the command line (`--auth NAME`).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WorkloadIdentity => "workload-identity",
            Self::AzurePipelines => "azure-pipelines",
            Self::Environment => "environment",
            Self::AzCli => "az-cli",
            Self::ManagedIdentity => "managed-identity",
        }
    }

    /// What to do when `missing` variables are not set.
    pub(super) fn not_configured(self, missing: &[&str]) -> String {
        let (names, verb) = (missing.join(", "), if missing.len() == 1 { "is" } else { "are" });
        format!("{names} {verb} not set; {}", self.set_up())
    }

    /// How it is set up.
    fn set_up(self) -> &'static str {
        match self {
            Self::WorkloadIdentity => {
                "in a cluster the workload identity webhook sets them for pods labelled azure.workload.identity/use"
            }
            Self::AzurePipelines => {
                "an AzureCLI@2 task with a service connection sets them, except SYSTEM_ACCESSTOKEN, which its env must \
                 map to $(System.AccessToken)"
            }
            Self::Environment => "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of a service principal",
            Self::AzCli => "install the Azure CLI and run `az login`",
            Self::ManagedIdentity => "give this machine a managed identity, or name another credential with --auth",
        }
    }

    /// What to do when it was refused.
    fn after_failure(self) -> &'static str {
        match self {
            Self::WorkloadIdentity => "check that the federated credential names this service account and issuer",
            Self::AzurePipelines => "check that the service connection uses workload identity federation",
            Self::Environment => "check the secret, its expiry, and that client and tenant belong together",
            Self::AzCli => "run `az login`",
            Self::ManagedIdentity => {
                "give this machine a managed identity (AZURE_CLIENT_ID picks a user-assigned one), or name another \
                 credential with --auth"
            }
        }
    }
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text does not name a way to sign in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a credential: workload-identity, azure-pipelines, environment, az-cli, managed-identity")]
pub struct UnknownCredential(String);

impl FromStr for CredentialKind {
    type Err = UnknownCredential;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| UnknownCredential(text.to_owned()))
    }
}

/// What the environment says about signing in.
#[derive(Debug, Clone, Default)]
pub struct IdentityValues {
    /// `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,
    /// `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// `AZURE_CLIENT_SECRET`.
    pub client_secret: Option<Secret>,
    /// `AZURE_FEDERATED_TOKEN_FILE`.
    pub federated_token_file: Option<PathBuf>,
    /// `AZURESUBSCRIPTION_TENANT_ID`.
    pub pipeline_tenant_id: Option<String>,
    /// `AZURESUBSCRIPTION_CLIENT_ID`.
    pub pipeline_client_id: Option<String>,
    /// `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`.
    pub service_connection_id: Option<String>,
    /// `SYSTEM_ACCESSTOKEN`.
    pub system_access_token: Option<Secret>,
    /// `SYSTEM_OIDCREQUESTURI`. Only whether it is set is looked at: the identity library insists on reading the value
    /// from the process's environment itself.
    pub oidc_request_uri: Option<String>,
}

impl IdentityValues {
    /// Takes the values from `variable`, which looks up an environment variable. An empty one counts as not set.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).filter(|value| !value.is_empty());
        Self {
            tenant_id: text("AZURE_TENANT_ID"),
            client_id: text("AZURE_CLIENT_ID"),
            client_secret: text("AZURE_CLIENT_SECRET").map(Secret::new),
            federated_token_file: text("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from),
            pipeline_tenant_id: text("AZURESUBSCRIPTION_TENANT_ID"),
            pipeline_client_id: text("AZURESUBSCRIPTION_CLIENT_ID"),
            service_connection_id: text("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"),
            system_access_token: text("SYSTEM_ACCESSTOKEN").map(Secret::new),
            oidc_request_uri: text("SYSTEM_OIDCREQUESTURI"),
        }
    }

    /// The variables that `kind` needs and that are not set.
    fn missing(&self, kind: CredentialKind) -> Vec<&'static str> {
        let needed = match kind {
            CredentialKind::WorkloadIdentity => vec![
                ("AZURE_TENANT_ID", self.tenant_id.is_some()),
                ("AZURE_CLIENT_ID", self.client_id.is_some()),
                ("AZURE_FEDERATED_TOKEN_FILE", self.federated_token_file.is_some()),
            ],
            CredentialKind::AzurePipelines => vec![
                ("AZURESUBSCRIPTION_TENANT_ID", self.pipeline_tenant_id.is_some()),
                ("AZURESUBSCRIPTION_CLIENT_ID", self.pipeline_client_id.is_some()),
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", self.service_connection_id.is_some()),
                ("SYSTEM_ACCESSTOKEN", self.system_access_token.is_some()),
                ("SYSTEM_OIDCREQUESTURI", self.oidc_request_uri.is_some()),
            ],
            CredentialKind::Environment => vec![
                ("AZURE_TENANT_ID", self.tenant_id.is_some()),
                ("AZURE_CLIENT_ID", self.client_id.is_some()),
                ("AZURE_CLIENT_SECRET", self.client_secret.is_some()),
            ],
            CredentialKind::AzCli | CredentialKind::ManagedIdentity => vec![],
        };
        needed.into_iter().filter(|(_, set)| !set).map(|(name, _)| name).collect()
    }
}

/// A credential that gave no token, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The credential.
    pub kind: CredentialKind,
    /// Why it gave none, and what to do about it.
    pub why: String,
}

impl Tried {
    /// What `error` says, cause by cause, with what to do next.
    pub(super) fn failed(kind: CredentialKind, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut why = String::new();
        for cause in causes(error) {
            let cause = one_line(&cause.to_string());
            // Libraries often repeat the cause in their own text.
            if !why.contains(&cause) {
                why.push_str(if why.is_empty() { "" } else { ": " });
                why.push_str(&cause);
            }
        }
        let next = causes(error).find_map(|cause| cause.downcast_ref::<TransportError>()).map_or_else(
            || kind.after_failure(),
            |failed| match failed {
                TransportError::Untrusted { .. } => "`--ca-bundle FILE`, with the authority of this network",
                _ => "check the network to the sign-in, and HTTPS_PROXY: whether the credential is good was not asked",
            },
        );
        Self { kind, why: format!("{why}; {next}") }
    }
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// `text` on one line, without the identity library's pointer to its own troubleshooting page.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("To troubleshoot"));
    lines.collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.why)
    }
}

/// Credentials to be asked in order, and those that are not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates<C> {
    /// To be asked.
    pub usable: Vec<(CredentialKind, C)>,
    /// Not to be asked, with the reason, for the error that lists everything.
    pub skipped: Vec<Tried>,
}

/// Chooses: the one that is `named`, else by the order of this module.
///
/// # Errors
///
/// [`TokenError::NotConfigured`] when the named one lacks variables.
pub fn select(named: Option<CredentialKind>, values: &IdentityValues) -> Result<Candidates<()>, TokenError> {
    if let Some(kind) = named {
        let missing = values.missing(kind);
        if !missing.is_empty() {
            return Err(TokenError::NotConfigured { kind, missing });
        }
        return Ok(Candidates { usable: vec![(kind, ())], skipped: vec![] });
    }
    let mut candidates = Candidates { usable: vec![], skipped: vec![] };
    let mut meant = None;
    for kind in CredentialKind::ALL {
        let missing = values.missing(kind);
        match meant {
            _ if !missing.is_empty() => {
                candidates.skipped.push(Tried { kind, why: kind.not_configured(&missing) });
            }
            Some(first) => candidates.skipped.push(Tried { kind, why: format!("not tried, {first} is configured") }),
            None => {
                meant = kind.is_configured_on_purpose().then_some(kind);
                candidates.usable.push((kind, ()));
            }
        }
    }
    Ok(candidates)
}

impl CredentialKind {
    /// Whether it is there only because somebody set it up for this process.
    fn is_configured_on_purpose(self) -> bool {
        match self {
            Self::WorkloadIdentity | Self::AzurePipelines | Self::Environment => true,
            Self::AzCli | Self::ManagedIdentity => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CredentialKind::{AzCli, AzurePipelines, Environment, ManagedIdentity, WorkloadIdentity};

    fn values(set: &[&str]) -> IdentityValues {
        IdentityValues::from_variables(|name| set.contains(&name).then(|| format!("value-of-{name}")))
    }

    fn chosen(set: &[&str]) -> Vec<CredentialKind> {
        select(None, &values(set)).unwrap().usable.into_iter().map(|(kind, ())| kind).collect()
    }

    const PIPELINE: [&str; 5] = [
        "AZURESUBSCRIPTION_TENANT_ID",
        "AZURESUBSCRIPTION_CLIENT_ID",
        "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
        "SYSTEM_ACCESSTOKEN",
        "SYSTEM_OIDCREQUESTURI",
    ];

    #[test]
    fn what_is_configured_is_meant_and_otherwise_az_login_comes_before_managed_identity() {
        assert_eq!(chosen(&[]), [AzCli, ManagedIdentity]);
        assert_eq!(chosen(&["AZURE_TENANT_ID", "AZURE_CLIENT_ID"]), [AzCli, ManagedIdentity]);
        assert_eq!(chosen(&["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"]), [Environment]);
        assert_eq!(chosen(&PIPELINE), [AzurePipelines]);
        let federated = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE"];
        assert_eq!(chosen(&federated), [WorkloadIdentity]);
    }

    #[test]
    fn everything_is_either_asked_or_explained() {
        for set in [&[][..], &PIPELINE[..], &["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"][..]] {
            let candidates = select(None, &values(set)).unwrap();
            let mut kinds: Vec<_> = candidates.usable.iter().map(|(kind, ())| *kind).collect();
            kinds.extend(candidates.skipped.iter().map(|tried| tried.kind));
            kinds.sort();
            assert_eq!(kinds, CredentialKind::ALL);
        }
    }

    #[test]
    fn a_named_one_is_taken_alone_or_says_which_variables_are_missing() {
        for (kind, variables) in [
            (WorkloadIdentity, &["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"][..]),
            (AzurePipelines, &PIPELINE[..]),
            (Environment, &["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"][..]),
        ] {
            let error = select(Some(kind), &values(&variables[1..])).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{kind} is not configured: {} is not set; ", variables[0])), "{error}");
            let error = select(Some(kind), &values(&[])).unwrap_err().to_string();
            assert!(error.contains(&format!("{} are not set", variables.join(", "))), "{error}");
            assert_eq!(select(Some(kind), &values(variables)).unwrap().usable, [(kind, ())]);
        }
        for kind in [AzCli, ManagedIdentity] {
            assert_eq!(select(Some(kind), &values(&[])).unwrap().usable, [(kind, ())]);
        }
    }

    #[test]
    fn values_of_secrets_are_not_shown() {
        let shown = format!("{:?}", values(&["AZURE_CLIENT_SECRET", "SYSTEM_ACCESSTOKEN", "AZURE_TENANT_ID"]));
        assert!(shown.contains("value-of-AZURE_TENANT_ID"));
        assert!(!shown.contains("value-of-AZURE_CLIENT_SECRET") && !shown.contains("value-of-SYSTEM_ACCESSTOKEN"));
    }

    #[test]
    fn names_round_trip() {
        for kind in CredentialKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("cli".parse::<CredentialKind>().unwrap_err().to_string().contains("az-cli"));
    }
}
