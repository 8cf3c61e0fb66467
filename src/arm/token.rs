//! Where tokens come from.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential};
use jiff::Timestamp;
use tokio::sync::Mutex;

use super::credentials::{Candidates, CredentialKind, Tried};
use crate::http::Clock;
use crate::model::Secret;

/// A token is renewed this long before it expires: longer than one request takes.
const MARGIN: Duration = Duration::from_secs(300);

/// Gives bearer tokens for ARM.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token that is valid now.
    ///
    /// # Errors
    ///
    /// [`TokenError`] when there is none to be had. Its text says what to do next.
    async fn token(&self) -> Result<Secret, TokenError>;

    /// Another token in the place of `rejected`, which ARM answered with 401; `None` when there is no other.
    ///
    /// # Errors
    ///
    /// [`TokenError`] as [`token`](Self::token).
    async fn renewed(&self, rejected: &Secret) -> Result<Option<Secret>, TokenError>;
}

/// Why there is no token. No text here holds the value of a secret.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The credential that was asked for by name lacks something.
    #[error("{kind} is not configured: {}", kind.not_configured(missing))]
    NotConfigured {
        /// The credential.
        kind: CredentialKind,
        /// The environment variables that are not set.
        missing: Vec<&'static str>,
    },
    /// Nothing gave a token.
    #[error("no credential gave a token{}", tried.iter().map(|tried| format!("\n  {tried}")).collect::<String>())]
    NoneWorked {
        /// Every credential and why it did not, in the order in which they are tried.
        tried: Vec<Tried>,
    },
    /// The token holds characters that no HTTP header may hold.
    #[error("the access token is malformed: it holds characters that cannot be sent")]
    Malformed,
}

/// One token that never changes: for tests and the simulator, which do not look at it.
#[derive(Debug, Clone)]
pub struct FixedToken(Secret);

impl FixedToken {
    /// Takes `token` in.
    #[must_use]
    pub fn new(token: Secret) -> Self {
        Self(token)
    }
}

#[async_trait]
impl TokenSource for FixedToken {
    async fn token(&self) -> Result<Secret, TokenError> {
        Ok(self.0.clone())
    }

    async fn renewed(&self, _rejected: &Secret) -> Result<Option<Secret>, TokenError> {
        Ok(None)
    }
}

/// Tokens of the official identity library: asks each candidate in turn, stays with the first that works, and keeps
/// its token until shortly before it expires (`az` starts a process for each token).
pub struct CredentialTokens {
    candidates: Candidates<Arc<dyn TokenCredential>>,
    scope: String,
    clock: Arc<dyn Clock>,
    /// Held while a token is fetched, so that many requests that start together ask for one.
    kept: Mutex<Option<Kept>>,
}

struct Kept {
    candidate: usize,
    token: Secret,
    renew_at: Timestamp,
}

impl CredentialTokens {
    /// Asks `candidates` for tokens of `scope` ([`Cloud::scope`](super::Cloud::scope)).
    #[must_use]
    pub fn new(candidates: Candidates<Arc<dyn TokenCredential>>, scope: String, clock: Arc<dyn Clock>) -> Self {
        Self { candidates, scope, clock, kept: Mutex::new(None) }
    }

    async fn fetch(&self, kept: &mut Option<Kept>) -> Result<Secret, TokenError> {
        let mut tried = self.candidates.skipped.clone();
        let sure = kept.as_ref().map(|kept| kept.candidate);
        for (index, (kind, credential)) in self.candidates.usable.iter().enumerate() {
            // One that has worked is not silently exchanged for another identity.
            if sure.is_some_and(|sure| sure != index) {
                continue;
            }
            match credential.get_token(&[&self.scope], None).await {
                Ok(access) => {
                    let token = Secret::new(access.token.secret().to_owned());
                    *kept = Some(Kept { candidate: index, token: token.clone(), renew_at: renew_at(&access) });
                    return Ok(token);
                }
                Err(error) => tried.push(Tried::failed(*kind, &error)),
            }
        }
        tried.sort_by_key(|tried| tried.kind);
        Err(TokenError::NoneWorked { tried })
    }
}

#[async_trait]
impl TokenSource for CredentialTokens {
    async fn token(&self) -> Result<Secret, TokenError> {
        let mut kept = self.kept.lock().await;
        match kept.as_ref() {
            Some(kept) if self.clock.now() < kept.renew_at => Ok(kept.token.clone()),
            Some(_) | None => self.fetch(&mut kept).await,
        }
    }

    async fn renewed(&self, rejected: &Secret) -> Result<Option<Secret>, TokenError> {
        let mut kept = self.kept.lock().await;
        match kept.as_ref() {
            // Another request has renewed it meanwhile.
            Some(kept) if kept.token.reveal() != rejected.reveal() => Ok(Some(kept.token.clone())),
            Some(_) | None => {
                let token = self.fetch(&mut kept).await?;
                Ok((token.reveal() != rejected.reveal()).then_some(token))
            }
        }
    }
}

fn renew_at(access: &AccessToken) -> Timestamp {
    let expires = Timestamp::from_second(access.expires_on.unix_timestamp()).unwrap_or(Timestamp::MAX);
    expires.checked_sub(MARGIN).unwrap_or(Timestamp::MIN)
}
