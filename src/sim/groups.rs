//! Resource groups. Writes are synchronous; a deletion takes what is in the group with it and is followed through
//! `Location`.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{self, Answer};
use super::call::Call;
use super::state::{Group, Outcome};
use super::tenant::only_get;
use super::world::{self, Handled, World};

impl World<'_> {
    /// `/subscriptions/{id}/resourcegroups`, with the `$filter` on a tag that ARM has.
    pub(crate) fn groups(&self, call: &Call, subscription: &str) -> Handled {
        only_get(call, "resource groups")?;
        self.check_resources(call.api_version()?)?;
        if call.parameter("$filter").is_some_and(|filter| !filter.is_empty()) {
            return Err(answer::not_simulated("$filter on resource groups"));
        }
        let groups = self.state.subscriptions.get(&subscription.to_lowercase()).map(|found| &found.groups);
        let items = groups.into_iter().flat_map(|groups| groups.values()).map(|group| body_of(subscription, group));
        Ok(self.page(call, items.collect(), false))
    }

    /// `/subscriptions/{id}/resourcegroups/{name}`.
    pub(crate) fn resource_group(&mut self, call: &Call, subscription: &str, name: &str) -> Handled {
        self.check_resources(call.api_version()?)?;
        match call.method {
            Method::GET | Method::HEAD => Ok(Answer::ok(&body_of(subscription, self.group(subscription, name)?))),
            Method::PUT => self.put_group(call, subscription, name),
            Method::PATCH => self.patch_group(call, subscription, name),
            Method::DELETE => self.delete_group(call, subscription, name),
            _ => Err(answer::no_method(&call.method, "a resource group")),
        }
    }

    fn put_group(&mut self, call: &Call, subscription: &str, name: &str) -> Handled {
        let sent = call.object()?;
        let location = sent.get("location").and_then(Value::as_str).ok_or_else(location_required)?;
        let tags = sent.get("tags").filter(|tags| !tags.is_null()).cloned();
        let managed_by = sent.get("managedBy").and_then(Value::as_str).map(str::to_owned);
        let groups = &mut self.state.subscription_mut(subscription).groups;
        if let Some(group) = groups.get_mut(&name.to_lowercase()) {
            if group.deletion.is_some() {
                return Err(answer::gateway_error(
                    StatusCode::CONFLICT,
                    "ResourceGroupBeingDeleted",
                    &format!(
                        "The resource group '{name}' is in deprovisioning state and cannot perform this operation."
                    ),
                ));
            }
            if !same_location(&group.location, location) {
                return Err(answer::gateway_error(
                    StatusCode::CONFLICT,
                    "InvalidResourceGroupLocation",
                    &format!(
                        "Invalid resource group location '{location}'. The Resource group already exists in location \
                         '{}'.",
                        group.location
                    ),
                ));
            }
            group.tags = tags;
            group.managed_by = managed_by;
            return Ok(Answer::ok(&body_of(subscription, group)));
        }
        let group = Group {
            name: name.to_owned(),
            location: location.to_lowercase().replace(' ', ""),
            tags,
            managed_by,
            deletion: None,
            clusters: std::collections::BTreeMap::new(),
        };
        let body = body_of(subscription, &group);
        groups.insert(name.to_lowercase(), group);
        Ok(Answer::json(StatusCode::CREATED, &body))
    }

    fn patch_group(&mut self, call: &Call, subscription: &str, name: &str) -> Handled {
        let sent = call.object()?;
        let group = self.group_mut(subscription, name)?;
        if let Some(tags) = sent.get("tags") {
            group.tags = Some(tags.clone()).filter(|tags| !tags.is_null());
        }
        if let Some(managed_by) = sent.get("managedBy") {
            group.managed_by = managed_by.as_str().map(str::to_owned);
        }
        Ok(Answer::ok(&body_of(subscription, group)))
    }

    fn delete_group(&mut self, call: &Call, subscription: &str, name: &str) -> Handled {
        let known = self.group(subscription, name)?.deletion.clone();
        let pending = if let Some(pending) = known {
            pending
        } else {
            let id = format!("/subscriptions/{subscription}/resourceGroups/{name}");
            let pending = self.start("Deleting", &id, call.now, true);
            self.group_mut(subscription, name)?.deletion = Some(pending.clone());
            pending
        };
        let version = call.api_version()?;
        let location = format!(
            "{}/subscriptions/{subscription}/operationresults/{}?api-version={version}&{}",
            call.origin,
            pending.operation,
            world::signature(&pending.operation, pending.started)
        );
        Ok(still_running(location))
    }

    /// `Location` of a group's deletion: 202 until it is gone, then 200, both without a body.
    pub(crate) fn group_operation(&self, call: &Call, id: &str) -> Handled {
        only_get(call, "an operation")?;
        self.check_resources(call.api_version()?)?;
        let operation = self.state.operations.get(id).ok_or_else(|| world::no_operation(id))?;
        match operation.end.as_ref().map(|end| &end.outcome) {
            None => {
                let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.query).finish();
                Ok(still_running(format!("{}{}?{query}", call.origin, call.path)))
            }
            Some(Outcome::Succeeded | Outcome::Failed { .. } | Outcome::Canceled) => Ok(Answer::empty(StatusCode::OK)),
        }
    }
}

/// 202 with where to ask again, fifteen seconds later as recorded.
fn still_running(location: String) -> Answer {
    Answer::empty(StatusCode::ACCEPTED).header("location", location).header("retry-after", "15")
}

fn location_required() -> Answer {
    answer::gateway_error(
        StatusCode::BAD_REQUEST,
        "LocationRequired",
        "The location property is required for this definition.",
    )
}

/// Whether two names of a region mean the same: display names and short names both stand in bodies.
pub(crate) fn same_location(one: &str, other: &str) -> bool {
    let short = |name: &str| name.to_lowercase().replace(' ', "");
    short(one) == short(other)
}

fn body_of(subscription: &str, group: &Group) -> Value {
    let mut body = Map::new();
    let id = format!("/subscriptions/{subscription}/resourceGroups/{}", group.name);
    body.insert("id".to_owned(), Value::from(id));
    body.insert("name".to_owned(), Value::from(group.name.as_str()));
    body.insert("type".to_owned(), Value::from("Microsoft.Resources/resourceGroups"));
    body.insert("location".to_owned(), Value::from(group.location.as_str()));
    if let Some(tags) = &group.tags {
        body.insert("tags".to_owned(), tags.clone());
    }
    if let Some(managed_by) = &group.managed_by {
        body.insert("managedBy".to_owned(), Value::from(managed_by.as_str()));
    }
    let state = if group.deletion.is_some() { "Deleting" } else { "Succeeded" };
    body.insert("properties".to_owned(), json!({"provisioningState": state}));
    Value::Object(body)
}
