//! `Microsoft.KubernetesConfiguration/extensions` of the type `microsoft.flux`: the Flux installation of a cluster.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::adoption::{Adopted, Adopting, SecretNames};
use super::cluster::ClusterType;
use super::live_body::LiveBody;
use super::{Body, Encoding, Hole, Unsayable};
use crate::model::{FieldPath, Habit, Rule, Rules, SecretRef};

/// The one `microsoft.flux` extension of a cluster. What is not named here is left as it is found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtensionSpec {
    /// The name that the extension is created with. An extension that exists is found by its type, whatever its name.
    #[serde(default = "default_name")]
    #[schemars(length(max = 253), regex(pattern = r"^[a-zA-Z0-9][-.a-zA-Z0-9]*$"))]
    pub name: String,
    /// Whether Flux keeps each namespace to itself (the service's default is `true`). With `false`, Flux objects may
    /// refer to objects in other namespaces and the controllers act as cluster administrators: this weakens isolation
    /// for every configuration on the cluster. Layouts whose Flux objects cross namespaces need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_tenancy: Option<bool>,
    /// Settings of the extension. Every value is a text, booleans and numbers too. Settings that are not named here are
    /// left as they are found.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"image-automation-controller.enabled": "true"}]))]
    pub configuration_settings: BTreeMap<String, String>,
    /// Settings of the extension that are secrets, by name, written raw. Azure never shows their values again: they are
    /// sent when the extension is created, and when one of them is missing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{"registry.password": {"env": "REGISTRY_PASSWORD"}}]))]
    pub configuration_protected_settings: BTreeMap<String, SecretRef>,
    /// The version to stay at. It needs automatic upgrades off: `autoUpgradeMinorVersion: false`, or
    /// `autoUpgradeMode: none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+\.[0-9]+\.[0-9]+([-+][-+.0-9A-Za-z]+)?$"), extend("examples" = ["1.18.5"]))]
    pub version: Option<String>,
    /// The release train that automatic upgrades follow (the service's default is `Stable`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["Stable"]))]
    pub release_train: Option<String>,
    /// Whether the extension is upgraded to new minor versions by itself (the service's default is `true`). Not together
    /// with `autoUpgradeMode`, which says the same more finely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_upgrade_minor_version: Option<bool>,
    /// How far the extension is upgraded by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_upgrade_mode: Option<AutoUpgradeMode>,
    /// Where the extension is installed. It cannot change after creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<ExtensionScope>,
    /// The offer of the Azure Marketplace that the extension is bought under. It cannot change after creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<MarketplacePlan>,
}

/// How far an extension is upgraded by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AutoUpgradeMode {
    /// Not at all.
    None,
    /// To new patch versions.
    Patch,
    /// To new versions that are compatible.
    Compatible,
}

impl AutoUpgradeMode {
    const ALL: [Self; 3] = [Self::None, Self::Patch, Self::Compatible];
}

/// Where an extension is installed. Flux is installed for the whole cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtensionScope {
    /// For the whole cluster.
    pub cluster: ClusterScope,
}

/// How an extension is installed for a whole cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClusterScope {
    /// The namespace of the Helm release; it is created if it is missing. Flux belongs into `flux-system`.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"), extend("examples" = ["flux-system"]))]
    pub release_namespace: String,
}

/// An offer of the Azure Marketplace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MarketplacePlan {
    /// The id of the plan.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The id of the publisher.
    #[schemars(length(min = 1))]
    pub publisher: String,
    /// The id of the product.
    #[schemars(length(min = 1))]
    pub product: String,
    /// A code from the publisher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub promotion_code: Option<String>,
    /// The version of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub version: Option<String>,
}

fn default_name() -> String {
    "flux".to_owned()
}

/// The resource type, below a cluster.
pub const RESOURCE_TYPE: &str = "Microsoft.KubernetesConfiguration/extensions";

/// The newest stable api-version (`../shared/contracts/Microsoft.KubernetesConfiguration/stable/2025-03-01`).
pub const API_VERSION: &str = "2025-03-01";

/// The value of `extensionType` by which the extension is found, compared without case.
pub const EXTENSION_TYPE: &str = "microsoft.flux";

/// The setting behind [`ExtensionSpec::multi_tenancy`].
pub const MULTI_TENANCY: &str = "multiTenancy.enforce";

/// What the service does to each field (`../shared/facts/az-cli-behaviour.md` §5, `../shared/facts/arm-contracts.md`
/// §2.3). Only what the spec names is compared; the rest is kept as found.
pub const RULES: Rules = &[
    read_only("id"),
    read_only("name"),
    read_only("type"),
    read_only("systemData"),
    kept("identity.type"),
    read_only("identity.principalId"),
    read_only("identity.tenantId"),
    fixed("plan.name"),
    fixed("plan.publisher"),
    fixed("plan.product"),
    fixed("plan.promotionCode"),
    fixed("plan.version"),
    read_only("managedBy"),
    Rule { path: "properties.extensionType", habit: Habit::ImmutableWord(None) },
    Rule { path: "properties.autoUpgradeMode", habit: Habit::KeepFoundWord },
    kept("properties.autoUpgradeMinorVersion"),
    Rule { path: "properties.releaseTrain", habit: Habit::KeepFoundWord },
    kept("properties.version"),
    fixed("properties.scope.cluster.releaseNamespace"),
    kept("properties.scope.namespace"),
    kept("properties.configurationSettings.*"),
    Rule { path: "properties.configurationProtectedSettings", habit: Habit::Secrets },
    read_only("properties.currentVersion"),
    read_only("properties.provisioningState"),
    read_only("properties.statuses"),
    read_only("properties.errorInfo"),
    read_only("properties.customLocationSettings"),
    read_only("properties.packageUri"),
    read_only("properties.aksAssignedIdentity"),
    read_only("properties.isSystemExtension"),
    read_only("properties.managementDetails"),
    read_only("properties.additionalDetails"),
    read_only("properties.extensionState"),
    // Undeclared, seen at 2022-03-01.
    read_only("properties.installState"),
];

const fn kept(path: &'static str) -> Rule {
    Rule { path, habit: Habit::KeepFound }
}

const fn fixed(path: &'static str) -> Rule {
    Rule { path, habit: Habit::KeepFoundImmutable }
}

const fn read_only(path: &'static str) -> Rule {
    Rule { path, habit: Habit::ReadOnly }
}

/// The fields that say which version runs and how it moves on. They are sent together: one constrains the other.
pub const UPGRADE_FIELDS: [&str; 4] = ["autoUpgradeMode", "autoUpgradeMinorVersion", "releaseTrain", "version"];

/// What the spec says of an extension that may exist already: its type, and what it names. Secrets go to `destination`.
#[must_use]
pub fn body(spec: &ExtensionSpec, destination: &str) -> Body {
    let ExtensionSpec {
        name: _,
        multi_tenancy,
        configuration_settings,
        configuration_protected_settings,
        version,
        release_train,
        auto_upgrade_minor_version,
        auto_upgrade_mode,
        scope,
        plan,
    } = spec;
    let mut settings = configuration_settings.clone();
    if let Some(enforce) = multi_tenancy {
        settings.insert(MULTI_TENANCY.to_owned(), enforce.to_string());
    }
    let extension = Extension {
        plan: plan.as_ref(),
        properties: Properties {
            extension_type: EXTENSION_TYPE,
            auto_upgrade_mode: *auto_upgrade_mode,
            auto_upgrade_minor_version: *auto_upgrade_minor_version,
            release_train: release_train.as_deref(),
            version: version.as_deref(),
            scope: scope.as_ref(),
            configuration_settings: settings,
        },
    };
    let map = FieldPath::dotted("properties.configurationProtectedSettings");
    let holes = configuration_protected_settings.iter().map(|(key, secret)| Hole {
        path: map.key(key),
        secret: secret.clone(),
        destination: destination.to_owned(),
        encoding: Encoding::Raw,
    });
    Body { json: json!(extension), holes: holes.collect() }
}

#[derive(Serialize)]
struct Extension<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a MarketplacePlan>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    extension_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_upgrade_mode: Option<AutoUpgradeMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_upgrade_minor_version: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release_train: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a ExtensionScope>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    configuration_settings: BTreeMap<String, String>,
}

/// What a new extension is created with beside [`body`]: automatic minor upgrades, unless the spec says how to upgrade,
/// and on Arc-connected clusters the identity without which the installation fails (`../shared/facts/domain.md` §1.2).
/// AKS wants no identity.
#[must_use]
pub fn creation_defaults(spec: &ExtensionSpec, cluster_type: ClusterType) -> Value {
    let mut defaults = match cluster_type {
        ClusterType::ConnectedClusters => json!({ "identity": { "type": "SystemAssigned" } }),
        ClusterType::ManagedClusters => json!({}),
    };
    if spec.auto_upgrade_minor_version.is_none() && spec.auto_upgrade_mode.is_none() {
        defaults["properties"] = json!({ "autoUpgradeMinorVersion": true });
    }
    defaults
}

/// The names of the protected settings of a live extension, in order: their values are never shown, their names are
/// (`../shared/facts/arm-contracts.md` §2.3).
pub fn protected_names(live: &Value) -> impl Iterator<Item = &str> {
    let map = live.pointer("/properties/configurationProtectedSettings").and_then(Value::as_object);
    let names: BTreeSet<&str> = map.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    names.into_iter()
}

/// Whether this live extension is the Flux one.
#[must_use]
pub fn is_flux(live: &Value) -> bool {
    live.pointer("/properties/extensionType")
        .and_then(Value::as_str)
        .is_some_and(|found| found.eq_ignore_ascii_case(EXTENSION_TYPE))
}

/// The version of a live extension: the installed one (`currentVersion`), else the one asked for.
#[must_use]
pub fn version(live: &Value) -> Option<&str> {
    let text = |pointer: &str| live.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    text("/properties/currentVersion").or_else(|| text("/properties/version"))
}

/// The spec of the live extension `name`: the inverse of [`body`], as far as a spec has to say it. What is not named is
/// kept as found, so what the service would choose itself, and what `is_left` says of a setting's name, is left out.
///
/// # Errors
///
/// What a spec cannot say, with the field.
pub fn of_live(
    name: &str,
    live: &Value,
    is_left: impl Fn(&str) -> bool,
    names: &mut SecretNames,
) -> Result<Adopted<ExtensionSpec>, Unsayable> {
    let properties = LiveBody::properties(live)?;
    let mut adopting = Adopting::extension(name, names);
    let mut settings: BTreeMap<String, String> = properties.text_map("configurationSettings")?;
    let multi_tenancy = match settings.get(MULTI_TENANCY).map(String::as_str) {
        Some("true") => Some(true),
        Some("false") => Some(false),
        // Another spelling is kept as it is.
        Some(_) | None => None,
    };
    if multi_tenancy.is_some() {
        settings.remove(MULTI_TENANCY);
    }
    settings.retain(|name, _| !is_left(name));
    let protected = properties.object("configurationProtectedSettings")?;
    let protected = protected_names(live).filter(|_| protected.is_some());
    let configuration_protected_settings = protected
        .map(|key| (key.to_owned(), adopting.reference("configurationProtectedSettings", key, None)))
        .collect();
    let Upgrades { version, release_train, auto_upgrade_minor_version, auto_upgrade_mode } =
        Upgrades::of_live(&properties)?;
    let plan: Option<MarketplacePlan> = live
        .get("plan")
        .filter(|plan| !plan.is_null())
        .map(|plan| serde_json::from_value(without_nulls(plan)))
        .transpose()
        .map_err(|_| Unsayable {
            path: FieldPath::dotted("plan"),
            why: "it is not an offer of the Azure Marketplace as this version of arcflux knows it".to_owned(),
        })?;
    let spec = ExtensionSpec {
        name: name.to_owned(),
        multi_tenancy,
        configuration_settings: settings,
        configuration_protected_settings,
        version,
        release_train,
        auto_upgrade_minor_version,
        auto_upgrade_mode,
        // Flux is in `flux-system`, whatever stands here, and it cannot change.
        scope: None,
        plan,
    };
    Ok(adopting.adopted(spec))
}

fn without_nulls(value: &Value) -> Value {
    let members = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    Value::Object(members.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// How an extension is upgraded, where that is not what the service chooses for a new one: automatically, to compatible
/// versions of the train `Stable`. With upgrades off, a train says nothing; with upgrades on, a version does not stay.
struct Upgrades {
    version: Option<String>,
    release_train: Option<String>,
    auto_upgrade_minor_version: Option<bool>,
    auto_upgrade_mode: Option<AutoUpgradeMode>,
}

impl Upgrades {
    fn of_live(live: &LiveBody<'_>) -> Result<Self, Unsayable> {
        let mode = live.word("autoUpgradeMode", &AutoUpgradeMode::ALL)?;
        let minor = live.flag("autoUpgradeMinorVersion", true)?;
        let train =
            live.text("releaseTrain")?.filter(|train| !train.eq_ignore_ascii_case("Stable") && !train.is_empty());
        let version = live.text("version")?.filter(|version| !version.is_empty());
        let (auto_upgrade_mode, auto_upgrade_minor_version, is_off) = match mode {
            Some(AutoUpgradeMode::None) => (mode, None, true),
            Some(AutoUpgradeMode::Patch) => (mode, None, false),
            Some(AutoUpgradeMode::Compatible) | None if minor => (None, None, false),
            Some(AutoUpgradeMode::Compatible) | None => (None, Some(false), true),
        };
        Ok(Self {
            version: version.filter(|_| is_off),
            release_train: train.filter(|_| !is_off),
            auto_upgrade_minor_version,
            auto_upgrade_mode,
        })
    }
}
