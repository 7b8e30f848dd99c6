//! `POST /jars/:jarid/run` and `…/run-application`: where the restored path comes from. The body wins over the query, and both over
//! `flinkConfiguration` (recorded, DOMAIN section 8).

use std::borrow::Cow;

use super::Route;
use super::body::{non_empty, only_parameters};
use crate::configuration::{CLAIM_MODE, Configuration, IGNORE_UNCLAIMED_STATE, RECOVERY_PATH};
use crate::document::Node;
use crate::operation::{Action, Claim, ClaimMode, Oddity, OddityKind, Place, Restore, Start, StartCause};

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
    /// A start from an uploaded jar, as a job or as an application.
    pub(super) fn run(&mut self, application: bool) -> (Action<'d>, Place<'d>) {
        let fields = if application { [FIELDS, &["applicationId"]].concat() } else { FIELDS.to_vec() };
        self.body.only(&fields, &[], self.call, self.stage);
        only_parameters(PARAMETERS, FIELDS, self.call, self.stage);
        self.program_arguments();
        let mut configuration = Configuration::default();
        if let Some(map) = self.body.get("flinkConfiguration") {
            if map.is_object() {
                configuration.overlay(map);
                self.stage.content.configuration = Some(map);
                self.stage.current.configuration.overlay(map);
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
        if let Some(ran) = self.stage.facts.deployment.configuration {
            let mut before = Configuration::default();
            self.stage.facts.platform.configuration.into_iter().chain([ran]).for_each(|map| before.overlay(map));
            self.stage.current.before = Some(before);
        }
        let (restore, restore_place) = self.restore(&configuration);
        let (allow_non_restored_state, allow_place) = self.allow_non_restored_state(&configuration);
        let place = restore_place.clone();
        let start = Start {
            allow_non_restored_state,
            allow_place,
            claim: self.claim(&configuration),
            configuration: self.body.get("flinkConfiguration").filter(Node::is_object),
            ..Start::new(StartCause::Request, restore, restore_place)
        };
        (Action::Start(start), place)
    }

    fn restore(&mut self, configuration: &Configuration<'d>) -> (Restore<'d>, Place<'d>) {
        let field = self.body.text("savepointPath", self.stage);
        if let Some((node, path)) = non_empty(field) {
            return (Restore::Location(path), Place::Body(node));
        }
        if let Some(path) = self.only_value("savepointPath", "give one `savepointPath`, best in the body")
            && !path.is_empty()
        {
            return (Restore::Location(Cow::Owned(path)), Place::Target);
        }
        match configuration.entry(RECOVERY_PATH).filter(|entry| !entry.value.is_empty()) {
            Some(entry) => (Restore::Location(entry.value.clone()), Place::Body(entry.node)),
            None => (Restore::Empty, Place::of(field)),
        }
    }

    /// The value of a query parameter that decides. Flink joins the values of one name with `,`, splits them there, and
    /// drops empty ones at the end: `a,` and `a&name=` are `a` to it (2.3.0, run: `HandlerRequest`). Both are refused.
    fn only_value(&mut self, name: &str, remedy: &'static str) -> Option<String> {
        let values = self.call.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_ref());
        let values: Vec<&str> = values.collect();
        let why = match values.as_slice() {
            [] => return None,
            [value] if !value.contains(',') => return Some((*value).to_owned()),
            [_] => "holds a `,` in the query, where Flink splits it into several values",
            _ => "stands in the query more than once",
        };
        let message = format!("`{name}` {why}");
        let oddity = Oddity::new(OddityKind::UnknownEnumValue, Place::Target, message, remedy);
        self.stage.oddities.push(oddity.observed(values.join(", ")));
        None
    }

    fn allow_non_restored_state(&mut self, configuration: &Configuration<'d>) -> (Option<bool>, Option<Place<'d>>) {
        let field = self.body.get("allowNonRestoredState");
        let said = self.body.flag("allowNonRestoredState", self.stage);
        if let Some(node) = field {
            return (Some(said), Some(Place::Body(node)));
        }
        let remedy = "send `allowNonRestoredState=true` or `allowNonRestoredState=false`, once";
        if let Some(value) = self.only_value("allowNonRestoredState", remedy) {
            let on = value.eq_ignore_ascii_case("true");
            if !on && !value.is_empty() && !value.eq_ignore_ascii_case("false") {
                self.stage.oddities.push(
                    Oddity::new(
                        OddityKind::UnknownEnumValue,
                        Place::Target,
                        "`allowNonRestoredState` must be `true` or `false`; Flink takes every other word for `false`",
                        remedy,
                    )
                    .observed(format!("`{value}`"))
                    .expected("true or false"),
                );
            }
            return (Some(on), Some(Place::Target));
        }
        match configuration.entry(IGNORE_UNCLAIMED_STATE) {
            Some(entry) => (configuration.is_on(IGNORE_UNCLAIMED_STATE), Some(Place::Body(entry.node))),
            None => (self.stage.current.configuration.is_on(IGNORE_UNCLAIMED_STATE), None),
        }
    }

    /// Who shall own the snapshot: the field, by its new or its old name, else the job's or the cluster's configuration.
    fn claim(&mut self, configuration: &Configuration<'d>) -> Option<Claim<'d>> {
        let given = ["claimMode", "restoreMode"].map(|field| {
            let mode = self.body.choice(field, CLAIM_MODES, self.stage).and_then(ClaimMode::read)?;
            self.body.get(field).map(|node| (mode, node))
        });
        if let [_, Some((_, node))] = given {
            let oddity = Oddity::new(
                OddityKind::DeprecatedField,
                Place::Body(node),
                "`restoreMode` is the old name of `claimMode`, and a later Flink will drop it without a word",
                "write `claimMode`",
            );
            self.stage.oddities.push(oddity.observed("`restoreMode`").expected("claimMode"));
        }
        if let [Some((_, claim)), Some((_, restore))] = given {
            let oddity = Oddity::new(
                OddityKind::ClaimAndRestoreModeBoth,
                Place::Body(restore),
                "`claimMode` and `restoreMode` are two names of one field: one of them is dropped without a word",
                "leave out `restoreMode`",
            );
            let both = format!("{} and {}", claim.source(), restore.source());
            self.stage.oddities.push(oddity.observed(both).expected("claimMode"));
        }
        // Which of two wins is not documented: the one that deletes most is taken to.
        if let Some((mode, node)) = given.into_iter().flatten().max_by_key(|(mode, _)| *mode) {
            return Some(Claim { mode, place: Place::Body(node) });
        }
        let own = configuration.entry(CLAIM_MODE).map(|entry| (&entry.value, Place::Body(entry.node)));
        let cluster = || self.stage.current.configuration.entry(CLAIM_MODE).map(|entry| (&entry.value, Place::Request));
        let (word, place) = own.or_else(cluster)?;
        Some(Claim { mode: ClaimMode::read(word)?, place })
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
