//! arcflux: a declarative, stateless plan/apply engine for Azure Arc enabled Kubernetes and Flux (GitOps).
//!
//! ```text
//! text ─spec::load→ Desired ─graph::build→ Graph ─fetch::live_state→ LiveState ─plan::make→ Plan ─view::render→ text
//!                                                                                         └apply::run→ ApplyReport ─view::render→ text
//! ```
//!
//! Each stage takes the value that the stage before it made, and never reaches back. A module imports only modules
//! above it in this list; `tests/it/floors.rs` holds that. The head of each `mod.rs` says what the module is for.
//!
//! Where to add what:
//!
//! - how Azure treats a field: a row in the rules of its kind ([`kinds`]; for configurations
//!   `kinds/flux_configuration/rules.rs`);
//! - what a spec may say: a function in `spec/rules/`, with its code in `spec/codes.rs`;
//! - a note, an effect or a refusal of a plan: `plan/decide/`, in the file of what it is about;
//! - a Flux object of `arcflux render`: [`flux`], in the file of its family;
//! - a command: a file in `cli/commands/`, its options in `cli/args.rs`, a line in `cli/mod.rs`;
//! - a way to show something: a file in [`view`];
//! - something to ask of a forge: a function of `Protocol` in `review/forge.rs`, which the three forges answer.

// ── nouns: pure. No I/O, no environment, no printing, no reading of clocks ─────
pub mod model;
pub mod kinds;
pub mod snapshot;
pub mod spec;
pub mod graph;
pub mod diff;
pub mod flux;
pub mod plan;
pub mod bundle;
pub mod view;

// ── wires: speak to the outside ────────────────────────────────────────────────
pub mod http;
pub mod arm;
pub mod review;
pub mod cluster;
pub mod sim;

// ── verbs: the only modules that call the wires ────────────────────────────────
pub mod fetch;
pub mod apply;
pub mod doctor;

// ── shell ──────────────────────────────────────────────────────────────────────
pub mod cli;
