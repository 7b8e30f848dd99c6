//! The real binary, as pipelines and people use it: every form of input, exit codes, the report, and what goes wrong.

#[path = "cli/check.rs"]
mod check;
#[path = "../src/golden.rs"]
mod golden;
#[path = "cli/human.rs"]
mod human;
#[path = "cli/run.rs"]
mod run;
#[path = "cli/verbs.rs"]
mod verbs;
