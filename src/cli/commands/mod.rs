//! One file per command.

pub(super) mod apply;
pub(super) mod bundle;
pub(super) mod comment;
pub(super) mod destroy;
pub(super) mod doctor;
pub(super) mod drift;
pub(super) mod explain;
pub(super) mod explain_code;
pub(super) mod export;
pub(super) mod graph;
pub(super) mod init;
pub(super) mod plan;
pub(super) mod render;
pub(super) mod schema;
pub(super) mod shell;
pub(super) mod show;
pub(super) mod sim;
pub(super) mod snapshot;
pub(super) mod status;
pub(super) mod validate;
