//! What whoever runs the gate has set: levels of rules, and what to assume. `compile` reads the document a person
//! writes and says everything that is wrong with it; `load` takes the short form back.

use crate::document::{Document, Node, Reading};
use crate::failure::{Failure, FailureKind};
use crate::nearest::nearest;
use crate::rules::{self, Level};
use crate::text::clean;

/// The first bytes of compiled settings: they are only good for the policy that made them.
const MAGIC: &str = concat!("sluicegate-settings ", env!("CARGO_PKG_VERSION"), "\n");

/// Nobody reads more at once; a document made to be large must not cost more.
const MAX_PROBLEMS: usize = 100;

/// The settings that apply to one judgement.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Levels that differ from the shipped ones: rule id and level.
    levels: Vec<(&'static str, Level)>,
    /// A rule that could have denied but lacked a fact makes the verdict undecided.
    pub strict: bool,
    /// A server treats an undecided verdict as allowed.
    pub undecided_allows: bool,
    /// Without a declared intent, a restart is assumed to follow.
    pub assume_restart: bool,
    /// Principals whose `final` counts when it comes in a header; `*` stands for everybody.
    pub accept_intent_from: Vec<String>,
}

/// One thing that is wrong with a settings document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    pub pointer: String,
    pub offset: u32,
}

impl Settings {
    /// The level set for this rule, if it differs from the shipped one.
    pub fn level(&self, rule: &str) -> Option<Level> {
        self.levels.iter().find(|(id, _)| *id == rule).map(|(_, level)| *level)
    }

    /// Takes the compiled form; nothing stands for the shipped settings.
    ///
    /// # Errors
    /// When the bytes were not made by this policy's [`compile`].
    pub fn load(compiled: &[u8]) -> Result<Self, Failure> {
        if compiled.is_empty() {
            return Ok(Self::default());
        }
        let foreign = || Failure {
            kind: FailureKind::BadSettings,
            message: "these settings were compiled by another policy; compile them again".to_owned(),
            offset: None,
        };
        let text = std::str::from_utf8(compiled).ok().and_then(|text| text.strip_prefix(MAGIC)).ok_or_else(foreign)?;
        let mut settings = Self::default();
        for line in text.lines() {
            let (key, value) = line.split_once(' ').ok_or_else(foreign)?;
            match key {
                "strict" => settings.strict = value == "true",
                "undecided-allows" => settings.undecided_allows = value == "true",
                "assume-restart" => settings.assume_restart = value == "true",
                "accept-from" => settings.accept_intent_from.push(value.to_owned()),
                id => {
                    let rule = rules::find(id).ok_or_else(foreign)?;
                    settings.levels.push((rule.id, Level::named(value).ok_or_else(foreign)?));
                }
            }
        }
        Ok(settings)
    }

    fn store(&self) -> Vec<u8> {
        let mut text = String::from(MAGIC);
        let mut line = |key: &str, value: &str| {
            text.push_str(key);
            text.push(' ');
            text.push_str(value);
            text.push('\n');
        };
        for (key, on) in [
            ("strict", self.strict),
            ("undecided-allows", self.undecided_allows),
            ("assume-restart", self.assume_restart),
        ] {
            if on {
                line(key, "true");
            }
        }
        for principal in &self.accept_intent_from {
            line("accept-from", principal);
        }
        for (id, level) in &self.levels {
            line(id, level.name());
        }
        text.into_bytes()
    }
}

/// Reads a `Settings` document.
///
/// # Errors
/// Everything that is wrong with it.
pub fn compile(source: &[u8]) -> Result<Vec<u8>, Vec<Problem>> {
    let document = Document::parse(source, Reading::JsonOrYaml).map_err(|error| {
        vec![Problem {
            message: clean(&format!("the settings cannot be read: {}", error.message)),
            pointer: String::new(),
            offset: error.offset as u32,
        }]
    })?;
    let mut reader = Reader { settings: Settings::default(), problems: Vec::new() };
    reader.document(document.root());
    if reader.problems.is_empty() { Ok(reader.settings.store()) } else { Err(reader.problems) }
}

struct Reader {
    settings: Settings,
    problems: Vec<Problem>,
}

impl Reader {
    fn document(&mut self, root: Node<'_>) {
        if root.is_null() {
            return;
        }
        self.object(root, &["apiVersion", "kind", "unjudged", "undecided", "intent", "rules"]);
        if let Some(version) = root.get("apiVersion")
            && !version.is("sluicegate.dev/v1alpha1")
        {
            self.problem(version, "expected `sluicegate.dev/v1alpha1`".to_owned());
        }
        if let Some(kind) = root.get("kind")
            && !kind.is("Settings")
        {
            self.problem(kind, "expected kind `Settings`".to_owned());
        }
        self.settings.strict = self.choice(root, "unjudged", &["note", "undecided"]) == Some("undecided");
        self.settings.undecided_allows = self.choice(root, "undecided", &["deny", "allow"]) == Some("allow");
        if let Some(intent) = root.get("intent") {
            self.object(intent, &["assume", "acceptFrom"]);
            self.settings.assume_restart = self.choice(intent, "assume", &["unknown", "restart"]) == Some("restart");
            if let Some(list) = intent.get("acceptFrom") {
                if !list.is_array() {
                    self.problem(list, "`acceptFrom` must be a list of principals".to_owned());
                }
                for principal in list.elements() {
                    if self.problems.len() >= MAX_PROBLEMS {
                        break;
                    }
                    match principal.text() {
                        Some(text) if !text.trim().is_empty() && !text.contains(char::is_control) => {
                            self.settings.accept_intent_from.push(text.into_owned());
                        }
                        _ => self.problem(principal, "a principal must be a text".to_owned()),
                    }
                }
            }
        }
        if let Some(rules) = root.get("rules") {
            self.rules(rules);
        }
    }

    fn rules(&mut self, node: Node<'_>) {
        if !node.is_object() {
            self.problem(node, "`rules` must be an object: rule id to settings".to_owned());
        }
        for (key, value) in node.members() {
            if self.problems.len() >= MAX_PROBLEMS {
                break;
            }
            let id = key.text().unwrap_or_default();
            let Some(rule) = rules::find(&id) else {
                let hint = nearest(&id, rules::ALL.iter().map(|rule| rule.id));
                self.problem(key, format!("there is no rule `{id}`{hint}"));
                continue;
            };
            self.object(value, &["level"]);
            if let Some(name) = self.choice(value, "level", &["deny", "warn", "note", "off"])
                && let Some(level) = Level::named(name)
            {
                // As everywhere in JSON, the last of several wins.
                self.settings.levels.retain(|(id, _)| *id != rule.id);
                self.settings.levels.push((rule.id, level));
            }
        }
    }

    fn object(&mut self, node: Node<'_>, names: &[&str]) {
        if !node.is_object() {
            self.problem(node, format!("expected an object, found {}", node.source()));
        }
        for (key, _) in node.members() {
            if self.problems.len() >= MAX_PROBLEMS {
                break;
            }
            let name = key.text().unwrap_or_default();
            if !names.contains(&name.as_ref()) {
                let hint = nearest(&name, names.iter().copied());
                self.problem(key, format!("unknown setting `{name}`{hint}"));
            }
        }
    }

    fn choice(&mut self, node: Node<'_>, name: &str, values: &[&'static str]) -> Option<&'static str> {
        let value = node.get(name)?;
        let found = values.iter().find(|choice| value.is(choice)).copied();
        // `off` is a boolean in YAML 1.1: people write it without quotes, and mean the word.
        let found = found
            .or_else(|| (value.bool() == Some(false)).then(|| values.iter().find(|v| **v == "off")).flatten().copied());
        if found.is_none() {
            let hint = nearest(&value.scalar().unwrap_or_default(), values.iter().copied());
            self.problem(value, format!("`{name}` must be one of {}, not {}{hint}", values.join(", "), value.source()));
        }
        found
    }

    fn problem(&mut self, node: Node<'_>, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            let (message, pointer) = (clean(&message), clean(&node.pointer()));
            self.problems.push(Problem { message, pointer, offset: node.span().0 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, Settings, compile};

    #[test]
    fn what_is_set_comes_back() {
        let source = b"unjudged: undecided\nintent: {assume: restart, acceptFrom: [ops-bot]}\nrules:\n  drain-intent-missing: {level: off}\n";
        let settings = Settings::load(&compile(source).unwrap()).unwrap();
        assert!(settings.strict && settings.assume_restart && !settings.undecided_allows);
        assert_eq!(settings.level("drain-intent-missing"), Some(Level::Off));
        assert_eq!(settings.level("unknown-request"), None);
        assert_eq!(settings.accept_intent_from, ["ops-bot"]);
    }

    #[test]
    fn the_last_level_of_a_rule_wins() {
        let source = br#"{"rules": {"unknown-request": {"level": "off"}, "unknown-request": {"level": "deny"}}}"#;
        let settings = Settings::load(&compile(source).unwrap()).unwrap();
        assert_eq!(settings.level("unknown-request"), Some(Level::Deny));
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let source = b"unjudgd: note\nundecided: maybe\nrules:\n  drain-intent-misssing: {level: deny}\n  unknown-request: {level: loud, x: 1}\n";
        let problems = compile(source).unwrap_err();
        let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/unjudgd",
                "/undecided",
                "/rules/drain-intent-misssing",
                "/rules/unknown-request/x",
                "/rules/unknown-request/level"
            ]
        );
        assert!(problems[0].message.contains("did you mean `unjudged`"), "{}", problems[0].message);
        assert!(problems[2].message.contains("did you mean `drain-intent-missing`"), "{}", problems[2].message);
    }

    #[test]
    fn foreign_settings_are_refused() {
        assert!(Settings::load(b"unknown-request deny\n").is_err());
        assert_eq!(Settings::load(b"").unwrap(), Settings::default());
    }
}
