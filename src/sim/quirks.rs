//! What nobody has recorded, as switches: each quirk is one open question about Azure with every plausible answer.
//!
//! The questions are those that the recordings, the published contracts and the clients' sources leave open. A client
//! that is right under every variant of [`Quirks::all_variants`] is right whatever Azure does.

use serde::{Deserialize, Serialize};

/// How a PUT over an existing extension or flux configuration is answered. The contract declares 200, with the
/// operation header only on 201; no update by PUT has been recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PutOverExisting {
    /// 200 with `Azure-AsyncOperation`.
    #[default]
    OkWithOperation,
    /// 200 without it: the resource's own `provisioningState` is all that tells when it is over.
    OkWithoutOperation,
    /// 201 with it, as for a create.
    CreatedWithOperation,
}

/// What a PUT does with kustomizations that the resource has and the body does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OmittedKustomizations {
    /// They are removed: a PUT replaces.
    #[default]
    Removed,
    /// They stay until a PATCH sets them to null.
    Kept,
}

/// What a PATCH does with the settings of an extension that it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ExtensionSettingsPatch {
    /// They stay (JSON merge patch).
    #[default]
    Merges,
    /// They go: a settings map that is not empty replaces the whole map.
    Replaces,
}

/// What a flux configuration shows of its protected settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FluxProtectedSettings {
    /// `{}`: not even the keys, as the same provider answers for Flux v1.
    #[default]
    Hidden,
    /// The keys, each with an empty value, as extensions do.
    Keys,
}

/// What `gitRepository.provider` reads as when it was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProviderWhenOmitted {
    /// `generic`.
    #[default]
    Generic,
    /// null.
    Null,
}

/// What a PUT with another `scope` or `namespace` does. The contract marks both as set on create only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ImmutableChange {
    /// 400 `PropertyChangeNotAllowed`.
    #[default]
    Refused,
    /// The new value is dropped without a word.
    Ignored,
}

/// What becomes of a flux configuration on a cluster without a `microsoft.flux` extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WithoutExtension {
    /// It stays `Creating` until somebody installs one.
    #[default]
    StaysCreating,
    /// The service installs one itself, named `flux`.
    Installs,
}

/// What a write meets while an operation is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OverlappingWrite {
    /// 409 on the same resource.
    #[default]
    Refused,
    /// 409 on any extension or flux configuration of the same cluster.
    RefusedOnTheCluster,
    /// It is accepted, and the running operation ends as `Canceled`.
    Accepted,
}

/// What a read of an extension or flux configuration answers while the provider is not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnregisteredRead {
    /// Nothing is there: 404, and empty lists.
    #[default]
    Empty,
    /// 409 `MissingSubscriptionRegistration`, as for a write.
    Refused,
}

/// What DELETE answers for a resource that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeleteMissing {
    /// 204.
    #[default]
    NoContent,
    /// 404 `ResourceNotFound`.
    NotFound,
}

/// How lists are paged. An empty page with a `nextLink` is legal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Paging {
    /// Full pages.
    #[default]
    Full,
    /// The first page is empty and links to the rest.
    EmptyPageFirst,
}

/// One answer to every open question. The default is the likeliest by the evidence there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Quirks {
    /// See [`PutOverExisting`].
    pub put_over_existing: PutOverExisting,
    /// See [`OmittedKustomizations`].
    pub omitted_kustomizations: OmittedKustomizations,
    /// See [`ExtensionSettingsPatch`].
    pub extension_settings_patch: ExtensionSettingsPatch,
    /// See [`FluxProtectedSettings`].
    pub flux_protected_settings: FluxProtectedSettings,
    /// See [`ProviderWhenOmitted`].
    pub provider_when_omitted: ProviderWhenOmitted,
    /// See [`ImmutableChange`].
    pub immutable_change: ImmutableChange,
    /// See [`WithoutExtension`].
    pub without_extension: WithoutExtension,
    /// See [`OverlappingWrite`].
    pub overlapping_write: OverlappingWrite,
    /// See [`UnregisteredRead`].
    pub unregistered_read: UnregisteredRead,
    /// See [`DeleteMissing`].
    pub delete_missing: DeleteMissing,
    /// See [`Paging`].
    pub paging: Paging,
}

impl Quirks {
    /// The default, and the default with each quirk in turn set to each of its other answers, by name.
    #[must_use]
    pub fn all_variants() -> Vec<(&'static str, Self)> {
        let default = Self::default();
        vec![
            ("default", default),
            (
                "put-over-existing-without-operation",
                Self { put_over_existing: PutOverExisting::OkWithoutOperation, ..default },
            ),
            ("put-over-existing-created", Self { put_over_existing: PutOverExisting::CreatedWithOperation, ..default }),
            ("omitted-kustomizations-kept", Self { omitted_kustomizations: OmittedKustomizations::Kept, ..default }),
            (
                "extension-settings-patch-replaces",
                Self { extension_settings_patch: ExtensionSettingsPatch::Replaces, ..default },
            ),
            ("flux-protected-settings-keys", Self { flux_protected_settings: FluxProtectedSettings::Keys, ..default }),
            ("provider-when-omitted-null", Self { provider_when_omitted: ProviderWhenOmitted::Null, ..default }),
            ("immutable-change-ignored", Self { immutable_change: ImmutableChange::Ignored, ..default }),
            ("without-extension-installs", Self { without_extension: WithoutExtension::Installs, ..default }),
            (
                "overlapping-write-refused-on-the-cluster",
                Self { overlapping_write: OverlappingWrite::RefusedOnTheCluster, ..default },
            ),
            ("overlapping-write-accepted", Self { overlapping_write: OverlappingWrite::Accepted, ..default }),
            ("unregistered-read-refused", Self { unregistered_read: UnregisteredRead::Refused, ..default }),
            ("delete-missing-not-found", Self { delete_missing: DeleteMissing::NotFound, ..default }),
            ("paging-empty-page-first", Self { paging: Paging::EmptyPageFirst, ..default }),
        ]
    }
}
