//! The values behind the references of a plan: read once, before anything is sent.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::kinds::Hole;
use crate::model::{Secret, SecretRef};
use crate::plan::{Plan, Step};

/// Reads the value behind a reference. Implemented where the environment and files are.
pub trait SecretResolver {
    /// The value of `secret`.
    ///
    /// # Errors
    ///
    /// [`SecretError`] when it is not set, not readable, or empty.
    fn resolve(&self, secret: &SecretRef) -> Result<Secret, SecretError>;
}

/// Why a secret has no value. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{secret}: {reason}")]
pub struct SecretError {
    /// The reference.
    pub secret: SecretRef,
    /// Why.
    pub reason: String,
}

/// The values for every hole of a plan.
#[derive(Debug)]
pub struct Secrets(BTreeMap<SecretRef, Secret>);

impl Secrets {
    /// Reads every secret that the steps of `plan` send.
    ///
    /// # Errors
    ///
    /// Every [`SecretError`] there is.
    pub fn read(plan: &Plan, resolver: &dyn SecretResolver) -> Result<Self, Vec<SecretError>> {
        let wanted: std::collections::BTreeSet<&SecretRef> = plan
            .resource_changes
            .iter()
            .flat_map(|change| &change.steps)
            .flat_map(Step::holes)
            .map(|hole| &hole.secret)
            .collect();
        let mut values = BTreeMap::new();
        let mut errors = Vec::new();
        for secret in wanted {
            match resolver.resolve(secret) {
                Ok(value) => {
                    values.insert(secret.clone(), value);
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Self(values)) } else { Err(errors) }
    }

    /// The body with its holes filled, base64 as ARM wants it.
    pub(super) fn fill(&self, body: &Value, holes: &[Hole]) -> Value {
        let mut filled = body.clone();
        for hole in holes {
            if let Some(secret) = self.0.get(&hole.secret) {
                let encoded = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(secret.reveal()));
                hole.path.set(&mut filled, Value::from(encoded.as_str()));
            }
        }
        filled
    }
}
