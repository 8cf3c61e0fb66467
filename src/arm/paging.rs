//! Collections (`../shared/facts/arm-contracts.md` §7.6).

use std::collections::HashSet;

use ::http::Method;
use serde_json::Value;

use super::client::json;
use super::request::Call;
use super::{ArmClient, ArmError};
use crate::model::{Listing, ResourceId};

/// The most pages that are read of one collection.
const MOST_PAGES: usize = 1000;
/// The most that is read of one collection, in bytes: a page may have as many as the longest response body, and a
/// thousand of those would fill the machine.
const MOST_BYTES: usize = 256 * 1024 * 1024;

impl ArmClient {
    /// Reads a collection to its end. `nextLink` is followed as ARM wrote it; a page may be empty and still not be
    /// the last.
    ///
    /// # Errors
    ///
    /// [`ArmError`] for everything but 200, 404 for want of the collection's parent, and 403 for want of permission;
    /// [`ArmError::EndlessList`] when the pages do not end.
    pub async fn list(&self, collection: &ResourceId, api_version: &str) -> Result<Listing, ArmError> {
        let mut call = Call::new(self.origin(), Method::GET, collection, None, api_version, None)?;
        let mut items = Vec::new();
        let mut seen = HashSet::new();
        let mut bytes = 0;
        loop {
            let endless = seen.len() >= MOST_PAGES || bytes > MOST_BYTES || !seen.insert(call.uri.clone());
            if endless {
                return Err(ArmError::EndlessList { id: collection.clone(), pages: seen.len() });
            }
            let response = match self.call(&call).await {
                Ok(response) => response,
                // Half a list is no list: only the first page may be missing or denied.
                Err(error) if seen.len() > 1 => return Err(error),
                Err(error) => match (error.missing(), error.denied()) {
                    (Some(missing), _) => return Ok(Listing::Missing(missing)),
                    (None, Some(sentence)) => return Ok(Listing::Denied(sentence.to_owned())),
                    (None, None) => return Err(error),
                },
            };
            bytes += response.body().len();
            let Some(page) = json(&response).and_then(Page::read) else {
                return Err(ArmError::bad_body(call.line(), "a page of a list as JSON", &response));
            };
            items.extend(page.items);
            match page.next {
                Some(next) => call = Call::follow(self.origin(), "nextLink", &next)?,
                None => return Ok(Listing::Items(items)),
            }
        }
    }
}

struct Page {
    items: Vec<Value>,
    next: Option<String>,
}

impl Page {
    fn read(body: Value) -> Option<Self> {
        let Value::Object(mut body) = body else { return None };
        let Some(Value::Array(items)) = body.remove("value") else { return None };
        let next = match body.remove("nextLink") {
            None | Some(Value::Null) => None,
            Some(Value::String(link)) => Some(link).filter(|link| !link.is_empty()),
            Some(_) => return None,
        };
        Some(Self { items, next })
    }
}
