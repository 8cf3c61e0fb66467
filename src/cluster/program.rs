//! Programs that are run: helm and `az`.
//!
//! They get the arguments that they are given, what is written to their standard input, and of the environment only what
//! they need ([`is_passed_on`]): no token of arcflux's own. A program that nobody waits for any more is ended.

use std::ffi::OsString;
use std::path::PathBuf;
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, join, select};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::ClusterError;
use crate::http::Clock;

/// How much of what a program said an error quotes, in characters: its end, where the reason stands.
const QUOTED: usize = 2000;

/// Names of environment variables that are passed on to programs, in upper case.
const PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "USERPROFILE",
    "SYSTEMROOT",
    "APPDATA",
    "LOCALAPPDATA",
    "LANG",
    "TMPDIR",
    "TEMP",
    "TMP",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "DOCKER_CONFIG",
    "GOOGLE_APPLICATION_CREDENTIALS",
    // Not `HELM_DRIVER` and the like: they change where releases are kept, and what is seen of them would not be true.
    "HELM_CACHE_HOME",
    "HELM_CONFIG_HOME",
    "HELM_DATA_HOME",
    "HELM_REGISTRY_CONFIG",
];

/// Beginnings of such names: what the programs that sign in to a cluster read (`kubelogin`, `aws`, `gcloud`), and `az`.
const PASSED_ON_BEGINNINGS: &[&str] = &["LC_", "XDG_", "AZURE_", "AAD_", "AWS_", "CLOUDSDK_"];

/// Names that begin so, and are secrets that arcflux itself signs in with: `az` has its own sign-in, and `kubelogin` reads
/// `AAD_SERVICE_PRINCIPAL_CLIENT_SECRET` before them.
const KEPT_BACK: &[&str] = &["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD"];

/// Whether an environment variable is passed on to the programs that are run.
#[must_use]
pub fn is_passed_on(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    if KEPT_BACK.contains(&name.as_str()) {
        return false;
    }
    PASSED_ON.contains(&name.as_str()) || PASSED_ON_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

/// A program, and what it is run with.
pub(super) struct Program {
    /// How errors name it: `helm`.
    pub(super) name: &'static str,
    /// Its file, or its name, to be found on `PATH`.
    pub(super) file: PathBuf,
    /// All of its environment.
    pub(super) environment: Vec<(OsString, OsString)>,
    /// The clock of its time limit.
    pub(super) clock: Arc<dyn Clock>,
}

/// How a program ended.
pub(super) struct Ended {
    pub(super) succeeded: bool,
    /// What it wrote to its standard output.
    pub(super) output: String,
    /// What it wrote to its standard error, fit to be quoted: cut, on one line, control characters escaped.
    pub(super) complaint: String,
}

impl Program {
    /// Runs it for at most `limit`. `input` is written to its standard input; what it says is quoted without `secrets`.
    pub(super) async fn run(
        &self,
        arguments: &[String],
        input: Option<Zeroizing<String>>,
        secrets: &[&str],
        limit: Duration,
    ) -> Result<Ended, ClusterError> {
        let mut command = Command::new(&self.file);
        command.args(arguments).env_clear().envs(self.environment.iter().cloned()).kill_on_drop(true);
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        // Of its own group: the Ctrl-C of a terminal, which arcflux drains after, is not for it.
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| self.cannot_start(&error))?;
        let stdin = child.stdin.take();
        let write = async {
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // A program that ends without reading it all says why itself.
                let _ = stdin.write_all(input.as_bytes()).await;
                let _ = stdin.shutdown().await;
            }
        };
        let done = pin!(join(write, child.wait_with_output()));
        let late = pin!(self.clock.sleep(limit));
        let output = match select(done, late).await {
            Either::Left((((), output), _)) => output.map_err(|error| self.cannot_start(&error))?,
            Either::Right(_) => {
                return Err(ClusterError {
                    message: format!("`{}` did not end within {} s, and was ended", self.name, limit.as_secs()),
                    hint: Some(format!("run `{}` by hand to see what it waits for", self.name)),
                });
            }
        };
        Ok(Ended {
            succeeded: output.status.success(),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaint: quoted(&String::from_utf8_lossy(&output.stderr), secrets),
        })
    }

    fn cannot_start(&self, error: &std::io::Error) -> ClusterError {
        let Self { name, file, .. } = self;
        if error.kind() == std::io::ErrorKind::NotFound {
            return ClusterError {
                message: if file.components().count() > 1 {
                    format!("there is no program {}", file.display())
                } else {
                    format!("there is no `{}` on PATH", file.display())
                },
                hint: Some(match *name {
                    "helm" => "install helm 3.8 or newer (https://helm.sh/docs/intro/install), or name it with --helm"
                        .to_owned(),
                    _ => format!("install `{name}`, or name it with --{name}"),
                }),
            };
        }
        ClusterError {
            message: format!("`{}` cannot be run: {error}", file.display()),
            hint: Some(format!("see whether `{}` is a program that you may run", file.display())),
        }
    }
}

/// What a program said, fit to stand in an error: without secrets, on one line, its end where it is long.
pub(super) fn quoted(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        // A key is quoted line by line as well as whole.
        for line in secret.lines().filter(|line| line.len() >= 16) {
            text = text.replace(line, "(secret)");
        }
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line: String = lines.join("; ").chars().flat_map(shown).collect();
    let length = line.chars().count();
    if length <= QUOTED {
        return line;
    }
    format!("… {}", line.chars().skip(length - QUOTED).collect::<String>())
}

fn shown(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let plain = escaped.is_none().then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_what_they_need_of_the_environment_and_no_tokens() {
        for name in ["PATH", "https_proxy", "AZURE_CONFIG_DIR", "AWS_PROFILE", "LC_ALL", "HELM_CACHE_HOME"] {
            assert!(is_passed_on(name), "{name}");
        }
        for name in
            ["GITHUB_TOKEN", "ARCFLUX_ENDPOINT", "GIT_TOKEN", "HELM_DRIVER", "KUBECONFIG", "AZURE_CLIENT_SECRET"]
        {
            assert!(!is_passed_on(name), "{name}");
        }
    }

    #[test]
    fn what_is_quoted_is_one_line_without_secrets_and_control_characters() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIJKAIBAAKCAgEA0123456789\n-----END RSA PRIVATE KEY-----\n";
        let said = format!("Error: cannot parse\n  value: {}\n\u{1b}[31mred\n", key.replace('\n', "\\n"));
        let text = quoted(&said, &[key]);
        assert_eq!(text, "Error: cannot parse; value: (secret)\\n(secret)\\n(secret)\\n; \\u{1b}[31mred");
        assert!(quoted(&"a".repeat(5000), &[]).chars().count() < 2010);
    }
}
