//! The key pair of the Arc agents, against another implementation.

use std::io::Write as _;
use std::process::{Command, Stdio};

use arcflux::cluster::AgentKeys;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What `openssl` says, or `None` where it is not installed.
fn openssl(arguments: &[&str], input: &str) -> Option<Vec<u8>> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

#[test]
fn openssl_says_that_the_key_is_sound_and_derives_the_same_public_key() {
    let keys = AgentKeys::generate().unwrap();
    let private = keys.private_key.reveal();
    let Some(checked) = openssl(&["rsa", "-check", "-noout"], private) else {
        return;
    };
    assert_eq!(String::from_utf8(checked).unwrap().trim(), "RSA key ok");
    let public = openssl(&["rsa", "-RSAPublicKey_out", "-outform", "DER"], private).unwrap();
    assert_eq!(STANDARD.encode(public), keys.public_key);
}
