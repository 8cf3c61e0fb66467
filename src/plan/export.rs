//! What is live on one cluster → a spec that plans no changes against it.
//!
//! Whether it does is not left to the conversions: the text is loaded as everybody else's is, and planned against the same
//! live state. What a problem of the spec's rules stands in the way of is allowed by its code, where that can be; what
//! still cannot be said is left out by name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::decide::listed;
use super::sensitive::is_sensitive;
use super::{Action, ChartFrom, Choices, Options, Plan, PlanError, SecretPolicy, make};
use crate::graph::{self, Graph, Node, Want};
use crate::kinds::adoption::{Adopted, MissingSecret, Remark, SecretNames};
use crate::kinds::extension::{self, ExtensionSpec};
use crate::kinds::flux_configuration::{self, ConfigurationSpec};
use crate::kinds::state::{ProvisioningState, provisioning_state};
use crate::kinds::{Kind, shown_path};
use crate::model::{
    Address, Code, FieldPath, LiveState, Part, Read, ReadMethod, Reading, ResourceId, Source, without_url_secrets,
};
use crate::spec::{self, Desired, Draft, Inputs, Outcome, codes};

/// What was made of a live cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Export {
    /// The spec.
    pub text: String,
    /// How many configurations it has.
    pub configurations: usize,
    /// The configurations that it does not have.
    pub left_out: Vec<LeftOut>,
    /// The secrets that it refers to.
    pub secrets: Vec<MissingSecret>,
    /// What it does not say.
    pub remarks: Vec<Remark>,
    /// What a plan of it says, from the same live state.
    pub plan: Plan,
}

/// A live configuration that the spec does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// The reads of every configuration on the cluster of `graph`, which is that of a draft without any; `live` is what the
/// reads of the graph gave.
///
/// # Errors
///
/// What a plan would not be made for: the cluster is missing, its resources may not be listed, or have names that lead
/// elsewhere.
pub fn configuration_reads(graph: &Graph, live: &LiveState, origin: &str) -> Result<Vec<Read>, Vec<PlanError>> {
    make(graph, live, &Value::Null, &options(origin))?;
    let found = found(graph, live, flux_configuration::RESOURCE_TYPE)?;
    let read = |(id, _)| Read {
        id,
        method: ReadMethod::Get,
        api_version: graph.api_version(Kind::FluxConfiguration).to_owned(),
    };
    Ok(found.into_iter().map(read).collect())
}

/// Writes the spec of the cluster that `empty` names. `live` holds the reads of its graph and [`configuration_reads`].
///
/// # Errors
///
/// What a plan would not be made for.
pub fn export(empty: &Draft, graph: &Graph, live: &LiveState, origin: &str) -> Result<Export, Vec<PlanError>> {
    let empty = &as_azure_writes_it(empty, graph, live);
    let mut names = SecretNames::default();
    let mut found_out = Findings::default();
    let extension = adopt_extension(empty, graph, live, &mut names, &mut found_out)?;
    let mut draft = Draft { extension, ..empty.clone() };
    for (id, _) in found(graph, live, flux_configuration::RESOURCE_TYPE)? {
        let name = id.name();
        match adopt(empty, &id, live, &mut names) {
            Ok(None) => {}
            Ok(Some(Adopted { spec, secrets, remarks })) => {
                found_out.secrets.extend(secrets);
                found_out.remarks.extend(remarks);
                found_out.remarks.extend(visible_secrets(name, &spec));
                draft.configurations.insert(name.to_owned(), spec);
            }
            Err(why) => found_out.leave_out(name, why),
        }
    }
    // Each round leaves out at least one configuration, or is the last.
    loop {
        draft.comments = found_out.comments();
        let plan = planned(&draft, live, origin)?;
        let differing = differing(&plan);
        if differing.is_empty() {
            return Ok(found_out.export(&draft, plan));
        }
        for (name, fields) in differing {
            draft.configurations.remove(&name);
            found_out.leave_out(&name, format!("a spec cannot say it as it is: {fields}"));
        }
    }
}

/// The same draft with the names of group and cluster in the letter case that Azure has: ids ignore it, addresses do not.
fn as_azure_writes_it(empty: &Draft, graph: &Graph, live: &LiveState) -> Draft {
    let mut draft = empty.clone();
    for node in graph.nodes() {
        let name = match &node.want {
            Want::Group(_) => &mut draft.resource_group,
            Want::Cluster(..) => &mut draft.cluster.name,
            Want::Registered | Want::Extension(..) | Want::Configuration(_) | Want::Absent(_) | Want::Dropped(_) => {
                continue;
            }
        };
        let found = live.body(&node.id).and_then(|body| body.get("name")?.as_str());
        if let Some(found) = found.filter(|found| found.eq_ignore_ascii_case(name)) {
            found.clone_into(name);
        }
    }
    draft
}

/// The options of a plan that nobody carries out.
fn options(origin: &str) -> Options {
    Options {
        origin: origin.to_owned(),
        tenant: None,
        choices: Choices::default(),
        base: None,
        allow_auth_hosts: Vec::new(),
        secrets: SecretPolicy::Placeholders,
        chart: ChartFrom::Service,
    }
}

/// What came up on the way.
#[derive(Default)]
struct Findings {
    left_out: BTreeMap<String, String>,
    secrets: Vec<MissingSecret>,
    remarks: Vec<Remark>,
}

impl Findings {
    /// Leaves a configuration out, with everything that was found out about it.
    fn leave_out(&mut self, name: &str, why: String) {
        let is_other = |about: &Option<String>| about.as_deref() != Some(name);
        self.secrets.retain(|secret| is_other(&secret.configuration));
        self.remarks.retain(|remark| is_other(&remark.configuration));
        self.left_out.insert(name.to_owned(), without_url_secrets(&why));
    }

    fn comments(&self) -> Vec<String> {
        let line = |(name, why): (&String, &String)| {
            format!("The configuration `{name}` is on the cluster and not in this spec: {why}.")
        };
        self.left_out.iter().map(line).collect()
    }

    fn export(self, draft: &Draft, plan: Plan) -> Export {
        let Self { left_out, secrets, remarks } = self;
        Export {
            text: draft.text(),
            configurations: draft.configurations.len(),
            left_out: left_out.into_iter().map(|(name, why)| LeftOut { name, why }).collect(),
            secrets,
            remarks,
            plan,
        }
    }
}

fn cluster(graph: &Graph) -> Option<&Node> {
    graph.nodes().iter().find(|node| matches!(node.want, Want::Cluster(..)))
}

/// The resources of a type on the cluster.
fn found<'a>(
    graph: &Graph,
    live: &'a LiveState,
    resource_type: &str,
) -> Result<Vec<(ResourceId, &'a Value)>, Vec<PlanError>> {
    let Some(cluster) = cluster(graph) else { return Ok(Vec::new()) };
    listed(&cluster.id, resource_type, live).map_err(|obstacle| {
        vec![PlanError { address: cluster.address.clone(), message: obstacle.message, hint: obstacle.hint }]
    })
}

/// What is said of the extension: as much as the rules take. What is not said is kept as it is found.
fn adopt_extension(
    empty: &Draft,
    graph: &Graph,
    live: &LiveState,
    names: &mut SecretNames,
    found_out: &mut Findings,
) -> Result<Option<ExtensionSpec>, Vec<PlanError>> {
    let extensions = found(graph, live, extension::RESOURCE_TYPE)?;
    let Some((id, body)) = extensions.into_iter().find(|(_, body)| extension::is_flux(body)) else {
        found_out.remarks.push(Remark {
            configuration: None,
            message:
                "the cluster has no Flux extension: a plan of this spec creates one, with multi-tenancy on unless \
                      you write `extension: {multiTenancy: false}`"
                    .to_owned(),
        });
        return Ok(None);
    };
    let name_only = ExtensionSpec { name: id.name().to_owned(), ..ExtensionSpec::default() };
    let setting = FieldPath::dotted("configurationSettings");
    let is_left = |name: &str| is_sensitive(&setting.key(name));
    let why = match extension::of_live(id.name(), body, is_left, names) {
        Ok(Adopted { spec, secrets, remarks }) => {
            found_out.remarks.extend(remarks);
            let unpinned = ExtensionSpec { version: None, release_train: None, ..spec.clone() };
            for (spec, is_whole) in [(spec, true), (unpinned, false)] {
                if is_taken(empty, &spec) {
                    found_out.secrets.extend(secrets);
                    if !is_whole {
                        found_out.remarks.push(kept("its version has no form that a spec takes"));
                    }
                    return Ok(Some(spec));
                }
            }
            "the rules of a spec do not take it".to_owned()
        }
        Err(unsayable) => unsayable.to_string(),
    };
    found_out.remarks.push(kept(&why));
    Ok(Some(name_only).filter(|spec| is_taken(empty, spec)))
}

fn kept(why: &str) -> Remark {
    let message = format!("what is set on it is not all in the spec, and is kept as it is found: {why}");
    Remark { configuration: None, message }
}

/// Whether a spec may say this of the extension, and reads back as it.
fn is_taken(empty: &Draft, spec: &ExtensionSpec) -> bool {
    let outcome = load(&Draft { extension: Some(spec.clone()), ..empty.clone() });
    outcome.diagnostics.is_empty() && outcome.desired.is_some_and(|desired| is_extension_of(&desired, spec))
}

fn is_extension_of(desired: &Desired, spec: &ExtensionSpec) -> bool {
    desired.clusters.iter().all(|cluster| cluster.extension == *spec)
}

/// The spec of one configuration with what it has to allow; `None` when it is gone. Why not, otherwise.
fn adopt(
    empty: &Draft,
    id: &ResourceId,
    live: &LiveState,
    names: &mut SecretNames,
) -> Result<Option<Adopted<ConfigurationSpec>>, String> {
    let body = match live.readings.get(id) {
        Some(Reading::Present(body)) => body,
        Some(Reading::Missing(_)) => return Ok(None),
        Some(Reading::Denied(message)) => return Err(format!("it may not be read: {message}")),
        None => return Err("it was not read".to_owned()),
    };
    if matches!(provisioning_state(body), ProvisioningState::InFlight(state) if state.eq_ignore_ascii_case("Deleting"))
    {
        return Err("it is being deleted".to_owned());
    }
    let adopted = flux_configuration::of_live(id.name(), body, names).map_err(|unsayable| unsayable.to_string())?;
    let spec = with_allowed(empty, id.name(), adopted.spec)?;
    Ok(Some(Adopted { spec, ..adopted }))
}

/// The same configuration, allowing exactly the problems that the rules have with it. An error that cannot be allowed is
/// the reason why not.
fn with_allowed(empty: &Draft, name: &str, spec: ConfigurationSpec) -> Result<ConfigurationSpec, String> {
    let alone = |spec: &ConfigurationSpec| {
        load(&Draft { configurations: BTreeMap::from([(name.to_owned(), spec.clone())]), ..empty.clone() })
    };
    let diagnostics = alone(&spec).diagnostics;
    let found: BTreeSet<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    let can_be_allowed = |code: Code| codes::TABLE.iter().any(|row| row.code == code && row.can_be_allowed);
    if let Some(problem) = diagnostics.iter().find(|diagnostic| !can_be_allowed(diagnostic.code)) {
        return Err(format!("{} ({})", problem.message, problem.code));
    }
    let spec = ConfigurationSpec { allow: found.iter().map(ToString::to_string).collect(), ..spec };
    let Outcome { desired, diagnostics, masked: _ } = alone(&spec);
    if let Some(problem) = diagnostics.first() {
        return Err(format!("{} ({})", problem.message, problem.code));
    }
    let is_same =
        |desired: &Desired| desired.clusters.iter().all(|cluster| cluster.configurations.get(name) == Some(&spec));
    if desired.as_ref().is_some_and(is_same) {
        Ok(spec)
    } else {
        Err("its values do not read back from a spec as they are".to_owned())
    }
}

fn load(draft: &Draft) -> Outcome {
    spec::load(&Source { name: "export".to_owned(), text: draft.text() }, &Inputs::default())
}

/// Remarks about values that look like secrets and that the spec has to hold, as everybody who may read the configuration
/// can read them.
fn visible_secrets(name: &str, spec: &ConfigurationSpec) -> Vec<Remark> {
    let map = FieldPath::dotted("substitute");
    spec.kustomizations
        .iter()
        .filter_map(|(kustomization, body)| Some((kustomization, body.post_build.as_ref()?)))
        .flat_map(|(kustomization, post_build)| post_build.substitute.keys().map(move |key| (kustomization, key)))
        .filter(|(_, key)| is_sensitive(&map.key(key.as_str())))
        .map(|(kustomization, key)| Remark {
            configuration: Some(name.to_owned()),
            message: format!(
                "`{key}` under `postBuild.substitute` of {kustomization} looks like a secret and is in the spec as it is: \
                 Azure shows it to everybody who may read the configuration"
            ),
        })
        .collect()
}

/// The plan of a draft.
fn planned(draft: &Draft, live: &LiveState, origin: &str) -> Result<Plan, Vec<PlanError>> {
    let outcome = load(draft);
    let mistake = |what: String| {
        vec![PlanError {
            address: Address::ResourceGroup { subscription: None, name: draft.resource_group.clone() },
            message: format!("the spec that was made is not valid: {what}"),
            hint: "this is a mistake in arcflux; please report it".to_owned(),
        }]
    };
    let Some(desired) = outcome.desired.filter(|_| outcome.diagnostics.is_empty()) else {
        let first = outcome.diagnostics.first().map(|problem| format!("{} ({})", problem.message, problem.code));
        return Err(mistake(first.unwrap_or_default()));
    };
    let graph = graph::build(&desired).map_err(|errors| mistake(errors.iter().map(ToString::to_string).collect()))?;
    make(&graph, live, &desired.expanded, &options(origin))
}

/// The configurations that the plan would change in a field, with the fields: what a spec did not say as it is.
fn differing(plan: &Plan) -> BTreeMap<String, String> {
    let changes = plan.resource_changes.iter().filter(|change| match change.change.actions {
        Action::Create | Action::Delete | Action::Replace => true,
        Action::Update | Action::NoOp | Action::Read => !change.fields.is_empty(),
    });
    changes
        .filter_map(|change| match &change.address {
            Address::Cluster { part: Part::Configuration(name), .. } => {
                let fields: Vec<String> =
                    change.fields.iter().map(|field| shown_path(&field.path).to_string()).collect();
                Some((name.clone(), fields.join(", ")))
            }
            Address::Cluster { .. } | Address::ResourceGroup { .. } | Address::Provider { .. } => None,
        })
        .collect()
}
