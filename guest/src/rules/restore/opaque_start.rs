//! A start from a serialized graph says nothing that could be judged (DOMAIN section 8).

use crate::finding::Report;
use crate::operation::{Action, Dialect, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "opaque-start",
    title: "start that cannot be read from outside",
    family: "restore",
    why: "The serialized graph hides what the job restores from, so no rule can tell whether it starts empty, \
        from a drained savepoint, or with state dropped.",
    source: "DOMAIN section 8 (`flink run -s`), 6.12",
    looks_at: &[(Dialect::FlinkRest, "POST `/jobs`")],
    facts: &[],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for operation in &stage.operations {
        if matches!(operation.action, Action::OpaqueStart) {
            report
                .main(
                    &operation.place,
                    "this start carries a serialized graph: the savepoint path of `flink run -s` and its flags \
                     cannot be read, so nothing about the job's state was checked",
                )
                .remedy(
                    "check the savepoint path by hand, or start with POST /jars/:jarid/run and \
                     `savepointPath`, which is judged",
                );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Action, Dialect, Restore, StartCause};
    use crate::rules::testing::{SILENT, only, says, stage, start};

    #[test]
    fn only_a_serialized_graph_is_opaque() {
        assert_eq!(says(&RULE, &stage(Dialect::FlinkRest, Action::OpaqueStart)), only(Effect::Warn));
        assert_eq!(says(&RULE, &stage(Dialect::FlinkRest, start(StartCause::Request, Restore::Empty))), SILENT);
    }
}
