//! Whether the endpoints of the cloud answer, and whether this machine's clock is right. Nobody signs in for that.

use std::collections::BTreeSet;
use std::time::Duration;

use ::http::Method;
use ::http::header::USER_AGENT as USER_AGENT_HEADER;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::{Doctor, Place};
use crate::arm::{Cloud, PlaneError};
use crate::http::message::header;
use crate::http::{Patience, Response, TransportError, USER_AGENT};
use crate::kinds::onboarding::Via;
use crate::model::with_causes;
use crate::plan::{Check, Checked};

/// How long an endpoint may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where ARM tells of itself to anybody (`../shared/facts/arm-contracts.md` §7.9).
const METADATA: &str = "/metadata/endpoints?api-version=2022-09-01";

/// Where helm takes the Arc agents from (`../shared/facts/domain.md` §5).
const REGISTRY: &str = "https://mcr.microsoft.com/v2/";

/// By how much clocks may differ without a word.
const NOTED: SignedDuration = SignedDuration::from_secs(60);

/// By how much they may differ: beyond that, tokens are not valid yet, or no longer.
const TOLERATED: SignedDuration = SignedDuration::from_secs(300);

/// What was found of the cloud's endpoints.
pub(super) struct Reached {
    pub(super) checks: Vec<Check>,
    pub(super) reaches_arm: bool,
}

/// Who needs an endpoint.
#[derive(Clone, Copy)]
enum Who {
    /// This machine.
    Here,
    /// The cluster: what is not reached from here may be from there.
    Cluster,
}

impl Doctor<'_> {
    /// Asks ARM and the authority.
    pub(super) async fn reach_cloud(&self) -> Reached {
        let (arm, authority) = match &self.place {
            Err(trouble) => {
                let clock = Check::not_tried(Checked::Clock, "Azure Resource Manager to answer");
                return Reached { checks: vec![trouble.check(Checked::Egress), clock], reaches_arm: false };
            }
            Ok(Place::Embedded) => {
                let check = Check::ok(Checked::Egress, "everything is simulated in this process");
                return Reached { checks: vec![check], reaches_arm: true };
            }
            Ok(Place::Simulated(origin)) => (origin.to_string(), None),
            Ok(Place::Cloud(endpoints)) => (endpoints.arm.to_string(), Some(endpoints.authority.to_string())),
        };
        let (before, answer) = (self.clock.now(), self.ask(&format!("{arm}{METADATA}")).await);
        let now = midway(before, self.clock.now());
        let mut checks = vec![judge("Azure Resource Manager", &arm, &answer, Who::Here)];
        checks.push(match &answer {
            Ok(_) if self.is_simulated() => Check::ok(Checked::Clock, "not compared: a simulator keeps its own time"),
            Ok(response) => judge_clock(header(response.headers(), "date"), now),
            Err(_) => Check::not_tried(Checked::Clock, "Azure Resource Manager to answer"),
        });
        if let Some(authority) = authority {
            let answer = self.ask(&authority).await;
            checks.push(judge("the sign-in", &authority, &answer, Who::Here));
        }
        if let Ok(Place::Cloud(endpoints)) = &self.place
            && matches!(Cloud::at(&endpoints.arm), Some(Cloud::Public | Cloud::UsGov))
            && self.onboards().next().is_some()
        {
            let answer = self.ask(REGISTRY).await;
            checks.push(judge("the registry of the Arc agents", REGISTRY, &answer, Who::Here));
        }
        Reached { checks, reaches_arm: answer.is_ok() }
    }

    /// Asks the configuration data plane of each location.
    pub(super) async fn reach_data_planes(&self, locations: &BTreeSet<String>) -> Vec<Check> {
        let Ok(Place::Cloud(endpoints)) = &self.place else { return Vec::new() };
        // Whoever connects a cluster asks there how.
        let connects = self.onboards().any(|onboard| onboard.via == Via::Native);
        if let (true, Err(PlaneError::Untold(_))) = (connects, endpoints.configuration_endpoint("")) {
            return vec![
                Check::warning(
                    Checked::Egress,
                    "this cloud names no configuration data plane, which tells the chart of the Arc agents",
                )
                .mended_by("give the chart to the apply that connects: `--chart CHART`"),
            ];
        }
        let planes: BTreeSet<String> = locations
            .iter()
            .filter_map(|location| endpoints.configuration_endpoint(location).ok())
            .map(|origin| origin.to_string())
            .collect();
        let who = if self.onboards().next().is_some() { Who::Here } else { Who::Cluster };
        let mut checks = Vec::new();
        for plane in planes {
            let answer = self.ask(&plane).await;
            checks.push(judge("the configuration data plane", &plane, &answer, who));
        }
        checks
    }

    /// Sends a GET without a token. What is not a URL cannot be sent.
    pub(super) async fn ask(&self, url: &str) -> Result<Response, TransportError> {
        let request = ::http::Request::builder()
            .method(Method::GET)
            .uri(url)
            .header(USER_AGENT_HEADER, USER_AGENT)
            .extension(Patience(PATIENCE))
            .body(Bytes::new());
        match request {
            Ok(request) => self.network.send(request).await,
            Err(error) => Err(TransportError::Refused { host: url.to_owned(), reason: error.to_string() }),
        }
    }
}

/// The instant between sending and the answer: that is when the server looked at its clock.
fn midway(before: Timestamp, after: Timestamp) -> Timestamp {
    before.checked_add(after.duration_since(before) / 2).unwrap_or(after)
}

fn judge(what: &str, url: &str, answer: &Result<Response, TransportError>, who: Who) -> Check {
    let check = match answer {
        Ok(response) if response.status() == ::http::StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Check::problem(Checked::Egress, format!("{what}: the proxy wants to know who asks (407)")).mended_by(
                "put the user into HTTPS_PROXY (`http://USER:PASSWORD@HOST:PORT`), or let this address through without",
            )
        }
        Ok(_) => Check::ok(Checked::Egress, format!("{what} answers")),
        Err(error) => unreached(what, url, error, who),
    };
    check.about(url)
}

fn unreached(what: &str, url: &str, error: &TransportError, who: Who) -> Check {
    let why = format!("{what} does not answer: {}", with_causes(error));
    match (error, who) {
        (TransportError::Refused { .. }, _) => Check::warning(Checked::Egress, why),
        (TransportError::Untrusted { .. }, Who::Here) => {
            Check::problem(Checked::Egress, why).mended_by("`--ca-bundle FILE`, with the authority of this network")
        }
        (_, Who::Here) => Check::problem(Checked::Egress, why).mended_by(format!(
            "let this machine out to it, or name the proxy (HTTPS_PROXY); to try: `curl -sSI {url}`"
        )),
        (_, Who::Cluster) => {
            Check::warning(Checked::Egress, format!("{why}; the cluster needs it, and this machine does not"))
                .mended_by(format!("try it from the cluster's network: `curl -sSI {url}`"))
        }
    }
}

/// Compares the `Date` of an answer with the time here.
fn judge_clock(date: Option<&str>, now: Timestamp) -> Check {
    let date = date.and_then(|text| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok());
    let Some(date) = date else {
        return Check::warning(Checked::Clock, "not compared: the answer has no date");
    };
    let ahead = now.duration_since(date);
    let (size, direction) = (ahead.abs(), if ahead.is_negative() { "behind" } else { "ahead of" });
    let why = format!("this machine's clock is {} s {direction} Azure's", size.as_secs());
    let mend = "set the clock by a time server: `timedatectl set-ntp true`";
    if size > TOLERATED {
        Check::problem(Checked::Clock, format!("{why}: tokens are not accepted")).mended_by(mend)
    } else if size > NOTED {
        Check::warning(Checked::Clock, why).mended_by(mend)
    } else {
        Check::ok(Checked::Clock, "this machine's clock and Azure's agree")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Standing;

    #[test]
    fn clocks_may_differ_a_little() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let standing = |date: &str| judge_clock(Some(date), now).standing;
        assert_eq!(standing("Sun, 29 Nov 2026 12:00:59 GMT"), Standing::Ok);
        assert_eq!(standing("Sun, 29 Nov 2026 11:58:00 GMT"), Standing::Warning);
        assert_eq!(standing("Sun, 29 Nov 2026 12:05:00 GMT"), Standing::Warning);
        assert_eq!(standing("Sun, 29 Nov 2026 12:05:01 GMT"), Standing::Problem);
        let behind = judge_clock(Some("Sun, 29 Nov 2026 13:00:00 GMT"), now).why;
        assert_eq!(behind, "this machine's clock is 3600 s behind Azure's: tokens are not accepted");
        assert_eq!(judge_clock(None, now).standing, Standing::Warning);
        assert_eq!(judge_clock(Some("yesterday"), now).standing, Standing::Warning);
    }
}
