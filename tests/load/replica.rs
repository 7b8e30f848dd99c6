//! A server on a core of its own, and the certificates it needs.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Keeps a process on these cores, with the threads that it starts from now on.
pub fn pin(process: u32, cores: &str) {
    let done = Command::new("taskset").args(["-a", "-c", "-p", cores, &process.to_string()]).output();
    assert!(
        done.is_ok_and(|done| done.status.success()),
        "`taskset` (util-linux) cannot keep {process} on core {cores}"
    );
}

/// A folder that goes away with the run.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("sluicegate-load-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Signs the servers' certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A new certificate and key, swapped in as Kubernetes does.
    pub fn mount(&self, folder: &Folder, version: &str) {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        fs::create_dir_all(folder.path(version)).unwrap();
        fs::write(folder.path(&format!("{version}/tls.crt")), params.signed_by(&key, &self.0).unwrap().pem()).unwrap();
        fs::write(folder.path(&format!("{version}/tls.key")), key.serialize_pem()).unwrap();
        symlink(version, folder.path("..swap")).unwrap();
        fs::rename(folder.path("..swap"), folder.path("..data")).unwrap();
        for name in ["tls.crt", "tls.key"] {
            let _ = symlink(format!("..data/{name}"), folder.path(name));
        }
    }

    pub fn connector(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.0.pem().as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(aws_lc_rs::default_provider().into());
        let config = config.with_safe_default_protocol_versions().unwrap();
        TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// A running server.
pub struct Replica {
    child: Child,
    pub address: SocketAddr,
}

impl Replica {
    pub fn start(folder: &Folder, tls: bool, cores: &str, options: &[&str]) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", cores, env!("CARGO_BIN_EXE_sluicegate"), "serve", "--listen", "127.0.0.1:0"]);
        match tls {
            true => command.args(["--tls-cert", &folder.path("tls.crt"), "--tls-key", &folder.path("tls.key")]),
            false => command.arg("--insecure-http"),
        };
        let mut child = command
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .env_remove("SLUICEGATE_SETTINGS")
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().expect("the server opens its door").unwrap();
        let address = first.rsplit_once('/').unwrap().1.parse().unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), "open");
        Self { child, address }
    }

    /// Bytes of memory that it holds (VmRSS).
    pub fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    pub fn terminate(&self) {
        let done = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Waits for a good end.
    pub fn wait(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
