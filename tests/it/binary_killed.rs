//! The real binary, killed with -9 in the middle of an apply over TCP, at random, or asked to stop; and what the next run
//! makes of it.
//!
//! `cargo test` does some rounds. `just kill ROUNDS` does as many as it is asked for, and prints what happened; a round
//! depends on the seed and its number alone (`ARCFLUX_KILL_SEED`).

#![cfg(unix)]

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arcflux::http::{Clock as _, SystemClock};
use arcflux::plan::{Choices, Mode, Options, Step, Workloads};
use arcflux::sim::quirks::{OmittedKustomizations, Quirks};
use arcflux::sim::{self, Seed};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::binary::Place;
use crate::gateway::{Gateway, Moment, Write};
use crate::simulated::{World, desired, options, seed};

const QUICKSTART: &str = include_str!("../../specs/quickstart.yaml");
const LONG_FORM: &str = include_str!("../../specs/long-form.yaml");

/// Rounds of a plain `cargo test`.
const ROUNDS: usize = 24;
/// Far more than any command takes; one that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// Of so many rounds one may strike anywhere, also while nothing is written yet; the others strike after the first write.
const ANYWHERE: usize = 5;

/// Numbers that a seed decides (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `from` to before `to`.
    fn between(&mut self, from: usize, to: usize) -> usize {
        from + usize::try_from(self.next() % u64::try_from(to - from).unwrap()).unwrap()
    }
}

/// Something to be carried out, from a world that was brought about before.
struct Job {
    name: &'static str,
    /// What was applied before; nothing is there when it is empty.
    before: String,
    spec: String,
    mode: Mode,
    /// Options beside those of every command.
    more: &'static [&'static str],
    choices: Choices,
    quirks: Quirks,
}

impl Job {
    fn jobs() -> Vec<Self> {
        let create = || Self {
            name: "create",
            before: String::new(),
            spec: QUICKSTART.to_owned(),
            mode: Mode::Apply,
            more: &[],
            choices: Choices::default(),
            quirks: Quirks::default(),
        };
        let keep = || Choices { workloads: Some(Workloads::Keep), ..Choices::default() };
        // A configuration that nobody declares is on the cluster, where there may be one.
        let theirs = format!(
            "{}configurations:\n  theirs:\n    scope: cluster\n    namespace: theirs\n    gitRepository: {{url: \
             https://git.contoso.com/theirs, branch: main}}\n    kustomizations: {{all: {{path: ./all, prune: true}}}}\n",
            QUICKSTART
        );
        let long_form = LONG_FORM.replace("tenant: 7d0b1f5a-93c4-4a52-8f0e-61c2b7a4d9e3", "");
        vec![
            create(),
            Self { name: "create two in order", spec: long_form.clone(), ..create() },
            Self {
                name: "update",
                before: theirs.clone(),
                spec: QUICKSTART
                    .replace("retail/ApplicationRegistrations", "retail/Next")
                    .replace("multiTenancy: false", "multiTenancy: true"),
                ..create()
            },
            Self {
                name: "removal that keeps the workloads",
                before: theirs,
                spec: QUICKSTART[..QUICKSTART.find("  app:").unwrap()].to_owned(),
                more: &["--workloads", "keep"],
                choices: keep(),
                // The longest way: prune off, the whole configuration, and a removal by name of what is left.
                quirks: Quirks { omitted_kustomizations: OmittedKustomizations::Kept, ..Quirks::default() },
                ..create()
            },
            Self {
                name: "replacement",
                before: long_form.clone(),
                spec: long_form.replacen("scope: cluster", "scope: namespace", 1),
                more: &["--allow-replace"],
                choices: Choices { allow_replace: true, ..Choices::default() },
                ..create()
            },
            Self {
                name: "destruction",
                before: long_form.clone(),
                spec: long_form.clone(),
                mode: Mode::Destroy,
                ..create()
            },
            Self {
                name: "destruction that keeps the workloads",
                before: QUICKSTART.to_owned(),
                mode: Mode::Destroy,
                more: &["--workloads", "keep"],
                choices: keep(),
                ..create()
            },
        ]
    }

    /// The world before, with a cluster beside it that is none of the job's business.
    async fn world(&self) -> World {
        let elsewhere = QUICKSTART.replace("store-001", "somebody-elses");
        let (mine, theirs) = (seed(&desired(&self.spec)), seed(&desired(&elsewhere)));
        let seed = Seed { clusters: [mine.clusters, theirs.clusters].concat(), groups: theirs.groups, ..mine };
        let settings = sim::Settings {
            seeds: vec![seed],
            quirks: self.quirks,
            start: SystemClock.now(),
            ..sim::Settings::default()
        };
        let world = World::with(&self.spec, settings);
        world.converge(&elsewhere).await;
        if !self.before.is_empty() {
            world.converge(&self.before).await;
        }
        world
    }

    /// What the plan says that is written: method and path.
    async fn planned(&self, world: &World) -> BTreeSet<(String, String)> {
        let options = Options { choices: self.choices.clone(), ..options() };
        let plan = match self.mode {
            Mode::Apply => world.try_plan(&self.spec, &options).await.unwrap(),
            Mode::Destroy => world.destroy_plan(&self.spec, &options).await,
        };
        let steps = plan.resource_changes.iter().flat_map(|change| &change.steps);
        let sent = steps.filter_map(|step| {
            let (method, action) = match step {
                Step::Register { .. } => ("POST", "/register"),
                Step::Put { .. } => ("PUT", ""),
                Step::Patch { .. } => ("PATCH", ""),
                Step::Delete { .. } => ("DELETE", ""),
                Step::Connect { .. } => ("PUT", ""),
                _ => return None,
            };
            Some((method.to_owned(), format!("{}{action}", step.id()).to_lowercase()))
        });
        sent.collect()
    }

    fn carry_out(&self) -> Vec<&str> {
        let command = match self.mode {
            Mode::Apply => "apply",
            Mode::Destroy => "destroy",
        };
        [&[command, "--auto-approve", "--format", "json"], self.more].concat()
    }

    fn plan(&self) -> Vec<&str> {
        let command: &[&str] = match self.mode {
            Mode::Apply => &["plan", "--detailed-exitcode"],
            Mode::Destroy => &["plan", "--detailed-exitcode", "--destroy"],
        };
        [command, self.more].concat()
    }
}

/// How a run of the binary ended.
struct Ended {
    status: ExitStatus,
    out: String,
    err: String,
}

impl Ended {
    /// The report at the end of the stream of events, if there is one.
    fn report(&self) -> Option<Value> {
        let last: Value = serde_json::from_str(self.out.lines().last()?).ok()?;
        (last["type"] == "apply_report").then_some(last)
    }

    #[track_caller]
    fn with(self, code: i32, what: &str) -> Self {
        assert_eq!(self.status.code(), Some(code), "{what}\n{}\n{}", self.out, self.err);
        self
    }
}

/// The binary, running. It is killed when it is dropped.
struct Running {
    child: Child,
    out: tokio::task::JoinHandle<String>,
    err: watch::Receiver<String>,
}

impl Running {
    fn start(place: &Place, gateway: &Gateway, arguments: &[&str]) -> Self {
        let url = gateway.url();
        let arguments = [arguments, &["--arm-endpoint", &url, "--poll-scale", "0.00001"]].concat();
        let mut command = Command::from(place.command(&arguments));
        let mut child = command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let (mut out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let out = tokio::spawn(async move {
            let mut shown = String::new();
            out.read_to_string(&mut shown).await.unwrap();
            shown
        });
        let (said, heard) = watch::channel(String::new());
        tokio::spawn(async move {
            let mut lines = BufReader::new(err).lines();
            while let Some(line) = lines.next_line().await.unwrap() {
                said.send_modify(|said| *said = format!("{said}{line}\n"));
            }
        });
        Self { child, out, err: heard }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([format!("-{name}"), id]).status().unwrap().success());
    }

    /// Waits until the chosen request has come to its moment; `false` when the run was over before, because it asked less
    /// often than the one that nobody disturbed.
    async fn reaches(&mut self, gateway: &mut Gateway) -> bool {
        tokio::select! {
            () = gateway.reached() => true,
            _status = self.child.wait() => false,
            () = SystemClock.sleep(PATIENCE) => panic!("it hangs"),
        }
    }

    /// Waits until standard error holds `text`.
    async fn says(&mut self, text: &str) {
        let said = tokio::time::timeout(PATIENCE, self.err.wait_for(|said| said.contains(text))).await;
        said.expect("it hangs").expect("it was never said");
    }

    async fn end(mut self) -> Ended {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it hangs").unwrap();
        let out = self.out.await.unwrap();
        // Until its other end is gone, as the process is.
        while self.err.changed().await.is_ok() {}
        let err = self.err.borrow().clone();
        Ended { status, out, err }
    }
}

async fn run(place: &Place, gateway: &Gateway, arguments: &[&str]) -> Ended {
    Running::start(place, gateway, arguments).end().await
}

fn place(job: &Job) -> Place {
    let place = Place::empty();
    place.write("arcflux.yaml", &job.spec);
    place
}

/// What a run that nobody disturbs does: how many requests it makes, and which of them is the first write.
async fn undisturbed(job: &Job) -> (usize, usize) {
    let (world, place) = (job.world().await, place(job));
    let gateway = Gateway::open(&world.sim, None).await;
    run(&place, &gateway, &job.carry_out()).await.with(0, job.name);
    let first = gateway.writes().first().expect("a write").0;
    (first, gateway.requests())
}

/// The same command again, and then there is nothing left to do; nothing was written that was not planned.
async fn converges(
    job: &Job,
    world: &World,
    place: &Place,
    planned: &BTreeSet<(String, String)>,
    before: Vec<Write>,
    what: &str,
) {
    let gateway = Gateway::open(&world.sim, None).await;
    run(place, &gateway, &job.carry_out()).await.with(0, what);
    let written = before.into_iter().chain(gateway.writes().into_iter().map(|(_, write)| write));
    for write in written {
        let Write { method, path, .. } = write;
        assert!(planned.contains(&(method.clone(), path.to_lowercase())), "{what}: {method} {path} was not planned");
    }
    let writes = gateway.writes().len();
    let ended = run(place, &gateway, &job.plan()).await.with(0, what);
    assert!(ended.out.contains("No changes."), "{what}: {}", ended.out);
    assert_eq!(gateway.writes().len(), writes, "{what}: a plan has written");
}

/// What is none of the job's business, as the service shows it, without what changes by itself.
fn unmanaged(world: &World) -> Vec<Value> {
    let cluster = |name: &str| {
        format!(
            "/subscriptions/3f0c1c5e-8a53-4b0e-9d6f-2f9a4f1e7b20/resourceGroups/rg-edge/providers/Microsoft.Kubernetes/\
             connectedClusters/{name}/providers/Microsoft.KubernetesConfiguration"
        )
    };
    let paths = [
        format!("{}/fluxConfigurations/flux-system?api-version=2025-04-01", cluster("somebody-elses")),
        format!("{}/extensions/flux?api-version=2025-03-01", cluster("somebody-elses")),
        format!("{}/fluxConfigurations/theirs?api-version=2025-04-01", cluster("store-001")),
    ];
    let shown = |path: &String| {
        let (status, body) = world.curl("GET", path, &Value::Null);
        let properties =
            ["gitRepository", "kustomizations", "scope", "namespace", "extensionType", "configurationSettings"];
        let kept: Vec<&Value> = properties.iter().map(|name| &body["properties"][name]).collect();
        json!([status, body["systemData"], kept])
    };
    paths.iter().map(shown).collect()
}

/// What a round saw.
#[derive(Default)]
struct Tally {
    kills: AtomicUsize,
    in_the_middle: AtomicUsize,
    too_late: AtomicUsize,
}

async fn round(job: &Job, (first, requests): (usize, usize), dice: &mut Dice, tally: &Tally, what: &str) {
    let from = if dice.between(0, ANYWHERE) == 0 { 0 } else { first };
    let number = dice.between(from, requests);
    let moment = [Moment::Arrived, Moment::Acted, Moment::Answered][dice.between(0, 3)];
    let what = format!("{what}: {}, killed at request {number} of {requests}, {moment:?}", job.name);
    let (world, place) = (job.world().await, place(job));
    let planned = job.planned(&world).await;
    let theirs = unmanaged(&world);
    let mut gateway = Gateway::open(&world.sim, Some((number, moment))).await;
    let mut running = Running::start(&place, &gateway, &job.carry_out());
    if running.reaches(&mut gateway).await {
        running.child.start_kill().unwrap();
    }
    let ended = running.end().await;
    let writes: Vec<Write> = gateway.writes().into_iter().map(|(_, write)| write).collect();
    drop(gateway);
    if ended.status.signal() == Some(9) {
        tally.kills.fetch_add(1, Ordering::SeqCst);
        let accepted = writes.iter().any(|write| write.status < 300);
        if accepted && ended.report().is_none() {
            tally.in_the_middle.fetch_add(1, Ordering::SeqCst);
        }
    } else {
        ended.with(0, &what);
        tally.too_late.fetch_add(1, Ordering::SeqCst);
    }
    converges(job, &world, &place, &planned, writes, &what).await;
    assert_eq!(unmanaged(&world), theirs, "{what}");
}

#[expect(clippy::disallowed_methods, reason = "how much is done is said from outside of the test")]
fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_instants_it_converges_when_run_again() {
    let rounds = asked("ARCFLUX_KILLS").map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    let seed = asked("ARCFLUX_KILL_SEED").unwrap_or(5);
    let jobs = Job::jobs();
    let mut lengths = Vec::new();
    for job in &jobs {
        lengths.push(undisturbed(job).await);
    }
    let tally = Tally::default();
    let numbers: Vec<usize> = (0..rounds).collect();
    futures::StreamExt::for_each_concurrent(futures::stream::iter(numbers), 2, |number| {
        let (job, length) = (&jobs[number % jobs.len()], lengths[number % jobs.len()]);
        let tally = &tally;
        async move {
            let mut dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(u64::try_from(number).unwrap()));
            round(job, length, &mut dice, tally, &format!("seed {seed}, round {number}")).await;
        }
    })
    .await;
    let of = |count: &AtomicUsize| count.load(Ordering::SeqCst);
    let (kills, middle, late) = (of(&tally.kills), of(&tally.in_the_middle), of(&tally.too_late));
    let report = format!(
        "seed {seed}: {rounds} rounds, {kills} kills, {middle} of them in the middle of the apply, {late} over before; all \
         converged when run again"
    );
    #[expect(clippy::print_stdout, reason = "the numbers are what `just kill` is run for")]
    {
        println!("{report}");
    }
    assert!(middle * 2 >= rounds, "{report}");
}

/// Which of the resources that a plan writes to the service is still at work on.
fn unfinished(world: &World, planned: &BTreeSet<(String, String)>) -> Vec<String> {
    let at_work = |(_, path): &(String, String)| {
        let path = path.trim_end_matches("/register");
        let version = [
            ("fluxconfigurations", "2025-04-01"),
            ("extensions", "2025-03-01"),
            ("connectedclusters", "2026-05-01"),
            ("", "2024-03-01"),
        ];
        let (_, version) = version.into_iter().find(|(kind, _)| path.contains(kind))?;
        let (_, body) = world.curl("GET", &format!("{path}?api-version={version}"), &Value::Null);
        let state = body["properties"]["provisioningState"].as_str().or(body["registrationState"].as_str())?;
        let done = ["Succeeded", "Failed", "Canceled", "Registered", "NotRegistered"].contains(&state);
        (!done).then(|| format!("{path}: {state}"))
    };
    planned.iter().filter_map(at_work).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_to_stop_at_a_random_instant_it_finishes_what_was_accepted() {
    let mut dice = Dice(17);
    let mut interrupted = 0;
    let jobs = Job::jobs();
    for (job, signal) in jobs.iter().zip(["INT", "TERM"].into_iter().cycle()) {
        let (first, requests) = undisturbed(job).await;
        let (number, moment) = (dice.between(first, requests), [Moment::Arrived, Moment::Acted][dice.between(0, 2)]);
        let what = format!("{}, {signal} at request {number} of {requests}, {moment:?}", job.name);
        let (world, place) = (job.world().await, place(job));
        let planned = job.planned(&world).await;
        let mut gateway = Gateway::open(&world.sim, Some((number, moment))).await;
        let mut running = Running::start(&place, &gateway, &job.carry_out());
        if running.reaches(&mut gateway).await {
            running.signal(signal);
            gateway.release();
        }
        let ended = running.end().await;
        let report = ended.report().unwrap_or_else(|| panic!("{what}: no report\n{}\n{}", ended.out, ended.err));
        let is_interrupted = report["interrupted"] == true;
        interrupted += usize::from(is_interrupted);
        ended.with(if is_interrupted { 130 } else { 0 }, &what);
        assert_eq!(unfinished(&world, &planned), Vec::<String>::new(), "{what}: {report:#}");
        let writes = gateway.writes().into_iter().map(|(_, write)| write).collect();
        converges(job, &world, &place, &planned, writes, &what).await;
    }
    assert!(interrupted * 2 > jobs.len(), "{interrupted} of {} were interrupted", jobs.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asked_twice_it_exits_at_once_wherever_it_is() {
    let mut dice = Dice(23);
    let mut exited = 0;
    let jobs = Job::jobs();
    for job in &jobs {
        let (first, requests) = undisturbed(job).await;
        let (number, moment) = (dice.between(first, requests), [Moment::Arrived, Moment::Acted][dice.between(0, 2)]);
        let what = format!("{}, asked to stop at request {number} of {requests}, {moment:?}", job.name);
        let (world, place) = (job.world().await, place(job));
        let planned = job.planned(&world).await;
        // Nothing is answered any more: of a write it could only wait to know what became of it.
        let mut gateway = Gateway::open(&world.sim, Some((number, moment))).await;
        let mut running = Running::start(&place, &gateway, &job.carry_out());
        if running.reaches(&mut gateway).await {
            running.signal("INT");
            running.says("Interrupt received").await;
            running.signal("TERM");
            let ended = running.end().await.with(130, &what);
            // Where nothing was accepted whose end could be waited for, the first signal was enough.
            assert!(ended.err.contains("Exiting now.") || ended.report().is_some(), "{what}: {}", ended.err);
            exited += 1;
        } else {
            running.end().await.with(0, &what);
        }
        let writes = gateway.writes().into_iter().map(|(_, write)| write).collect();
        converges(job, &world, &place, &planned, writes, &what).await;
    }
    assert!(exited * 2 > jobs.len(), "{exited} of {} exited at once", jobs.len());
}
