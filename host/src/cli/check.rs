//! `sluicegate check`: judges the requests in files.

mod facts;
mod files;
mod live;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use sluicegate::input::{self, Found, Position, Recognised};
use sluicegate::report::{self, Judged, Outcome, Page, PolicyName, Report};
use sluicegate::{Api, CheckError, Decision, Effect, Policy, Settings, SettingsError};

use super::{Exit, Format, PolicyChoice, by_policy, complain, print};
use facts::Known;
use files::File;
use live::Live;

/// Judge the requests in files
///
/// A file holds an AdmissionReview, manifests of Flink resources, an HTTP call (`.http` text or `kind: HttpRequest`), or
/// a change plan. Several YAML documents, JSON lines, or calls separated by `###` may stand in one file.
#[derive(Args)]
#[command(after_help = "\
Examples:
  sluicegate check stop.http --intent restart
  sluicegate check deploy/ --live <(kubectl get flinkdeployments -o yaml)
  kubectl get flinkdeployment orders -o yaml | sluicegate check - --facts facts.yaml --format json")]
pub struct Check {
    /// Files, folders (walked), or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What is known besides the requests: `Facts` documents (may be repeated)
    #[arg(long, value_name = "FILE")]
    facts: Vec<PathBuf>,
    /// Whether the job is to run again after this
    #[arg(long)]
    intent: Option<Intent>,
    /// The live objects that manifests would change
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

impl Check {
    /// Judges, reports, and says how it ended.
    pub fn run(self) -> anyhow::Result<Exit> {
        let policy = self.policy.load()?;
        let settings = self.settings(&policy)?;
        let known = Known::gather(&policy, &self.facts, self.intent)?;
        let mut live = Live::open(self.live.as_deref())?;
        let mut judge = Judge { policy: &policy, settings, known: &known, results: Vec::new() };
        for path in &self.files {
            let before = judge.results.len();
            let (files, walked) = files::expand(path);
            for file in files {
                judge.file(file, walked, self.api.map(Api::from), &mut live);
            }
            if judge.results.len() == before && walked {
                let name = path.display().to_string();
                judge.error(name, "no request was found in this folder; expected files such as *.yaml, *.json, *.http");
            }
        }
        let results = judge.results;
        known.fits(&results)?;
        live.was_of_use()?;
        if results.is_empty() {
            complain("there is nothing to judge in what was given");
        }
        let version = policy.describe()?.version;
        let report = Report { policy: PolicyName { version, digest: policy.digest().to_owned() }, results };
        let mut text = Vec::new();
        match self.format {
            Format::Human => report::human(&report, Page { width: super::width() }, &mut text)?,
            Format::Json => report::json(&report, &mut text)?,
        }
        print(&text)?;
        Ok(self.exit(&report))
    }

    fn settings(&self, policy: &Policy) -> anyhow::Result<Settings> {
        let named = std::env::var_os("SLUICEGATE_SETTINGS").filter(|name| !name.is_empty()).map(PathBuf::from);
        let Some(file) = self.settings.clone().or(named) else { return Ok(Settings::default()) };
        let name = file.display();
        let source = std::fs::read(&file).with_context(|| format!("cannot read the settings `{name}`"))?;
        policy.compile_settings(&source).map_err(|error| match error {
            SettingsError::Invalid(problems) => {
                let line = |offset: u32, message: &str| {
                    format!("{name}:{}: {message}", Position::of(&source, offset as usize))
                };
                let lines: Vec<_> = problems.iter().map(|problem| line(problem.offset, &problem.message)).collect();
                anyhow::anyhow!("the settings are wrong\n{}", lines.join("\n"))
            }
            error => anyhow::Error::new(error).context(format!("cannot compile the settings `{name}`")),
        })
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

/// Judges document after document.
struct Judge<'p> {
    policy: &'p Policy,
    settings: Settings,
    known: &'p Known,
    results: Vec<Judged>,
}

impl Judge<'_> {
    fn file(&mut self, file: File, walked: bool, api: Option<Api>, live: &mut Live) {
        let File { name, bytes } = file;
        let read = bytes.and_then(|bytes| match input::read(&bytes, api) {
            Ok(inputs) => Ok((bytes, inputs)),
            Err(error) => Err(error.message),
        });
        let (bytes, inputs) = match read {
            Ok(read) => read,
            Err(message) => return self.error(name, &message),
        };
        let among_others = inputs.len() > 1;
        let label = |number: usize| if among_others { format!("{name} document {number}") } else { name.clone() };
        for input in inputs {
            let outcome = match input.found {
                Found::Request(recognised) => self.request(&recognised, &bytes, live),
                Found::Foreign(what) => {
                    complain(&format!("skipped {}: {what}", label(input.number)));
                    continue;
                }
                Found::Unrecognised(error) if walked => {
                    complain(&format!("skipped {}: {error}", label(input.number)));
                    continue;
                }
                Found::Unrecognised(error) | Found::Broken(error) => Outcome::Error {
                    position: error.offset.map(|offset| Position::of(&bytes, offset)),
                    message: error.message,
                    by_policy: false,
                },
            };
            self.results.push(Judged { input: name.clone(), document: input.number, among_others, outcome });
        }
    }

    fn error(&mut self, input: String, message: &str) {
        let outcome = Outcome::Error { message: message.to_owned(), position: None, by_policy: false };
        self.results.push(Judged { input, document: 1, among_others: false, outcome });
    }

    fn request(&self, recognised: &Recognised, file: &[u8], live: &mut Live) -> Outcome {
        let live = match recognised.object.as_ref().map(|object| live.of(object)).transpose() {
            Ok(live) => live.flatten(),
            Err(message) => return Outcome::Error { message, position: None, by_policy: false },
        };
        match self.known.ask(self.policy, &self.settings, &recognised.request, live) {
            Ok(verdict) => Outcome::of(verdict, file, recognised.offset),
            Err(CheckError::Unjudgeable(failure)) => {
                // The offset is one into the live object when that is what cannot be read.
                let here = !failure.message.starts_with("the live object");
                let offset = recognised.offset.zip(failure.offset).filter(|_| here);
                let position = offset.map(|(start, within)| Position::of(file, start + within as usize));
                Outcome::Error { message: failure.message, position, by_policy: false }
            }
            Err(CheckError::Policy(error)) => {
                Outcome::Error { message: error.to_string(), position: None, by_policy: by_policy(&error) }
            }
        }
    }
}

/// Reads a file that must be there.
fn read(path: &std::path::Path, what: &str) -> anyhow::Result<Vec<u8>> {
    let file = File::open(path);
    match file.bytes {
        Ok(bytes) => Ok(bytes),
        Err(error) => bail!("{what} `{}`: {error}", file.name),
    }
}
