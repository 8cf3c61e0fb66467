//! An ARM that is the simulator until the input says otherwise: some of its answers are replaced, or changed a little.
//!
//! The input is text. Exchanges stand one after the other, divided by lines that are `%%`; each is
//!
//! ```text
//! 12 503                      the request that is changed, counted from 0 (`12+`: it and all after it), and the status,
//!                             `=` for the one that the simulator gives, `drop` and `lost` for a connection that breaks
//!                             before and after the simulator has acted
//! retry-after: 7              headers
//!
//! {"properties": null}        the body instead of the simulator's; `~` before it: what is merged into the simulator's
//! ```

use std::sync::Mutex;

use arcflux::http::{Request, Response, Transport, TransportError};
use async_trait::async_trait;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

/// More than any run needs whose waits end.
const MOST_REQUESTS: usize = 20_000;

enum Status {
    Kept,
    Dropped,
    Lost,
    Other(StatusCode),
}

/// One exchange that is not the simulator's alone.
pub struct Answer {
    from: usize,
    to: usize,
    status: Status,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
}

/// Reads the changed exchanges of an input. What is not one is passed over.
#[must_use]
pub fn read(input: &[u8]) -> Vec<Answer> {
    split(input, b"\n%%\n").into_iter().filter_map(answer).collect()
}

fn split<'a>(mut rest: &'a [u8], divider: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some(at) = rest.windows(divider.len()).position(|window| window == divider) {
        parts.push(&rest[..at]);
        rest = &rest[at + divider.len()..];
    }
    parts.push(rest);
    parts
}

fn answer(text: &[u8]) -> Option<Answer> {
    let (head, body) = match text.windows(2).position(|window| window == b"\n\n") {
        Some(at) => (&text[..at], &text[at + 2..]),
        None => (text, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?;
    let (place, status) = first.split_once(' ')?;
    let from: usize = place.trim_end_matches('+').parse().ok()?;
    let status = match status {
        "=" => Status::Kept,
        "drop" => Status::Dropped,
        "lost" => Status::Lost,
        code => Status::Other(code.parse::<u16>().ok().and_then(|code| StatusCode::from_u16(code).ok())?),
    };
    let headers = lines.filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..at]).ok()?;
        Some((name, HeaderValue::from_bytes(line[at + 1..].trim_ascii()).ok()?))
    });
    let to = if place.ends_with('+') { usize::MAX } else { from };
    Some(Answer { from, to, status, headers: headers.collect(), body: body.to_owned() })
}

/// The simulator behind it.
pub struct Changed<T> {
    inner: T,
    answers: Vec<Answer>,
    /// Method and path of every request.
    sent: Mutex<Vec<(String, String)>>,
}

impl<T> Changed<T> {
    /// Changes the answers of `inner`.
    pub fn new(inner: T, answers: Vec<Answer>) -> Self {
        Self { inner, answers, sent: Mutex::default() }
    }

    /// What was sent that was not a read.
    pub fn writes(&self) -> Vec<(String, String)> {
        let sent = self.sent.lock().expect("nobody panicked");
        sent.iter().filter(|(method, _)| method != "GET").cloned().collect()
    }
}

#[async_trait]
impl<T: Transport> Transport for Changed<T> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let number = {
            let mut sent = self.sent.lock().expect("nobody panicked");
            sent.push((request.method().to_string(), request.uri().path().to_owned()));
            assert!(sent.len() < MOST_REQUESTS, "requests without end");
            sent.len() - 1
        };
        let changed = self.answers.iter().find(|answer| (answer.from..=answer.to).contains(&number));
        let Some(Answer { status, headers, body, .. }) = changed else { return self.inner.send(request).await };
        let broken = || TransportError::Broken { host: "arm".to_owned(), source: "reset".into() };
        let mut response = match status {
            Status::Dropped => return Err(broken()),
            Status::Lost => {
                let _acted = self.inner.send(request).await;
                return Err(broken());
            }
            Status::Kept => self.inner.send(request).await?,
            Status::Other(code) => {
                let mut response = self.inner.send(request).await?;
                *response.status_mut() = *code;
                response
            }
        };
        for (name, value) in headers {
            response.headers_mut().append(name, value.clone());
        }
        match body.split_first() {
            None => {}
            Some((b'~', patch)) => {
                if let (Ok(mut document), Ok(patch)) =
                    (serde_json::from_slice::<Value>(response.body()), serde_json::from_slice::<Value>(patch))
                {
                    merge(&mut document, patch);
                    *response.body_mut() = document.to_string().into();
                }
            }
            Some(_) => *response.body_mut() = body.clone().into(),
        }
        Ok(response)
    }
}

/// Members are merged, `null` takes one away, anything else takes the place of what was there. Below a list, the first
/// item is meant.
fn merge(into: &mut Value, patch: Value) {
    match (into, patch) {
        (Value::Object(members), Value::Object(patch)) => {
            for (name, patch) in patch {
                if patch.is_null() {
                    members.shift_remove(&name);
                } else {
                    merge(members.entry(name).or_insert(Value::Null), patch);
                }
            }
        }
        (Value::Array(items), patch @ Value::Object(_)) if !items.is_empty() => merge(&mut items[0], patch),
        (into, patch) => *into = patch,
    }
}
