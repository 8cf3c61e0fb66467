//! The simulator's certificate: made once, kept while it is valid, and never in the place of somebody else's.

use std::fs;
use std::path::Path;
use std::time::Duration;

use arcflux::http::{Clock, SystemClock};
use arcflux::sim::{Certificate, CertificateError};
use jiff::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const FILES: [&str; 3] = ["ca.pem", "server.pem", "server.key"];

fn contents(directory: &Path) -> [String; 3] {
    FILES.map(|name| fs::read_to_string(directory.join(name)).unwrap())
}

fn later(days: u32) -> Timestamp {
    SystemClock.now() + DAY * days
}

#[test]
fn it_is_kept_while_it_is_valid_and_made_anew_when_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("deep/er");
    let made = Certificate::in_directory(&directory, later(0)).unwrap();
    assert_eq!(made.authority(), directory.join("ca.pem"));
    let first = contents(&directory);
    Certificate::in_directory(&directory, later(360)).unwrap();
    assert_eq!(contents(&directory), first, "kept");
    Certificate::in_directory(&directory, later(364)).unwrap();
    let second = contents(&directory);
    assert!(first.iter().zip(&second).all(|(one, other)| one != other), "near its end all three are new");

    for damaged in ["server.pem", "server.key"] {
        for text in ["", "half a fi"] {
            fs::write(directory.join(damaged), text).unwrap();
            Certificate::in_directory(&directory, later(364)).unwrap();
            assert!(contents(&directory)[1..].iter().all(|text| text.contains("-----END")), "{damaged}: {text}");
        }
    }
    fs::write(directory.join("server.key"), &first[2]).unwrap();
    Certificate::in_directory(&directory, later(364)).unwrap();
    assert_ne!(contents(&directory)[2], first[2], "a key of another certificate is replaced");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 3, "nothing else is left there");
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    Certificate::in_directory(folder.path(), later(0)).unwrap();
    let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("server.key"), 0o600);
    assert_eq!(mode("ca.pem") & 0o400, 0o400);
}

#[test]
fn what_somebody_else_has_put_there_is_left() {
    let foreign = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (name, text) in [
        ("ca.pem", foreign.cert.pem()),
        ("ca.pem", "not a certificate".to_owned()),
        ("server.pem", foreign.cert.pem()),
        ("server.key", foreign.signing_key.serialize_pem()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), &text).unwrap();
        let error = Certificate::in_directory(folder.path(), later(0)).unwrap_err();
        assert!(matches!(&error, CertificateError::Foreign(path) if path.ends_with(name)), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), text);
    }
}
