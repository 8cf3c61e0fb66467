//! The certificate that the simulator shows over TLS, and the authority that clients have to trust for it.
//!
//! Both are made for one machine: the leaf is for 127.0.0.1, `::1` and `localhost` alone, and the authority's private
//! key is thrown away once it has signed that leaf, so that trusting it trusts nothing else.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{RootCertStore, ServerConfig};

use super::durations;

/// File of the authority's certificate: what clients are told to trust.
const AUTHORITY: &str = "ca.pem";
/// File of the server's certificate.
const LEAF: &str = "server.pem";
/// File of the server's private key, readable by its owner alone.
const KEY: &str = "server.key";
/// Common name of the authority, by which its file is known again.
const AUTHORITY_NAME: &str = "arcflux simulator CA";

/// How long a certificate is valid: below the 398 days that clients accept of any.
const VALID: Duration = Duration::from_secs(365 * DAY);
/// One that ends within this is made anew.
const MARGIN: Duration = Duration::from_secs(DAY);
const DAY: u64 = 24 * 60 * 60;

/// A certificate of this machine, with its key.
#[derive(Debug, Clone)]
pub struct Certificate {
    config: Arc<ServerConfig>,
    authority: PathBuf,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The directory or a file in it cannot be read or written.
    #[error("{}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The directory holds certificates that the simulator has not made. They are left as they are.
    #[error("{} is not the simulator's own; name a directory of its own for its certificates", .0.display())]
    Foreign(PathBuf),
    /// A certificate could not be signed.
    #[error("the certificate cannot be made")]
    Making(#[from] rcgen::Error),
    /// A certificate could not be used.
    #[error("the certificate cannot be used")]
    Using(#[from] rustls::Error),
}

impl Certificate {
    /// The certificate that is kept in `directory`: the one that is there while it is valid at `now` and for a day
    /// more, else a new one for a year.
    ///
    /// # Errors
    ///
    /// [`CertificateError`]; nothing in the directory is overwritten unless the simulator has written it.
    pub fn in_directory(directory: &Path, now: Timestamp) -> Result<Self, CertificateError> {
        let authority = directory.join(AUTHORITY);
        let config = match kept(directory, now)? {
            Kept::Usable(config) => config,
            Kept::Nothing | Kept::Outdated => Arc::new(make(directory, now)?),
        };
        Ok(Self { config, authority })
    }

    /// File of the authority's certificate, in PEM form.
    #[must_use]
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    /// Whether it is for `address`.
    #[must_use]
    pub fn is_for(address: IpAddr) -> bool {
        ADDRESSES.contains(&address)
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }
}

/// The addresses that it is for, beside the name `localhost`.
const ADDRESSES: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// What is in a directory.
enum Kept {
    /// None of the three files.
    Nothing,
    /// Files of the simulator that can no longer be used: too old, damaged, or written by halves.
    Outdated,
    Usable(Arc<ServerConfig>),
}

fn kept(directory: &Path, now: Timestamp) -> Result<Kept, CertificateError> {
    let [authority, leaf, key] = [AUTHORITY, LEAF, KEY].map(|name| read(&directory.join(name)));
    let (authority, leaf, key) = (authority?, leaf?, key?);
    let Some(authority) = authority else {
        return match (leaf, key) {
            (None, None) => Ok(Kept::Nothing),
            (Some(_), _) => Err(CertificateError::Foreign(directory.join(LEAF))),
            (None, Some(_)) => Err(CertificateError::Foreign(directory.join(KEY))),
        };
    };
    let mut roots = RootCertStore::empty();
    let known = CertificateDer::from_pem_slice(&authority).is_ok_and(|certificate| roots.add(certificate).is_ok());
    let named = |subject: &[u8]| subject.windows(AUTHORITY_NAME.len()).any(|part| part == AUTHORITY_NAME.as_bytes());
    if !known || !roots.roots.iter().all(|root| named(&root.subject)) {
        return Err(CertificateError::Foreign(directory.join(AUTHORITY)));
    }
    let (Some(leaf), Some(key)) = (leaf, key) else { return Ok(Kept::Outdated) };
    let (Ok(leaf), Ok(key)) = (CertificateDer::from_pem_slice(&leaf), PrivateKeyDer::from_pem_slice(&key)) else {
        return Ok(Kept::Outdated);
    };
    if !is_valid(roots, &leaf, now) {
        return Ok(Kept::Outdated);
    }
    // A key of another certificate is refused here.
    Ok(config(leaf, key).map_or(Kept::Outdated, |config| Kept::Usable(Arc::new(config))))
}

/// Whether a client that trusts `roots` would accept `leaf` for this machine, now and a day from now.
fn is_valid(roots: RootCertStore, leaf: &CertificateDer<'_>, now: Timestamp) -> bool {
    let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
    let Ok(verifier) = builder.build() else { return false };
    let names = ADDRESSES.map(|address| ServerName::IpAddress(address.into()));
    let localhost = ServerName::try_from("localhost").ok();
    let instants = [now, durations::after(now, MARGIN)];
    names.iter().chain(&localhost).all(|name| {
        instants.iter().all(|at| {
            let since_epoch = Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0));
            let at = UnixTime::since_unix_epoch(since_epoch);
            verifier.verify_server_cert(leaf, &[], name, &[], at).is_ok()
        })
    })
}

fn config(leaf: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Named, because the process may have none set as its default.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn make(directory: &Path, now: Timestamp) -> Result<ServerConfig, CertificateError> {
    let mut authority = parameters(AUTHORITY_NAME, now);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;

    let mut leaf = parameters("arcflux simulator", now);
    leaf.subject_alt_names = ADDRESSES.map(SanType::IpAddress).to_vec();
    leaf.subject_alt_names.push(SanType::DnsName("localhost".try_into()?));
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let leaf_key = KeyPair::generate()?;
    let leaf_certificate = leaf.signed_by(&leaf_key, &Issuer::new(authority, authority_key))?;

    std::fs::create_dir_all(directory).map_err(|source| at(directory, source))?;
    // The authority first: by it a directory that was written by halves is known as the simulator's.
    write(&directory.join(AUTHORITY), &authority_certificate.pem())?;
    write_private(&directory.join(KEY), &leaf_key.serialize_pem())?;
    write(&directory.join(LEAF), &leaf_certificate.pem())?;
    let key = PrivatePkcs8KeyDer::from(leaf_key.serialize_der());
    Ok(config(leaf_certificate.der().clone(), key.into())?)
}

/// What both certificates have in common. They begin a day early, for clocks that are behind.
fn parameters(name: &str, now: Timestamp) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    let date = |at: Timestamp| {
        let date = at.to_zoned(TimeZone::UTC).date();
        // Months and days are never negative.
        let [month, day] = [date.month(), date.day()].map(i8::unsigned_abs);
        rcgen::date_time_ymd(i32::from(date.year()), month, day)
    };
    parameters.not_before = date(durations::before(now, Duration::from_secs(DAY)));
    parameters.not_after = date(durations::after(now, VALID));
    parameters
}

fn at(path: &Path, source: io::Error) -> CertificateError {
    CertificateError::Io { path: path.to_owned(), source }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, CertificateError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path, error)),
    }
}

fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    std::fs::write(path, text).map_err(|source| at(path, source))
}

/// Writes a file that nobody else may read at any moment: temporary files are made with the mode 0600.
fn write_private(path: &Path, text: &str) -> Result<(), CertificateError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(directory).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|source| at(path, source))
}
