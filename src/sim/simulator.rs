//! The simulator itself: one state behind a lock, a clock, and the one function that both doors call.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use jiff::Timestamp;

use super::agent_settings;
use super::answer::{self, Answer};
use super::call::Call;
use super::durations;
use super::route::{self, Route};
use super::settings::Settings;
use super::sign_in;
use super::state::State;
use super::state_file::{StateError, StateFile};
use super::tenant;
use super::throttle::{self, Taken};
use super::world::{Handled, World};
use crate::http::{Request, Response};

/// How many requests the log keeps.
const LOG_LENGTH: usize = 10_000;

/// ARM in memory. A copy is the same simulator.
#[derive(Debug, Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    settings: Settings,
    memory: Mutex<Memory>,
    log: Mutex<VecDeque<Logged>>,
}

#[derive(Debug)]
struct Memory {
    state: State,
    file: Option<StateFile>,
}

/// One answered request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Method.
    pub method: Method,
    /// Path and query as the caller wrote them.
    pub target: String,
    /// Status of the answer.
    pub status: StatusCode,
    /// When it was answered, on the simulator's clock.
    pub at: Timestamp,
}

impl Simulator {
    /// A simulator whose state lives as long as it does.
    #[must_use]
    pub fn in_memory(settings: Settings) -> Self {
        let state = State::new(&settings);
        Self::new(settings, Memory { state, file: None })
    }

    /// A simulator whose state lives in a file, which is created, with its directory, when it is not there. Several
    /// processes may have the same file open.
    ///
    /// # Errors
    ///
    /// [`StateError`] when the file cannot be read or written, or is not a state that this version understands. Such a
    /// file is left as it is.
    pub fn open(path: &Path, settings: Settings) -> Result<Self, StateError> {
        let mut file = StateFile::new(path)?;
        let state = file.locked(|file| match file.load()? {
            Some(state) => Ok(state),
            None => {
                let state = State::new(&settings);
                file.save(&state)?;
                Ok(state)
            }
        })?;
        Ok(Self::new(settings, Memory { state, file: Some(file) }))
    }

    fn new(settings: Settings, memory: Memory) -> Self {
        let inner = Inner { settings, memory: Mutex::new(memory), log: Mutex::new(VecDeque::new()) };
        Self { inner: Arc::new(inner) }
    }

    /// The simulator's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.memory().state.now
    }

    /// Moves the clock on by `length`, and lets everything happen that happens until then.
    pub fn advance(&self, length: Duration) {
        self.advance_with(|now| durations::after(now, length));
    }

    /// Moves the clock on to `to`. It never goes back.
    pub fn advance_to(&self, to: Timestamp) {
        self.advance_with(|_| to);
    }

    /// A state file that cannot be written leaves the clock where it is. The next request says why.
    fn advance_with(&self, target: impl FnOnce(Timestamp) -> Timestamp) {
        let _unwritten = self.change(|state, settings| {
            let to = target(state.now);
            World { state, settings }.settle(to);
        });
    }

    /// Answers one request of a caller who has no other clock than the simulator's.
    #[must_use]
    pub fn handle(&self, request: Request) -> Response {
        self.answer(request, None, None)
    }

    /// Answers one request at the instant `at` of a caller who keeps the time for both: the clock is moved there, and
    /// the request itself takes no time. The clock never goes back.
    #[must_use]
    pub fn handle_as_of(&self, request: Request, at: Timestamp) -> Response {
        self.answer(request, Some(at), None)
    }

    /// Answers one request as [`handle`](Self::handle) would if no bucket were ever empty, and leaves no trace of
    /// it: no time passes, nothing is drawn, nothing is logged.
    #[must_use]
    pub fn peek(&self, request: Request) -> Response {
        let (mut state, settings) = (self.memory().state.clone(), &self.inner.settings);
        let now = state.now;
        state.subscriptions.values_mut().for_each(|subscription| subscription.buckets.clear());
        into_response(answer_one(&mut state, settings, request, Some(now), None).0)
    }

    /// Answers one request of a caller on whose clock it is `callers_now`: tokens are issued by that one, because
    /// callers compare their expiry with it.
    pub(crate) fn handle_at(&self, request: Request, callers_now: Timestamp) -> Response {
        self.answer(request, None, Some(callers_now))
    }

    fn answer(&self, request: Request, at: Option<Timestamp>, callers_now: Option<Timestamp>) -> Response {
        let method = request.method().clone();
        let target = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        let (answer, at) = match self.change(|state, settings| answer_one(state, settings, request, at, callers_now)) {
            Ok(answered) => answered,
            Err(error) => {
                let message = format!("The simulator's state is out of reach: {}", chain(&error));
                let code = "SimulatorStateUnavailable";
                let answer = answer::service_error(StatusCode::INTERNAL_SERVER_ERROR, code, &message);
                (answer, self.now())
            }
        };
        self.log(Logged { method, target, status: answer.status, at });
        into_response(answer)
    }

    /// The requests answered so far through this simulator and its copies, oldest first; the last ten thousand.
    #[must_use]
    pub fn requests(&self) -> Vec<Logged> {
        self.inner.log.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Changes what is to come, as a person who holds the strings would.
    pub(super) fn disturb_world(&self, change: impl FnOnce(&mut World<'_>)) {
        let _unwritten = self.change(|state, settings| change(&mut World { state, settings }));
    }

    pub(super) fn disturb(&self, change: impl FnOnce(&mut State)) {
        self.disturb_world(|world| change(world.state));
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.memory().state)
    }

    fn log(&self, logged: Logged) {
        let mut log = self.inner.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == LOG_LENGTH {
            log.pop_front();
        }
        log.push_back(logged);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.inner.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, as one step: with the file locked and freshly read, and written before anybody hears of it.
    fn change<T>(&self, change: impl FnOnce(&mut State, &Settings) -> T) -> Result<T, StateError> {
        let mut memory = self.memory();
        let Memory { state, file } = &mut *memory;
        match file {
            None => Ok(change(state, &self.inner.settings)),
            Some(file) => file.locked(|file| {
                let mut changed = match file.load()? {
                    Some(fresh) => fresh,
                    None => State::new(&self.inner.settings),
                };
                let result = change(&mut changed, &self.inner.settings);
                file.save(&changed)?;
                *state = changed;
                Ok(result)
            }),
        }
    }
}

/// Answers one request, at the instant at which the clock then stands: at `at`, or a moment after the last one.
fn answer_one(
    state: &mut State,
    settings: &Settings,
    request: Request,
    at: Option<Timestamp>,
    callers_now: Option<Timestamp>,
) -> (Answer, Timestamp) {
    let now = at.map_or_else(|| durations::after(state.now, durations::REQUEST), |at| at.max(state.now));
    let mut world = World { state, settings };
    world.settle(now);
    let call = Call::new(request, now, callers_now.unwrap_or(now));
    let answer = match world.dispatch(&call) {
        Ok(answer) | Err(answer) => answer,
    };
    let answer = world.with_common_headers(&call, answer);
    let answer = if call.method == Method::HEAD { tenant::without_body(answer) } else { answer };
    (answer, now)
}

impl World<'_> {
    fn dispatch(&mut self, call: &Call) -> Handled {
        let route = route::read(&call.segments());
        let mut remaining = None;
        if let Some(subscription) = subscription_of(&route) {
            let limits = self.settings.limits;
            match throttle::take(self.state.subscription_mut(subscription), &limits, &call.method, call.now) {
                Taken::Token { header, remaining: left } => remaining = Some((header, left)),
                Taken::Empty { seconds } => return Err(answer::throttled(subscription, seconds)),
            }
        }
        let handled = self.route(call, &route);
        match (handled, remaining) {
            (Ok(answer), Some((header, left))) => Ok(answer.header(header, left.to_string())),
            (Err(answer), Some((header, left))) => Err(answer.header(header, left.to_string())),
            (handled, None) => handled,
        }
    }

    fn route(&mut self, call: &Call, route: &Route) -> Handled {
        match route {
            Route::Subscriptions => self.subscriptions(call),
            Route::Subscription { subscription } => self.subscription(call, subscription),
            Route::Tenants => self.tenants(call),
            Route::Endpoints => tenant::endpoints(call),
            Route::OpenIdConfiguration { tenant } => self.openid_configuration(call, tenant),
            Route::InstanceDiscovery => sign_in::instance_discovery(call),
            Route::EntraToken { tenant } => self.entra_token(call, tenant),
            Route::ManagedIdentity(endpoint) => self.managed_identity(call, *endpoint),
            Route::Providers { subscription } => self.providers(call, subscription),
            Route::Provider { subscription, namespace } => self.provider(call, subscription, namespace),
            Route::Register { subscription, namespace } => self.register(call, subscription, namespace),
            Route::Unregister { subscription, namespace } => self.unregister(call, subscription, namespace),
            Route::Groups { subscription } => self.groups(call, subscription),
            Route::Group { subscription, group } => self.resource_group(call, subscription, group),
            Route::GroupOperation { operation, .. } => self.group_operation(call, operation),
            Route::Clusters { subscription, group, kind } => self.clusters(call, subscription, group.as_deref(), *kind),
            Route::Cluster(path) => self.one_cluster(call, path),
            Route::ClusterOperation { operation } => self.cluster_operation(call, operation),
            Route::AgentsHealth => agent_settings::health(call),
            Route::AgentsSettings => self.helm_settings(call),
            Route::Children { cluster, kind } => self.children(call, cluster, *kind),
            Route::Child { cluster, kind, name } => self.child(call, cluster, *kind, name),
            Route::ChildOperation { operation, .. } => self.child_operation(call, operation),
            Route::NotSimulated(what) => Err(answer::not_simulated(what)),
        }
    }

    /// The ids that every answer of ARM carries.
    fn with_common_headers(&mut self, call: &Call, answer: Answer) -> Answer {
        let sent = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let correlation = sent("x-ms-correlation-request-id").unwrap_or_else(|| self.state.new_id());
        let routed = call.now.strftime("%Y%m%dT%H%M%SZ");
        let mut answer = answer
            .header("x-ms-request-id", correlation.clone())
            .header("x-ms-routing-request-id", format!("SIMULATOR:{routed}:{correlation}"))
            .header("x-ms-correlation-request-id", correlation)
            .header("date", call.now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
        let wants_own = sent("x-ms-return-client-request-id").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if let Some(id) = sent("x-ms-client-request-id").filter(|_| wants_own) {
            answer = answer.header("x-ms-client-request-id", id);
        }
        answer
    }
}

/// The subscription whose bucket a request draws from. The status of operations on a connected cluster lies outside of
/// any.
fn subscription_of(route: &Route) -> Option<&str> {
    match route {
        Route::Subscription { subscription }
        | Route::Providers { subscription }
        | Route::Provider { subscription, .. }
        | Route::Register { subscription, .. }
        | Route::Unregister { subscription, .. }
        | Route::Groups { subscription }
        | Route::Group { subscription, .. }
        | Route::Clusters { subscription, .. }
        | Route::GroupOperation { subscription, .. }
        | Route::ChildOperation { subscription, .. } => Some(subscription),
        Route::Cluster(cluster) | Route::Children { cluster, .. } | Route::Child { cluster, .. } => {
            Some(&cluster.subscription)
        }
        Route::Subscriptions
        | Route::Tenants
        | Route::Endpoints
        | Route::OpenIdConfiguration { .. }
        | Route::InstanceDiscovery
        | Route::EntraToken { .. }
        | Route::ManagedIdentity(_)
        | Route::AgentsHealth
        | Route::AgentsSettings
        | Route::ClusterOperation { .. }
        | Route::NotSimulated(_) => None,
    }
}

/// An error with its causes.
fn chain(error: &StateError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn into_response(answer: Answer) -> Response {
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
