//! What the values of secrets must look like for the fields that they go into. Checked before anything is sent; what is
//! said never holds a part of a value.

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::Hole;
use crate::model::{Secret, Segment};

/// What is noticed about a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It cannot work.
    Unfit(String),
    /// It works for now.
    Doubtful(String),
}

/// Signatures that end sooner than this are told about: 30 days.
const ENDS_SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The length of a storage account's key, in bytes, before it is written as base64.
const ACCOUNT_KEY_BYTES: usize = 64;

/// What is wrong with `value` for the place of `hole`. Without `now`, nothing is said about times. Placeholders fit
/// everywhere.
#[must_use]
pub fn check(hole: &Hole, value: &Secret, now: Option<Timestamp>) -> Option<Finding> {
    if value.is_placeholder() {
        return None;
    }
    let Some(Segment::Key(field)) = hole.path.segments().last() else { return None };
    let text = value.reveal();
    let is_setting_of_an_extension = !hole.destination.contains("://");
    match field.as_str() {
        _ if is_setting_of_an_extension => None,
        "sshPrivateKey" | "privateKey" => private_key(text).map(|why| Finding::Unfit(why.to_owned())),
        "clientCertificate" | "caCertificate" => certificate(text).map(|why| Finding::Unfit(why.to_owned())),
        "httpsKey" | "bucketSecretKey" | "clientSecret" => one_line(text).map(|why| Finding::Unfit(why.to_owned())),
        "accountKey" => account_key(text).map(|why| Finding::Unfit(why.to_owned())),
        "sasToken" => signature(text, now),
        _ => None,
    }
}

fn private_key(text: &str) -> Option<&'static str> {
    let begins = text.trim_start().starts_with("-----BEGIN ");
    if begins && text.contains("ENCRYPTED") {
        Some("the private key has a passphrase, which nobody in the cluster could type")
    } else if begins && text.contains("PRIVATE KEY-----") {
        (!text.contains("-----END ")).then_some("the private key has no END line")
    } else if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.contains("PUBLIC KEY-----") {
        Some("this is a public key; the private one is needed")
    } else if is_encoded_pem(text) {
        Some("it is base64 already; write the PEM text itself, arcflux encodes it")
    } else {
        Some("it is not a private key in PEM form")
    }
}

fn certificate(text: &str) -> Option<&'static str> {
    if text.contains("-----BEGIN CERTIFICATE-----") {
        (!text.contains("-----END CERTIFICATE-----")).then_some("the certificate has no END line")
    } else if is_encoded_pem(text) {
        Some("it is base64 already; write the PEM text itself, arcflux encodes it")
    } else {
        Some("it is not a certificate in PEM form")
    }
}

/// Whether this is base64 of something in PEM form: of `-----BEGIN`.
fn is_encoded_pem(text: &str) -> bool {
    text.trim_start().starts_with("LS0tLS1CRUdJTi")
}

fn one_line(text: &str) -> Option<&'static str> {
    if text.contains(['\n', '\r']) {
        Some("it has several lines; a password or token has one")
    } else if text.trim() != text {
        Some("it has white space at its ends")
    } else {
        None
    }
}

fn account_key(text: &str) -> Option<&'static str> {
    use base64::Engine as _;
    let decoded = base64::engine::general_purpose::STANDARD.decode(text).ok();
    (decoded.map(|bytes| bytes.len()) != Some(ACCOUNT_KEY_BYTES))
        .then_some("it is not a key of a storage account, as the portal and `az storage account keys list` show it")
}

/// A shared access signature: a query with a signature (`sig`) and an end (`se`).
fn signature(text: &str, now: Option<Timestamp>) -> Option<Finding> {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(text.trim_start_matches('?').as_bytes()).into_owned().collect();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if value("sig").is_none_or(str::is_empty) {
        return Some(Finding::Unfit("it is not a shared access signature: it has no `sig=`".to_owned()));
    }
    // One without an end takes it from a stored access policy.
    let end = value("se")?;
    let Some(end) = instant(end) else {
        return Some(Finding::Unfit("the end of the shared access signature (`se=`) is not a time".to_owned()));
    };
    let left = end.duration_since(now?);
    if left <= SignedDuration::ZERO {
        Some(Finding::Unfit(format!("the shared access signature has expired, at {end:.0}")))
    } else if left < ENDS_SOON {
        Some(Finding::Doubtful(format!(
            "the shared access signature expires at {end:.0}; after that Flux fetches nothing, and says little about it"
        )))
    } else {
        None
    }
}

/// The forms of time that Azure Storage takes: a date, a minute, a second, in UTC.
fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let seconds = text.strip_suffix('Z').map(|minute| format!("{minute}:00Z"));
        seconds.and_then(|text| text.parse().ok()).or_else(|| {
            let date: Date = text.parse().ok()?;
            format!("{date}T00:00:00Z").parse().ok()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::Encoding;
    use crate::model::{FieldPath, SecretRef};

    fn found(field: &str, value: &str) -> Option<Finding> {
        let hole = Hole {
            path: FieldPath::dotted("properties").key(field),
            secret: SecretRef::Env("S".to_owned()),
            destination: "https://h".to_owned(),
            encoding: Encoding::Raw,
        };
        check(&hole, &Secret::new(value.to_owned()), Some("2026-11-22T00:00:00Z".parse().unwrap()))
    }

    fn is_unfit(field: &str, value: &str) -> bool {
        let finding = found(field, value);
        if let Some(Finding::Unfit(why) | Finding::Doubtful(why)) = &finding {
            assert!(!why.contains(value), "{why}");
        }
        matches!(finding, Some(Finding::Unfit(_)))
    }

    #[test]
    fn keys_and_certificates_are_pem_texts() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n-----END OPENSSH PRIVATE KEY-----\n";
        assert_eq!(found("sshPrivateKey", key), None);
        assert_eq!(found("caCertificate", "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----"), None);
        for wrong in [
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII\n-----END ENCRYPTED PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\nMII",
            "ssh-ed25519 AAAAC3Nz me@host",
            "LS0tLS1CRUdJTiBPUEVOU1NI",
            "hunter22",
        ] {
            assert!(is_unfit("sshPrivateKey", wrong), "{wrong}");
            assert!(is_unfit("clientCertificate", wrong), "{wrong}");
        }
    }

    #[test]
    fn passwords_have_one_line_and_account_keys_their_length() {
        assert_eq!(found("httpsKey", "ghp_0123"), None);
        assert!(is_unfit("httpsKey", "ghp_0123\nmore") && is_unfit("bucketSecretKey", " x"));
        assert_eq!(found("accountKey", &format!("{}==", "A".repeat(86))), None);
        assert!(is_unfit("accountKey", "QUJD") && is_unfit("accountKey", "not base64"));
    }

    #[test]
    fn signatures_have_an_end_that_is_not_near() {
        let token = |end: &str| format!("?sv=2024-11-04&sr=c&se={end}&sig=abc%3D");
        assert_eq!(found("sasToken", &token("2027-06-01T00%3A00%3A00Z")), None);
        assert_eq!(found("sasToken", "sv=2024-11-04&si=policy&sig=abc"), None);
        assert!(matches!(found("sasToken", &token("2026-12-01")), Some(Finding::Doubtful(_))));
        for wrong in [&token("2026-11-21"), &token("2020-01-01T10:00Z"), &token("soon"), "se=2027-01-01"] {
            assert!(is_unfit("sasToken", wrong), "{wrong}");
        }
    }
}
