//! Why a change fails, in words.

use super::reaction::{Reaction, reaction};
use super::waits::advice;
use crate::arm::ArmError;
use crate::kinds::Kind;
use crate::model::{ResourceId, Seconds};
use crate::plan::{Failure, Until};

/// What to do when patience ends before an operation does.
pub(super) const GOES_ON: &str =
    "it goes on without us: look with `arcflux status`, and run this again; give it longer with `--timeout`";

/// What a wait waits for, in a few words.
pub(super) fn wait_words(until: &Until) -> &'static str {
    match until {
        Until::Registered => "registration",
        Until::Provisioned => "provisioning",
        Until::Connected => "the cluster",
        Until::Compliant(_) => "Flux",
        Until::Gone => "deletion",
    }
}

pub(super) fn failure(code: &str, message: String, hint: Option<String>) -> Failure {
    Failure { code: code.to_owned(), message, hint, correlation_id: None }
}

pub(super) fn interrupted(what: &str) -> Failure {
    let hint = "run the same command again: it goes on from where this one stopped";
    failure("interrupted", format!("interrupted: {what}"), Some(hint.to_owned()))
}

pub(super) fn moved(violation: &str) -> Failure {
    failure(
        "moved",
        format!("the plan builds on a state that is gone: {violation}"),
        Some("plan again, and look at what is different now".to_owned()),
    )
}

/// ARM accepted a write, and what is live is something else.
pub(super) fn not_applied(live: &str) -> Failure {
    failure(
        "not_applied",
        format!("accepted but not applied: {live}; it was sent twice"),
        Some(
            "Azure ignores the value or puts another in its place: look whether it may be set here, and plan again"
                .to_owned(),
        ),
    )
}

/// The hint for an operation that goes on.
pub(super) fn goes_on(kind: Kind, id: &ResourceId) -> String {
    match az(kind, id, "show") {
        Some(command) => format!(
            "it goes on without us: look with `arcflux status` or `{command}`, and run this again; give it longer with `--timeout`"
        ),
        None => GOES_ON.to_owned(),
    }
}

/// The command of `az` that does `verb` to a resource: `show`, `delete`.
pub(super) fn az(kind: Kind, id: &ResourceId, verb: &str) -> Option<String> {
    let command = match kind {
        Kind::Extension => "az k8s-extension",
        Kind::FluxConfiguration => "az k8s-configuration flux",
        Kind::ResourceGroup => return Some(format!("az group {verb} -n {}", id.name())),
        Kind::ProviderRegistration => return Some(format!("az provider {verb} -n {}", id.name())),
        Kind::ConnectedCluster | Kind::ManagedCluster => return None,
    };
    let of_type = |cluster_type: &'static str| Some((cluster_type, id.segment_after(cluster_type)?));
    let (cluster_type, cluster) = of_type("connectedClusters").or_else(|| of_type("managedClusters"))?;
    let group = id.segment_after("resourceGroups")?;
    Some(format!("{command} {verb} -n {} -c {cluster} -g {group} -t {cluster_type}", id.name()))
}

/// A length of time as people read it.
pub(super) fn patience_words(patience: std::time::Duration) -> String {
    let patience = u32::try_from(patience.as_secs()).ok().and_then(Seconds::new);
    patience.map_or_else(|| "no time".to_owned(), |patience| patience.to_string())
}

/// An error with its causes.
pub(super) fn chain(error: &ArmError) -> String {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}

/// An ARM error as a failure of a change.
pub(super) fn failed(error: &ArmError) -> Failure {
    let (code, hint) = match error {
        ArmError::TimedOut { .. } => ("timed_out", Some(GOES_ON)),
        ArmError::OperationFailed(_) => ("operation_failed", None),
        ArmError::Abandoned => return interrupted("the next write was not sent"),
        _ if reaction(error) == Reaction::Unknown => {
            ("outcome_unknown", Some("plan again: it shows whether the write took effect"))
        }
        ArmError::Token(_) => ("not_signed_in", None),
        ArmError::Status(_)
        | ArmError::Transport { .. }
        | ArmError::StatusUnreadable { .. }
        | ArmError::ForeignHost { .. }
        | ArmError::BadRequest { .. }
        | ArmError::BadBody { .. }
        | ArmError::EndlessList { .. } => ("rejected", None),
    };
    Failure {
        code: code.to_owned(),
        message: chain(error),
        hint: advice(error).or_else(|| hint.map(str::to_owned)),
        correlation_id: error.refusal().and_then(|refusal| refusal.correlation_id.clone()),
    }
}
