//! The real binary in a place of its own: what its tests share. Nothing of the machine's environment reaches it, and
//! everything it is asked to do ends within a bounded time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// Far more than any of these commands takes; a test that hangs fails instead.
const PATIENCE: Duration = Duration::from_secs(120);

/// Makes the embedded simulator's clock run so fast that nobody waits.
pub(crate) const AT_ONCE: [&str; 4] = ["--cloud", "sim", "--sim-pace", "1000000"];

/// A directory to run in, which is also the home directory.
pub(crate) struct Place {
    directory: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    /// An empty place.
    pub(crate) fn empty() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// A place whose `arcflux.yaml` is `specs/quickstart.yaml`.
    pub(crate) fn quickstart() -> Self {
        let place = Self::empty();
        place.write("arcflux.yaml", &spec("quickstart"));
        place
    }

    /// The same place with an environment variable set.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `arcflux` to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, "")
    }

    /// Runs `arcflux` to its end, with something to read on standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut running = self.start(arguments);
        let mut stdin = running.child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        running.finish()
    }

    /// Runs `arcflux` with the embedded simulator, at once.
    pub(crate) fn sim(&self, arguments: &[&str]) -> Ran {
        self.run(&[arguments, &AT_ONCE].concat())
    }

    /// Starts `arcflux`.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).spawn().unwrap();
        let out = lines_of(child.stdout.take().unwrap());
        let err = lines_of(child.stderr.take().unwrap());
        Running { child, out, err, seen: Ran { code: None, out: String::new(), err: String::new() } }
    }

    /// `arcflux`, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arcflux"));
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("HOME", self.directory.path())
            // Only git is looked for, by the tests that bind a repository.
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

impl Ran {
    /// Fails unless the command ended with `code`.
    pub(crate) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Fails unless standard error says `text`, whatever its lines are wrapped at.
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(words(&self.err).contains(&words(text)), "{text:?} is not in:\n{}", self.err);
        self
    }

    /// Fails unless standard output says `text`, whatever its lines are wrapped at.
    pub(crate) fn shows(self, text: &str) -> Self {
        assert!(words(&self.out).contains(&words(text)), "{text:?} is not in:\n{}", self.out);
        self
    }

    /// The digest that a plan shows.
    pub(crate) fn digest(&self) -> String {
        let line = self.out.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap();
        line.to_owned()
    }
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A command that runs. It is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
    seen: Ran,
}

impl Running {
    /// Reads standard error until a line holds `text`.
    pub(crate) fn wait_for(&mut self, text: &str) {
        loop {
            let line = self.err.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("{text:?} was never said:\n{}", self.seen.err));
            self.seen.err.push_str(&line);
            if line.contains(text) {
                return;
            }
        }
    }

    /// Sends a signal, by its name: `INT`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([format!("-{name}"), id]).status().unwrap().success());
    }

    /// Reads both streams to their ends, and how it ended.
    pub(crate) fn finish(mut self) -> Ran {
        self.seen.out.extend(rest_of(&self.out));
        self.seen.err.extend(rest_of(&self.err));
        let status: ExitStatus = self.child.wait().unwrap();
        let seen = std::mem::replace(&mut self.seen, Ran { code: None, out: String::new(), err: String::new() });
        Ran { code: status.code(), ..seen }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Lines as they come, read on a thread of their own so that waiting for one can be bounded.
fn lines_of(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
            if sender.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    receiver
}

fn rest_of(lines: &Receiver<String>) -> Vec<String> {
    let mut rest = Vec::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => rest.push(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => return rest,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("it hangs after:\n{}", rest.concat()),
        }
    }
}

/// `arcflux sim serve` on a free port. It is killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) url: String,
    _out: BufReader<ChildStdout>,
}

impl Server {
    /// Serves with these arguments beside the address.
    pub(crate) fn start(place: &Place, arguments: &[&str]) -> Self {
        let listen = ["sim", "serve", "--listen", "127.0.0.1:0"];
        let mut child = place.command(&[&listen, arguments].concat()).stderr(Stdio::null()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut url = String::new();
        out.read_line(&mut url).unwrap();
        assert!(url.starts_with("http://127.0.0.1:"), "{url:?}");
        Self { child, url: url.trim().to_owned(), _out: out }
    }

    /// Sends one request by hand, as curl would, and gives the status line and the body.
    pub(crate) fn send(&self, method: &str, target: &str, body: &str) -> (String, String) {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(
            stream,
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
    }

    /// Plans, applies or looks through this server.
    pub(crate) fn run(&self, place: &Place, arguments: &[&str]) -> Ran {
        place.run(&[arguments, &["--arm-endpoint", &self.url, "--poll-scale", "0.001"]].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The names of the files in `specs/`.
pub(crate) const SPECS: [&str; 6] = ["aks", "everything", "fleet", "long-form", "quickstart", "runbook"];

/// The text of a file in `specs/`.
pub(crate) fn spec(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs").join(format!("{name}.yaml"));
    std::fs::read_to_string(path).unwrap()
}
