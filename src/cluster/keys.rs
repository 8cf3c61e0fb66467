//! The key pair of the Arc agents: the public half goes to Azure, the private half to the agents and nowhere else
//! (`../shared/facts/az-cli-behaviour.md` §3, step 13).

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pkcs8::der::pem::{self, LineEnding};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use crate::model::Secret;

/// RSA encryption, as a PKCS#8 private key names its algorithm (RFC 8017, appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// An RSA key pair of 4096 bits.
#[derive(Debug)]
pub struct AgentKeys {
    /// `properties.agentPublicKeyCertificate`: base64 of the DER form of PKCS#1's `RSAPublicKey`; 704 characters that begin
    /// with `MIICCgKCAgEA`.
    pub public_key: String,
    /// The private key in PEM form, PKCS#1: `-----BEGIN RSA PRIVATE KEY-----`.
    pub private_key: Secret,
}

/// A key pair could not be made. It does not depend on anything that the user gave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an RSA key pair for the Arc agents cannot be made: {0}")]
pub struct KeyError(&'static str);

impl AgentKeys {
    /// Makes a new pair. It takes about a second.
    ///
    /// # Errors
    ///
    /// [`KeyError`] when the random numbers or the memory for it are not to be had.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa4096).map_err(|_| KeyError("the library gave none"))?;
        let document = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| KeyError("it has no PKCS#8 form"))?;
        Ok(Self {
            public_key: STANDARD.encode(pair.public_key().as_ref()),
            private_key: Secret::new(private_pem(document.as_ref())?),
        })
    }
}

/// The PKCS#1 key inside of a PKCS#8 one, in PEM form.
fn private_pem(pkcs8: &[u8]) -> Result<String, KeyError> {
    let info = PrivateKeyInfoRef::try_from(pkcs8).map_err(|_| KeyError("its PKCS#8 form is malformed"))?;
    if info.algorithm.oid != RSA {
        return Err(KeyError("it is not an RSA key"));
    }
    let der = info.private_key.as_bytes();
    let mut text = Zeroizing::new(vec![0; 2 * der.len() + 128]);
    // Written into memory that is wiped: a `String` that grows leaves copies of its beginning behind.
    let written =
        pem::encode("RSA PRIVATE KEY", LineEnding::LF, der, &mut text).map_err(|_| KeyError("it has no PEM form"))?;
    Ok(written.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_key_is_what_azure_expects() {
        let keys = AgentKeys::generate().unwrap();
        assert_eq!(keys.public_key.len(), 704);
        assert!(keys.public_key.starts_with("MIICCgKCAgEA"), "{}", keys.public_key);
        let pem = keys.private_key.reveal();
        assert!(pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\nMIIJ"));
        assert!(pem.ends_with("\n-----END RSA PRIVATE KEY-----\n"));
        assert!(pem.lines().all(|line| line.len() <= 64));
        assert!(!format!("{keys:?}").contains("PRIVATE"));
        assert_ne!(AgentKeys::generate().unwrap().public_key, keys.public_key);
    }
}
