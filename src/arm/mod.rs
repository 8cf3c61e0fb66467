//! Azure Resource Manager as a client sees it: tokens, requests, errors, paging, long-running operations.
//!
//! Generic over resource types: bodies are JSON and ids are [`ResourceId`](crate::model::ResourceId)s. What the
//! resources mean is not known here.

mod client;
mod cloud;
mod configuration_plane;
pub mod credentials;
mod discovery;
mod echo;
mod endpoints;
mod error;
mod error_body;
pub mod identity;
mod missing;
mod operation;
mod pace;
mod paging;
mod request;
mod tenant;
mod throttle;
mod token;
mod unanswered;

pub use client::{Accepted, ArmClient, HeldUp, Observer};
pub use cloud::{Cloud, UnknownCloud};
pub use configuration_plane::{ConfigurationPlane, HelmSettings, PlaneError, azure_environment};
pub use discovery::{Discovery, DiscoveryError, Said, judge};
pub use endpoints::{Authority, AuthorityError, CloudEndpoints};
pub use error::{ArmError, OperationFailure, Refusal, RequestLine};
pub use operation::{Operation, poll_delay};
pub use tenant::{names_nobody, principal_of, tenant_of};
pub use token::{CredentialTokens, FixedToken, TokenError, TokenSource};
