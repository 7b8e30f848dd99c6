//! A start time that is no time in milliseconds (DOMAIN 2.3).

use crate::finding::Report;
use crate::operation::{Dialect, Place, Restore, Stage};
use crate::rules::{Level, Rule};

pub(in crate::rules) static RULE: Rule = Rule {
    id: "start-time-not-13-digits",
    title: "start time that is not in milliseconds",
    family: "restore",
    why: "The platform reads milliseconds since 1970. A time in seconds lies in January 1970: sources start over from \
          their very beginning.",
    source: "ALI-DOC DeploymentRestoreStrategy; DOMAIN 2.3",
    looks_at: &[(Dialect::Alibaba, "`restoreStrategy.jobStartTimeInMs`")],
    facts: &[],
    parameters: &[],
    level: Level::Deny,
    check,
};

fn check(stage: &Stage<'_>, report: &mut Report<'_>) {
    for (_, start) in stage.starts() {
        let Some(node) = start.start_time else { continue };
        let text = node.scalar().unwrap_or_default();
        if text.len() == 13 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let (place, message) = (Place::Body(node), "`jobStartTimeInMs` must be a time in milliseconds, of 13 digits");
        // Only a start without state reads it; what it would be with no kind at all is not known.
        let read = matches!(start.restore, Restore::Empty | Restore::Unknown);
        let draft = if read { report.main(&place, message) } else { report.warn(&place, message) };
        draft
            .observed(text)
            .expected("13 digits, such as 1660293803155")
            .remedy("give milliseconds since 1970: a time in seconds, times 1000");
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::finding::Effect;
    use crate::operation::{Dialect, Restore, StartCause};
    use crate::rules::testing::{SILENT, body, only, says, stage, start_with};

    #[test]
    fn seconds_and_dates_are_no_milliseconds() {
        let at = |time: &str, restore| {
            let time = body(&format!("{{t: {time}}}")).get("t");
            says(&RULE, &stage(Dialect::Alibaba, start_with(StartCause::Request, restore, |it| it.start_time = time)))
        };
        for good in ["1660293803155", "'1660293803155'"] {
            assert_eq!(at(good, Restore::Empty), SILENT, "{good}");
        }
        for wrong in
            ["1660293803", "0", "-166029380315", "'2022-08-12'", "1660293803.155", "16602938031550", "true", "[1]"]
        {
            assert_eq!(at(wrong, Restore::Empty), only(Effect::Deny), "{wrong}");
        }
        assert_eq!(at("1660293803", Restore::LatestState), only(Effect::Warn));
    }
}
