//! STUB

use crate::operation::{Dialect, Stage};
use crate::rules::Rule;
use crate::verdict::{Effect, Report};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "drain-setting-left-on",
    title: "",
    family: "stop",
    why: "",
    source: "",
    dialects: &[Dialect::Ververica],
    effect: Effect::Deny,
    example: "",
    check,
};

fn check(_stage: &Stage<'_>, _report: &mut Report<'_>) {}
