//! HTTP as the rest of arcflux sees it: messages, the one [`Transport`] seam, and the [`Clock`].
//!
//! Everything above this module (retry, paging, polling) is the same in production and in tests: what is replaced is
//! the [`Transport`], never a client interface. This module knows nothing about Azure.

pub mod clock;
pub mod message;
pub mod transport;

pub use clock::{Clock, SystemClock};
pub use message::{Request, Response};
pub use transport::{Transport, TransportError};
