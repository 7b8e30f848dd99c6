//! Runs every case of the corpus natively and in the component, and watches over the corpus itself: every rule has a
//! folder, in which for each of its platforms one case fires it and one is quiet about it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use sluicegate::case::{self, Case};
use sluicegate::{Limits, Policy};
use sluicegate_policy::{Dialect, Effect, RULES, Verdict};
use sluicegate_tests::{component, home, native};

/// Folders of cases about no rule: requests that change nothing, and ones that cannot be read.
const OTHER_FOLDERS: [&str; 2] = ["none", "malformed"];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    match corpus(&mut trials) {
        Ok(()) => libtest_mimic::run(&arguments, trials).exit(),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(101)
        }
    }
}

fn corpus(trials: &mut Vec<Trial>) -> Result<(), String> {
    let policy = Arc::new(Policy::embedded(Limits::default()).map_err(|error| error.to_string())?);
    let rules: Arc<Vec<String>> = Arc::new(sluicegate_policy::RULES.iter().map(|rule| rule.id.to_owned()).collect());
    let cases = home().join("cases");
    let entries = std::fs::read_dir(&cases).map_err(|error| format!("{}: {error}", cases.display()))?;
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    let names: Vec<String> = folders.iter().map(|folder| name(folder)).collect();
    for rule in rules.iter().filter(|rule| !names.contains(rule)) {
        let rule = rule.clone();
        trials.push(Trial::test(format!("folder {rule}"), move || {
            Err(format!("the rule `{rule}` has no cases; add tests/cases/{rule}/<name>.yaml").into())
        }));
    }
    for folder in folders {
        let found = case::find(&folder).into_iter();
        let files: Vec<PathBuf> = found.filter_map(|(file, found)| found.is_ok().then_some(file)).collect();
        for file in &files {
            let (policy, rules, file) = (policy.clone(), rules.clone(), file.clone());
            let label = format!("{}/{}", name(&folder), file.file_stem().unwrap_or_default().to_string_lossy());
            trials.push(Trial::test(label, move || judge(&file, &policy, &rules)));
        }
        let rules = rules.clone();
        trials.push(Trial::test(format!("folder {}", name(&folder)), move || watch(&folder, &files, &rules)));
    }
    Ok(())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// One case: the same both ways, and as it expects.
fn judge(file: &Path, policy: &Policy, rules: &[String]) -> Result<(), Failed> {
    let case = Case::open(file)?;
    let (expected, _) = native(&case);
    let (ending, actual) = component(&case, policy)?;
    let mut differences = case.differences(&actual, rules);
    if ending != expected {
        differences.push(format!("native and component differ\n  native:    {expected:?}\n  component: {ending:?}"));
    }
    if case.source.trim().is_empty() {
        differences.push("`source` does not say where the payload comes from".to_owned());
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n").into()) }
}

/// One folder: a rule's, and telling both what the rule hits and what it leaves alone.
fn watch(folder: &Path, files: &[PathBuf], rules: &[String]) -> Result<(), Failed> {
    let rule = name(folder);
    if files.is_empty() {
        return Err(format!("there is no case in tests/cases/{rule}").into());
    }
    if OTHER_FOLDERS.contains(&rule.as_str()) {
        return Ok(());
    }
    if !rules.contains(&rule) {
        return Err(format!("there is no rule `{rule}`; folders of cases are named after rules").into());
    }
    let Some(known) = RULES.iter().find(|known| known.id == rule) else {
        return Err(format!("the rule `{rule}` is not built in").into());
    };
    let verdicts: Vec<_> = files.iter().filter_map(|file| native(&Case::open(file).ok()?).1).collect();
    // A resource of Ververica's operator comes as Kubernetes sends it, and is judged as Ververica Platform does.
    let vvp = files.iter().any(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains("VvpDeployment")));
    let fires = |verdict: &Verdict, least: Option<Effect>| {
        verdict.findings.iter().any(|it| it.rule == rule && least.is_none_or(|least| it.effect == least))
    };
    let mut lacking = Vec::new();
    if !verdicts.iter().any(|verdict| fires(verdict, known.level.effect())) {
        lacking.push("a case that fires it with its main effect".to_owned());
    }
    for (dialect, _) in known.looks_at {
        for (firing, words) in [(true, "fires it"), (false, "leaves it quiet")] {
            let through = |verdict: &Verdict| match *dialect {
                Dialect::Ververica if vvp => matches!(verdict.dialect, Dialect::Ververica | Dialect::Kubernetes),
                dialect => verdict.dialect == dialect,
            };
            let covered = |verdict: &&Verdict| through(verdict) && fires(verdict, None) == firing;
            if !verdicts.iter().any(|verdict| covered(&verdict)) {
                lacking.push(format!("a {} case that {words}", dialect.name()));
            }
        }
    }
    if lacking.is_empty() { Ok(()) } else { Err(format!("tests/cases/{rule} lacks {}", lacking.join(", ")).into()) }
}
