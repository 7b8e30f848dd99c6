//! What the verbs share: the table of verbs, exit codes, the choice of the policy, and writing to streams that may have
//! been closed.

mod check;
mod policy;
mod replay;
mod restore;
mod rules;
#[cfg(feature = "serve")]
mod serve;
mod settings;
mod test;

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use sluicegate::{CheckError, Limits, Policy, PolicyError, SettingsError};

/// Judges Apache Flink lifecycle requests (cancel, stop, start, savepoint, change, delete) before they happen, and says
/// what will become of the job's state.
#[derive(Parser)]
#[command(
    name = "sluicegate",
    arg_required_else_help = true,
    after_help = "\
Example:
  sluicegate check stop.http --intent restart

Exit codes:
  0  everything is allowed (warnings or not)
  1  something is denied, or a case failed
  2  the input or the command line is wrong
  3  something is undecided, or the policy itself failed"
)]
struct Arguments {
    /// Print the version and the digest of the policy
    #[arg(short = 'V', long)]
    version: bool,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    Check(check::Check),
    #[cfg(feature = "serve")]
    Serve(Box<serve::Serve>),
    Restore(restore::Restore),
    Test(test::Test),
    Replay(replay::Replay),
    Rules(rules::Rules),
    Settings(settings::SettingsVerbs),
    Policy(policy::PolicyVerbs),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything is allowed.
    Allowed = 0,
    /// Something is denied, or a case failed.
    Denied = 1,
    /// The input or the command line is wrong.
    Wrong = 2,
    /// Something is undecided, or the policy itself failed.
    Undecided = 3,
}

impl Exit {
    /// The worse of two: wrong, undecided, denied, allowed.
    fn worst(self, other: Self) -> Self {
        [Self::Wrong, Self::Undecided, Self::Denied]
            .into_iter()
            .find(|exit| [self, other].contains(exit))
            .unwrap_or(self)
    }

    /// How a run ends that this error stopped.
    pub fn of(error: &anyhow::Error) -> Self {
        let failed = error.chain().any(|cause| {
            let policy = cause
                .downcast_ref::<PolicyError>()
                .or_else(|| match cause.downcast_ref::<CheckError>() {
                    Some(CheckError::Policy(error)) => Some(error),
                    _ => None,
                })
                .or_else(|| match cause.downcast_ref::<SettingsError>() {
                    Some(SettingsError::Policy(error)) => Some(error),
                    _ => None,
                });
            policy.is_some_and(by_policy)
        });
        if failed { Self::Undecided } else { Self::Wrong }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Whether a policy gave way; otherwise what it was given is at fault.
fn by_policy(error: &PolicyError) -> bool {
    use PolicyError::{Imports, InputTooLarge, Unusable, WrongContract};
    !matches!(error, Imports(_) | InputTooLarge { .. } | Unusable(_) | WrongContract(_))
}

/// Reads the command line and does what it says.
pub fn run() -> anyhow::Result<Exit> {
    let arguments = Arguments::parse();
    match arguments.verb {
        _ if arguments.version => version(),
        Some(Verb::Check(verb)) => verb.run(),
        #[cfg(feature = "serve")]
        Some(Verb::Serve(verb)) => verb.run(),
        Some(Verb::Restore(verb)) => verb.run(),
        Some(Verb::Test(verb)) => verb.run(),
        Some(Verb::Replay(verb)) => verb.run(),
        Some(Verb::Rules(verb)) => verb.run(),
        Some(Verb::Settings(verb)) => verb.run(),
        Some(Verb::Policy(verb)) => verb.run(),
        None => Ok(Exit::Wrong),
    }
}

fn version() -> anyhow::Result<Exit> {
    let policy = Policy::embedded(Limits::default())?;
    let text = format!("sluicegate {}\npolicy {}\n", env!("CARGO_PKG_VERSION"), policy.digest());
    print(text.as_bytes())?;
    Ok(Exit::Allowed)
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For scripts
    Json,
}

/// Which policy judges.
#[derive(Args)]
struct PolicyChoice {
    /// Judge with this policy component instead of the one inside
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl PolicyChoice {
    fn load(&self) -> anyhow::Result<Policy> {
        match &self.policy {
            None => Ok(Policy::embedded(Limits::default())?),
            Some(file) => load(file),
        }
    }
}

fn load(file: &Path) -> anyhow::Result<Policy> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read the policy `{}`", file.display()))?;
    Policy::load(bytes, Limits::default()).with_context(|| format!("cannot use the policy `{}`", file.display()))
}

/// Writes to standard output, with colours only where a terminal shows them. A reader that went away is no error.
fn print(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot write the output"),
        _ => Ok(()),
    }
}

/// Says on standard error what stops or limits the run.
pub fn complain(message: &str) {
    // Nobody is left to be told when standard error is closed.
    let _ = writeln!(anstream::stderr(), "sluicegate: {}", sluicegate::report::clean(message));
}

/// The longest line that reads well here.
fn width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || std::io::stdout().is_terminal().then(|| usize::from(console::Term::stdout().size().1));
    told.or_else(seen).unwrap_or(100).clamp(40, 120)
}
