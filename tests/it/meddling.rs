//! A transport to the simulator in whose way somebody stands: requests and answers are lost, changed and made up.

use std::sync::{Arc, Mutex};

use arcflux::http::{Request, Response, Transport, TransportError};
use arcflux::sim::InProcess;
use async_trait::async_trait;
use serde_json::Value;

use crate::simulated::World;

/// What happens to one exchange.
pub(crate) enum Deed {
    /// Nothing.
    Pass,
    /// The connection breaks before the simulator has the request.
    LoseRequest,
    /// The simulator acts, and its answer is lost.
    LoseAnswer,
    /// The simulator acts, and this is answered.
    ActAndAnswer(Response),
    /// The simulator does not act, and this is answered.
    Answer(Response),
    /// The simulator gets this instead.
    Instead(Request),
    /// The simulator answers, and that is answered after this was made of it.
    Change(fn(Response) -> Response),
}

type Meddle = Box<dyn FnMut(&Request) -> Deed + Send>;

pub(crate) struct Meddling {
    inner: InProcess,
    meddle: Mutex<Meddle>,
}

impl Meddling {
    /// `world` as it is reached when that is done to each request.
    pub(crate) fn with(world: &World, meddle: impl FnMut(&Request) -> Deed + Send + 'static) -> World {
        let meddling = Self { inner: world.sim.transport(), meddle: Mutex::new(Box::new(meddle)) };
        world.through(Arc::new(meddling))
    }
}

#[async_trait]
impl Transport for Meddling {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let deed = (self.meddle.lock().unwrap())(&request);
        let lost = || TransportError::Broken { host: "sim".to_owned(), source: "reset".into() };
        match deed {
            Deed::Pass => self.inner.send(request).await,
            Deed::LoseRequest => Err(lost()),
            Deed::LoseAnswer => {
                self.inner.send(request).await?;
                Err(lost())
            }
            Deed::ActAndAnswer(response) => {
                self.inner.send(request).await?;
                Ok(response)
            }
            Deed::Answer(response) => Ok(response),
            Deed::Instead(request) => self.inner.send(request).await,
            Deed::Change(change) => self.inner.send(request).await.map(change),
        }
    }
}

/// Whether a request is of this method and about a path that ends so, whatever its case.
pub(crate) fn is(request: &Request, method: &str, end: &str) -> bool {
    request.method() == method && request.uri().path().to_ascii_lowercase().ends_with(&end.to_ascii_lowercase())
}

/// An answer.
pub(crate) fn answer(status: u16, body: &Value) -> Response {
    text(status, &body.to_string())
}

/// An answer in no JSON.
pub(crate) fn text(status: u16, body: &str) -> Response {
    let mut response = Response::new(body.to_owned().into());
    *response.status_mut() = status.try_into().unwrap();
    response
}

/// The same request with another body.
pub(crate) fn with_body(request: &Request, change: impl FnOnce(&mut Value)) -> Request {
    let mut body: Value = serde_json::from_slice(request.body()).unwrap();
    change(&mut body);
    let mut other = Request::new(body.to_string().into());
    *other.method_mut() = request.method().clone();
    *other.uri_mut() = request.uri().clone();
    *other.headers_mut() = request.headers().clone();
    other
}
