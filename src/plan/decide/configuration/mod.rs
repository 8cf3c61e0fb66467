//! Flux configurations: created by PUT, updated by a full PUT or, where that would lose a stored secret, by PATCH.

mod replacement;

use serde_json::{Value, json};

use super::credentials::{self, RESEND, Stored};
use super::effects;
use super::kustomizations::{Live, live_kustomizations, prune_off, removal_consequence, source_block};
use super::{Decision, Obstacle, drift, is_immutable, wait};
use crate::diff::FieldChange;
use crate::graph::{Graph, Node};
use crate::kinds::compliance::{Compliance, Fault, compliance};
use crate::kinds::flux_configuration::{
    self, ConfigurationSpec, PUT_ONLY, RULES, SOURCE_MEMBERS, Source, kustomization_order,
};
use crate::kinds::remedies::remedy;
use crate::kinds::state::{ProvisioningState, failure_code, failure_message, provisioning_state};
use crate::kinds::{Body, ENVELOPE, shown_path};
use crate::model::{FieldPath, FieldPattern, LiveState, Reading, Segment, without_accounts};
use crate::plan::{Action, Condition, Expectation, Options, Reason, Step, Until, WaitFor, Workloads};

pub(super) fn towards(
    node: &Node,
    spec: &ConfigurationSpec,
    graph: &Graph,
    live: &LiveState,
    options: &Options,
) -> Result<Decision, Obstacle> {
    let mut draft = Draft {
        node,
        spec,
        options,
        ends: Ends::of(node, graph, options),
        is_suspended: spec.suspend,
        commit: Source::of(spec).and_then(Source::commit).map(str::to_owned),
    };
    match live.readings.get(&node.id) {
        Some(Reading::Present(body)) if is_going(body) => Ok(draft.create_after_deletion()),
        Some(Reading::Present(body)) => Ok(draft.existing(body)),
        Some(Reading::Missing(_)) => Ok(draft.create()),
        Some(Reading::Denied(message)) => Err(denied(message)),
        None => Err(Obstacle {
            message: "the configuration was not read".to_owned(),
            hint: "this is a mistake in arcflux; please report it".to_owned(),
        }),
    }
}

/// What the spec says, as the api-version takes it.
pub(super) fn wanted(node: &Node, spec: &ConfigurationSpec) -> Body {
    flux_configuration::body(spec).for_version(node.kind, &node.api_version)
}

pub(super) fn denied(message: &str) -> Obstacle {
    Obstacle {
        message: format!("the configuration may not be read: {message}"),
        hint: "ask for the role Reader on the cluster, or sign in as somebody who has it".to_owned(),
    }
}

/// What to do about a stored secret that would be lost.
const GIVE_THE_SECRET: &str = "give the secret in the spec, beside the source's `url`, so that it can be sent again";

/// Why secrets go along with whatever else changes.
const SENT_WHOLE: &str = "the configuration is sent whole, and a secret left out would be lost";

/// Why secrets go along where nothing live tells of a stored one.
const NOT_STORED: &str = "the source needs it, and none is known to be stored for it";

/// Everything that a decision about a declared configuration draws on.
struct Draft<'a> {
    node: &'a Node,
    spec: &'a ConfigurationSpec,
    options: &'a Options,
    ends: Ends,
    /// Whether it is to be suspended.
    is_suspended: bool,
    /// The commit that it is to stay at.
    commit: Option<String>,
}

/// What apply waits for at the end of a change.
struct Ends {
    provisioned: bool,
    compliant: bool,
}

impl Ends {
    /// A dependant needs the full end, whatever the user is willing to wait for.
    fn of(node: &Node, graph: &Graph, options: &Options) -> Self {
        let is_needed = !graph.dependants(&node.address).is_empty();
        Self {
            provisioned: is_needed || options.choices.wait != WaitFor::Nothing,
            compliant: is_needed || options.choices.wait == WaitFor::Compliant,
        }
    }
}

impl Draft<'_> {
    /// What the base said of it.
    fn base(&self) -> Option<&ConfigurationSpec> {
        self.node.base.as_ref()?.configuration()
    }

    fn create(&self) -> Decision {
        let body = wanted(self.node, self.spec);
        let mut steps = vec![self.put(&body)];
        steps.extend(self.end());
        let mut decision = Decision::create(&body.json, steps);
        decision.account_for_secrets(self.node, &body.holes, "it is created", self.options);
        decision
    }

    fn create_after_deletion(&self) -> Decision {
        let mut decision = self.create();
        decision.steps.insert(0, self.wait(Until::Gone));
        decision.precondition = None;
        decision.reason = Reason::OperationInFlight;
        decision.note(
            &self.node.address,
            "operation_in_flight",
            "the configuration is being deleted; apply waits until it is gone and creates it again".to_owned(),
        );
        decision
    }

    /// The fields that are left as they are live. Of another kind of source than the wanted one nothing is: a body with
    /// two would be refused.
    fn ignored(&self) -> Vec<FieldPattern> {
        let wanted = Source::of(self.spec).map(Source::member);
        let is_other_source = |field: &FieldPattern| match field.segments().first() {
            Some(Segment::Key(key)) => SOURCE_MEMBERS.contains(&key.as_str()) && Some(key.as_str()) != wanted,
            Some(Segment::Index(_)) | None => false,
        };
        let fields = self.spec.ignore.iter().filter(|field| !is_other_source(field));
        fields.map(|field| field.below(&FieldPath::dotted(ENVELOPE))).collect()
    }

    fn existing(&mut self, live: &Value) -> Decision {
        let mut body = wanted(self.node, self.spec);
        let ignore = self.ignored();
        let mut decision = Decision::compared(RULES, &self.node.address, live, &body.json, &ignore);
        if let Some(base) = self.base() {
            let base = flux_configuration::body(base).for_version(self.node.kind, &self.node.api_version);
            decision.drift = drift(RULES, live, &base.json, &ignore);
        }
        // The spec may say to leave these as they are found.
        let commit = decision.after.pointer("/properties/gitRepository/repositoryRef/commit");
        self.commit = commit.and_then(Value::as_str).map(str::to_owned);
        self.is_suspended = decision.after.pointer("/properties/suspend") == Some(&Value::Bool(true));
        // A secret goes where the configuration leads it: to the live server, where the spec leaves that as it is found.
        if let Some(url) = credentials::url(&decision.after) {
            body.holes.iter_mut().for_each(|hole| hole.destination = without_accounts(url));
        }
        let stored = credentials::stored(self.spec, live, &decision.after);
        decision.replace_paths =
            decision.fields.iter().map(|field| field.path.clone()).filter(|path| is_immutable(RULES, path)).collect();
        if !decision.replace_paths.is_empty() {
            self.replace(&mut decision, &body, live, &stored);
        } else if !decision.fields.is_empty() {
            self.update(&mut decision, &body, live, &stored, Reason::FieldsDiffer);
        } else if self.resends(&body) {
            self.update(&mut decision, &body, live, &stored, Reason::SecretsResent);
        } else {
            self.unchanged(&mut decision, &body, live, &stored);
        }
        decision
    }

    /// Whether its secrets are sent although nothing else differs.
    fn resends(&self, body: &Body) -> bool {
        self.options.resends_secrets(&self.node.address) && !body.holes.is_empty()
    }

    /// Nothing differs: perhaps an operation is going on, has failed, or Flux has not reconciled.
    fn unchanged(&self, decision: &mut Decision, body: &Body, live: &Value, stored: &Stored) {
        let address = &self.node.address;
        match provisioning_state(live) {
            ProvisioningState::InFlight(state) => {
                decision.reason = Reason::OperationInFlight;
                decision.steps = self.end();
                let and = if decision.steps.is_empty() { "" } else { "; apply waits for it" };
                decision.note(address, "operation_in_flight", format!("the configuration is {state}{and}"));
            }
            ProvisioningState::Failed(state) => {
                let cause = failure_message(live).unwrap_or("the service gave no message");
                let advice = remedy(failure_code(live).unwrap_or_default(), cause)
                    .map(|advice| format!(" ({advice})"))
                    .unwrap_or_default();
                let failed = format!("the configuration is {state}: {cause}{advice}");
                match stored {
                    Stored::Nothing | Stored::Supplied => {
                        decision.note(address, "configuration_failed", failed);
                        self.update(decision, body, live, stored, Reason::ProvisioningFailed);
                    }
                    // It cannot be sent whole, and an equal PATCH does nothing: it is waited for, and the wait says
                    // why it fails.
                    Stored::NotSupplied => {
                        let message = format!(
                            "{failed}. It is not sent again: that would lose its stored secret, which the spec does not give"
                        );
                        decision.note(address, "configuration_failed", message);
                        self.unreconciled(decision, live);
                    }
                }
            }
            ProvisioningState::Succeeded => self.unreconciled(decision, live),
        }
    }

    fn unreconciled(&self, decision: &mut Decision, live: &Value) {
        if !self.waits_for_flux() {
            return;
        }
        let Expectation { kustomizations, commit } = self.expectation();
        let why = match compliance(self.node.id.name(), &kustomizations, commit.as_deref(), live) {
            // Suspended although the spec does not say so would be a difference.
            Compliance::Reconciled { .. } | Compliance::Suspended => return,
            Compliance::Progressing(why) => why,
            Compliance::Failing(Fault { cause, .. }) => format!("{} {}: {}", cause.kind, cause.name, cause.message),
        };
        decision.reason = Reason::NotCompliant;
        decision.steps = vec![self.wait(Until::Compliant(self.expectation()))];
        decision.note(&self.node.address, "not_compliant", format!("Flux has not reconciled it: {why}"));
    }

    fn update(&self, decision: &mut Decision, body: &Body, live: &Value, stored: &Stored, reason: Reason) {
        decision.action = Action::Update;
        decision.reason = reason;
        if let ProvisioningState::InFlight(state) = provisioning_state(live) {
            decision.steps.push(self.wait(Until::Provisioned));
            let message = format!("the configuration is {state}; apply waits for it before it writes");
            decision.note(&self.node.address, "operation_in_flight", message);
        }
        self.check_destination(decision, live, stored);
        let removed = self.removed(decision, live);
        let whole = self.whole_body(decision, body);
        let because = match stored {
            Stored::Nothing | Stored::Supplied | Stored::NotSupplied if reason == Reason::SecretsResent => RESEND,
            Stored::Nothing => NOT_STORED,
            Stored::Supplied | Stored::NotSupplied => SENT_WHOLE,
        };
        match stored {
            Stored::NotSupplied if self.resends(body) => decision.refuse(
                &self.node.address,
                "stored_secret_would_be_lost",
                "the secrets of the spec are to be sent, and another stored secret, which the spec does not give, would be lost"
                    .to_owned(),
                GIVE_THE_SECRET.to_owned(),
            ),
            Stored::Nothing | Stored::Supplied => {
                decision.steps.push(self.put(&whole));
                decision.account_for_secrets(self.node, &body.holes, because, self.options);
                if !removed.is_empty() {
                    decision.steps.push(self.wait(Until::Provisioned));
                    decision.steps.push(self.remove_what_is_left(&whole, removed));
                }
            }
            Stored::NotSupplied => self.patch(decision, &whole),
        }
        decision.steps.extend(self.end());
        effects::of_update(decision, live);
    }

    /// The body of a PUT: what the spec says, and what is live and unknown to us, or to be ignored.
    fn whole_body(&self, decision: &Decision, body: &Body) -> Body {
        let mut json = body.json.clone();
        for path in decision.unknown.iter().map(FieldPath::up_to_list) {
            if let Some(value) = path.get(&decision.after) {
                path.set(&mut json, value.clone());
            }
        }
        for FieldChange { path, before, after: _ } in &decision.ignored {
            match before {
                Some(value) => path.set(&mut json, value.clone()),
                None => {
                    path.remove(&mut json);
                }
            }
        }
        Body { json, holes: body.holes.clone() }
    }

    /// An update without the stored secret: everything that PATCH can carry, with the source block whole.
    fn patch(&self, decision: &mut Decision, whole: &Body) {
        let put_only: Vec<FieldPath> = PUT_ONLY.iter().map(|path| FieldPath::dotted(path)).collect();
        let stuck: Vec<String> = decision
            .fields
            .iter()
            .filter(|field| put_only.iter().any(|path| field.path.starts_with(path)))
            .map(|field| shown_path(&field.path).to_string())
            .collect();
        if !stuck.is_empty() {
            decision.refuse(
                &self.node.address,
                "stored_secret_would_be_lost",
                format!(
                    "{} can only change when the configuration is sent whole, and that would lose the stored secret",
                    stuck.join(", ")
                ),
                GIVE_THE_SECRET.to_owned(),
            );
        }
        let mut json = whole.json.clone();
        for path in ["properties.scope", "properties.namespace"] {
            FieldPath::dotted(path).remove(&mut json);
        }
        for field in decision.fields.iter().filter(|field| field.after.is_none()) {
            field.path.set(&mut json, Value::Null);
        }
        for path in &put_only {
            path.remove(&mut json);
        }
        decision.steps.push(Step::Patch {
            id: self.node.id.clone(),
            api_version: self.node.api_version.clone(),
            body: json,
            holes: Vec::new(),
            when: None,
        });
        decision.note(
            &self.node.address,
            "stored_secret_kept",
            "the stored secret is not in the spec, so the update is a PATCH, which leaves it in place".to_owned(),
        );
    }

    /// Whether a PUT removes kustomizations that it does not name has never been recorded: what is still there on
    /// read-back is removed by PATCH.
    fn remove_what_is_left(&self, whole: &Body, removed: Vec<FieldPath>) -> Step {
        let properties = &whole.json["properties"];
        let mut json = json!({ "properties": source_block(properties) });
        for path in &removed {
            path.set(&mut json, Value::Null);
        }
        Step::Patch {
            id: self.node.id.clone(),
            api_version: self.node.api_version.clone(),
            body: json,
            holes: Vec::new(),
            when: Some(Condition::AnyPresent(removed)),
        }
    }

    /// Live kustomizations that the spec does not name, with what their removal takes.
    fn removed(&self, decision: &mut Decision, live: &Value) -> Vec<FieldPath> {
        let map = FieldPath::dotted("properties.kustomizations");
        let kept = map.get(&decision.after).cloned().unwrap_or_default();
        let removed: Vec<Live<'_>> =
            live_kustomizations(live).into_iter().filter(|one| kept.get(one.name).is_none()).collect();
        decision.removes_kustomizations = !removed.is_empty();
        self.refuse_needed(decision, &kept, &removed);
        let pruning: Vec<&str> = removed.iter().filter(|one| one.prune).map(|one| one.name).collect();
        // Between a base that has it, prune and all, and a spec that has not, its removal is reviewed.
        let is_reviewed = |name: &&str| {
            let before = self.base().and_then(|base| base.kustomizations.get(*name));
            before.is_some_and(|kustomization| kustomization.prune)
        };
        match self.options.choices.workloads {
            None if !pruning.iter().all(is_reviewed) => {
                decision.refuse(
                    &self.node.address,
                    "needs_workloads_choice",
                    format!(
                        "removing {} would delete the workloads that it applied, because prune is on",
                        pruning.join(", ")
                    ),
                    "say what becomes of them: `--workloads delete`, or `--workloads keep`".to_owned(),
                );
            }
            Some(Workloads::Keep) if !pruning.is_empty() => {
                decision.steps.extend(prune_off(self.node, &decision.before, &pruning));
            }
            None | Some(Workloads::Keep | Workloads::Delete) => {}
        }
        let keep = self.options.choices.workloads == Some(Workloads::Keep);
        for kustomization in &removed {
            removal_consequence(decision, kustomization, keep);
        }
        removed.iter().map(|one| map.key(one.name)).collect()
    }

    /// A kustomization that waits for one that is not there is never applied again (`../shared/facts/domain.md` S6).
    fn refuse_needed(&self, decision: &mut Decision, kept: &Value, removed: &[Live<'_>]) {
        for (name, body) in kept.as_object().into_iter().flatten() {
            let needs = body.get("dependsOn").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let gone: Vec<&str> = needs.filter(|needs| removed.iter().any(|one| one.name == *needs)).collect();
            if !gone.is_empty() {
                decision.refuse(
                    &self.node.address,
                    "kustomization_needed",
                    format!("{name} depends on {}, which would be removed", gone.join(", ")),
                    format!("keep it, or take it out of `dependsOn` of {name} as well"),
                );
            }
        }
    }

    /// A credential that stays where it is must not be led to another server by a changed spec.
    fn check_destination(&self, decision: &mut Decision, live: &Value, stored: &Stored) {
        let Some(danger) = credentials::aimed_elsewhere(self.spec, live, &decision.after, &decision.fields, stored)
        else {
            return;
        };
        if self.options.allow_auth_hosts.iter().any(|host| host.eq_ignore_ascii_case(&danger.host)) {
            return;
        }
        decision.refuse(
            &self.node.address,
            "credentials_aimed_elsewhere",
            format!(
                "{} changes, and the credentials in place ({}) would be used there",
                danger.what, danger.credentials
            ),
            format!("if that is meant, allow it with `--allow-auth-host {}`", danger.host),
        );
    }

    fn put(&self, body: &Body) -> Step {
        Step::Put {
            id: self.node.id.clone(),
            api_version: self.node.api_version.clone(),
            body: body.json.clone(),
            holes: body.holes.clone(),
        }
    }

    fn wait(&self, until: Until) -> Step {
        wait(&self.node.id, self.node.api_version.as_str(), until)
    }

    fn end(&self) -> Vec<Step> {
        let provisioned = self.ends.provisioned.then(|| self.wait(Until::Provisioned));
        let compliant = self.waits_for_flux().then(|| self.wait(Until::Compliant(self.expectation())));
        provisioned.into_iter().chain(compliant).collect()
    }

    /// Flux leaves a suspended configuration alone.
    fn waits_for_flux(&self) -> bool {
        self.ends.compliant && !self.is_suspended
    }

    fn expectation(&self) -> Expectation {
        Expectation { kustomizations: kustomization_order(self.spec), commit: self.commit.clone() }
    }
}

/// Whether it is being deleted.
pub(super) fn is_going(live: &Value) -> bool {
    matches!(provisioning_state(live), ProvisioningState::InFlight(state) if state.eq_ignore_ascii_case("Deleting"))
}
