//! One process: a plan, and what is applied of it, as the command line would do it.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arcflux::apply::{self, Interrupt, Secrets, Settings, Timeouts};
use arcflux::arm::{ArmClient, FixedToken};
use arcflux::fetch;
use arcflux::graph;
use arcflux::http::{Origin, Request, Response, Transport, TransportError};
use arcflux::model::Secret;
use arcflux::plan::{self, ApplyReport, Choices, Event, Options, Plan, SecretPolicy};
use arcflux::sim::{self, Simulator};
use arcflux::spec::Desired;
use arcflux::view::{self, Format, Style};
use async_trait::async_trait;
use jiff::Timestamp;

use crate::network::{Line, Network, Weather};
use crate::time::{Ended, Time};
use crate::world::SecretStore;

/// What the bearer token is: a secret like any other.
pub(crate) const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.c2ltdWxhdGlvbg.8dH2kQpV7xZ";

/// No run takes longer, whatever happens to it.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// What a process is to do.
pub(crate) struct Job<'a> {
    pub(crate) desired: &'a Desired,
    pub(crate) base: Option<&'a Desired>,
    pub(crate) destroys: bool,
    pub(crate) choices: Choices,
    pub(crate) weather: Weather,
    pub(crate) parallelism: Option<usize>,
    /// How often it is polled before it is killed.
    pub(crate) polls: Option<u64>,
    pub(crate) interrupt: Interrupt,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The live state could not be read.
    NotRead,
    /// The spec cannot become true.
    NoPlan(Vec<String>),
    /// A safety rule refused the plan, or a secret did not fit.
    Refused(Vec<String>),
    /// There was nothing to do.
    NothingToDo,
    /// It was carried out.
    Applied(ApplyReport),
    /// It was killed.
    Killed,
    /// It would never have ended.
    Endless(&'static str),
}

/// What is left of a process.
pub(crate) struct Process {
    pub(crate) number: usize,
    pub(crate) plan: Option<Plan>,
    pub(crate) end: End,
    pub(crate) events: Vec<(u64, Event)>,
    /// Everything that it showed to anybody.
    pub(crate) shown: String,
    pub(crate) began: Timestamp,
    pub(crate) ended: Timestamp,
    /// Whether it was asked to stop.
    pub(crate) was_interrupted: bool,
}

/// What a process leaves behind also when it is killed.
#[derive(Default)]
struct Left {
    plan: Option<Plan>,
    events: Vec<(u64, Event)>,
    shown: String,
}

impl Left {
    fn show(&mut self, text: &str) {
        self.shown.push_str(text);
        self.shown.push('\n');
    }

    fn show_error(&mut self, error: &(dyn Error + 'static)) -> String {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        self.show(&text);
        text
    }
}

impl Process {
    /// Runs one to its end, whichever that is.
    pub(crate) fn run(number: usize, job: &Job<'_>, secrets: &SecretStore, network: &Arc<Network>) -> Self {
        let began = network.time().now();
        let left = Arc::new(Mutex::new(Left::default()));
        network.begin(number, job.weather.clone());
        let arm = client(number, network, &left);
        let future = work(job, secrets, &arm, network, &left);
        let deadline = network.time().after(LONGEST);
        let end = match network.time().run(future, deadline, job.polls) {
            Ended::Done(end) => end,
            Ended::Killed => End::Killed,
            Ended::Hung => End::Endless("nothing would ever have woken it"),
            Ended::Busy => End::Endless("it polled without time passing"),
            Ended::Late => End::Endless("it was still at work after a week"),
        };
        drop(arm);
        let left = std::mem::take(&mut *left.lock().unwrap());
        let was_interrupted = job.interrupt.is_requested();
        let ended = network.time().now();
        Self { number, plan: left.plan, end, events: left.events, shown: left.shown, began, ended, was_interrupted }
    }
}

/// A client as the command line makes it, on the simulated network and clock.
fn client(number: usize, network: &Arc<Network>, left: &Arc<Mutex<Left>>) -> ArmClient {
    let transport: Arc<dyn Transport> = Arc::new(Line { network: Arc::clone(network), process: number });
    let (logs, dice) = (Arc::clone(left), Arc::clone(network));
    ArmClient::new(
        transport,
        Arc::new(network.time().clone()),
        Arc::new(FixedToken::new(Secret::new(TOKEN.to_owned()))),
        Origin::parse(sim::ORIGIN).unwrap(),
    )
    .jitter(Arc::new(move || dice.jitter()))
    .observer(Arc::new(move |line| logs.lock().unwrap().show(line)))
}

async fn work(
    job: &Job<'_>,
    secrets: &SecretStore,
    arm: &ArmClient,
    network: &Arc<Network>,
    left: &Arc<Mutex<Left>>,
) -> End {
    let graph = graph::build_since(job.desired, job.base).unwrap();
    let live = match fetch::live_state(&graph.reads(), arm).await {
        Ok(live) => live,
        Err(errors) => {
            let mut left = left.lock().unwrap();
            for error in &errors {
                left.show_error(error);
                left.show(&format!("{error:?}"));
            }
            return End::NotRead;
        }
    };
    let options = options(job);
    let planned = match job.destroys {
        true => plan::destroy(&graph, &live, &job.desired.expanded, &options),
        false => plan::make(&graph, &live, &job.desired.expanded, &options),
    };
    let plan = match planned {
        Ok(plan) => plan,
        Err(errors) => {
            let mut left = left.lock().unwrap();
            return End::NoPlan(errors.iter().map(|error| left.show_error(error)).collect());
        }
    };
    {
        let mut left = left.lock().unwrap();
        for format in Format::ALL {
            left.show(&view::plan::render(&plan, format, &Style::PLAIN));
        }
        left.plan = Some(plan.clone());
    }
    let rows: Vec<String> = plan
        .resource_changes
        .iter()
        .filter(|change| !change.steps.is_empty())
        .map(|change| format!("{:?} {} ({:?})", change.change.actions, change.address, change.action_reason))
        .collect();
    network.note(&format!("plan: {}", if rows.is_empty() { "nothing".to_owned() } else { rows.join(", ") }));
    if !plan.refusals.is_empty() {
        return End::Refused(plan.refusals.iter().map(|refusal| refusal.message.clone()).collect());
    }
    if !plan.waits() {
        return End::NothingToDo;
    }
    let secrets = match Secrets::read(&plan, secrets, arm.now()) {
        Ok(secrets) => secrets,
        Err(errors) => {
            let mut left = left.lock().unwrap();
            return End::Refused(errors.iter().map(|error| left.show_error(error)).collect());
        }
    };
    let settings = Settings {
        parallelism: job.parallelism,
        timeouts: Timeouts { all: None },
        secrets: &secrets,
        events: &|event| {
            let order = network.tick();
            network.note(&format!("event {}", view::apply::event_json(&event)));
            let mut left = left.lock().unwrap();
            left.show(&view::apply::event_json(&event));
            if let Some(line) = view::apply::event_line(&event, &Style::PLAIN) {
                left.show(&line);
            }
            left.events.push((order, event));
        },
        interrupt: &job.interrupt,
        clusters: None,
    };
    let report = apply::run(&plan, arm, &settings).await;
    let mut left = left.lock().unwrap();
    let json = serde_json::to_string(&report).unwrap();
    network.note(&format!("report {json}"));
    left.show(&json);
    left.show(&view::apply::render_report(&report, plan.mode, &Style::PLAIN));
    left.show(&format!("{report:?}\n{settings:?}", settings = secrets));
    End::Applied(report)
}

fn options(job: &Job<'_>) -> Options {
    Options {
        origin: sim::ORIGIN.to_owned(),
        tenant: None,
        base: job.base.map(|base| base.expanded.clone()),
        choices: job.choices.clone(),
        allow_auth_hosts: Vec::new(),
        secrets: SecretPolicy::Placeholders,
        chart: arcflux::plan::ChartFrom::Service,
    }
}

/// The plan that a process would make now. It sees everything at once, and leaves no trace.
pub(crate) fn plan_only(job: &Job<'_>, sim: &Simulator, time: &Time) -> Option<Plan> {
    let arm = ArmClient::new(
        Arc::new(Glance(sim.clone())),
        Arc::new(time.clone()),
        Arc::new(FixedToken::new(Secret::new(TOKEN.to_owned()))),
        Origin::parse(sim::ORIGIN).unwrap(),
    );
    let planning = async {
        let graph = graph::build_since(job.desired, job.base).unwrap();
        let live = fetch::live_state(&graph.reads(), &arm).await.ok()?;
        let options = options(job);
        match job.destroys {
            true => plan::destroy(&graph, &live, &job.desired.expanded, &options).ok(),
            false => plan::make(&graph, &live, &job.desired.expanded, &options).ok(),
        }
    };
    match Time::starting_at(time.now()).run(planning, Timestamp::MAX, None) {
        Ended::Done(plan) => plan,
        Ended::Killed | Ended::Hung | Ended::Busy | Ended::Late => None,
    }
}

/// The way to the simulator that takes no time and leaves no trace.
struct Glance(Simulator);

#[async_trait]
impl Transport for Glance {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        Ok(self.0.peek(request))
    }
}
