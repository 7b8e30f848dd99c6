//! `POST /jars/:jarid/run`: where the restored path comes from. The body wins over the query, and both over
//! `flinkConfiguration` (recorded, DOMAIN section 8).

use std::borrow::Cow;

use super::Route;
use super::body::{non_empty, only_parameters};
use crate::configuration::{Configuration, IGNORE_UNCLAIMED_STATE, RECOVERY_PATH};
use crate::operation::{Action, Oddity, OddityKind, Place, Restore, Start, StartCause};

const FIELDS: &[&str] = &[
    "entryClass",
    "programArgsList",
    "programArgs",
    "parallelism",
    "jobId",
    "flinkConfiguration",
    "allowNonRestoredState",
    "savepointPath",
    "claimMode",
    "restoreMode",
];
const PARAMETERS: &[&str] =
    &["allowNonRestoredState", "savepointPath", "programArg", "program-args", "entry-class", "parallelism"];
const CLAIM_MODES: &[&str] = &["NO_CLAIM", "CLAIM", "LEGACY"];

impl<'d> Route<'_, 'd> {
    /// A start from an uploaded jar.
    pub(super) fn run(&mut self) -> (Action<'d>, Place<'d>) {
        self.body.only(FIELDS, &[], self.call, self.stage);
        only_parameters(PARAMETERS, FIELDS, self.call, self.stage);
        self.program_arguments();
        for field in ["claimMode", "restoreMode"] {
            self.body.choice(field, CLAIM_MODES, self.stage);
        }
        let mut configuration = Configuration::default();
        if let Some(map) = self.body.get("flinkConfiguration") {
            if map.is_object() {
                configuration.overlay(map);
            } else {
                self.stage.oddities.push(
                    Oddity::new(
                        OddityKind::UnknownEnumValue,
                        Place::Body(map),
                        "`flinkConfiguration` must be an object of texts",
                        "send `flinkConfiguration` as an object",
                    )
                    .expected("an object"),
                );
            }
        }
        let (restore, restore_place) = self.restore(&configuration);
        let allow = self.allow_non_restored_state(&configuration);
        let place = restore_place.clone();
        let start =
            Start { allow_non_restored_state: allow, ..Start::new(StartCause::Request, restore, restore_place) };
        (Action::Start(start), place)
    }

    fn restore(&mut self, configuration: &Configuration<'d>) -> (Restore<'d>, Place<'d>) {
        let field = self.body.text("savepointPath", self.stage);
        let in_query: Vec<String> = self
            .call
            .query
            .iter()
            .filter(|(name, value)| name == "savepointPath" && !value.is_empty())
            .map(|(_, value)| value.clone().into_owned())
            .collect();
        if let Some((node, path)) = non_empty(field) {
            return (Restore::Location(path), Place::Body(node));
        }
        match in_query.as_slice() {
            [] => {}
            [path] => return (Restore::Location(Cow::Owned(path.clone())), Place::Target),
            _ => self.stage.oddities.push(
                Oddity::new(
                    OddityKind::UnknownEnumValue,
                    Place::Target,
                    "`savepointPath` stands in the query more than once",
                    "give one `savepointPath`, best in the body",
                )
                .observed(in_query.join(", ")),
            ),
        }
        match configuration.entry(RECOVERY_PATH).filter(|entry| !entry.value.is_empty()) {
            Some(entry) => (Restore::Location(entry.value.clone()), Place::Body(entry.node)),
            None => (Restore::Empty, Place::of(field)),
        }
    }

    fn allow_non_restored_state(&mut self, configuration: &Configuration<'d>) -> Option<bool> {
        let field = self.body.get("allowNonRestoredState").is_some();
        let said = self.body.flag("allowNonRestoredState", self.stage);
        if field {
            return Some(said);
        }
        let query = self.call.parameter("allowNonRestoredState").map(|value| value.eq_ignore_ascii_case("true"));
        query.or_else(|| configuration.is_on(IGNORE_UNCLAIMED_STATE))
    }

    /// `programArgs` is gone in 2.x, but Flink 2.3's own web page sends it: a warning (DOMAIN 6.12).
    fn program_arguments(&mut self) {
        let newer = self.stage.facts.platform.flink_version.as_deref().is_some_and(|version| {
            version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok()) >= Some(2)
        });
        if let Some(node) = self.body.get("programArgs").filter(|_| newer) {
            self.stage.oddities.push(
                Oddity::new(
                    OddityKind::UnknownLifecycleField,
                    Place::Body(node),
                    "Flink 2.x does not know `programArgs` and starts the job without these arguments",
                    "send the arguments as a list in `programArgsList`",
                )
                .observed("`programArgs`")
                .expected("programArgsList")
                .warn(),
            );
        }
    }
}
