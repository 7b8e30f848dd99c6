//! Every case below `tests/restore` against the plan in the golden file beside it, natively and in the component. A case
//! here needs no `expect`: what must come of it stands in its golden file (`SLUICEGATE_BLESS=1` writes them anew).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use sluicegate::case::{self, Case};
use sluicegate::report::{Page, restore_plan};
use sluicegate::{Limits, Policy, Verdict};
use sluicegate_tests::{compare_at, component, home, native};

const WIDTH: usize = 110;

fn main() {
    let arguments = Arguments::from_args();
    let policy = match Policy::embedded(Limits::default()) {
        Ok(policy) => Arc::new(policy),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(101)
        }
    };
    let folder = home().join("restore");
    let found = case::find(&folder).into_iter();
    let files: Vec<PathBuf> = found.filter_map(|(file, found)| found.is_ok().then_some(file)).collect();
    let mut trials = vec![Trial::test("every golden file has its case", {
        let folder = folder.clone();
        move || no_orphans(&folder)
    })];
    for file in files {
        let policy = policy.clone();
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        trials.push(Trial::test(name, move || judge(&file, &policy)));
    }
    libtest_mimic::run(&arguments, trials).exit()
}

fn judge(file: &Path, policy: &Policy) -> Result<(), Failed> {
    let case = Case::parse(&format!("{}expect: {{decision: allow}}\n", std::fs::read_to_string(file)?))?;
    let (expected, _) = native(&case);
    let (ending, actual) = component(&case, policy)?;
    if ending != expected {
        return Err(format!("native and component differ\n  native:    {expected:?}\n  component: {ending:?}").into());
    }
    if case.source.trim().is_empty() {
        return Err("`source` does not say where the payload comes from".into());
    }
    Ok(compare_at(&file.with_extension("txt"), &show(&actual.map_err(|error| error.to_string())?)?)?)
}

/// What would be done, and what it would start from.
fn show(verdict: &Verdict) -> Result<String, Failed> {
    let mut text = String::new();
    for operation in &verdict.operations {
        writeln!(text, "  request   {}", operation.summary)?;
    }
    let mut plan = Vec::new();
    match &verdict.restore {
        Some(restore) => restore_plan(restore, Page { width: WIDTH }, &mut anstream::StripStream::new(&mut plan))?,
        None => plan.extend(b"  restore   nothing starts\n"),
    }
    Ok(text + &String::from_utf8(plan)?)
}

fn no_orphans(folder: &Path) -> Result<(), Failed> {
    for entry in std::fs::read_dir(folder)? {
        let file = entry?.path();
        let orphan =
            file.extension().is_some_and(|extension| extension == "txt") && !file.with_extension("yaml").exists();
        if orphan {
            return Err(format!("{}: there is no case beside it; remove it", file.display()).into());
        }
    }
    Ok(())
}
