//! What must be true of every run, whatever happened to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use arcflux::apply::Timeouts;
use arcflux::kinds::Encoding;
use arcflux::model::Address;
use arcflux::plan::{ApplyReport, Change, Ending, EventKind, Outcome, Plan, Step, Written};
use arcflux::sim::{Limits, Operated};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::Method;
use jiff::Timestamp;
use serde_json::Value;

use crate::network::{Exchange, Network};
use crate::process::{End, Process, TOKEN};
use crate::world::SecretStore;

/// How much of a secret gives it away, in characters.
const TELLING: usize = 16;

/// A write as the plan has it.
struct Sendable<'p> {
    change: &'p Change,
    method: Method,
    query: String,
    body: Option<Value>,
}

/// Everything that is wrong with what a process did.
pub(crate) fn violations(process: &Process, network: &Network, secrets: &SecretStore) -> Vec<String> {
    let sent = network.sent_by(process.number);
    let mut found = Vec::new();
    if let End::Endless(why) = process.end {
        found.push(format!("(e) the run does not end: {why}"));
    }
    secret_shown(process, secrets, &mut found);
    overdrawn(&sent, &mut found);
    let writes: Vec<&Exchange> = sent.iter().filter(|exchange| exchange.writes()).collect();
    let Some(plan) = &process.plan else {
        if !writes.is_empty() {
            found.push("(b) something was written without a plan".to_owned());
        }
        return found;
    };
    let sendable = sendable(plan, secrets);
    let mut of_change: BTreeMap<&Address, Vec<&Exchange>> = BTreeMap::new();
    for write in &writes {
        let same_path = sendable.get(&write.path.to_lowercase());
        match same_path.into_iter().flatten().find(|one| one.is(write)) {
            Some(one) => of_change.entry(&one.change.address).or_default().push(write),
            None => found.push(format!("(b) not in the plan: {} {}?{}", write.method, write.path, write.query)),
        }
    }
    order(plan, process, &of_change, &mut found);
    one_at_a_time(plan, process, &of_change, &network.sim().operations(), &mut found);
    deadline(plan, process, &mut found);
    if let End::Applied(report) = &process.end {
        reported(plan, report, process, &of_change, &mut found);
    }
    found
}

impl Sendable<'_> {
    fn is(&self, write: &Exchange) -> bool {
        let body: Option<Value> = serde_json::from_slice(&write.body).ok();
        self.method == write.method && write.query == self.query && self.body == body
    }
}

/// The writes of a plan, by path in lower case.
fn sendable<'p>(plan: &'p Plan, secrets: &SecretStore) -> BTreeMap<String, Vec<Sendable<'p>>> {
    let filled = |step: &Step, body: &Value| {
        let mut body = body.clone();
        for hole in step.holes() {
            let value = secrets.value(&hole.secret).unwrap_or_default();
            let value = match hole.encoding {
                Encoding::Base64 => STANDARD.encode(value),
                Encoding::Raw => value,
            };
            hole.path.set(&mut body, Value::from(value));
        }
        Some(body)
    };
    let mut by_path: BTreeMap<String, Vec<Sendable<'_>>> = BTreeMap::new();
    let steps = plan.resource_changes.iter().flat_map(|change| change.steps.iter().map(move |step| (change, step)));
    for (change, step) in steps {
        let mut path = step.id().as_str().to_lowercase();
        let version = |api_version: &str| format!("api-version={api_version}");
        let (method, query, body) = match step {
            Step::Register { api_version, .. } => {
                path.push_str("/register");
                (Method::POST, version(api_version), None)
            }
            Step::Put { api_version, body, .. } => (Method::PUT, version(api_version), filled(step, body)),
            Step::Patch { api_version, body, .. } => (Method::PATCH, version(api_version), filled(step, body)),
            Step::Delete { api_version, force, .. } => {
                let forced = if *force { "&forceDelete=true" } else { "" };
                (Method::DELETE, format!("{}{forced}", version(api_version)), None)
            }
            // No story connects a cluster.
            _ => continue,
        };
        by_path.entry(path).or_default().push(Sendable { change, method, query, body });
    }
    by_path
}

/// A dependant's write comes only after what it needs is done.
fn order(plan: &Plan, process: &Process, of_change: &BTreeMap<&Address, Vec<&Exchange>>, found: &mut Vec<String>) {
    let complete: BTreeMap<&Address, u64> = process
        .events
        .iter()
        .filter(|(_, event)| matches!(event.kind, EventKind::ApplyComplete { .. }))
        .map(|(order, event)| (&event.address, *order))
        .collect();
    let planned: BTreeMap<&Address, &Change> =
        plan.resource_changes.iter().map(|change| (&change.address, change)).collect();
    for (address, writes) in of_change {
        let Some(first) = writes.iter().map(|write| write.order).min() else { continue };
        let mut needs: Vec<&Address> = planned[address].needs.iter().collect();
        let mut looked_at = BTreeSet::new();
        while let Some(need) = needs.pop() {
            let Some(change) = planned.get(need).filter(|_| looked_at.insert(need)) else { continue };
            needs.extend(&change.needs);
            if !change.steps.is_empty() && complete.get(need).is_none_or(|done| *done > first) {
                found.push(format!("(c) {address} was written before {need}, which it needs, was done"));
            }
        }
    }
}

/// At most one write is under way on a cluster, from the request being sent until it is provisioned. One whose change
/// has failed in the meantime is given up.
fn one_at_a_time(
    plan: &Plan,
    process: &Process,
    of_change: &BTreeMap<&Address, Vec<&Exchange>>,
    operations: &[Operated],
    found: &mut Vec<String>,
) {
    let failed: BTreeMap<&Address, u64> = process
        .events
        .iter()
        .filter(|(_, event)| matches!(event.kind, EventKind::ApplyErrored { .. }))
        .map(|(order, event)| (&event.address, *order))
        .collect();
    let operations: BTreeMap<(Timestamp, String), &Operated> =
        operations.iter().map(|one| ((one.started, one.resource.to_lowercase()), one)).collect();
    let mut of_cluster: BTreeMap<&str, Vec<(&Address, &Exchange)>> = BTreeMap::new();
    for change in &plan.resource_changes {
        let Some(cluster) = &change.cluster else { continue };
        for write in of_change.get(&change.address).into_iter().flatten() {
            of_cluster.entry(cluster.as_str()).or_default().push((&change.address, write));
        }
    }
    for writes in of_cluster.values_mut() {
        writes.sort_by_key(|(_, write)| write.order);
        for pair in writes.windows(2) {
            let ((before, write), (after, next)) = (pair[0], pair[1]);
            let given_up = failed.get(before).is_some_and(|order| *order < next.order);
            if write.seen.as_ref().is_none_or(|seen| seen.order > next.order) {
                found.push(format!("(c) {after} was written before the write to {before} was answered"));
            }
            let operation = write.acted.and_then(|(at, _)| operations.get(&(at, write.path.to_lowercase())));
            if let Some(operation) = operation
                && operation.ended.is_none_or(|ended| ended > next.sent)
                && !given_up
            {
                found.push(format!("(c) {after} was written while the operation on {before} was going on"));
            }
        }
    }
}

/// What was sent, against what ARM documents: never more than the bucket holds, but for what was under way.
fn overdrawn(sent: &[Exchange], found: &mut Vec<String>) {
    let limits = Limits::default();
    for (name, bucket, is_of) in [
        ("reads", limits.reads, (|method| *method == Method::GET) as fn(&Method) -> bool),
        ("writes", limits.writes, |method| *method != Method::GET && *method != Method::DELETE),
        ("deletes", limits.deletes, |method| *method == Method::DELETE),
    ] {
        let mut level = f64::from(bucket.capacity);
        let mut last: Option<Timestamp> = None;
        let mut under_way: Vec<Timestamp> = Vec::new();
        for exchange in sent.iter().filter(|exchange| is_of(&exchange.method)) {
            let elapsed = last.map_or(0.0, |last| exchange.sent.duration_since(last).as_secs_f64());
            level = (level + elapsed * f64::from(bucket.refill_per_second)).min(f64::from(bucket.capacity)) - 1.0;
            last = Some(exchange.sent);
            under_way.retain(|until| *until > exchange.sent);
            under_way.push(exchange.seen.as_ref().map_or(Timestamp::MAX, |seen| seen.at));
            #[expect(clippy::cast_precision_loss, reason = "counts of requests are small")]
            let window = under_way.len() as f64;
            if level < -window - 0.001 {
                found.push(format!("(c) the bucket of {name} was overdrawn by {:.0} at {}", -level, exchange.sent));
                break;
            }
        }
    }
}

/// No secret is shown, in any of its spellings.
fn secret_shown(process: &Process, secrets: &SecretStore, found: &mut Vec<String>) {
    let mut all = secrets.all();
    all.push(TOKEN.to_owned());
    let mut spelt: BTreeMap<[u8; 3], Vec<(String, &str)>> = BTreeMap::new();
    let mut begins = vec![false; 1 << 16];
    for secret in &all {
        for spelling in spellings(secret) {
            let &[first, second, third, ..] = spelling.as_bytes() else { continue };
            begins[usize::from(first) << 8 | usize::from(second)] = true;
            spelt.entry([first, second, third]).or_default().push((spelling, secret));
        }
    }
    // One pass over what is a lot of text.
    let shown = process.shown.as_bytes();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for (at, window) in shown.windows(3).enumerate() {
        if !begins[usize::from(window[0]) << 8 | usize::from(window[1])] {
            continue;
        }
        for (spelling, secret) in spelt.get(window).into_iter().flatten() {
            if shown[at..].starts_with(spelling.as_bytes()) && told.insert(secret) {
                let start = shown[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |line| line + 1);
                let line = String::from_utf8_lossy(&shown[start..shown.len().min(at + 100)]).into_owned();
                let beginning: String = secret.chars().take(6).collect();
                found.push(format!("(d) a secret ({beginning}…) is shown: {line}"));
            }
        }
    }
}

/// The beginnings of a secret as it may be written.
fn spellings(secret: &str) -> BTreeSet<String> {
    let in_url = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let in_json = |text: &str| Value::from(text).to_string().trim_matches('"').to_owned();
    let encoded = STANDARD.encode(secret);
    [
        secret.to_owned(),
        in_json(secret),
        in_url(secret),
        in_url(&encoded),
        encoded,
        URL_SAFE_NO_PAD.encode(secret),
        format!("{:?}", secret).trim_matches('"').to_owned(),
    ]
    .into_iter()
    // What every private key begins with tells nothing of it.
    .map(|text| text.replace("-----BEGIN OPENSSH PRIVATE KEY-----\\n", ""))
    .map(|text| text.replace("-----BEGIN OPENSSH PRIVATE KEY-----\n", ""))
    .filter(|text| !text.starts_with("LS0tLS1CRUdJTi") && !text.starts_with("-----BEGIN"))
    .map(|text| text.trim_start_matches("sv=2024-11-04&se=2031-01-01&sp=rl&sig=").to_owned())
    .filter(|text| !text.starts_with("sv") && !text.starts_with("c3Y9"))
    .map(|text| text.chars().take(TELLING).collect())
    .collect()
}

/// A run is not longer than its waits may be, one after the other, and its requests with their repetitions.
fn deadline(plan: &Plan, process: &Process, found: &mut Vec<String>) {
    let mut longest = Duration::from_secs(3600);
    for change in &plan.resource_changes {
        for step in &change.steps {
            longest += match step {
                Step::Wait { until, .. } => Timeouts { all: None }.of(until, change.kind) + Duration::from_secs(900),
                _ => Duration::from_secs(3600),
            };
        }
    }
    let took = Duration::try_from(process.ended.duration_since(process.began)).unwrap_or_default();
    if took > longest {
        found.push(format!("(e) the run took {took:?}, and {longest:?} is what its waits allow"));
    }
}

/// The report says what the network saw.
fn reported(
    plan: &Plan,
    report: &ApplyReport,
    process: &Process,
    of_change: &BTreeMap<&Address, Vec<&Exchange>>,
    found: &mut Vec<String>,
) {
    if report.interrupted != process.was_interrupted {
        found.push("(e) the report is wrong about the interruption".to_owned());
    }
    let acted = of_change.values().flatten().any(|write| write.acted.is_some_and(|(_, status)| status < 300));
    if report.ending() == Ending::Refused && acted {
        found.push("(e) refused with nothing written, the report says, and something was accepted".to_owned());
    }
    let addresses: Vec<&Address> = plan.resource_changes.iter().map(|change| &change.address).collect();
    let reported: Vec<&Address> = report.resources.iter().map(|resource| &resource.address).collect();
    if addresses != reported {
        found.push("(e) the report is not of the resources of the plan".to_owned());
    }
    for (resource, change) in report.resources.iter().zip(&plan.resource_changes) {
        let address = &resource.address;
        let sent = of_change.get(address).map_or(&[][..], Vec::as_slice);
        if let Some(why) = unmatched(&resource.writes, sent) {
            found.push(format!("(e) {address}: {why}"));
        }
        let accepted = sent.iter().any(|write| write.status().is_some_and(|status| status < 300));
        let acted = sent.iter().any(|write| write.acted.is_some_and(|(_, status)| status < 300));
        let is_unanswered = sent.iter().any(|write| write.may_have_acted());
        match &resource.outcome {
            Outcome::Failed { failure, wrote } => {
                if *wrote && !acted && !is_unanswered {
                    found.push(format!(
                        "(e) {address}: nothing was accepted, and the report says so ({})",
                        failure.code
                    ));
                }
                if !*wrote && accepted && !sent.iter().all(|write| write.fault.is_some()) {
                    found.push(format!("(e) {address}: something was accepted, and the report does not say so"));
                }
            }
            // What somebody else made so at the same moment cannot be told from a write of ours whose refusal was lost.
            Outcome::Applied if !acted && !is_unanswered => {
                found.push(format!("(e) {address}: applied, the report says, and nothing was accepted"));
            }
            Outcome::Applied => {}
            Outcome::Reached if accepted => found.push(format!("(e) {address}: reached, and it was written")),
            Outcome::Reached => {}
            Outcome::Unchanged if !change.steps.is_empty() => {
                found.push(format!("(e) {address}: unchanged, the report says, and the plan has steps"));
            }
            Outcome::Unchanged | Outcome::Skipped { .. } | Outcome::Deferred { .. } => {
                if !sent.is_empty() {
                    found.push(format!("(e) {address}: not touched, the report says, and it was written"));
                }
            }
        }
    }
}

/// Why the writes of a report are not those that were sent.
fn unmatched(written: &[Written], sent: &[&Exchange]) -> Option<String> {
    if matches(written, sent) {
        return None;
    }
    let sent: Vec<String> = sent.iter().map(|one| format!("{} {:?}", one.method, one.status())).collect();
    let written: Vec<String> = written.iter().map(|one| format!("{} {:?}", one.method, one.status)).collect();
    Some(format!("the report's writes are not those that were sent: {} and {}", written.join(", "), sent.join(", ")))
}

/// Whether these are the writes that were sent, in order. What was only turned away may be left out.
fn matches(written: &[Written], sent: &[&Exchange]) -> bool {
    let Some((exchange, later)) = sent.split_first() else { return written.is_empty() };
    let is_first = written.first().is_some_and(|one| {
        one.method == exchange.method.as_str()
            && one.status == exchange.status()
            && exchange.status().and(exchange.seen.as_ref()).is_none_or(|seen| {
                one.correlation_id == seen.correlation
                    && (one.operation_id.is_none() || one.operation_id == seen.operation)
            })
    });
    (is_first && matches(&written[1..], later)) || (exchange.is_turned_away() && matches(written, later))
}
