//! The only place that prints, and that asks.

use std::io::{BufRead as _, ErrorKind, IsTerminal as _, Write as _};
use std::sync::{Arc, OnceLock};

use super::error::CliError;
use super::{Environment, Exit};
use crate::model::for_job_log;
use crate::view::{self, Style};

/// Standard output for data, standard error for everything else.
#[derive(Debug, Clone)]
pub(super) struct Console {
    /// How data looks.
    pub(super) out: Style,
    /// How messages look.
    pub(super) err: Style,
    /// Whether a person watches standard error, and it is not a CI log.
    pub(super) is_watched: bool,
    /// Why data could not be written, when that was not because nobody reads it any more.
    lost: Arc<OnceLock<String>>,
}

impl Console {
    /// Colour only on terminals, and not where `NO_COLOR` or `--no-color` says so. Lines are as wide as the terminal,
    /// and 100 columns elsewhere, so that output does not depend on where it was made.
    pub(super) fn new(environment: &Environment, no_color: bool) -> Self {
        let dumb = environment.get("TERM") == Some("dumb");
        let colour = !no_color && !environment.is_set("NO_COLOR") && !dumb;
        let out_is_terminal = std::io::stdout().is_terminal();
        let err_is_terminal = std::io::stderr().is_terminal();
        let width = |is_terminal: bool| match terminal_size::terminal_size() {
            Some((width, _)) if is_terminal => usize::from(width.0).clamp(60, 160),
            Some(_) | None => 100,
        };
        Self {
            out: Style { colour: colour && out_is_terminal, width: width(out_is_terminal) },
            err: Style { colour: colour && err_is_terminal, width: width(err_is_terminal) },
            is_watched: err_is_terminal && !environment.is_set("CI") && !dumb,
            lost: Arc::default(),
        }
    }

    /// Data, in which no line can be a command to the service whose job this is. A reader that has gone away (`| head`) is no error.
    pub(super) fn print(&self, text: &str) {
        let mut stream = std::io::stdout().lock();
        if let Err(error) = stream.write_all(for_job_log(text).as_bytes()).and_then(|()| stream.flush())
            && error.kind() != ErrorKind::BrokenPipe
        {
            let _known = self.lost.set(error.to_string());
        }
    }

    /// Why data is missing on standard output: a full disk, for one.
    pub(super) fn lost(&self) -> Option<&str> {
        self.lost.get().map(String::as_str)
    }

    /// A message, on a line of its own.
    pub(super) fn tell(&self, line: &str) {
        let mut stream = std::io::stderr().lock();
        let _gone = writeln!(stream, "{}", for_job_log(line));
    }

    /// A command to the service whose job this is, on a line of its own: the only lines that may be one.
    pub(super) fn command(&self, line: &str) {
        let mut stream = std::io::stderr().lock();
        let _gone = writeln!(stream, "{line}");
    }

    /// An error, with its hint. Whoever has interrupted a run has made no error.
    pub(super) fn tell_error(&self, error: &CliError) {
        if error.exit == Exit::Interrupted {
            error.messages.iter().for_each(|message| self.tell(message));
            return;
        }
        self.tell(view::problem::render(&error.messages, &error.details, error.hint.as_deref(), &self.err).trim_end());
    }

    /// Whether somebody can answer a question.
    pub(super) fn can_ask(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// Asks, and takes only `yes` for a yes. Nothing is kept while the answer is waited for: others may print, and whoever
    /// wants to stop drops the question. To be called inside a runtime.
    pub(super) async fn ask(&self, question: &str) -> bool {
        let text = format!("\n{question}\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: ");
        let mut stream = std::io::stderr().lock();
        let _gone = stream.write_all(for_job_log(&text).as_bytes()).and_then(|()| stream.flush());
        drop(stream);
        let open = OpenQuestion(self);
        let answer = tokio::task::spawn_blocking(|| {
            let mut answer = String::new();
            std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
        })
        .await;
        std::mem::forget(open);
        answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.trim() == "yes"))
    }
}

/// A question without an answer: what is printed after it begins a line.
struct OpenQuestion<'a>(&'a Console);

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        self.0.tell("");
    }
}
