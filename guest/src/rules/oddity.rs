//! What a decoder noticed, reported under the rule it belongs to. Decoders word these findings: they know the field.

use crate::finding::Report;
use crate::operation::{OddityKind, Soft, Stage};

/// Reports every oddity of this kind: with the rule's main effect, unless the decoder asks for a softer one.
pub(super) fn report(kind: OddityKind, stage: &Stage<'_>, report: &mut Report<'_>) {
    for oddity in stage.oddities.iter().filter(|oddity| oddity.kind == kind) {
        let mut draft = match oddity.soft {
            None => report.main(&oddity.place, oddity.message.as_ref()),
            Some(Soft::Warn) => report.warn(&oddity.place, oddity.message.as_ref()),
            Some(Soft::Note) => report.note(&oddity.place, oddity.message.as_ref()),
        };
        if let Some(observed) = &oddity.observed {
            draft = draft.observed(observed.as_str());
        }
        if let Some(expected) = &oddity.expected {
            draft = draft.expected(expected.as_str());
        }
        draft.remedy(oddity.remedy.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use crate::finding::{Effect, Position};
    use crate::operation::{Action, Dialect, Oddity, OddityKind, Place};
    use crate::rules::testing::{body, findings, only, says, stage};
    use crate::rules::{Rule, hygiene, permission, restore, stop};

    #[test]
    fn each_kind_belongs_to_one_rule() {
        use OddityKind as Kind;
        let rules: [(Kind, &'static Rule, Effect); 15] = [
            (Kind::UnknownEnumValue, &hygiene::unknown_enum_value::RULE, Effect::Deny),
            (Kind::UnknownLifecycleField, &hygiene::unknown_lifecycle_field::RULE, Effect::Deny),
            (Kind::RequiredFieldMissing, &hygiene::required_field_missing::RULE, Effect::Deny),
            (Kind::ResourceNameInvalid, &hygiene::resource_name_invalid::RULE, Effect::Deny),
            (Kind::UnknownRequest, &hygiene::unknown_request::RULE, Effect::Deny),
            (Kind::ContextUnreadable, &hygiene::context_unreadable::RULE, Effect::Warn),
            (Kind::GetRequestCancelsJob, &stop::get_request_cancels_job::RULE, Effect::Warn),
            (Kind::ImplicitCancelMode, &stop::implicit_cancel_mode::RULE, Effect::Warn),
            (Kind::DeprecatedField, &hygiene::deprecated_field::RULE, Effect::Warn),
            (Kind::RemovedEndpoint, &stop::removed_endpoint::RULE, Effect::Deny),
            (Kind::SavepointCancelJob, &stop::savepoint_cancel_job_is_not_stop::RULE, Effect::Warn),
            (Kind::ClaimAndRestoreModeBoth, &restore::claim_and_restore_mode_both::RULE, Effect::Warn),
            (Kind::InitialSavepointNeedsTwoSteps, &restore::initial_savepoint_needs_two_steps::RULE, Effect::Warn),
            (Kind::NamespaceMismatch, &permission::namespace_mismatch::RULE, Effect::Deny),
            (Kind::MaxAttemptsNotPositive, &hygiene::max_attempts_not_positive::RULE, Effect::Warn),
        ];
        let mut stage = stage(Dialect::FlinkRest, Action::Unknown);
        stage.oddities = rules.map(|(kind, ..)| Oddity::new(kind, Place::Target, "wrong", "do it right")).into();
        for (kind, rule, effect) in rules {
            stage.platform = rule.looks_at.last().unwrap().0;
            assert_eq!(says(rule, &stage), only(effect), "{kind:?}");
        }
    }

    #[test]
    fn what_a_decoder_softens_stays_soft() {
        let place = || Place::Body(body(r#"{"spec": {"status": "CANCELLED"}}"#).path(&["spec", "status"]).unwrap());
        let oddity = |message: &'static str| {
            Oddity::new(OddityKind::UnknownLifecycleField, place(), message, "write `spec.state`")
        };
        let mut stage = stage(Dialect::Ververica, Action::Unknown);
        stage.oddities =
            vec![oddity("a").observed("`status`").expected("state"), oddity("b").warn(), oddity("c").note()];

        let found = findings(&hygiene::unknown_lifecycle_field::RULE, &stage);

        let told: Vec<_> = found.iter().map(|finding| (finding.message.as_str(), finding.effect)).collect();
        assert_eq!(told, [("a", Effect::Deny), ("b", Effect::Warn), ("c", Effect::Note)]);
        assert!(matches!(&found[0].position, Some(Position::Body { pointer, .. }) if pointer == "/spec/status"));
        assert_eq!((found[0].observed.as_deref(), found[0].expected.as_deref()), (Some("`status`"), Some("state")));
        assert_eq!(found[0].remedy, "write `spec.state`");
    }
}
