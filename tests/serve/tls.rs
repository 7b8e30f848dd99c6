//! The door with TLS: certificates that are swapped under open connections, and callers that show one of their own.

use std::fs;
use std::os::unix::fs::symlink;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use reqwest::{Certificate, Client, Identity};
use serde_json::Value;

use crate::server::{Folder, SOON, Server, recorded, until};

/// An authority that signs what the tests need.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key for this name.
    fn sign(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }

    /// Puts certificate and key into a folder, as Kubernetes mounts a Secret.
    fn mount(&self, folder: &Folder, version: &str, change: impl FnOnce(&mut CertificateParams)) {
        let (certificate, key) = self.sign("gate", change);
        fs::create_dir_all(folder.path(version)).unwrap();
        fs::write(folder.path(&format!("{version}/tls.crt")), certificate).unwrap();
        fs::write(folder.path(&format!("{version}/tls.key")), key).unwrap();
        symlink(version, folder.path("..swap")).unwrap();
        fs::rename(folder.path("..swap"), folder.path("..data")).unwrap();
        for name in ["tls.crt", "tls.key"] {
            let _ = symlink(format!("..data/{name}"), folder.path(name));
        }
    }

    fn client(&self, identity: Option<(String, String)>) -> Client {
        let builder =
            Client::builder().tls_certs_only([Certificate::from_pem(self.pem().as_bytes()).unwrap()]).timeout(SOON);
        match identity {
            None => builder.build().unwrap(),
            Some((certificate, key)) => {
                let identity = Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap();
                builder.identity(identity).build().unwrap()
            }
        }
    }
}

fn start(folder: &Folder, options: &[&str]) -> Server {
    let (certificate, key) = (folder.path("tls.crt"), folder.path("tls.key"));
    let doors = [
        "--listen",
        "127.0.0.1:0",
        "--metrics-listen",
        "127.0.0.1:0",
        "--tls-cert",
        certificate.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    Server::start(&[&doors, options].concat())
}

fn review() -> Vec<u8> {
    recorded("recorded/kubernetes-1.36.ndjson").split(|byte| *byte == b'\n').next().unwrap().to_vec()
}

/// The serial number of the certificate that a new connection is shown.
async fn shown(authority: &Authority, server: &Server) -> Vec<u8> {
    use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};
    use tokio_rustls::rustls::{ClientConfig, RootCertStore, pki_types::ServerName};

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider();
    let config = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(server.address("main")).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config)).connect(name, stream).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn reviews_pass_over_both_versions_of_http() {
    let (authority, folder) = (Authority::new(), Folder::new());
    authority.mount(&folder, "1", |_| {});
    let server = start(&folder, &[]);
    let url = format!("{}/validate?timeout=3s", server.door("main"));
    for client in [
        authority.client(None),
        Client::builder()
            .tls_certs_only([Certificate::from_pem(authority.pem().as_bytes()).unwrap()])
            .http1_only()
            .build()
            .unwrap(),
    ] {
        let answer = client.post(&url).body(review()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(answer["response"]["uid"], "207b6680-850a-4c16-86d7-fd604af863af");
    }
    let expiry =
        format!("sluicegate_certificate_expiry_timestamp_seconds{{file=\"{}\"}}", folder.path("tls.crt").display());
    assert!(server.metric(&expiry) > 0.0);
}

#[tokio::test]
async fn whoever_asks_for_a_head_gets_no_body_over_either_version_of_http() {
    let (authority, folder) = (Authority::new(), Folder::new());
    authority.mount(&folder, "1", |_| {});
    let server = start(&folder, &[]);
    let roots = || Client::builder().tls_certs_only([Certificate::from_pem(authority.pem().as_bytes()).unwrap()]);
    for client in [authority.client(None), roots().http1_only().build().unwrap()] {
        for (path, status) in [("/readyz", 200), ("/livez", 200), ("/nope", 404), ("/validate", 405)] {
            let answer = client.head(format!("{}{path}", server.door("main"))).send().await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
            assert!(answer.bytes().await.unwrap().is_empty(), "{path}");
        }
    }
    let ready = crate::server::send(server.address("metrics"), "HEAD", "/readyz", &[], b"");
    assert_eq!((ready.status, ready.body.as_str()), (200, ""));
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_and_no_connection_dropped() {
    let (authority, folder) = (Authority::new(), Folder::new());
    authority.mount(&folder, "1", |_| {});
    let server = start(&folder, &[]);
    let first = shown(&authority, &server).await;
    let client = authority.client(None);
    let url = format!("{}/readyz", server.door("main"));
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    let open = server.metric("sluicegate_connections{door=\"main\"}");

    authority.mount(&folder, "2", |_| {});
    until("the certificate is taken up", || {
        server.metric("sluicegate_reloads_total{what=\"certificates\",outcome=\"good\"}") > 0.0
    });
    assert_ne!(shown(&authority, &server).await, first);
    // The connection from before is still there, and still serves.
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    until("only that connection is open", || server.metric("sluicegate_connections{door=\"main\"}") <= open);

    // A key of another certificate changes nothing.
    let second = shown(&authority, &server).await;
    fs::write(folder.path("2/tls.key"), authority.sign("other", |_| {}).1).unwrap();
    until("the wrong key is noticed", || {
        server.metric("sluicegate_reloads_total{what=\"certificates\",outcome=\"bad\"}") > 0.0
    });
    assert_eq!(shown(&authority, &server).await, second);
    assert!(server.log().contains("the old ones stay"), "{}", server.log());
}

#[tokio::test]
async fn an_expired_certificate_makes_the_server_unready() {
    let (authority, folder) = (Authority::new(), Folder::new());
    authority.mount(&folder, "1", |params| params.not_after = rcgen::date_time_ymd(2024, 1, 1));
    let server = start(&folder, &[]);
    let ready = crate::server::send(server.address("metrics"), "GET", "/readyz", &[], b"");
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(ready.body.contains("has expired"), "{ready:?}");
    authority.mount(&folder, "2", |_| {});
    until("the new certificate counts", || {
        crate::server::send(server.address("metrics"), "GET", "/readyz", &[], b"").status == 200
    });
}

#[tokio::test]
async fn a_certificate_of_tomorrow_makes_the_server_unready() {
    let (authority, folder) = (Authority::new(), Folder::new());
    authority.mount(&folder, "1", |params| params.not_before = rcgen::date_time_ymd(2999, 1, 1));
    let server = start(&folder, &[]);
    let ready = crate::server::send(server.address("metrics"), "GET", "/readyz", &[], b"");
    assert_eq!(ready.status, 503, "{ready:?}");
    assert!(ready.body.contains("is not valid before 2999-01-01"), "{ready:?}");
}

#[test]
fn files_that_do_not_fit_are_said_in_words() {
    let (authority, folder) = (Authority::new(), Folder::new());
    let ((certificate, key), (_, other)) = (authority.sign("gate", |_| {}), authority.sign("other", |_| {}));
    let (certificate, key) = (folder.write("a.crt", &certificate), folder.write("a.key", &key));
    let (other, missing) = (folder.write("b.key", &other), folder.path("c.crt").display().to_string());
    for (certificate, key, said) in [
        (&certificate, &other, "the key is not this certificate's"),
        (&key, &certificate, "holds a private key, and no certificate: are the two files swapped?"),
        (&certificate, &certificate, "holds a certificate, and no private key"),
        (&missing, &key, "c.crt` cannot be read: No such file"),
    ] {
        let output = std::process::Command::new("timeout")
            .args(["--preserve-status", "20", env!("CARGO_BIN_EXE_sluicegate"), "serve", "--listen", "127.0.0.1:0"])
            .args(["--tls-cert", certificate, "--tls-key", key])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && text.contains(said), "{text}");
    }
}

#[tokio::test]
async fn a_client_certificate_names_the_caller() {
    let (authority, folder) = (Authority::new(), Folder::new());
    authority.mount(&folder, "1", |_| {});
    let ca = folder.write("ca.crt", &authority.pem());
    let settings = folder
        .write("settings.yaml", "apiVersion: sluicegate.dev/v1alpha1\nkind: Settings\nintent: {acceptFrom: [ada]}\n");
    let server = start(&folder, &["--client-ca", &ca, "--settings", &settings]);
    let url = format!("{}/authz/flink-rest/jobs/42aedb6e5490ff65f60746294f1d1f35/stop", server.door("main"));
    let drain = async |client: Client| {
        let request =
            client.post(&url).header("content-type", "application/json").header("x-sluicegate-intent", "final");
        request
            .body(r#"{"drain": true, "targetDirectory": "s3://b/sp"}"#)
            .send()
            .await
            .map(|answer| answer.status().as_u16())
    };
    assert_eq!(drain(authority.client(Some(authority.sign("ada", |_| {})))).await.unwrap(), 200);
    assert_eq!(drain(authority.client(Some(authority.sign("eve", |_| {})))).await.unwrap(), 403);
    assert_eq!(drain(authority.client(None)).await.unwrap(), 403);
    // One that nobody here has signed gets no connection.
    let stranger = Authority::new().sign("ada", |_| {});
    assert!(drain(authority.client(Some(stranger))).await.is_err());
}

#[test]
fn a_proxy_believes_an_upstream_whose_certificate_somebody_it_believes_has_signed() {
    let (authority, folder) = (Authority::new(), Folder::new());
    authority.mount(&folder, "1", |_| {});
    let ca = folder.write("ca.crt", &authority.pem());
    let behind = start(&folder, &[]);
    let door = format!("flink-rest={}@127.0.0.1:0", behind.door("main"));
    let ask = |options: &[&str]| {
        let gate = Server::start(&[&["--proxy", &door], options].concat());
        crate::server::send(gate.address("proxy flink-rest"), "GET", "/overview", &[], b"")
    };
    let ours = format!("flink-rest={ca}");
    let answer = ask(&["--control-plane-ca", &ours]);
    assert_eq!(answer.status, 404, "{answer:?}");
    assert!(answer.body.starts_with("there is nothing here"), "{answer:?}");
    let answer = ask(&[]);
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(answer.body.contains("certificate") && answer.body.contains("nothing was sent"), "{answer:?}");
}
