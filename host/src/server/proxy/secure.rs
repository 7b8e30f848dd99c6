//! TLS towards an upstream: whose certificates are believed.

use std::path::Path;
use std::sync::Arc;

use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Makes connections to one host secure.
#[derive(Clone)]
pub(super) struct Security {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Security {
    /// For the server of this name (or address). `authority`: a PEM file with the certificate authorities to believe instead
    /// of the system's.
    ///
    /// # Errors
    /// When nobody can be believed, or the name is none; the text is for people.
    pub(super) fn of(host: &str, authority: Option<&Path>) -> Result<Self, String> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("`{host}` is no name of a server"))?;
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match authority {
            Some(file) => builder.with_root_certificates(roots(file)?),
            None => builder.with_platform_verifier().map_err(|error| format!("the system's certificates: {error}"))?,
        };
        let mut config = builder.with_no_client_auth();
        // What was judged goes on as HTTP/1.1.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { connector: Arc::new(config).into(), name })
    }

    /// Makes this connection secure.
    pub(super) async fn over(&self, stream: TcpStream) -> std::io::Result<Stream> {
        Ok(Box::new(self.connector.connect(self.name.clone(), stream).await?))
    }
}

impl std::fmt::Debug for Security {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Security").field("name", &self.name).finish_non_exhaustive()
    }
}

fn roots(file: &Path) -> Result<RootCertStore, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("the certificates in `{}` cannot be used: {why}", file.display());
    let mut roots = RootCertStore::empty();
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect).map_err(|error| wrong(&error))?;
    for certificate in certificates {
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    match roots.is_empty() {
        true => Err(wrong(&"there is none")),
        false => Ok(roots),
    }
}

/// A connection to an upstream, with TLS or without.
pub(super) type Stream = Box<dyn Both + Send>;

/// What is read and written.
pub(super) trait Both: AsyncRead + AsyncWrite + Unpin {}
impl<I: AsyncRead + AsyncWrite + Unpin> Both for I {}
