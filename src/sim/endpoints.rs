//! What the simulated cloud tells about itself at `/metadata/endpoints`, truly or not. Needs no subscription and no
//! sign-in.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::offers::ENDPOINTS;
use super::tenant::only_get;
use super::versions;
use super::world::{Handled, World};

/// What is told of the cloud's endpoints.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Told {
    /// The truth.
    #[default]
    Truth,
    /// The truth with this merged into it (RFC 7386).
    Lie(Value),
    /// That somebody else knows.
    Redirect(String),
}

impl World<'_> {
    /// `/metadata/endpoints`: one object from 2022-09-01 on, a list before, and before that an object that has not ARM
    /// itself in it.
    pub(crate) fn endpoints(&self, call: &Call) -> Handled {
        only_get(call, "endpoints")?;
        let version = call.api_version()?;
        self.settings.offers.check_shape(version, ENDPOINTS)?;
        let mut cloud = truth(&call.origin);
        match &self.settings.told {
            Told::Truth => {}
            Told::Lie(lie) => merge(&mut cloud, lie),
            Told::Redirect(to) => {
                return Ok(Answer::json(StatusCode::TEMPORARY_REDIRECT, &Value::Null).header("location", to.clone()));
            }
        }
        Ok(Answer::ok(&if versions::at_least(version, "2022-09-01") {
            cloud
        } else if versions::at_least(version, "2018-01-01") {
            json!([cloud])
        } else {
            json!({
                "galleryEndpoint": cloud["portal"],
                "graphEndpoint": cloud["graph"],
                "portalEndpoint": cloud["portal"],
                "authentication": {
                    "loginEndpoint": cloud["authentication"]["loginEndpoint"],
                    "audiences": cloud["authentication"]["audiences"],
                },
            })
        }))
    }
}

fn truth(origin: &str) -> Value {
    json!({
        "name": "ArcfluxSimulator",
        "portal": format!("{origin}/portal"),
        "authentication": {
            "loginEndpoint": origin,
            "audiences": ["https://management.core.windows.net/", format!("{origin}/")],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "resourceManager": format!("{origin}/"),
        "graph": format!("{origin}/graph"),
        "graphAudience": format!("{origin}/graph"),
        "suffixes": {
            "acrLoginServer": "azurecr.invalid",
            "keyVaultDns": "vault.invalid",
            "storage": "core.invalid",
        },
    })
}

fn merge(value: &mut Value, patch: &Value) {
    match (value, patch) {
        (Value::Object(members), Value::Object(patch)) => {
            for (key, patch) in patch {
                if patch.is_null() {
                    members.shift_remove(key);
                } else {
                    merge(members.entry(key).or_insert(Value::Null), patch);
                }
            }
        }
        (value, patch) => *value = patch.clone(),
    }
}
