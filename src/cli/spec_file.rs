//! From `-f FILE` to what the spec wants.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use super::args::{BaseArgs, SpecArgs};
use super::error::CliError;
use super::git;
use super::{Environment, Session};
use crate::graph::{self, Graph};
use crate::model::{Diagnostic, Source};
use crate::spec::{self, Desired, Inputs, Outcome};
use crate::view::{self, Style};

/// Variables that a spec may always read: who and where, never a secret.
const ALWAYS_ALLOWED: [&str; 2] = ["AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID"];

/// A loaded spec, good or bad.
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) outcome: Outcome,
}

/// Reads and loads the spec.
pub(super) fn load(args: &SpecArgs, environment: &Environment) -> Result<Loaded, CliError> {
    load_named(args.file(), args, environment)
}

/// The same, of the spec in `file`.
pub(super) fn load_named(file: &str, args: &SpecArgs, environment: &Environment) -> Result<Loaded, CliError> {
    let (name, bytes) = read(file, "name the spec with `-f FILE`, or write one with `arcflux init`")?;
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

/// Reads the spec and, where there is one, its base; goes on only when neither has errors.
pub(super) fn require_since(args: &SpecArgs, base: &BaseArgs, session: &Session) -> Result<Intent, CliError> {
    load(args, &session.environment)?.require_since(args, base, session)
}

/// Loads the base of a spec. Only what makes it unusable is told: it was looked at when it was the spec.
pub(super) fn load_base(base: &str, args: &SpecArgs, session: &Session) -> Result<Desired, CliError> {
    let (name, bytes) = match base.strip_prefix("git:") {
        None => read(base, "`--base` takes the spec as it was before: a file, or `git:REVISION`")?,
        Some(revision) if args.file() == "-" && !revision.contains(':') => {
            return Err(CliError::usage("the spec comes from standard input, so git cannot tell which file is meant")
                .hint(format!("say which: `--base git:{revision}:PATH`")));
        }
        Some(revision) => (base.to_owned(), git::file_at(revision, Path::new(args.file()))?),
    };
    let outcome = spec::load_bytes(&name, &bytes, &inputs(&args.allow_env, &session.environment));
    let loaded = Loaded { name, outcome };
    if loaded.outcome.desired.is_none() {
        loaded.show_problems(session);
        return Err(CliError::new(format!("the base, {}, is not valid", loaded.name)));
    }
    loaded.require_desired_quietly()
}

/// What is wanted, and what was wanted before.
pub(super) struct Intent {
    pub(super) desired: Desired,
    pub(super) base: Option<Desired>,
    /// The graph of both.
    pub(super) graph: Graph,
}

impl Intent {
    pub(super) fn new(desired: Desired, base: Option<Desired>) -> Result<Self, CliError> {
        let graph = graph::build_since(&desired, base.as_ref())
            .map_err(|errors| CliError::several(errors.iter().map(ToString::to_string).collect()))?;
        Ok(Self { desired, base, graph })
    }
}

impl Loaded {
    /// Shows every problem, and goes on only without errors.
    pub(super) fn require(self, session: &Session) -> Result<(Desired, Graph), CliError> {
        let desired = self.require_desired(session)?;
        let graph = graph::build(&desired)
            .map_err(|errors| CliError::several(errors.iter().map(ToString::to_string).collect()))?;
        Ok((desired, graph))
    }

    /// Shows every problem, and goes on only without errors in it and in its base, where there is one.
    pub(super) fn require_since(self, args: &SpecArgs, base: &BaseArgs, session: &Session) -> Result<Intent, CliError> {
        let desired = self.require_desired(session)?;
        let base = match &base.base {
            None => None,
            Some(base) => Some(load_base(base, args, session)?),
        };
        Intent::new(desired, base)
    }

    /// Every problem as text, for where nobody sees standard error.
    pub(super) fn problems(&self) -> String {
        view::diagnostics::render_text(&self.outcome.diagnostics, &self.name, &self.outcome.masked, &Style::PLAIN)
    }

    /// Shows every problem, and goes on only without errors.
    pub(super) fn require_desired(self, session: &Session) -> Result<Desired, CliError> {
        self.show_problems(session);
        self.require_desired_quietly()
    }

    fn require_desired_quietly(self) -> Result<Desired, CliError> {
        self.outcome.desired.ok_or_else(|| CliError::new(format!("{} is not valid", self.name)))
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

/// The bytes of a file or of standard input, and what to call it; where there is none, `hint` says what to do.
fn read(file: &str, hint: &str) -> Result<(String, Vec<u8>), CliError> {
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
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(CliError::new(format!("there is no {name}")).hint(hint))
        }
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
