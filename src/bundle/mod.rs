//! Everything that is needed to review a plan and to apply it on the other side of an air gap, in one document: the plan
//! with its spec, the requests that it will send, and the live state that it was made from.
//!
//! It is one JSON document, as plans and snapshots are: nothing is unpacked, so nothing in it can name a path, and the
//! same parts give the same bytes. Only the spec, the mode and the choices of the plan are ever used to apply; the rest
//! is for whoever reviews, and is held to it: [`Bundle::from_json`] reads no bundle whose parts contradict each other. Who
//! can change every part of it can write another bundle: that it is *this* one, the digest says, carried another way.
//!
//! What this module must not know: files, and how anything is sent.

mod request;

pub use request::{ExpectedRequest, expected_requests};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::graph::{self, Graph};
use crate::model::{Digest, Source, understands};
use crate::plan::{self, Choices, Mode, Options, Plan, SecretPolicy};
use crate::snapshot::{Snapshot, SnapshotError};
use crate::spec::{self, Desired, Inputs};

/// The version of the bundle format: a new minor adds, a new major breaks.
pub const BUNDLE_VERSION: &str = "1.0";

/// The member that tells a bundle from every other document of arcflux.
const VERSION_MEMBER: &str = "bundle_version";

/// A plan, and everything to review it by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The version of this format.
    pub bundle_version: String,
    /// What each of the parts has to be.
    pub parts: Parts,
    /// The plan, with its spec and its base.
    pub plan: Plan,
    /// What an apply sends to change something, in order, without the values of secrets.
    pub requests: Vec<ExpectedRequest>,
    /// What the plan was made from.
    pub snapshot: Snapshot,
}

/// The digests of the parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// Of `plan`.
    pub plan: Digest,
    /// Of `requests`.
    pub requests: Digest,
    /// Of `snapshot`.
    pub snapshot: Digest,
}

/// Why a document is not a bundle to show or to apply.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It is of a format that this version does not read.
    #[error("it has the bundle format `{0}`, and this arcflux understands {BUNDLE_VERSION}")]
    Format(String),
    /// It is not what the format says.
    #[error("it is not a bundle: {0}")]
    Garbled(#[from] serde_json::Error),
    /// Its snapshot is not one.
    #[error("its part `snapshot` is not a live state: {0}")]
    Snapshot(#[from] SnapshotError),
    /// A part is not the one that the bundle was made of.
    #[error("its part `{part}` is not the one that the bundle was made of: it was edited")]
    Edited {
        /// The part.
        part: &'static str,
    },
    /// A part is not what follows from the others.
    #[error("its part `{part}` is not what follows from the rest of it ({why}): it was edited")]
    Contradiction {
        /// The part.
        part: &'static str,
        /// What does not follow.
        why: String,
    },
}

impl BundleError {
    /// Whether somebody changed it, rather than that it never was a bundle.
    #[must_use]
    pub const fn is_edited(&self) -> bool {
        match self {
            Self::Edited { .. } | Self::Contradiction { .. } => true,
            Self::Format(_) | Self::Garbled(_) | Self::Snapshot(_) => false,
        }
    }
}

impl Bundle {
    /// Packs a plan with the live state that it was made from.
    ///
    /// # Errors
    ///
    /// [`BundleError`] when the plan does not follow from that state and from its own spec.
    pub fn pack(plan: &Plan, snapshot: &Snapshot) -> Result<Self, BundleError> {
        // As it is written, with values masked that look like secrets: what can be read of it is all that there is.
        let plan: Plan = serde_json::from_value(serde_json::to_value(plan)?)?;
        let requests = expected_requests(&plan);
        let parts = Parts {
            plan: Digest::of(&serde_json::to_value(&plan)?),
            requests: Digest::of(&serde_json::to_value(&requests)?),
            snapshot: Digest::of(&serde_json::to_value(snapshot)?),
        };
        let bundle =
            Self { bundle_version: BUNDLE_VERSION.to_owned(), parts, plan, requests, snapshot: snapshot.clone() };
        bundle.check()?;
        Ok(bundle)
    }

    /// Whether a document claims to be a bundle.
    #[must_use]
    pub fn is_claimed_by(document: &Value) -> bool {
        document.get(VERSION_MEMBER).is_some()
    }

    /// Reads a document of this format.
    ///
    /// # Errors
    ///
    /// [`BundleError`] when it is of another format, or not as it was made.
    pub fn from_json(document: Value) -> Result<Self, BundleError> {
        let version = document.get(VERSION_MEMBER).and_then(Value::as_str).unwrap_or_default();
        if !understands(BUNDLE_VERSION, version) {
            return Err(BundleError::Format(version.to_owned()));
        }
        let part = |part: &str| document.get(part).cloned().unwrap_or_default();
        let found = [("plan", part("plan")), ("requests", part("requests")), ("snapshot", part("snapshot"))];
        let listed: Parts = serde_json::from_value(part("parts"))?;
        for ((part, found), listed) in found.iter().zip([&listed.plan, &listed.requests, &listed.snapshot]) {
            if Digest::of(found) != *listed {
                return Err(BundleError::Edited { part });
            }
        }
        let [_, _, (_, snapshot)] = found;
        let snapshot = Snapshot::from_json(snapshot)?;
        let bundle = Self { snapshot, ..serde_json::from_value(document)? };
        bundle.check()?;
        Ok(bundle)
    }

    /// What tells the bundle from every other.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&json!({ "bundle_version": self.bundle_version, "parts": self.parts }))
    }

    /// The document: the same for the same bundle, with a line feed at its end.
    ///
    /// # Errors
    ///
    /// What cannot be written as JSON.
    pub fn text(&self) -> Result<String, BundleError> {
        Ok(format!("{:#}\n", serde_json::to_value(self)?))
    }

    /// Whether every part is what follows from the others.
    fn check(&self) -> Result<(), BundleError> {
        let Self { bundle_version: _, parts: _, plan, requests, snapshot } = self;
        let contradiction = |part: &'static str, why: &str| BundleError::Contradiction { part, why: why.to_owned() };
        if plan.digest != plan.computed_digest() {
            return Err(contradiction("plan", "it does not have the digest that it claims"));
        }
        if *requests != expected_requests(plan) {
            return Err(contradiction("requests", "they are not those of the plan"));
        }
        if plan.origin != snapshot.origin {
            return Err(contradiction("snapshot", "it was read from another endpoint than the plan is for"));
        }
        let fresh = made_again(plan, snapshot).map_err(|why| contradiction("plan", &why))?;
        let deviation = plan::deviations(plan, &fresh).into_iter().next();
        if let Some(deviation) = deviation {
            return Err(contradiction("plan", &format!("{}: {}", deviation.address, deviation.message)));
        }
        let member = differing_member(plan, &fresh)?;
        match member {
            None => Ok(()),
            Some(member) => Err(contradiction("plan", &format!("its `{member}` are others"))),
        }
    }
}

/// The plan, made again from the spec that it holds and from a live state.
fn made_again(plan: &Plan, snapshot: &Snapshot) -> Result<Plan, String> {
    let desired = loaded(&plan.spec, "spec")?;
    let base = plan.base.as_ref().map(|base| loaded(base, "base")).transpose()?;
    let graph = graph_of(&desired, base.as_ref())?;
    let live = snapshot
        .live_state(&graph.reads(), &graph.contexts())
        .map_err(|unanswered| unanswered.first().map(ToString::to_string).unwrap_or_default())?;
    let options = Options {
        origin: plan.origin.clone(),
        tenant: snapshot.tenant.clone().or_else(|| desired.tenant.clone()),
        base: base.map(|base| base.expanded),
        choices: Choices::clone(&plan.choices),
        // What secrets and credentials may be used for is said by whoever applies.
        allow_auth_hosts: Vec::new(),
        secrets: SecretPolicy::Placeholders,
        chart: plan.chart(),
    };
    let made = match plan.mode {
        Mode::Apply => plan::make(&graph, &live, &desired.expanded, &options),
        Mode::Destroy => plan::destroy(&graph, &live, &desired.expanded, &options),
    };
    let made = made.map_err(|errors| errors.first().map(ToString::to_string).unwrap_or_default())?;
    Ok(Plan { timestamp: Some(live.as_of), ages: plan::ages(&graph, &live), ..made })
}

fn loaded(spec: &Value, name: &str) -> Result<Desired, String> {
    let source = Source { name: name.to_owned(), text: format!("{spec:#}") };
    let outcome = spec::load(&source, &Inputs::default());
    outcome.desired.ok_or_else(|| format!("its {name} is not valid"))
}

fn graph_of(desired: &Desired, base: Option<&Desired>) -> Result<Graph, String> {
    graph::build_since(desired, base).map_err(|errors| errors.first().map(ToString::to_string).unwrap_or_default())
}

/// The first member of a plan that is another when the plan is made again. Another version of arcflux may word what it
/// tells in another way: then only what is bound counts.
fn differing_member(plan: &Plan, fresh: &Plan) -> Result<Option<String>, BundleError> {
    // These depend on what whoever planned had allowed for secrets and credentials.
    const SAID_BY_WHOEVER_APPLIES: [&str; 2] = ["refusals", "applyable"];
    if plan.digest != fresh.digest {
        return Ok(Some("resource_changes".to_owned()));
    }
    if plan.arcflux_version != fresh.arcflux_version {
        return Ok(None);
    }
    let (then, now) = (serde_json::to_value(plan)?, serde_json::to_value(fresh)?);
    let names = then.as_object().into_iter().chain(now.as_object()).flat_map(|members| members.keys());
    let mut compared = names.filter(|name| !SAID_BY_WHOEVER_APPLIES.contains(&name.as_str()));
    Ok(compared.find(|name| then.get(name.as_str()) != now.get(name.as_str())).cloned())
}
