//! Envoy and nginx with the configurations that are shipped in `host/deploy/gateways`: only the lines that a user is told
//! to change are changed.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::place::{parts, root, workplace};
use crate::process::{Process, free};

/// Which gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Envoy, `ext_authz` over HTTP.
    Envoy,
    /// nginx with njs.
    Njs,
    /// nginx with Lua.
    Lua,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Envoy, Self::Njs, Self::Lua];

    /// The word in names of tests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Envoy => "envoy",
            Self::Njs => "nginx-njs",
            Self::Lua => "nginx-lua",
        }
    }
}

/// A gateway that runs until this goes.
pub struct Gateway {
    /// Where clients come in.
    pub address: SocketAddr,
    _process: Process,
}

impl Gateway {
    /// Starts one that asks `gate` and sends on to `flink`. With `caller`, it names every caller so, as if it had
    /// authenticated it.
    pub fn start(name: &str, kind: Kind, gate: SocketAddr, flink: SocketAddr, caller: Option<&str>) -> Result<Self> {
        let work = workplace(&format!("{}-{name}", kind.name()))?;
        let address = free()?;
        let shipped = root().join("host/deploy/gateways");
        let (gate, flink) = (gate.port().to_string(), flink.port().to_string());
        let (file, mut changes) = match kind {
            Kind::Envoy => {
                let listen = format!("address: 127.0.0.1, port_value: {}", address.port());
                let changes = vec![
                    ("address: 0.0.0.0, port_value: 8080".to_owned(), listen),
                    ("port_value: 8443".to_owned(), format!("port_value: {gate}")),
                    ("port_value: 8081".to_owned(), format!("port_value: {flink}")),
                ];
                ("envoy.yaml".to_owned(), changes)
            }
            Kind::Njs | Kind::Lua => {
                let scripts = shipped.display();
                let mut changes = vec![
                    ("load_module modules/".to_owned(), "load_module /usr/lib/nginx/modules/".to_owned()),
                    ("worker_processes auto;".to_owned(), "worker_processes 1; daemon off;".to_owned()),
                    ("http {\n".to_owned(), format!("http {{\n{}", paths(&work))),
                    ("listen 8080;".to_owned(), format!("listen {address};")),
                    ("127.0.0.1:8443;".to_owned(), format!("127.0.0.1:{gate};")),
                    ("127.0.0.1:8081;".to_owned(), format!("127.0.0.1:{flink};")),
                ];
                changes.push(if kind == Kind::Njs {
                    ("js_path /etc/nginx/;".to_owned(), format!("js_path {scripts}/;"))
                } else {
                    ("/etc/nginx/sluicegate.lua".to_owned(), format!("{scripts}/sluicegate.lua"))
                });
                (format!("{}.conf", kind.name()), changes)
            }
        };
        if let Some(caller) = caller {
            changes.push(match kind {
                Kind::Envoy => (
                    "                - remove: x-sluicegate-body\n".to_owned(),
                    format!(
                        "                - remove: x-sluicegate-body\n                - append: {{header: {{key: \
                         x-sluicegate-principal, value: {caller}}}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}}\n"
                    ),
                ),
                Kind::Njs | Kind::Lua => (
                    "      # (sluicegate serve --trusted-proxy 127.0.0.1 --principal-header x-sluicegate-principal).\n      \
                     proxy_set_header X-Sluicegate-Principal \"\";"
                        .to_owned(),
                    format!("      proxy_set_header X-Sluicegate-Principal \"{caller}\";"),
                ),
            });
        }
        let mut text = fs::read_to_string(shipped.join(&file)).context(file.clone())?;
        for (old, new) in &changes {
            ensure!(text.contains(old), "`{old}` is not in {file}: adapt the test to the configuration");
            text = text.replace(old, new);
        }
        let configuration = work.join(&file);
        fs::write(&configuration, text)?;

        let mut command = match kind {
            Kind::Envoy => {
                let mut command = Command::new(parts().join("envoy/bin/envoy"));
                command.args(["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warning"]);
                command
            }
            Kind::Njs | Kind::Lua => {
                let mut command = Command::new("/usr/sbin/nginx");
                command.arg("-p").arg(&work).args(["-e", "stderr"]);
                command
            }
        };
        command.arg("-c").arg(&configuration);
        let mut process = Process::start(kind.name(), &mut command, &work.join("output"))?;
        process.listens(address)?;
        Ok(Self { address, _process: process })
    }

    /// As a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Debian's nginx writes below /var unless told otherwise.
fn paths(work: &Path) -> String {
    let work = work.display();
    let mut text = "  access_log off;\n".to_owned();
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        text += &format!("  {kind}_temp_path {work}/{kind};\n");
    }
    text
}
