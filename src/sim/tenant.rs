//! Subscriptions and tenants.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::call::Call;
use super::world::{Handled, World};

impl World<'_> {
    /// `/subscriptions`.
    pub(crate) fn subscriptions(&self, call: &Call) -> Handled {
        only_get(call, "subscriptions")?;
        self.check_resources(call.api_version()?)?;
        let items = self.state.subscriptions.values().map(|subscription| self.subscription_body(&subscription.id));
        let items: Vec<Value> = items.collect();
        let count = items.len();
        Ok(Answer::ok(&json!({"value": items, "count": {"type": "Total", "value": count}})))
    }

    /// `/subscriptions/{id}`: any id is a subscription.
    pub(crate) fn subscription(&self, call: &Call, id: &str) -> Handled {
        only_get(call, "a subscription")?;
        self.check_resources(call.api_version()?)?;
        Ok(Answer::ok(&self.subscription_body(id)))
    }

    /// `/tenants`.
    pub(crate) fn tenants(&self, call: &Call) -> Handled {
        only_get(call, "tenants")?;
        self.check_resources(call.api_version()?)?;
        let tenant = &self.state.tenant;
        Ok(Answer::ok(&json!({"value": [{
            "id": format!("/tenants/{tenant}"),
            "tenantId": tenant,
            "countryCode": "US",
            "displayName": "arcflux simulator",
            "domains": ["sim.arcflux.invalid"],
            "tenantCategory": "Home",
        }]})))
    }

    fn subscription_body(&self, id: &str) -> Value {
        json!({
            "id": format!("/subscriptions/{id}"),
            "subscriptionId": id,
            "tenantId": self.state.tenant,
            "displayName": "arcflux simulator",
            "state": "Enabled",
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": "Off",
            },
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
        })
    }
}

/// Refuses any method but GET and HEAD.
///
/// # Errors
///
/// 405.
pub(crate) fn only_get(call: &Call, what: &str) -> Result<(), Answer> {
    if call.method == Method::GET || call.method == Method::HEAD {
        Ok(())
    } else {
        Err(answer::no_method(&call.method, what))
    }
}

/// What HEAD answers in place of `answer`: its status and headers, without a body.
pub(crate) fn without_body(mut answer: Answer) -> Answer {
    if answer.status == StatusCode::OK {
        answer.status = StatusCode::NO_CONTENT;
    }
    answer.headers.retain(|(name, _)| *name != "content-type");
    answer.body.clear();
    answer
}
