//! One seed from beginning to end: a world, a spec applied to it, the spec edited and applied, each time through whatever
//! happens, and then calm until nothing is left to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::apply::Interrupt;
use arcflux::model::{Address, Source};
use arcflux::plan::{ApplyReport, Choices, Outcome, Plan, WaitFor};
use arcflux::sim::{Fate, Scenario, Simulator};
use arcflux::spec::{self, Desired, Inputs};
use fastrand::Rng;
use http::Method;
use serde_json::{Value, json};

use crate::check;
use crate::network::{Network, Weather};
use crate::process::{End, Job, Process};
use crate::time::Time;
use crate::world::{World, by_hand, peek};

/// How many calm runs it may take until nothing is left to do.
const CALM_RUNS: usize = 8;

/// What came of one seed.
pub(crate) struct Told {
    pub(crate) seed: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) trace: String,
    pub(crate) faults: BTreeMap<String, usize>,
    pub(crate) ends: BTreeMap<&'static str, usize>,
    pub(crate) requests: usize,
}

/// What is to be brought about.
#[derive(Clone, Copy)]
struct Goal<'a> {
    desired: &'a Desired,
    base: Option<&'a Desired>,
    destroys: bool,
}

struct Story {
    world: World,
    network: Arc<Network>,
    rng: Rng,
    processes: usize,
    violations: Vec<String>,
    faults: Arc<Mutex<BTreeMap<String, usize>>>,
    ends: BTreeMap<&'static str, usize>,
    neighbours: BTreeMap<String, Option<Value>>,
}

/// Tells the story of a seed.
pub(crate) fn tell(seed: u64) -> Told {
    let mut rng = Rng::with_seed(seed);
    let mut world = World::of(&mut rng);
    let sim = Simulator::in_memory(world.settings.clone());
    world.plant_neighbours(&sim, &mut rng);
    let time = Time::starting_at(sim.now());
    let network = Network::new(sim, time, rng.u64(..));
    let (first, second) = (desired(&world.first), desired(&world.second));
    let mut story = Story {
        world,
        network,
        rng,
        processes: 0,
        violations: Vec::new(),
        faults: Arc::default(),
        ends: BTreeMap::new(),
        neighbours: BTreeMap::new(),
    };
    story.begin(seed);
    story.live_through(&first, &second);
    story.end(seed)
}

/// What a spec wants. The specs of a world are valid.
pub(crate) fn desired(spec: &Value) -> Desired {
    let source = Source { name: "spec".to_owned(), text: spec.to_string() };
    let outcome = spec::load(&source, &Inputs::default());
    outcome.desired.unwrap_or_else(|| panic!("{:#?}\n{spec:#}", outcome.diagnostics))
}

/// Whether the plan says that a cluster does not talk to Azure.
fn tells_of_silence(plan: &Plan) -> bool {
    plan.notes.iter().any(|note| note.code.starts_with("cluster_"))
}

impl Story {
    fn begin(&mut self, seed: u64) {
        let world = &self.world;
        self.network.note(&format!("seed {seed}"));
        self.network.note(&format!("{:?} {:?}", world.settings.scenario, world.settings.quirks));
        self.network.note(&format!("limits {:?}", world.settings.limits));
        self.network.note(&format!("choices {:?}", world.choices));
        self.network.note(&format!("first spec {}", world.first));
        self.network.note(&format!("edits: {} (base: {})", world.edits.join(", "), world.has_base));
        self.network.note(&format!("second spec {}", world.second));
        self.neighbours = self.look_at_neighbours();
    }

    fn live_through(&mut self, first: &Desired, second: &Desired) {
        let goal = Goal { desired: first, base: None, destroys: false };
        for _ in 0..self.rng.u8(0..3) {
            self.rough(goal);
        }
        if self.rng.bool() {
            self.calm(goal);
        }
        let base = self.world.has_base.then_some(first);
        let goal = Goal { desired: second, base, destroys: false };
        for _ in 0..self.rng.u8(1..4) {
            self.rough(goal);
        }
        self.calm(goal);
        if self.rng.u8(0..4) == 0 {
            let goal = Goal { desired: second, base: None, destroys: true };
            self.rough(goal);
            self.calm(goal);
        }
        if self.neighbours != self.look_at_neighbours() {
            self.violate("(b) what is not managed was touched");
        }
    }

    fn end(self, seed: u64) -> Told {
        let mut faults = std::mem::take(&mut *self.faults.lock().unwrap());
        let requests = self.network.with_exchanges(|exchanges| {
            for fault in exchanges.iter().filter_map(|exchange| exchange.fault) {
                *faults.entry(format!("{fault:?}")).or_default() += 1;
            }
            exchanges.len()
        });
        self.network.time().clear();
        Told { seed, violations: self.violations, trace: self.network.trace(), faults, ends: self.ends, requests }
    }

    fn violate(&mut self, what: &str) {
        self.network.note(&format!("VIOLATION {what}"));
        self.violations.push(what.to_owned());
    }

    /// When what others have was last changed, by path.
    fn look_at_neighbours(&self) -> BTreeMap<String, Option<Value>> {
        let version = |path: &str| if path.contains("/extensions/") { "2025-03-01" } else { "2025-04-01" };
        let look = |path: &String| {
            let body = peek(self.network.sim(), path, version(path));
            (path.clone(), body.map(|body| body["systemData"]["lastModifiedAt"].clone()))
        };
        self.world.neighbours.iter().map(look).collect()
    }

    /// One run through whatever the dice say.
    fn rough(&mut self, goal: Goal<'_>) {
        self.network.time().pass(Duration::from_millis(self.rng.u64(0..400_000)));
        let weather = if self.rng.u8(0..6) == 0 { Weather::calm() } else { Weather::of(&mut self.rng) };
        self.disturb();
        let interrupt = Interrupt::default();
        let mut polls = None;
        match self.rng.u8(0..10) {
            0..2 => {
                self.count("kill at a poll");
                polls = Some(1 << self.rng.u32(0..9)).map(|most: u64| self.rng.u64(0..most * 2));
            }
            2..4 => {
                self.count("kill at a time");
                let (time, faults) = (self.network.time().clone(), self.rng.u64(0..400_000));
                let at = time.after(Duration::from_millis(faults));
                time.clone().at(at, move || time.stop());
            }
            4 => {
                self.count("interrupt");
                let (interrupt, at) = (interrupt.clone(), self.rng.u64(0..300_000));
                let time = self.network.time();
                time.at(time.after(Duration::from_millis(at)), move || interrupt.request());
            }
            _ => {}
        }
        self.run(goal, weather, polls, interrupt, true);
        let loses = self.rng.bool();
        self.network.end(loses);
    }

    fn count(&mut self, what: &str) {
        *self.faults.lock().unwrap().entry(what.to_owned()).or_default() += 1;
    }

    /// Runs in calm until nothing is left to do, or nothing changes any more.
    fn calm(&mut self, goal: Goal<'_>) {
        self.network.note("calm");
        self.world.git.find_again();
        let mut before: Option<BTreeSet<String>> = None;
        for run in 0..CALM_RUNS {
            // Long enough for what was silent to speak again, and for what hangs to let go.
            let hours = if run == 0 { 0 } else { 2 };
            self.network.time().pass(Duration::from_secs(60 + hours * 3600));
            let process = self.run(goal, Weather::calm(), None, Interrupt::default(), false);
            self.network.end(false);
            match &process.end {
                End::NothingToDo if process.plan.as_ref().is_some_and(|plan| plan.deferred_changes.is_empty()) => {
                    return;
                }
                End::NothingToDo => {
                    // What is deferred is told, and stays so while the cluster is silent.
                    if self.world.settings.scenario.is_some() {
                        return;
                    }
                }
                End::Applied(report) => {
                    let failures: BTreeSet<String> =
                        report.failures().map(|(one, failure)| format!("{} {}", one.address, failure.code)).collect();
                    let may_fail_unseen = self.waits_for_nothing() && self.world.settings.scenario.is_some();
                    let is_at_rest = (!failures.is_empty() || may_fail_unseen) && before.as_ref() == Some(&failures);
                    if is_at_rest && self.lasts(&process, report) {
                        self.explained(goal, &process);
                        return;
                    }
                    before = Some(failures);
                }
                End::NotRead => self.violate("(a) the live state cannot be read in calm"),
                End::NoPlan(errors) => {
                    let errors = errors.join("; ");
                    self.violate(&format!("(a) there is no plan in calm: {errors}"));
                    return;
                }
                End::Refused(refusals) => {
                    if self.is_refused_for_ever(goal, refusals) {
                        return;
                    }
                    before = Some(refusals.iter().cloned().collect());
                }
                End::Killed | End::Endless(_) => return,
            }
        }
        let last = before.map(|failures| failures.into_iter().collect::<Vec<_>>().join(", ")).unwrap_or_default();
        self.violate(&format!("(a) it does not come to rest in {CALM_RUNS} runs: {last}"));
    }

    /// Whether there is a reason for the failures of a report that no time removes: what goes wrong in this world goes
    /// wrong for ever, or an operation on the cluster of what failed never ends (that on a configuration waits for Flux,
    /// and may stand in the way of Flux being installed).
    fn lasts(&self, process: &Process, report: &ApplyReport) -> bool {
        if self.world.settings.scenario.is_some() {
            return true;
        }
        let operations = self.network.sim().operations();
        let endless = |address: &Address| {
            let changes = process.plan.iter().flat_map(|plan| &plan.resource_changes);
            let mut clusters =
                changes.filter(|change| change.address == *address).filter_map(|change| change.cluster.as_ref());
            let Some(cluster) = clusters.next().map(|cluster| cluster.as_str().to_lowercase()) else { return false };
            let is_on = |path: &str| path.to_lowercase().starts_with(&cluster);
            operations.iter().any(|operation| operation.ended.is_none() && is_on(&operation.resource))
        };
        report.failures().all(|(resource, _)| endless(&resource.address))
    }

    /// Whether there is a reason for these refusals that no time removes.
    fn is_refused_for_ever(&self, goal: Goal<'_>, refusals: &[String]) -> bool {
        let is_silent = self.world.settings.scenario == Some(Scenario::AgentOffline);
        refusals.iter().all(|refusal| {
            (is_silent && refusal.contains("a cluster that does not fetch it"))
                || (goal.destroys && refusal.contains("does not name still use the extension"))
        })
    }

    /// Whether nobody waits for what was written: how that ends, nobody is told.
    fn waits_for_nothing(&self) -> bool {
        self.world.choices.wait == WaitFor::Nothing
    }

    /// Whether what is still to be done is what was reported as failed.
    fn explained(&mut self, goal: Goal<'_>, last: &Process) {
        let End::Applied(report) = &last.end else { return };
        let unreached: BTreeSet<String> = report
            .resources
            .iter()
            .filter(|one| match one.outcome {
                Outcome::Failed { .. } | Outcome::Skipped { .. } => true,
                Outcome::Applied => self.waits_for_nothing(),
                Outcome::Unchanged | Outcome::Reached | Outcome::Deferred { .. } => false,
            })
            .map(|one| one.address.to_string())
            .collect();
        let Some(plan) = self.look(goal) else { return };
        for change in plan.resource_changes.iter().filter(|change| !change.steps.is_empty()) {
            if !unreached.contains(&change.address.to_string()) {
                self.violate(&format!("(a) {} is still to be done, and no failure says why", change.address));
            }
        }
    }

    /// The plan as it would be now, made by a process of its own that writes nothing.
    fn look(&mut self, goal: Goal<'_>) -> Option<Plan> {
        let job = Job {
            desired: goal.desired,
            base: goal.base,
            destroys: goal.destroys,
            choices: Choices { resend_secrets: false, ..self.world.choices.clone() },
            weather: Weather::calm(),
            parallelism: None,
            polls: None,
            interrupt: Interrupt::default(),
        };
        crate::process::plan_only(&job, self.network.sim(), self.network.time())
    }

    fn run(
        &mut self,
        goal: Goal<'_>,
        weather: Weather,
        polls: Option<u64>,
        interrupt: Interrupt,
        is_rough: bool,
    ) -> Process {
        self.processes += 1;
        let number = self.processes;
        self.network.note(&format!("process {number}{}: {weather:?}", if goal.destroys { " destroys" } else { "" }));
        let choices = self.world.choices.clone();
        let resends = choices.resend_secrets && is_rough && !goal.destroys;
        let job = Job {
            desired: goal.desired,
            base: goal.base,
            destroys: goal.destroys,
            choices: Choices { resend_secrets: resends, ..choices },
            weather,
            parallelism: if self.rng.u8(0..5) == 0 { Some(self.rng.usize(1..4)) } else { None },
            polls,
            interrupt,
        };
        let meddled = self.meddled();
        let process = Process::run(number, &job, &self.world.secrets, &self.network);
        let name = match &process.end {
            End::NotRead => "not read",
            End::NoPlan(_) => "no plan",
            End::Refused(_) => "refused",
            End::NothingToDo => "nothing to do",
            End::Applied(report) if report.interrupted => "interrupted",
            End::Applied(report) if report.converged() => "converged",
            End::Applied(_) => "incomplete",
            End::Killed => "killed",
            End::Endless(_) => "endless",
        };
        *self.ends.entry(name).or_default() += 1;
        self.network.note(&format!("process {number} ends: {name}"));
        for violation in check::violations(&process, &self.network, &self.world.secrets) {
            self.violate(&format!("process {number}: {violation}"));
        }
        // What came out right is right, unless somebody has had a hand in it since.
        if let End::Applied(report) = &process.end
            && report.converged()
            && !self.waits_for_nothing()
            // What was left for another time may be due by now, and nothing was waited for on a cluster that was silent.
            && process.plan.as_ref().is_some_and(|plan| plan.deferred_changes.is_empty() && !tells_of_silence(plan))
            && meddled == self.meddled()
            && let Some(plan) = self.look(goal)
            && plan.has_changes()
        {
            let left: Vec<String> = plan
                .resource_changes
                .iter()
                .filter(|c| c.writes())
                .map(|c| format!("{} ({:?})", c.address, c.action_reason))
                .collect();
            self.violate(&format!(
                "process {number}: (e) converged, it says, and the next plan has {}",
                left.join(", ")
            ));
        }
        process
    }

    /// How much others have done so far.
    fn meddled(&self) -> usize {
        let faults = self.faults.lock().unwrap();
        faults.iter().filter(|(name, _)| name.starts_with("by hand")).map(|(_, count)| count).sum()
    }

    /// Lets things go wrong in the next minutes.
    fn disturb(&mut self) {
        let configurations = self.world.managed_configurations();
        for _ in 0..self.rng.u8(0..3) {
            let later = Duration::from_millis(self.rng.u64(0..600_000));
            let time = self.network.time().clone();
            let at = time.after(later);
            let sim = self.network.sim().clone();
            let cluster = self.world.clusters[self.rng.usize(0..self.world.clusters.len())].clone();
            let configuration = configurations[self.rng.usize(0..configurations.len())].clone();
            let resource = if self.rng.bool() { configuration.clone() } else { cluster.extension("flux") };
            match self.rng.u8(0..8) {
                0 => {
                    self.count("operation fails");
                    sim.next_operation(&resource, Fate::Fails);
                }
                1 => {
                    self.count("operation hangs");
                    sim.next_operation(&resource, Fate::Slow(Duration::from_secs(self.rng.u64(30..7200))));
                }
                2 => {
                    self.count("agents silent");
                    let until = at.checked_add(Duration::from_secs(self.rng.u64(60..7000))).unwrap();
                    sim.silence(&cluster.id(), at, until);
                }
                3 => {
                    self.count("path missing");
                    let paths = self.world.paths();
                    if paths.is_empty() {
                        continue;
                    }
                    let path = paths[self.rng.usize(0..paths.len())].clone();
                    let (git, back) = (self.world.git.clone(), self.rng.u64(0..3_000_000));
                    git.lose(&path);
                    time.at(time.after(Duration::from_millis(back)), move || git.find_again());
                }
                _ => {
                    let dice = self.rng.u64(..);
                    let (network, faults) = (Arc::clone(&self.network), Arc::clone(&self.faults));
                    time.at(at, move || {
                        if let Some(what) = meddle(&sim, &configuration, &cluster.extension("flux"), dice) {
                            network.note(&format!("{what}: {configuration}"));
                            *faults.lock().unwrap().entry(what.to_owned()).or_default() += 1;
                        }
                    });
                }
            }
        }
    }
}

/// Somebody changes something by hand; what it was, if it was accepted.
fn meddle(sim: &Simulator, configuration: &str, extension: &str, dice: u64) -> Option<&'static str> {
    let version = "2025-04-01";
    let live = peek(sim, configuration, version);
    let (what, status) = match dice % 5 {
        0 | 1 => {
            let live = live?;
            let kind = live["properties"]["sourceKind"].as_str()?.to_owned();
            let member = match kind.as_str() {
                "Bucket" => "bucket",
                "AzureBlob" => "azureBlob",
                "OCIRepository" => "ociRepository",
                _ => "gitRepository",
            };
            let name = live["properties"]["kustomizations"].as_object()?.keys().next()?.clone();
            let mut body = json!({"properties": {"sourceKind": kind}});
            body["properties"][member] = live["properties"][member].clone();
            if dice.is_multiple_of(5) {
                body["properties"]["kustomizations"][&name] = json!({"path": "./by-hand"});
            } else {
                body["properties"]["suspend"] = json!(true);
            }
            ("by hand: edited", by_hand(sim, &Method::PATCH, configuration, version, &body))
        }
        2 => {
            live?;
            ("by hand: deleted", by_hand(sim, &Method::DELETE, configuration, version, &Value::Null))
        }
        3 => {
            let body = json!({"properties": {"configurationSettings": {"multiTenancy.enforce": "true"}}});
            ("by hand: extension edited", by_hand(sim, &Method::PATCH, extension, "2025-03-01", &body))
        }
        _ => {
            peek(sim, extension, "2025-03-01")?;
            ("by hand: extension deleted", by_hand(sim, &Method::DELETE, extension, "2025-03-01", &Value::Null))
        }
    };
    status.is_success().then_some(what)
}
