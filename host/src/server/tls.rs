//! TLS of the main door: certificate chain, key, and whose client certificates are taken. New files are taken up for the
//! next connection; those that are open keep what they have.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{Error, RootCertStore, ServerConfig};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::options::TlsFiles;
use crate::clock;

/// What connections are secured with now.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    loaded: RwLock<Loaded>,
}

#[derive(Clone, Debug)]
struct Loaded {
    config: Arc<ServerConfig>,
    /// When the certificates of the chain are good, all of them.
    good: Range<SystemTime>,
    /// Of the files.
    digest: [u8; 32],
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM of this kind.
    #[error("`{}` {why}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The files do not fit together.
    #[error("the certificate `{}` and the key `{}` cannot be used: {why}", certificate.display(), key.display())]
    Unusable {
        /// The certificate chain.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        why: String,
    },
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be used; an expired certificate can, but makes the server say that it is not ready.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let loaded = RwLock::new(load(&files)?);
        Ok(Self { files, loaded })
    }

    /// Reads the files again, and tells whether they are others now. What is wrong leaves everything as it was.
    ///
    /// # Errors
    /// Like [`Tls::load`].
    pub fn reload(&self) -> Result<bool, TlsError> {
        let loaded = load(&self.files)?;
        let changed = loaded.digest != self.now().digest;
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(changed)
    }

    /// For the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.now().config.into()
    }

    /// When the server's certificate ends.
    pub fn expires(&self) -> SystemTime {
        self.now().good.end
    }

    /// Why nobody would accept the server's certificate now, if so.
    pub fn trouble(&self) -> Option<String> {
        let (now, good) = (SystemTime::now(), self.now().good);
        let file = self.files.certificate.display();
        if good.end <= now {
            return Some(format!("the certificate `{file}` has expired"));
        }
        (now < good.start)
            .then(|| format!("the certificate `{file}` is not valid before {}", clock::rfc3339(good.start)))
    }

    /// The certificate's file.
    pub fn certificate(&self) -> &Path {
        &self.files.certificate
    }

    fn now(&self) -> Loaded {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn load(files: &TlsFiles) -> Result<Loaded, TlsError> {
    let mut digest = Sha256::new();
    let chain = certificates(&files.certificate, &mut digest)?;
    let key = key(&files.key, &mut digest)?;
    let unusable =
        |why: String| TlsError::Unusable { certificate: files.certificate.clone(), key: files.key.clone(), why };
    let good = chain.iter().map(validity).collect::<Option<Vec<_>>>().and_then(|all| {
        let (starts, ends): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        Some(starts.into_iter().max()?..ends.into_iter().min()?)
    });
    let good = good.ok_or_else(|| unusable("a certificate in it is none of X.509".to_owned()))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file, &mut digest)? {
                roots.add(certificate).map_err(|error| unreadable(file, format!("holds no usable CA: {error}")))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|error| unreadable(file, format!("holds no usable CA: {error}")))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
        Error::InconsistentKeys(_) => unusable("the key is not this certificate's".to_owned()),
        error => unusable(error.to_string()),
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Loaded { config: Arc::new(config), good, digest: digest.finalize().into() })
}

fn certificates(file: &Path, digest: &mut Sha256) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(file, digest)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(file, format!("holds no certificate as PEM: {error}")))?;
    match chain.is_empty() {
        true if PrivateKeyDer::from_pem_slice(&text).is_ok() => {
            Err(unreadable(file, "holds a private key, and no certificate: are the two files swapped?"))
        }
        true => Err(unreadable(file, "holds no certificate as PEM")),
        false => Ok(chain),
    }
}

fn key(file: &Path, digest: &mut Sha256) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(file, digest)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match CertificateDer::from_pem_slice(&text) {
        Ok(_) => unreadable(file, "holds a certificate, and no private key: are the two files swapped?"),
        Err(_) => unreadable(file, format!("holds no private key as PEM: {error}")),
    })
}

fn read(file: &Path, digest: &mut Sha256) -> Result<Vec<u8>, TlsError> {
    let text = std::fs::read(file).map_err(|error| unreadable(file, format!("cannot be read: {error}")))?;
    digest.update(Sha256::digest(&text));
    Ok(text)
}

fn unreadable(file: &Path, why: impl Into<String>) -> TlsError {
    TlsError::Unreadable { file: file.to_owned(), why: why.into() }
}

/// When a certificate begins and ends to be good.
fn validity(certificate: &CertificateDer<'_>) -> Option<(SystemTime, SystemTime)> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let time = |seconds: i64| UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let validity = certificate.validity();
    Some((time(validity.not_before.timestamp()), time(validity.not_after.timestamp())))
}

/// Whom a client certificate names: the common name of its subject, or its first alternative name.
pub fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    use x509_parser::extensions::GeneralName;

    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let common = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    let alternative = || {
        let names = certificate.subject_alternative_name().ok()??;
        names.value.general_names.iter().find_map(|name| match name {
            GeneralName::URI(name) | GeneralName::DNSName(name) | GeneralName::RFC822Name(name) => Some(*name),
            _ => None,
        })
    };
    common
        .or_else(alternative)
        .filter(|name| !name.is_empty() && !name.chars().any(char::is_control))
        .map(str::to_owned)
}
