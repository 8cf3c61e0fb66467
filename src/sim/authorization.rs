//! What the caller may do, at any scope: `Microsoft.Authorization/permissions`. The simulator only tells it; it refuses
//! nothing because of it.

use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::route::ClusterPath;
use super::tenant::only_get;
use super::world::{Handled, World};

/// The resource type, for its api-versions.
const PERMISSIONS: &str = "Microsoft.Authorization/permissions";

/// What one role lets the caller do, as the actions of a role definition: `*` stands for any characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What is allowed.
    pub actions: Vec<String>,
    /// What of it is not.
    pub not_actions: Vec<String>,
}

impl Grant {
    /// The role of an owner.
    #[must_use]
    pub fn everything() -> Self {
        Self { actions: vec!["*".to_owned()], not_actions: Vec::new() }
    }

    fn body(&self) -> Value {
        json!({
            "actions": self.actions,
            "notActions": self.not_actions,
            "dataActions": [],
            "notDataActions": [],
        })
    }
}

/// Where permissions are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PermissionScope {
    Subscription,
    Group { subscription: String, group: String },
    Cluster(ClusterPath),
}

impl World<'_> {
    /// `{scope}/providers/Microsoft.Authorization/permissions`: the same at every scope that is there.
    pub(crate) fn permissions(&self, call: &Call, scope: &PermissionScope) -> Handled {
        only_get(call, "permissions")?;
        self.settings.offers.check_shape(call.api_version()?, PERMISSIONS)?;
        match scope {
            PermissionScope::Subscription => {}
            PermissionScope::Group { subscription, group } => {
                self.group(subscription, group)?;
            }
            PermissionScope::Cluster(path) => {
                self.cluster(path)?;
            }
        }
        Ok(Answer::ok(&json!({"value": self.settings.grants.iter().map(Grant::body).collect::<Vec<Value>>()})))
    }
}
