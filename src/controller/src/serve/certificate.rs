//! The webhook server's certificate: read from files, or made when there are none.
//!
//! A made one is a small authority and one leaf that it signed: the authority's text goes into the configurations, its key is dropped at once.
//! Those that replicas share are renewed by `install::rotate`, and taken over by servers that run. Keys come from the provider's own randomness, which is why simulation has no part in this.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{RootCertStore, ServerConfig};

/// How long a certificate that is renewed is valid.
pub(crate) const LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("read {}: {cause}; give the PEM files of a certificate and its key", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A text is something else.
    #[error("read the webhooks' {what}: {cause}; expected PEM")]
    NotPem {
        /// Which text.
        what: &'static str,
        /// Why.
        cause: rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not go together, or are of a kind that is not supported.
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// API servers would not trust it.
    #[error(
        "the webhooks' certificate is not good for {name}: {cause}; give another one, or delete the Secret that holds it to have it made anew"
    )]
    Untrusted {
        /// The name by which the webhooks are reached.
        name: String,
        /// Why.
        cause: rustls::CertificateError,
    },
    /// There is none.
    #[error("the webhooks' certificate chain holds no certificate; expected PEM")]
    Empty,
    /// Making one failed.
    #[error("make a certificate for {names:?}: {cause}")]
    NotMade {
        /// The names it was for.
        names: Vec<String>,
        /// Why.
        cause: rcgen::Error,
    },
}

/// A server's certificate with its key, and the text by which clients trust it.
#[derive(Clone)]
pub struct Certificate {
    /// Shared by all clones: what connections from now on are shown.
    config: Arc<Mutex<Arc<ServerConfig>>>,
    certificates: Vec<CertificateDer<'static>>,
    chain: Vec<u8>,
    key: Vec<u8>,
    authority: Vec<u8>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key has no place in a log.
        f.write_str("Certificate")
    }
}

impl Certificate {
    /// Reads a certificate chain and its key. Clients are told to trust the chain itself.
    ///
    /// # Errors
    /// When a file is unreadable or not PEM, or the two do not match.
    pub fn read(chain: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|cause| CertificateError::Unreadable {
                path: path.to_owned(),
                cause,
            })
        };
        let (chain, key) = (read(chain)?, read(key)?);
        Self::from_pem(&chain, &key, &chain)
    }

    /// A certificate from PEM texts: the chain, its key, and what clients are to trust.
    ///
    /// # Errors
    /// When one of them is not PEM, or chain and key do not match.
    pub fn from_pem(chain: &[u8], key: &[u8], authority: &[u8]) -> Result<Self, CertificateError> {
        let not_pem = |what: &'static str| move |cause| CertificateError::NotPem { what, cause };
        let certificates = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(not_pem("certificate chain"))?;
        if certificates.is_empty() {
            return Err(CertificateError::Empty);
        }
        let private = PrivateKeyDer::from_pem_slice(key).map_err(not_pem("key"))?;
        Ok(Self {
            config: Arc::new(Mutex::new(server_config(certificates.clone(), private)?)),
            certificates,
            chain: chain.to_vec(),
            key: key.to_vec(),
            authority: authority.to_vec(),
        })
    }

    /// Makes one for `names` (DNS names or addresses), signed by an authority of its own, that never expires: for a process that shares it with
    /// nobody, and has another one at its next start.
    ///
    /// # Errors
    /// When a name is neither.
    pub fn make(names: &[String]) -> Result<Self, CertificateError> {
        Self::make_between(names, None)
    }

    /// Makes one that is valid for ninety days from `from` on.
    ///
    /// # Errors
    /// When a name is neither a DNS name nor an address.
    pub fn make_from(names: &[String], from: Timestamp) -> Result<Self, CertificateError> {
        Self::make_between(names, Some(from))
    }

    fn make_between(names: &[String], from: Option<Timestamp>) -> Result<Self, CertificateError> {
        let [chain, key, authority] = make(names, from).map_err(|cause| CertificateError::NotMade {
            names: names.to_vec(),
            cause,
        })?;
        Self::from_pem(chain.as_bytes(), key.as_bytes(), authority.as_bytes())
    }

    /// Checks what an API server will check before it calls: that the certificate is for all `names` and valid at `now`. What only another
    /// library could find fault with is left to it.
    ///
    /// # Errors
    /// [`CertificateError::Untrusted`].
    pub fn check(&self, names: &[String], now: Timestamp) -> Result<(), CertificateError> {
        let Some((leaf, intermediates)) = self.certificates.split_first() else {
            return Err(CertificateError::Empty);
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&self.authority).flatten());
        roots.add_parsable_certificates(self.certificates.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let Ok(verifier) = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build() else {
            return Err(CertificateError::Empty);
        };
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        for name in names {
            let Ok(server) = ServerName::try_from(name.as_str()) else {
                continue;
            };
            let verified = verifier.verify_server_cert(leaf, intermediates, &server, &[], now);
            let Err(rustls::Error::InvalidCertificate(cause)) = verified else {
                continue;
            };
            use rustls::CertificateError as Tls;
            if let Tls::Expired
            | Tls::ExpiredContext { .. }
            | Tls::NotValidYet
            | Tls::NotValidYetContext { .. }
            | Tls::NotValidForName
            | Tls::NotValidForNameContext { .. } = cause
            {
                return Err(CertificateError::Untrusted {
                    name: name.clone(),
                    cause,
                });
            }
        }
        Ok(())
    }

    /// Has every server of this certificate and its clones show `other` from the next connection on.
    pub fn adopt(&self, other: &Self) {
        let config = other.server_config();
        *self.config.lock() = config;
    }

    /// The PEM text by which clients trust it.
    pub fn authority(&self) -> &[u8] {
        &self.authority
    }

    /// The PEM texts of chain and key.
    pub fn pem(&self) -> (&[u8], &[u8]) {
        (&self.chain, &self.key)
    }

    pub(super) fn server_config(&self) -> Arc<ServerConfig> {
        self.config.lock().clone()
    }
}

/// Chain, key and authority as PEM.
fn make(names: &[String], from: Option<Timestamp>) -> Result<[String; 3], rcgen::Error> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority
        .distinguished_name
        .push(DnType::CommonName, "tidegate webhook authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;

    let mut leaf = CertificateParams::new(names.to_vec())?;
    if let Some(from) = from {
        let seconds = u64::try_from(from.as_second()).unwrap_or_default();
        leaf.not_before = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
        leaf.not_after = leaf.not_before + LIFE;
    }
    leaf.distinguished_name.push(DnType::CommonName, "tidegate webhooks");
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.use_authority_key_identifier_extension = true;
    let leaf_key = KeyPair::generate()?;
    let leaf = leaf.signed_by(&leaf_key, &Issuer::new(authority, authority_key))?;
    Ok([leaf.pem(), leaf_key.serialize_pem(), authority_certificate.pem()])
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
