//! A VvpDeployment that is to load a savepoint and to run in one apply (DOMAIN 1.8).

use crate::finding::Report;
use crate::operation::{Dialect, OddityKind, Stage};
use crate::rules::{Level, Rule, oddity};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "initial-savepoint-needs-two-steps",
    title: "initial savepoint and start in one step",
    family: "restore",
    why: "The savepoint has to be known to the platform before the job starts. Both in one apply race, and the job can come \
          up without the state.",
    source: "VVP3-DOC load savepoint from a custom location; DOMAIN 1.8",
    looks_at: &[(Dialect::Ververica, "`initialSavepointSpec` of a VvpDeployment")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    oddity::report(OddityKind::InitialSavepointNeedsTwoSteps, stage, report);
}
