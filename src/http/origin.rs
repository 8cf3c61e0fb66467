//! The one place that a token may be sent to.

use std::fmt;

use ::http::Uri;

use super::is_loopback;

/// Scheme, host and port of a server that is sent a token. Every URL that a response names must have the same origin:
/// following another one would hand the token to whoever put it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `http` or `https`.
    scheme: &'static str,
    /// In lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
}

/// Why a text is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It is not scheme, host and perhaps port.
    #[error(
        "`{0}` is not the address of a server: it must be like https://management.azure.com, without path, query or user"
    )]
    Malformed(String),
    /// It is not scheme, host, perhaps port, and perhaps a path.
    #[error(
        "`{0}` is not the address of an API: it must be like https://github.contoso.com/api/v3, without query or user"
    )]
    MalformedBase(String),
    /// It is plain http to another machine.
    #[error("`{0}` is plain http to another machine: a token would cross the network in the clear")]
    Plain(String),
}

/// A link that leads to another server. Whoever follows it sends the token there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignLink {
    /// Where it leads: scheme, host and port where they can be read.
    pub host: String,
}

impl Origin {
    /// Reads an endpoint such as `https://management.azure.com`, with or without a trailing slash.
    ///
    /// # Errors
    ///
    /// [`OriginError`] when it has a path, a query, a user, another scheme, or is plain http off loopback.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        match Self::parse_base(text) {
            Ok((origin, path)) if path.is_empty() => Ok(origin),
            Ok(_) | Err(OriginError::MalformedBase(_) | OriginError::Malformed(_)) => {
                Err(OriginError::Malformed(shown(text)))
            }
            Err(OriginError::Plain(origin)) => Err(OriginError::Plain(origin)),
        }
    }

    /// Reads the address of an API such as `https://github.contoso.com/api/v3`: its origin, and the path that every
    /// request begins with, without a slash at its end.
    ///
    /// # Errors
    ///
    /// [`OriginError`] when it has a query, a user, another scheme, or is plain http off loopback.
    pub fn parse_base(text: &str) -> Result<(Self, String), OriginError> {
        let malformed = || OriginError::MalformedBase(shown(text));
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        let origin = Self::of(&uri).ok_or_else(malformed)?;
        // `Uri` drops a fragment without a word.
        if text.contains('#') || uri.query().is_some() {
            return Err(malformed());
        }
        if origin.scheme == "http" && !is_loopback(&origin.host) {
            return Err(OriginError::Plain(origin.to_string()));
        }
        Ok((origin, uri.path().trim_end_matches('/').to_owned()))
    }

    /// Whether this is on the host of `other`, or in the domain that `other` is in: `dp.edge.contoso.com` is beside
    /// `arm.edge.contoso.com`. A domain of one word (`com`) is none.
    #[must_use]
    pub fn is_beside(&self, other: &Self) -> bool {
        let domain = other.host.split_once('.').map(|(_, domain)| domain).filter(|domain| domain.contains('.'));
        let is_name = other.host.bytes().any(|byte| byte.is_ascii_alphabetic());
        let is_below = |domain: &str| self.host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
        self.host == other.host || (is_name && domain.is_some_and(is_below))
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

    /// The URI of a link that a response named, byte for byte. A path alone is of this origin: some services send that
    /// (`../shared/facts/arm-contracts.md` §7.4).
    ///
    /// # Errors
    ///
    /// [`ForeignLink`] when it leads elsewhere.
    pub fn follow(&self, link: &str) -> Result<Uri, ForeignLink> {
        let foreign = |host: String| ForeignLink { host };
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
    fn beside_is_what_is_in_the_same_domain() {
        let is_beside = |one: &str, other: &str| {
            Origin::parse(&format!("https://{one}"))
                .unwrap()
                .is_beside(&Origin::parse(&format!("https://{other}")).unwrap())
        };
        assert!(is_beside("127.0.0.1:9", "127.0.0.1:8"));
        assert!(is_beside("dp.aszrp.edge.contoso.com", "armmanagement.edge.contoso.com"));
        for (one, other) in [
            ("127.0.0.2", "127.0.0.1"),
            ("evil.com", "contoso.com"),
            ("dp.evil.example", "arm.edge.contoso.com"),
            ("evil-edge.contoso.com", "arm.edge.contoso.com"),
            ("edge.contoso.com.evil.example", "arm.edge.contoso.com"),
        ] {
            assert!(!is_beside(one, other), "{one} {other}");
        }
    }

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
    fn an_api_may_begin_with_a_path() {
        for (text, origin, path) in [
            ("https://api.github.com", "https://api.github.com", ""),
            ("https://git.contoso.com/api/v3/", "https://git.contoso.com", "/api/v3"),
            ("https://dev.azure.com/contoso/", "https://dev.azure.com", "/contoso"),
            ("http://127.0.0.1:9000/api", "http://127.0.0.1:9000", "/api"),
        ] {
            let parsed = Origin::parse_base(text).unwrap();
            assert_eq!((parsed.0.to_string().as_str(), parsed.1.as_str()), (origin, path));
        }
        for text in ["https://a/b?c", "https://a/b#c", "https://u:hunter2@a/b", "ftp://a/b", "/api/v3", ""] {
            let error = Origin::parse_base(text).unwrap_err();
            assert!(matches!(error, OriginError::MalformedBase(_)), "{text}");
            assert!(!error.to_string().contains("hunter2"));
        }
        assert!(matches!(Origin::parse_base("http://git.contoso.com/api/v3"), Err(OriginError::Plain(_))));
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
                origin.follow(link).unwrap().to_string().trim_end_matches('/').to_lowercase(),
                link.to_lowercase()
            );
        }
        assert_eq!(origin.follow("/a?b").unwrap(), "https://management.azure.com/a?b");
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
            assert!(origin.follow(link).is_err(), "{link}");
        }
    }
}
