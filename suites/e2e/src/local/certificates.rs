//! What the API server proves itself with: an authority, a serving certificate for loopback, and the key that signs ServiceAccount tokens. Made
//! fresh for each run. Used by [`super::control_plane`].

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use super::error::LocalError;

/// PEM texts.
#[derive(Debug)]
pub(super) struct Certificates {
    /// The authority's certificate: what clients trust.
    pub(super) authority: String,
    /// The serving certificate.
    pub(super) certificate: String,
    /// Its private key.
    pub(super) key: String,
    /// Signs ServiceAccount tokens.
    pub(super) token_key: String,
    /// Verifies them.
    pub(super) token_public_key: String,
}

impl Certificates {
    pub(super) fn new() -> Result<Self, LocalError> {
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        authority
            .distinguished_name
            .push(DnType::CommonName, "tidegate local authority");
        let authority_certificate = authority.self_signed(&authority_key)?;

        let key = KeyPair::generate()?;
        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
        let mut serving = CertificateParams::new(names.to_vec())?;
        serving.distinguished_name.push(DnType::CommonName, "kube-apiserver");
        let certificate = serving.signed_by(&key, &Issuer::new(authority, authority_key))?;

        let token_key = KeyPair::generate()?;
        Ok(Self {
            authority: authority_certificate.pem(),
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            token_key: token_key.serialize_pem(),
            token_public_key: token_key.public_key_pem(),
        })
    }
}
