//! A drain of which nobody says whether the job comes back (DOMAIN 6.2, 6.12).

use crate::finding::Report;
use crate::operation::{Dialect, Restart, Stage, StopCause, StopMode};
use crate::rules::{Level, Rule, words};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "drain-intent-missing",
    title: "drain without a word on what follows",
    family: "stop",
    why: "A drain is for the end of a job. The request cannot say whether this is the end; if it is not, the same \
          windows come out twice.",
    source: "S1-6; DOMAIN 3.4 and 6.12; REC R4",
    looks_at: &[(Dialect::Alibaba, "`stopStrategy: STOP_WITH_DRAIN`"), (Dialect::FlinkRest, "`drain: true`")],
    facts: &["intent.restartPlanned"],
    parameters: &[],
    level: Level::Warn,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    if stage.current.state.as_ref().is_some_and(|state| state.is_over()) {
        return;
    }
    let Restart::Unknown { refused } = stage.intent.restart() else { return };
    let drains = stage.stops().filter(|(_, stop)| stop.mode == StopMode::Drain && stop.cause == StopCause::Request);
    for (operation, stop) in drains {
        if refused {
            let message = "the caller declares `final`, but its word does not count here: if the job runs again after \
                           this drain, the same windows come out twice";
            let remedy = words::declare_final(stage);
            report.main(&stage.intent.place, message).observed("final").remedy(remedy);
        } else {
            let place = stop.drain.as_ref().unwrap_or(&operation.place);
            let message = "a drain is for the end of a job, and nothing says that this is the end: if it runs again, \
                           the same windows come out twice, each time incomplete";
            let keep = words::stop_with_savepoint(stage);
            let end = words::declare_final(stage);
            report.main(place, message).remedy(format!("if it is to run again, {keep}; if not, {end}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::{Effect, Position};
    use crate::operation::{AssumedBy, Dialect, Place, StopCause, StopMode};
    use crate::rules::testing::{SILENT, findings, only, says, stage, stop};

    #[test]
    fn only_an_unknown_intent_warns() {
        let drain = || stage(Dialect::Alibaba, stop(StopMode::Drain, StopCause::Request));
        assert_eq!(says(&RULE, &drain()), only(Effect::Warn));
        assert_eq!(says(&RULE, &drain().restart_planned(true)), SILENT);
        assert_eq!(says(&RULE, &drain().restart_planned(false)), SILENT);
        assert_eq!(says(&RULE, &drain().with(|it| it.intent.restart_assumed = Some(AssumedBy::Facts))), SILENT);
        assert_eq!(says(&RULE, &drain().in_state("FINISHED")), SILENT);
        assert_eq!(says(&RULE, &stage(Dialect::Alibaba, stop(StopMode::Savepoint, StopCause::Request))), SILENT);
    }

    #[test]
    fn a_refused_final_says_who_can_make_it_count() {
        let said = stage(Dialect::FlinkRest, stop(StopMode::Drain, StopCause::Request)).with(|it| {
            it.intent.requester = Some(false);
            it.intent.place = Place::Header("x-sluicegate-intent");
        });
        let finding = findings(&RULE, &said).remove(0);
        assert_eq!(finding.position, Some(Position::Header("x-sluicegate-intent".to_owned())));
        assert!(finding.remedy.contains("intent.acceptFrom"), "{}", finding.remedy);
    }
}
