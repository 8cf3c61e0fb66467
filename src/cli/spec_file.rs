//! From `-f FILE` to what the spec wants.

use std::collections::BTreeSet;
use std::io::Read as _;

use super::args::SpecArgs;
use super::error::CliError;
use super::{Environment, Session};
use crate::graph::{self, Graph};
use crate::model::{Diagnostic, Source};
use crate::spec::{self, Desired, Inputs, Outcome};
use crate::view;

/// Variables that a spec may always read: who and where, never a secret.
const ALWAYS_ALLOWED: [&str; 2] = ["AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID"];

/// A loaded spec, good or bad.
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) outcome: Outcome,
}

/// Reads and loads the spec.
pub(super) fn load(args: &SpecArgs, environment: &Environment) -> Result<Loaded, CliError> {
    let (name, bytes) = read(&args.file)?;
    let outcome = spec::load_bytes(&name, &bytes, &inputs(&args.allow_env, environment));
    Ok(Loaded { name, outcome })
}

/// Loads the spec that is kept in a saved plan: everything in it is resolved.
pub(super) fn load_saved(name: &str, spec: &serde_json::Value) -> Loaded {
    let source = Source { name: name.to_owned(), text: format!("{spec:#}") };
    Loaded { name: name.to_owned(), outcome: spec::load(&source, &Inputs::default()) }
}

/// Reads the spec, shows every problem, and goes on only without errors.
pub(super) fn require(args: &SpecArgs, session: &Session) -> Result<(Desired, Graph), CliError> {
    load(args, &session.environment)?.require(session)
}

impl Loaded {
    /// Shows every problem, and goes on only without errors.
    pub(super) fn require(self, session: &Session) -> Result<(Desired, Graph), CliError> {
        self.show_problems(session);
        let desired = self.outcome.desired.ok_or_else(|| CliError::new(format!("{} is not valid", self.name)))?;
        let graph = graph::build(&desired)
            .map_err(|errors| CliError::several(errors.iter().map(ToString::to_string).collect()))?;
        Ok((desired, graph))
    }

    /// Writes every problem to standard error.
    pub(super) fn show_problems(&self, session: &Session) {
        let style = session.console.err;
        let diagnostics: &[Diagnostic] = &self.outcome.diagnostics;
        if !diagnostics.is_empty() {
            let text = view::diagnostics::render_text(diagnostics, &self.name, &self.outcome.masked, &style);
            session.console.tell(text.trim_end());
        }
    }
}

/// The bytes of a file or of standard input, and what to call it.
fn read(file: &str) -> Result<(String, Vec<u8>), CliError> {
    // One byte more than a spec may have tells that it is too large.
    let limit = spec::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let (name, read) = if file == "-" {
        ("<stdin>", std::io::stdin().lock().take(limit).read_to_end(&mut bytes))
    } else {
        (file, std::fs::File::open(file).and_then(|opened| opened.take(limit).read_to_end(&mut bytes)))
    };
    match read {
        Ok(_) => Ok((name.to_owned(), bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(CliError::new(format!("there is no {name}"))
            .hint("name the spec with `-f FILE`, or write one with `arcflux init`")),
        Err(error) => Err(CliError::because(format!("cannot read {name}"), &error)),
    }
}

fn inputs(allow_env: &[String], environment: &Environment) -> Inputs {
    let allowed: BTreeSet<String> =
        ALWAYS_ALLOWED.into_iter().map(str::to_owned).chain(allow_env.iter().cloned()).collect();
    let environment =
        allowed.iter().filter_map(|name| Some((name.clone(), environment.get(name)?.to_owned()))).collect();
    Inputs { environment, allowed }
}
