//! The one place that a token may be sent to.

use std::fmt;

use ::http::Uri;

use super::ArmError;
use crate::http::is_loopback;

/// Scheme, host and port of the ARM endpoint. Every URL that a response names must have the same origin: following
/// another one would hand the token to whoever put it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `http` or `https`.
    scheme: &'static str,
    /// In lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
}

/// Why a text is not an ARM endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It is not scheme, host and perhaps port.
    #[error("`{0}` is not an ARM endpoint: it must be like https://management.azure.com, without path, query or user")]
    Malformed(String),
    /// It is plain http to another machine.
    #[error("`{0}` is plain http to another machine: a token would cross the network in the clear")]
    Plain(String),
}

impl Origin {
    /// Reads an endpoint such as `https://management.azure.com`, with or without a trailing slash.
    ///
    /// # Errors
    ///
    /// [`OriginError`] when it has a path, a query, a user, another scheme, or is plain http off loopback.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        // `Uri` drops a fragment without a word.
        let malformed = || OriginError::Malformed(shown(text));
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        let origin = Self::of(&uri).ok_or_else(malformed)?;
        if text.contains('#') || uri.path() != "/" || uri.query().is_some() {
            return Err(malformed());
        }
        if origin.scheme == "http" && !is_loopback(&origin.host) {
            return Err(OriginError::Plain(origin.to_string()));
        }
        Ok(origin)
    }

    /// Whether it is plain http, which is only possible on loopback.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.scheme == "http"
    }

    fn of(uri: &Uri) -> Option<Self> {
        let (scheme, default_port) = match uri.scheme_str()? {
            "https" => ("https", 443),
            "http" => ("http", 80),
            _ => return None,
        };
        let authority = uri.authority()?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return None;
        }
        // `Authority::port` takes a port that is no number for none.
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => default_port,
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        Some(Self { scheme, host: authority.host().to_ascii_lowercase(), port })
    }

    /// The URI of a link that a response named (`nextLink`, `Azure-AsyncOperation`, `Location`), byte for byte. A
    /// path alone is of this origin: some providers send that (`../shared/facts/arm-contracts.md` §7.4).
    ///
    /// # Errors
    ///
    /// [`ArmError::ForeignHost`] when it leads elsewhere; `role` says what kind of link it is.
    pub(super) fn follow(&self, role: &'static str, link: &str) -> Result<Uri, ArmError> {
        let foreign = |host: String| ArmError::ForeignHost { role, host, origin: self.to_string() };
        let absolute =
            if link.starts_with('/') && !link.starts_with("//") { format!("{self}{link}") } else { link.to_owned() };
        let uri: Uri = absolute.parse().map_err(|_| foreign("an unreadable address".to_owned()))?;
        match Self::of(&uri) {
            Some(origin) if origin == *self => Ok(uri),
            Some(origin) => Err(foreign(origin.to_string())),
            None => Err(foreign(uri.host().unwrap_or("an address without a host").to_owned())),
        }
    }
}

/// What may be repeated of a text that was not understood: not its user part.
fn shown(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(user)) if scheme < user => format!("{}***{}", &text[..scheme + 3], &text[user..]),
        _ => text.to_owned(),
    }
}

/// As a URL without a trailing slash; the default port is left out.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match (self.scheme, self.port) {
            ("https", 443) | ("http", 80) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        for (text, shown) in [
            ("https://management.azure.com", "https://management.azure.com"),
            ("https://Management.Azure.com:443/", "https://management.azure.com"),
            ("https://arm.local:8443", "https://arm.local:8443"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://[::1]:9000", "http://[::1]:9000"),
            ("http://localhost", "http://localhost"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().to_string(), shown);
        }
        // However it is written.
        assert!(Origin::parse("HTTP://127.0.0.1:9000").is_ok_and(|origin| origin.is_plain()));
        assert!(Origin::parse("HTTPS://127.0.0.1:9000").is_ok_and(|origin| !origin.is_plain()));
        for text in [
            "",
            "management.azure.com",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://a?b",
            "https://a/#b",
            "https://u:p@a",
            "https://a:x",
            "https://a:99999",
        ] {
            assert!(matches!(Origin::parse(text), Err(OriginError::Malformed(_))), "{text}");
        }
        for text in ["http://management.azure.com", "http://10.0.0.1", "http://localhost.evil.example"] {
            assert!(matches!(Origin::parse(text), Err(OriginError::Plain(_))), "{text}");
        }
        assert!(!Origin::parse("https://u:hunter2@a").unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn only_links_of_the_same_scheme_host_and_port_are_followed() {
        let origin = Origin::parse("https://management.azure.com").unwrap();
        for link in [
            "https://management.azure.com/a?api-Version=1&s=%2B*'x'",
            "https://MANAGEMENT.azure.com:443/a",
            "https://management.azure.com",
        ] {
            assert_eq!(
                origin.follow("nextLink", link).unwrap().to_string().trim_end_matches('/').to_lowercase(),
                link.to_lowercase()
            );
        }
        assert_eq!(origin.follow("Location", "/a?b").unwrap(), "https://management.azure.com/a?b");
        for link in [
            "http://management.azure.com/a",
            "https://management.azure.com:8443/a",
            "https://management.azure.com.evil.example/a",
            "https://eastus.rp.kubernetesconfiguration.azure.com/a",
            "https://management.azure.com@evil.example/a",
            "https://u@management.azure.com/a",
            "//evil.example/a",
            "file:///subscriptions/a",
            "a/b",
            "https://management.azure.com\\@evil.example",
            "",
        ] {
            let error = origin.follow("Location", link).unwrap_err();
            assert!(matches!(error, ArmError::ForeignHost { .. }), "{link}");
        }
    }
}
