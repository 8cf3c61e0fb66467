//! How long things usually take, for estimates and for when it is worth looking.

use std::time::Duration;

use super::Until;
use crate::kinds::Kind;

/// How long it usually takes until a resource of `kind` is as `until` says, counted from the write that brings it there
/// (recorded lengths: `../shared/facts/domain.md` §3, `../shared/facts/az-cli-behaviour.md` §7).
#[must_use]
pub fn typical(until: &Until, kind: Kind) -> Duration {
    Duration::from_secs(match (until, kind) {
        (Until::Registered, _) => 30,
        (Until::Connected, _) => 70,
        (Until::Provisioned | Until::Gone, Kind::Extension) => 90,
        (Until::Provisioned, _) => 60,
        (Until::Gone, _) => 70,
        (Until::Compliant(_), _) => 110,
    })
}
