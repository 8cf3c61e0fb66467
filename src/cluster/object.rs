//! Any object of a cluster, by what its manifest calls it.

use serde_json::Value;

use super::api::Api;
use super::{ClusterError, ObjectName};

/// The object, or `None` where there is none, or nothing of its kind: an API group that is not installed has no objects.
pub(super) async fn object(api: &Api, object: &ObjectName) -> Result<Option<Value>, ClusterError> {
    let ObjectName { api_version, kind, namespace, name } = object;
    let root = if api_version.contains('/') { "apis" } else { "api" };
    let versioned = format!("/{root}/{}", segments(api_version));
    let Some(resources) = api.get(&versioned).await? else {
        return Ok(None);
    };
    let Some(resource) = resource(&resources, kind) else {
        return Ok(None);
    };
    let place = match namespace {
        Some(namespace) if resource.is_namespaced => format!("/namespaces/{}", segment(namespace)),
        _ => String::new(),
    };
    Ok(api.get(&format!("{versioned}{place}/{}/{}", segment(resource.plural), segment(name))).await?)
}

struct Resource<'a> {
    plural: &'a str,
    is_namespaced: bool,
}

/// What an `APIResourceList` says about `kind`. Parts of objects (`deployments/status`) have the kind of the whole.
fn resource<'a>(list: &'a Value, kind: &str) -> Option<Resource<'a>> {
    let is_it = |one: &&Value| one["kind"] == kind && one["name"].as_str().is_some_and(|name| !name.contains('/'));
    let one = list["resources"].as_array()?.iter().find(is_it)?;
    Some(Resource { plural: one["name"].as_str()?, is_namespaced: one["namespaced"] == true })
}

fn segments(path: &str) -> String {
    path.split('/').map(segment).collect::<Vec<String>>().join("/")
}

/// A segment of a path: what would end it, or step out of it, is escaped.
fn segment(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:".contains(&byte);
    let all_dots = text.bytes().all(|byte| byte == b'.');
    let escape = |byte: u8| {
        if is_plain(byte) && !(all_dots && byte == b'.') {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parts_of_objects_are_not_taken_for_them() {
        let list = json!({"resources": [
            {"name": "kustomizations/status", "kind": "Kustomization", "namespaced": true},
            {"name": "kustomizations", "kind": "Kustomization", "namespaced": true},
        ]});
        assert_eq!(resource(&list, "Kustomization").unwrap().plural, "kustomizations");
        assert!(resource(&list, "HelmRelease").is_none());
    }

    #[test]
    fn a_name_does_not_leave_its_place() {
        assert_eq!(segment("system:node"), "system:node");
        assert_eq!(segment("../../secrets"), "..%2F..%2Fsecrets");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("a?b#c"), "a%3Fb%23c");
        assert_eq!(segments("apps/v1"), "apps/v1");
    }
}
