//! `sluicegate check`: judges the requests in files.

mod facts;
mod files;
mod judge;
mod live;
mod trouble;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use sluicegate::input::Position;
use sluicegate::report::{self, Judged, Outcome, Page, PolicyName, Report};
use sluicegate::{Api, Decision, Effect, Policy, Problem, Settings, SettingsError};

use super::{Exit, Format, PolicyChoice, complain, print};
use facts::Known;
use files::File;
use judge::Judge;
use live::Live;
pub(super) use trouble::Trouble;

/// Judge the requests in files
///
/// A file holds an AdmissionReview, manifests of Flink resources, an HTTP call (`.http` text or `kind: HttpRequest`), or
/// a change plan. Several YAML documents, JSON lines, items of a `List`, or calls separated by `###` may stand in one file.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sluicegate check stop.http --intent restart
  sluicegate check deploy/ --live <(kubectl get flinkdeployments -o yaml)
  kustomize build prod | sluicegate check - --live live.yaml --facts facts.yaml --format json")]
pub struct Check {
    #[command(flatten)]
    judging: Judging,
}

/// What is judged, by what is known, and how the run ends: of every verb that judges requests in files.
#[derive(Args)]
pub(super) struct Judging {
    /// Files, folders (walked), or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What is known besides the requests: `Facts` documents (may be repeated)
    #[arg(long, value_name = "FILE")]
    facts: Vec<PathBuf>,
    /// What the platform answers to reads that could change the verdict: a list of recorded answers (may be repeated)
    #[arg(long, value_name = "FILE")]
    observed: Vec<PathBuf>,
    /// Whether the job is to run again after this
    #[arg(long)]
    intent: Option<Intent>,
    /// The live objects that manifests would change, one by one or in a list; a manifest without one is a create
    #[arg(long, value_name = "FILE")]
    live: Option<PathBuf>,
    /// Levels of rules and what to assume: a `Settings` document [env: SLUICEGATE_SETTINGS]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Whose API the HTTP calls are for, where method and path do not tell
    #[arg(long)]
    api: Option<ApiName>,
    /// How the report is written
    #[arg(long, default_value = "human")]
    format: Format,
    /// Exit with 1 for warnings as well
    #[arg(long)]
    warnings_as_errors: bool,
    /// Exit with 0 even when something is denied or undecided
    #[arg(long)]
    exit_zero: bool,
    #[command(flatten)]
    policy: PolicyChoice,
}

/// What is planned for after the request.
#[derive(Clone, Copy, ValueEnum)]
enum Intent {
    /// The job is to be started again
    Restart,
    /// The job ends for good
    Final,
}

#[derive(Clone, Copy, ValueEnum)]
enum ApiName {
    /// Ververica Platform, API v1
    Ververica,
    /// Alibaba Cloud Realtime Compute for Apache Flink, API 2022-07-18
    Alibaba,
    /// Apache Flink's own REST API
    FlinkRest,
}

impl From<ApiName> for Api {
    fn from(name: ApiName) -> Self {
        match name {
            ApiName::Ververica => Self::Ververica,
            ApiName::Alibaba => Self::Alibaba,
            ApiName::FlinkRest => Self::FlinkRest,
        }
    }
}

/// How a report is written for people, and for scripts.
pub(super) struct Writers {
    pub(super) human: fn(&Report, Page, &mut dyn Write) -> io::Result<()>,
    pub(super) json: fn(&Report, &mut dyn Write) -> io::Result<()>,
}

impl Check {
    /// Judges, reports, and says how it ended.
    pub fn run(self) -> anyhow::Result<Exit> {
        self.judging.run(&Writers { human: report::human, json: report::json })
    }
}

impl Judging {
    /// Judges, reports, and says how it ended.
    pub(super) fn run(self, writers: &Writers) -> anyhow::Result<Exit> {
        let (policy, results) = match self.policy.load().and_then(|policy| Ok((name(&policy)?, policy))) {
            Ok((name, policy)) => (Some(name), self.judge(&policy)),
            Err(error) => (None, Err(error)),
        };
        let (report, exit) = match results {
            Ok(results) => {
                let report = Report { policy, results };
                let exit = self.exit(&report);
                (report, exit)
            }
            // A script gets a report whatever happens.
            Err(error) if self.format == Format::Json => {
                complain(&format!("{error:#}"));
                (Report { policy, results: trouble::results(&error) }, Exit::of(&error))
            }
            Err(error) => return Err(error),
        };
        let mut text = Vec::new();
        match self.format {
            Format::Human => (writers.human)(&report, Page { width: super::width() }, &mut text)?,
            Format::Json => (writers.json)(&report, &mut text)?,
        }
        print(&text)?;
        Ok(exit)
    }

    fn judge(&self, policy: &Policy) -> anyhow::Result<Vec<Judged>> {
        let settings = self.settings(policy)?;
        let known = Known::gather(policy, &self.facts, &self.observed, self.intent)?;
        let live = Live::open(self.live.as_deref())?;
        let mut judge = Judge::new(policy, settings, &known);
        for path in &self.files {
            judge.path(path, self.api.map(Api::from), &live);
        }
        let results = judge.finish();
        known.fits(&results)?;
        if results.is_empty() {
            complain("there is nothing to judge in what was given");
        }
        Ok(results)
    }

    fn settings(&self, policy: &Policy) -> anyhow::Result<Settings> {
        let named = std::env::var_os("SLUICEGATE_SETTINGS").filter(|name| !name.is_empty()).map(PathBuf::from);
        let Some(file) = self.settings.clone().or(named) else { return Ok(Settings::default()) };
        compile(policy, &file)
    }

    fn exit(&self, report: &Report) -> Exit {
        let exit = report.results.iter().map(|judged| match &judged.outcome {
            Outcome::Error { by_policy: true, .. } => Exit::Undecided,
            Outcome::Error { .. } => Exit::Wrong,
            Outcome::Verdict { .. } if self.exit_zero => Exit::Allowed,
            Outcome::Verdict { verdict, .. } => match verdict.decision {
                Decision::Deny => Exit::Denied,
                Decision::Undecided => Exit::Undecided,
                Decision::Allow => {
                    let warned = verdict.findings.iter().any(|finding| finding.effect == Effect::Warn);
                    if warned && self.warnings_as_errors { Exit::Denied } else { Exit::Allowed }
                }
            },
        });
        exit.reduce(Exit::worst).unwrap_or(Exit::Wrong)
    }
}

/// Compiles a file of settings; what is wrong with it is a [`Trouble`].
pub(super) fn compile(policy: &Policy, file: &Path) -> anyhow::Result<Settings> {
    let source = read(file)?;
    policy.compile_settings(&source).map_err(|error| match error {
        SettingsError::Invalid(problems) => {
            let place = |problem: Problem| (Position::of(&source, problem.offset as usize), problem.message);
            anyhow::Error::new(Trouble::several(file, problems.into_iter().map(place)))
        }
        error => anyhow::Error::new(error).context(format!("cannot compile the settings `{}`", file.display())),
    })
}

fn name(policy: &Policy) -> anyhow::Result<PolicyName> {
    Ok(PolicyName { version: policy.describe()?.version, digest: policy.digest().to_owned() })
}

/// Reads a file that must be there.
fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    let File { name, bytes } = File::open(path);
    bytes.map_err(|message| Trouble::new(name, None, message))
}
