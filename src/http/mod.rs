//! HTTP as the rest of arcflux sees it: messages, the one [`Transport`] seam, the [`Clock`], when to send again
//! ([`retry`]), and what a log may show ([`log`]).
//!
//! Everything above this module (retry, paging, polling) is the same in production and in tests: what is replaced is
//! the [`Transport`], never a client interface. This module knows nothing about Azure.

pub mod clock;
mod interrupt;
mod jitter;
pub mod log;
pub mod message;
mod origin;
pub mod reqwest_transport;
pub mod retry;
pub mod transport;

pub use clock::{Clock, SystemClock};
pub use interrupt::Interrupt;
pub use jitter::{Jitter, random};
pub use message::{Patience, Request, Response, USER_AGENT};
pub use origin::{ForeignLink, Origin, OriginError};
pub use reqwest_transport::{CaBundleError, ReqwestTransport};
pub use transport::{Transport, TransportError, is_loopback};
