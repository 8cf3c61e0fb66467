//! Which resource a path names. Words of the path compare without case; the names in it keep the caller's.

use super::state::ClusterKind;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Subscriptions,
    Subscription {
        subscription: String,
    },
    Tenants,
    Endpoints,
    /// What Entra says about a tenant.
    OpenIdConfiguration {
        tenant: String,
    },
    /// Which authorities Entra knows.
    InstanceDiscovery,
    /// Where Entra issues a tenant's tokens.
    EntraToken {
        tenant: String,
    },
    /// Where a machine asks for the token of its identity.
    ManagedIdentity(IdentityEndpoint),
    Providers {
        subscription: String,
    },
    Provider {
        subscription: String,
        namespace: String,
    },
    Register {
        subscription: String,
        namespace: String,
    },
    Unregister {
        subscription: String,
        namespace: String,
    },
    Groups {
        subscription: String,
    },
    Group {
        subscription: String,
        group: String,
    },
    /// `Location` of a group's deletion.
    GroupOperation {
        subscription: String,
        operation: String,
    },
    /// Clusters of one kind in a subscription, or in one group of it.
    Clusters {
        subscription: String,
        group: Option<String>,
        kind: ClusterKind,
    },
    Cluster(ClusterPath),
    /// Status of an operation on a cluster.
    ClusterOperation {
        operation: String,
    },
    /// Whether the configuration data plane is there.
    AgentsHealth,
    /// Which chart and values the agents of a cluster are installed with.
    AgentsSettings,
    Children {
        cluster: ClusterPath,
        kind: ChildKind,
    },
    Child {
        cluster: ClusterPath,
        kind: ChildKind,
        name: String,
    },
    ChildOperation {
        subscription: String,
        operation: String,
    },
    /// Something that Azure may have and the simulator has not, by what it is.
    NotSimulated(String),
}

/// The two kinds of managed-identity endpoint, which want different headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdentityEndpoint {
    /// `IDENTITY_ENDPOINT` of App Service and its like.
    AppService,
    /// The instance metadata service of virtual machines.
    Metadata,
}

/// Names on the way to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterPath {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) kind: ClusterKind,
    pub(crate) name: String,
}

/// Types of Microsoft.KubernetesConfiguration that hang on a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChildKind {
    Extensions,
    FluxConfigurations,
    SourceControlConfigurations,
}

impl ChildKind {
    /// The type's name as documented.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Extensions => "extensions",
            Self::FluxConfigurations => "fluxConfigurations",
            Self::SourceControlConfigurations => "sourceControlConfigurations",
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::Extensions, Self::FluxConfigurations, Self::SourceControlConfigurations]
            .into_iter()
            .find(|kind| is(word, kind.word()))
    }
}

fn is(word: &str, expected: &str) -> bool {
    word.eq_ignore_ascii_case(expected)
}

/// Reads a path, given as its segments.
pub(crate) fn read(segments: &[String]) -> Route {
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [first] if is(first, "subscriptions") => Route::Subscriptions,
        [first] if is(first, "tenants") => Route::Tenants,
        [first, second] if is(first, "metadata") && is(second, "endpoints") => Route::Endpoints,
        [first, second, third] if is(first, "common") && is(second, "discovery") && is(third, "instance") => {
            Route::InstanceDiscovery
        }
        [first, second] if is(first, "azure-arc-k8sagents") && is(second, "healthCheck") => Route::AgentsHealth,
        [first, second] if is(first, "azure-arc-k8sagents") && is(second, "GetHelmSettings") => Route::AgentsSettings,
        [first, second] if is(first, "msi") && is(second, "token") => {
            Route::ManagedIdentity(IdentityEndpoint::AppService)
        }
        ["metadata", "identity", "oauth2", "token"] => Route::ManagedIdentity(IdentityEndpoint::Metadata),
        [tenant, "v2.0", ".well-known", "openid-configuration"] => {
            Route::OpenIdConfiguration { tenant: (*tenant).to_owned() }
        }
        [tenant, "oauth2", "v2.0", "token"] => Route::EntraToken { tenant: (*tenant).to_owned() },
        [first, subscription, rest @ ..] if is(first, "subscriptions") && !subscription.is_empty() => {
            in_subscription(subscription, rest)
        }
        [first, namespace, locations, _, statuses, operation]
            if is(first, "providers") && is(locations, "locations") && is(statuses, "operationStatuses") =>
        {
            match cluster_kind_of(namespace) {
                Some(_) => Route::ClusterOperation { operation: (*operation).to_owned() },
                None => Route::NotSimulated(format!("operations of {namespace}")),
            }
        }
        _ => Route::NotSimulated(format!("the path /{}", words.join("/"))),
    }
}

fn in_subscription(subscription: &str, rest: &[&str]) -> Route {
    let subscription = subscription.to_owned();
    match rest {
        [] => Route::Subscription { subscription },
        [word] if is(word, "providers") => Route::Providers { subscription },
        [word, namespace] if is(word, "providers") => {
            Route::Provider { subscription, namespace: (*namespace).to_owned() }
        }
        [word, namespace, verb] if is(word, "providers") && is(verb, "register") => {
            Route::Register { subscription, namespace: (*namespace).to_owned() }
        }
        [word, namespace, verb] if is(word, "providers") && is(verb, "unregister") => {
            Route::Unregister { subscription, namespace: (*namespace).to_owned() }
        }
        [word, namespace, kind] if is(word, "providers") => match cluster_kind(namespace, kind) {
            Some(kind) => Route::Clusters { subscription, group: None, kind },
            None => Route::NotSimulated(format!("the resource type {namespace}/{kind}")),
        },
        [word] if is(word, "resourceGroups") => Route::Groups { subscription },
        [word, operation] if is(word, "operationresults") => {
            Route::GroupOperation { subscription, operation: (*operation).to_owned() }
        }
        [word, group, rest @ ..] if is(word, "resourceGroups") => in_group(subscription, group, rest),
        _ => Route::NotSimulated(format!("the path /subscriptions/{subscription}/{}", rest.join("/"))),
    }
}

fn in_group(subscription: String, group: &str, rest: &[&str]) -> Route {
    let group = group.to_owned();
    match rest {
        [] => Route::Group { subscription, group },
        [word, namespace, kind] if is(word, "providers") => match cluster_kind(namespace, kind) {
            Some(kind) => Route::Clusters { subscription, group: Some(group), kind },
            None => Route::NotSimulated(format!("the resource type {namespace}/{kind}")),
        },
        [word, namespace, kind, name, rest @ ..] if is(word, "providers") => match cluster_kind(namespace, kind) {
            Some(kind) => on_cluster(ClusterPath { subscription, group, kind, name: (*name).to_owned() }, rest),
            None => Route::NotSimulated(format!("the resource type {namespace}/{kind}")),
        },
        _ => Route::NotSimulated(format!("{} of a resource group", rest.join("/"))),
    }
}

fn on_cluster(cluster: ClusterPath, rest: &[&str]) -> Route {
    match rest {
        [] => Route::Cluster(cluster),
        [word, namespace, kind, rest @ ..]
            if is(word, "providers") && is(namespace, "Microsoft.KubernetesConfiguration") =>
        {
            let Some(child) = ChildKind::read(kind) else {
                return Route::NotSimulated(format!("the resource type {namespace}/{kind}"));
            };
            match rest {
                [] => Route::Children { cluster, kind: child },
                [name] => Route::Child { cluster, kind: child, name: (*name).to_owned() },
                [_, word, operation] if is(word, "operations") => {
                    Route::ChildOperation { subscription: cluster.subscription, operation: (*operation).to_owned() }
                }
                _ => Route::NotSimulated(format!("{} of {}", rest.join("/"), child.word())),
            }
        }
        [verb] => Route::NotSimulated(format!("{verb} of {}", cluster.kind.resource_type())),
        _ => Route::NotSimulated(format!("{} of a cluster", rest.join("/"))),
    }
}

fn cluster_kind(namespace: &str, kind: &str) -> Option<ClusterKind> {
    [ClusterKind::Connected, ClusterKind::Managed]
        .into_iter()
        .find(|known| is(&format!("{namespace}/{kind}"), known.resource_type()))
}

fn cluster_kind_of(namespace: &str) -> Option<ClusterKind> {
    [ClusterKind::Connected, ClusterKind::Managed].into_iter().find(|known| is(namespace, known.namespace()))
}
