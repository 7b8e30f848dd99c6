//! `sluicegate policy`: the component itself, as a file and from outside.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use sluicegate::{Limits, Policy};

use super::{Exit, load, print};

/// Export or inspect the policy component
#[derive(Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  sluicegate policy inspect
  sluicegate policy export policy.wasm"
)]
pub struct PolicyVerbs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Export(Export),
    Inspect(Inspect),
}

/// Write the policy inside this binary to a file
#[derive(Args)]
#[command(after_help = "\
Example:
  sluicegate policy export policy.wasm")]
struct Export {
    /// Where to; `-` is standard output
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Overwrite the file if it is there
    #[arg(long)]
    force: bool,
}

/// Show digest, size, version, imports (a policy has none) and exports of a policy
#[derive(Args)]
#[command(after_help = "\
Example:
  sluicegate policy inspect policy.wasm")]
struct Inspect {
    /// A policy component; without it, the one inside this binary
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl PolicyVerbs {
    /// Does what the verb says.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.verb {
            Verb::Export(verb) => verb.run(),
            Verb::Inspect(verb) => verb.run(),
        }
    }
}

impl Export {
    fn run(self) -> anyhow::Result<Exit> {
        let component = Policy::embedded_component();
        if self.file.as_os_str() == "-" {
            // Not through `print`, which looks for colours in what it writes.
            return match io::stdout().lock().write_all(component) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    Err(error).context("cannot write the policy")
                }
                _ => Ok(Exit::Allowed),
            };
        }
        let name = self.file.display();
        let mut options = OpenOptions::new();
        options.write(true).truncate(true);
        let options = if self.force { options.create(true) } else { options.create_new(true) };
        let mut file = options.open(&self.file).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => anyhow::anyhow!("`{name}` is there already; --force overwrites it"),
            _ => anyhow::Error::new(error).context(format!("cannot write `{name}`")),
        })?;
        file.write_all(component).with_context(|| format!("cannot write `{name}`"))?;
        Ok(Exit::Allowed)
    }
}

impl Inspect {
    fn run(self) -> anyhow::Result<Exit> {
        let policy = match &self.file {
            Some(file) => load(file)?,
            None => Policy::embedded(Limits::default())?,
        };
        let description = policy.describe()?;
        let inspection = policy.inspect();
        let names = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let rows = [
            ("digest", inspection.digest.clone()),
            ("size", format!("{} bytes", inspection.size)),
            ("version", description.version),
            ("rules", description.rules.len().to_string()),
            ("imports", names(&inspection.imports)),
            ("exports", names(&inspection.exports)),
        ];
        let text: String = rows.iter().map(|(label, value)| format!("{label:8} {value}\n")).collect();
        print(text.as_bytes())?;
        Ok(Exit::Allowed)
    }
}
