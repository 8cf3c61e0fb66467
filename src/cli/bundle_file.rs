//! Bundles in files.

use std::path::Path;

use serde_json::Value;

use super::error::CliError;
use crate::bundle::{Bundle, BundleError};
use crate::model::Digest;
use crate::plan::Plan;

/// The bundle in a document that was read from `file`. One that was edited is refused.
pub(super) fn of_json(file: &Path, json: Value) -> Result<Bundle, CliError> {
    let path = file.display();
    Bundle::from_json(json).map_err(|error| {
        let message = format!("{path} cannot be used: {error}");
        match error {
            BundleError::Format(_) => {
                CliError::refused(message).hint("make the bundle with the arcflux that applies it")
            }
            error if error.is_edited() => CliError::refused(message).hint("let it be made and reviewed again"),
            _ => CliError::new(message),
        }
    })
}

/// The plan of a bundle that has the expected digest. A bundle comes from elsewhere, over whatever carries files across:
/// without its digest, nothing tells the one that was reviewed from any other.
pub(super) fn expected(file: &Path, json: Value, expected: Option<&Digest>) -> Result<Plan, CliError> {
    let path = file.display();
    let Some(expected) = expected else {
        return Err(CliError::refused(format!(
            "{path} is a bundle, and nothing says which one is to be applied: whoever could change the file on its way could \
             change everything in it; nothing was written"
        ))
        .hint("give `--expect DIGEST`, with the digest that `arcflux bundle` printed, carried another way than the file"));
    };
    let bundle = of_json(file, json)?;
    let digest = bundle.digest();
    if *expected == digest {
        return Ok(bundle.plan);
    }
    let refused = CliError::refused(format!("{path} has the digest {digest}, not {expected}; nothing was written"));
    Err(if *expected == bundle.plan.digest {
        refused.hint("that is the digest of the plan in it; a bundle has its own, which `arcflux bundle` printed")
    } else {
        refused.hint("it is not the bundle that was reviewed")
    })
}
