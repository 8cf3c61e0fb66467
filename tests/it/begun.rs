//! Saved plans whose apply stopped between two writes of one resource, and that are taken up again.

use std::time::Duration;

use arcflux::graph::{self, Graph};
use arcflux::model::LiveState;
use arcflux::plan::{self, Change, Choices, Deviation, Mode, Options, Plan, Step, Workloads, deviations};
use arcflux::sim;
use arcflux::sim::quirks::{OmittedKustomizations, Quirks};
use serde_json::{Value, json};

use crate::killed::dies_with;
use crate::simulated::{World, desired, options};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const LONG_FORM: &str = include_str!("../../specs/long-form.yaml");

/// A change of several writes: what was there before, and what is planned.
struct Case {
    before: &'static str,
    graph: Graph,
    spec: Value,
    mode: Mode,
    options: Options,
    quirks: Quirks,
}

impl Case {
    fn new(before: &'static str, spec: &str, mode: Mode, choices: Choices) -> Self {
        let desired = desired(spec);
        let graph = graph::build(&desired).unwrap();
        let options = Options { choices, ..options() };
        Self { before, graph, spec: desired.expanded, mode, options, quirks: Quirks::default() }
    }

    fn destruction() -> Self {
        let choices = Choices { workloads: Some(Workloads::Keep), ..Choices::default() };
        Self::new(QUICKSTART, QUICKSTART, Mode::Destroy, choices)
    }

    fn removal() -> Self {
        let choices = Choices { workloads: Some(Workloads::Keep), ..Choices::default() };
        let without = &QUICKSTART[..QUICKSTART.find("  app:").unwrap()];
        Self::new(QUICKSTART, without, Mode::Apply, choices)
    }

    fn replacement() -> Self {
        let choices = Choices { allow_replace: true, ..Choices::default() };
        let moved = LONG_FORM.replacen("scope: cluster", "scope: namespace", 1);
        Self::new(LONG_FORM, &moved, Mode::Apply, choices)
    }

    async fn world(&self) -> World {
        let world = World::with(self.before, sim::Settings { quirks: self.quirks, ..sim::Settings::default() });
        world.converge(self.before).await;
        world
    }

    fn make(&self, live: &LiveState) -> Plan {
        match self.mode {
            Mode::Apply => plan::make(&self.graph, live, &self.spec, &self.options),
            Mode::Destroy => plan::destroy(&self.graph, live, &self.spec, &self.options),
        }
        .unwrap()
    }

    /// The plan, as it comes out of a file.
    async fn saved(&self, world: &World) -> Plan {
        read_back(&self.make(&world.live(&self.graph).await), |_| {})
    }

    /// What is planned now, and how it departs from the saved plan.
    async fn again(&self, world: &World, saved: &Plan) -> (Plan, Vec<Deviation>) {
        let live = world.live(&self.graph).await;
        let fresh = self.make(&live);
        let found = plan::deviations_from_begun(saved, &fresh, &live, |before| Some(self.make(before)));
        (fresh, found)
    }

    /// Applies the plan up to this step of the change of several writes.
    async fn begin(&self, world: &World, until: fn(&Step) -> bool) -> Plan {
        let plan = self.make(&world.live(&self.graph).await);
        let mut half = plan.clone();
        half.resource_changes.retain(|change| writes(change) > 1);
        let [change] = half.resource_changes.as_mut_slice() else { panic!("{half:#?}") };
        let end = change.steps.iter().position(until).unwrap();
        change.steps.truncate(end);
        change.needs.clear();
        world.apply(&half).await;
        read_back(&plan, |_| {})
    }
}

fn writes(change: &Change) -> usize {
    change.steps.iter().filter(|step| step.writes()).count()
}

/// A plan out of its file, which somebody has edited.
fn read_back(plan: &Plan, edit: impl FnOnce(&mut Value)) -> Plan {
    let mut file = serde_json::to_value(plan).unwrap();
    edit(&mut file);
    serde_json::from_value(file).unwrap()
}

/// Kills an apply of a saved plan at some request, of all that it makes, and takes the same plan up again.
async fn is_taken_up_wherever_it_stops(case: Case) {
    for fatal in (0..).step_by(4) {
        let world = case.world().await;
        let saved = case.saved(&world).await;
        let ended = dies_with(&world, &case.make(&world.live(&case.graph).await), fatal).await;
        world.sim.advance(Duration::from_secs(600));
        let (fresh, found) = case.again(&world, &saved).await;
        assert_eq!(found, [], "killed at request {fatal}");
        assert!(world.apply(&fresh).await.converged());
        let (rest, found) = case.again(&world, &saved).await;
        assert!(!rest.has_changes() && found.is_empty(), "{found:?}");
        if ended {
            return;
        }
    }
}

#[tokio::test]
async fn a_destruction_that_keeps_the_workloads_is_taken_up() {
    is_taken_up_wherever_it_stops(Case::destruction()).await;
}

#[tokio::test]
async fn a_removal_that_keeps_the_workloads_is_taken_up() {
    // The longest way: prune off, the whole configuration, and a removal by name of what is left.
    let quirks = Quirks { omitted_kustomizations: OmittedKustomizations::Kept, ..Quirks::default() };
    is_taken_up_wherever_it_stops(Case { quirks, ..Case::removal() }).await;
}

#[tokio::test]
async fn a_replacement_is_taken_up() {
    is_taken_up_wherever_it_stops(Case::replacement()).await;
}

fn deletes(step: &Step) -> bool {
    matches!(step, Step::Delete { .. })
}

fn puts(step: &Step) -> bool {
    matches!(step, Step::Put { .. })
}

#[tokio::test]
async fn what_somebody_else_did_in_between_is_told_from_the_half_step() {
    for (case, until) in [(Case::destruction(), deletes as fn(&Step) -> bool), (Case::removal(), puts)] {
        for foreign in [json!({"path": "./by-hand"}), json!({"syncIntervalInSeconds": 77})] {
            let world = case.world().await;
            let saved = case.begin(&world, until).await;
            let (fresh, found) = case.again(&world, &saved).await;
            assert_eq!(found, []);
            assert_eq!(deviations(&saved, &fresh).len(), 1, "it is not in the plan as it stands");
            let change = saved.resource_changes.iter().find(|change| writes(change) > 1).unwrap();
            let edit = json!({"properties": {
                "sourceKind": "GitRepository",
                "gitRepository": {"url": "https://github.com/contoso/gitops", "repositoryRef": {"branch": "main"}},
                "kustomizations": {"app": foreign},
            }});
            let url = format!("{}?api-version={}", change.id, change.api_version);
            assert_eq!(world.curl("PATCH", &url, &edit).0, 202);
            world.sim.advance(Duration::from_secs(300));
            assert_eq!(case.again(&world, &saved).await.1.len(), 1, "{foreign}");
        }
    }
}

#[tokio::test]
async fn a_plan_that_was_edited_is_not_taken_up() {
    for (case, until) in
        [(Case::destruction(), deletes as fn(&Step) -> bool), (Case::removal(), puts), (Case::replacement(), puts)]
    {
        let world = case.world().await;
        let saved = case.begin(&world, until).await;
        assert_eq!(case.again(&world, &saved).await.1, []);
        let index = saved.resource_changes.iter().position(|change| writes(change) > 1).unwrap();
        for part in
            ["fields", "consequences", "action_reason", "needs", "change", "steps", "precondition", "api_version"]
        {
            let edited = read_back(&saved, |file| {
                let change = &mut file["resource_changes"][index];
                match part {
                    "fields" => change[part] = json!([]),
                    "consequences" => change[part] = json!([{"code": "harmless", "message": "nothing happens"}]),
                    "action_reason" => change[part] = json!("unchanged"),
                    "needs" => change[part] = json!(["rg-elsewhere"]),
                    "change" => change[part]["before"] = json!({"properties": {}}),
                    "steps" => {
                        let last = change[part].as_array().unwrap().len() - 1;
                        change[part].as_array_mut().unwrap().remove(last);
                    }
                    "precondition" => change[part]["live"]["properties"]["suspend"] = json!(true),
                    _ => change[part] = json!("1999-01-01"),
                }
            });
            assert_ne!(case.again(&world, &edited).await.1, [], "{part}");
        }
    }
}

#[tokio::test]
async fn a_replacement_that_stopped_says_what_is_gone() {
    let case = Case::replacement();
    let world = case.world().await;
    let mut plan = case.make(&world.live(&case.graph).await);
    for change in &mut plan.resource_changes {
        for step in &mut change.steps {
            if let Step::Put { body, .. } = step {
                *body = json!({"properties": {"scope": "nonsense"}});
            }
        }
    }
    let report = world.apply(&plan).await;
    let (_, failure) = report.failures().next().unwrap();
    assert!(failure.message.ends_with("; the old one was deleted, and the new one was not created"), "{failure:?}");
}
