//! The helm release of the Arc agents, as helm keeps it: one Secret for each revision, whose labels say what it is. Their
//! contents, which hold the agents' private key, are never asked for.

use serde_json::Value;

use super::api::{Api, Failed};
use super::{RELEASE, RELEASE_NAMESPACE};

/// The newest revision of the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    /// The namespace that it is kept in. `az` of before 2023 took `default`.
    pub(super) namespace: String,
    /// Helm's word: `deployed`, `failed`, `pending-install`…
    pub(super) status: String,
    /// Whether a revision before it was complete: then helm can go back to it.
    pub(super) has_complete_revision: bool,
}

impl Release {
    /// Finds it, in whichever namespace it is; `None` where there is none.
    pub(super) async fn find(api: &Api) -> Result<Option<Self>, Failed> {
        let path = format!("/api/v1/secrets?labelSelector=owner%3Dhelm%2Cname%3D{RELEASE}");
        let list = api.list_metadata(&path).await?;
        Ok(list.as_ref().and_then(Self::newest))
    }

    /// The newest in a list of Secrets.
    fn newest(list: &Value) -> Option<Self> {
        let items = list["items"].as_array()?;
        let label = |item: &Value, name: &str| item["metadata"]["labels"][name].as_str().map(str::to_owned);
        let namespace = |item: &Value| item["metadata"]["namespace"].as_str().unwrap_or(RELEASE_NAMESPACE).to_owned();
        let revision = |item: &Value| label(item, "version").and_then(|version| version.parse::<u64>().ok());
        let newest = items.iter().filter(|item| revision(item).is_some()).max_by_key(|item| revision(item))?;
        let status = label(newest, "status").unwrap_or_else(|| "unknown".to_owned());
        if status == "uninstalled" {
            // Only its history was kept.
            return None;
        }
        let is_complete = |item: &Value| {
            namespace(item) == namespace(newest)
                && revision(item) < revision(newest)
                && label(item, "status").is_some_and(|status| matches!(status.as_str(), "deployed" | "superseded"))
        };
        Some(Self { namespace: namespace(newest), status, has_complete_revision: items.iter().any(is_complete) })
    }

    /// Whether helm refuses to touch it, because it takes it for being worked on.
    pub(super) fn is_pending(&self) -> bool {
        self.status.starts_with("pending-")
    }

    /// Whether it is half taken away.
    pub(super) fn is_going(&self) -> bool {
        self.status == "uninstalling"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret(namespace: &str, revision: &str, status: &str) -> Value {
        json!({"metadata": {"namespace": namespace, "labels": {"version": revision, "status": status}}})
    }

    #[test]
    fn the_highest_revision_counts_as_a_number() {
        let list = json!({"items": [
            secret("azure-arc-release", "9", "deployed"),
            secret("azure-arc-release", "10", "pending-upgrade"),
            secret("azure-arc-release", "8", "superseded"),
        ]});
        let release = Release::newest(&list).unwrap();
        assert_eq!((release.status.as_str(), release.has_complete_revision), ("pending-upgrade", true));
        assert!(release.is_pending() && !release.is_going());
    }

    #[test]
    fn a_first_revision_has_none_to_go_back_to() {
        let release = Release::newest(&json!({"items": [secret("default", "1", "pending-install")]})).unwrap();
        assert_eq!((release.namespace.as_str(), release.has_complete_revision), ("default", false));
    }

    #[test]
    fn kept_history_is_no_release() {
        assert_eq!(Release::newest(&json!({"items": [secret("azure-arc-release", "3", "uninstalled")]})), None);
        assert_eq!(Release::newest(&json!({"items": []})), None);
        assert_eq!(Release::newest(&json!({})), None);
    }
}
