//! Reads the document that a person writes, says everything that is wrong with it, and writes the compiled form.

mod value;

use crate::document::{Document, Node, Reading};
use crate::nearest::nearest;
use crate::operation::Assume;
use crate::rules::{self, Level, ParameterKind, Rule};
use crate::text::clean;

use super::stored::MAGIC;

/// Nobody reads more at once; a document made to be large must not cost more.
const MAX_PROBLEMS: usize = 100;

/// The members of a settings document.
const MEMBERS: &[&str] = &[
    "apiVersion",
    "kind",
    "unjudged",
    "undecided",
    "intent",
    "rules",
    "families",
    "scopes",
    "tenants",
    "jarSchemes",
    "operatorAccounts",
    "exempt",
    "overrides",
];

const LEVELS: &[&str] = &["deny", "warn", "note", "off"];

/// One thing that is wrong with a settings document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    pub pointer: String,
    pub offset: u32,
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
            offset: u32::try_from(error.offset).unwrap_or_default(),
        }]
    })?;
    let mut reader = Reader { compiled: String::from(MAGIC), problems: Vec::new() };
    reader.document(document.root());
    if reader.problems.is_empty() { Ok(reader.compiled.into_bytes()) } else { Err(reader.problems) }
}

struct Reader {
    compiled: String,
    problems: Vec<Problem>,
}

impl Reader {
    fn document(&mut self, root: Node<'_>) {
        if root.is_null() || !self.object(root, MEMBERS) {
            return;
        }
        for (name, wanted) in [("apiVersion", "sluicegate.dev/v1alpha1"), ("kind", "Settings")] {
            if let Some(node) = root.get(name).filter(|node| !node.is(wanted)) {
                self.problem(node, format!("expected `{wanted}`, not {}", node.source()));
            }
        }
        self.switch(root, "unjudged", &["note", "undecided"], "strict");
        self.switch(root, "undecided", &["deny", "allow"], "undecided-allows");
        if let Some(intent) = root.get("intent")
            && self.object(intent, &["assume", "acceptFrom"])
        {
            if let Some(word) = self.choice(intent, "assume", &Assume::WORDS) {
                self.line("assume", &[word]);
            }
            self.patterns(intent, "acceptFrom", "accept-intent-from");
        }
        if let Some(families) = root.get("families") {
            self.families(families);
        }
        if let Some(rules) = root.get("rules") {
            self.rules(rules);
        }
        self.each(root, "tenants", &["namespaces", "prefixes"], Self::tenant);
        if let Some(list) = root.get("jarSchemes") {
            let schemes = self.list(list, "a scheme", value::scheme);
            self.line("jar-schemes", &[&schemes]);
        }
        self.patterns(root, "operatorAccounts", "operator-accounts");
        self.each(root, "exempt", &["principals", "rules", "namespaces", "reason", "until"], Self::exemption);
        if let Some(overrides) = root.get("overrides")
            && self.object(overrides, &["from", "never", "longest"])
        {
            self.patterns(overrides, "from", "override-from");
            if let Some(never) = overrides.get("never") {
                let ids = self.ids(never);
                self.line("override-never", &[&ids]);
            }
            if let Some(longest) = overrides.get("longest") {
                let seconds = self.seconds(longest, "longest");
                self.line("override-longest", &[&seconds]);
            }
        }
        // The lines after a scope belong to it, so scopes come last.
        self.each(root, "scopes", &["namespaces", "labels", "rules"], Self::scope);
    }

    /// Switches all rules of a family off. What `rules` says of one of them comes later, and wins.
    fn families(&mut self, node: Node<'_>) {
        let names = super::families();
        if !self.object(node, &names) {
            return;
        }
        for name in names {
            if self.choice(node, name, &["on", "off"]) == Some("off") {
                for (place, rule) in rules::ALL.iter().enumerate().filter(|(_, rule)| rule.family == name) {
                    self.line("level", &[&place.to_string(), rule.id, "off"]);
                }
            }
        }
    }

    fn rules(&mut self, node: Node<'_>) {
        if !node.is_object() {
            return self.problem(node, "`rules` must be an object: rule id to settings".to_owned());
        }
        for (key, value) in node.members() {
            if self.is_full() {
                break;
            }
            if let Some((place, rule)) = self.rule(key) {
                self.of_rule(place, rule, value);
            }
        }
    }

    fn of_rule(&mut self, place: usize, rule: &Rule, node: Node<'_>) {
        let mut names = vec!["level"];
        names.extend(rule.parameters.iter().map(|parameter| parameter.name));
        if !self.object(node, &names) {
            return;
        }
        let place = place.to_string();
        if let Some(level) = self.choice(node, "level", LEVELS).and_then(Level::named) {
            self.line("level", &[&place, rule.id, level.name()]);
        }
        for parameter in rule.parameters {
            let Some(value) = node.get(parameter.name) else { continue };
            let text = match parameter.kind {
                ParameterKind::Duration(_) => self.seconds(value, parameter.name),
            };
            self.line("value", &[&place, rule.id, parameter.name, &text]);
        }
    }

    fn scope(&mut self, node: Node<'_>) {
        if node.get("namespaces").is_none() && node.get("labels").is_none() {
            self.problem(
                node,
                "a scope needs `namespaces` or `labels`; for all namespaces, write `rules` above".to_owned(),
            );
        }
        let namespaces = node.get("namespaces").map(|list| self.some(list, "a namespace", value::pattern));
        let mut labels = String::new();
        if let Some(map) = node.get("labels") {
            if !map.is_object() {
                self.problem(map, "`labels` must be an object: label to pattern".to_owned());
            }
            for (key, value) in map.members() {
                let pattern = self.text(value, "the value of a label", value::pattern);
                let key = self.text(key, "a label", value::label);
                value::push(&mut labels, &format!("{key}={pattern}"));
            }
        }
        self.line("scope", &[&namespaces.unwrap_or_default(), &labels]);
        match node.get("rules") {
            Some(rules) => self.rules(rules),
            None => self.problem(node, "a scope needs `rules`".to_owned()),
        }
    }

    fn tenant(&mut self, node: Node<'_>) {
        let mut list = |name: &str, what: &str, check: value::Check| match node.get(name) {
            Some(list) => self.some(list, what, check),
            None => {
                self.problem(node, format!("a tenant needs `{name}`"));
                String::new()
            }
        };
        let namespaces = list("namespaces", "a namespace", value::pattern);
        let prefixes = list("prefixes", "a prefix", value::prefix);
        self.line("tenant", &[&namespaces, &prefixes]);
    }

    fn exemption(&mut self, node: Node<'_>) {
        let mut list = |name: &str, what: &str| {
            node.get(name).map(|list| self.some(list, what, value::pattern)).unwrap_or_default()
        };
        let (principals, namespaces) = (list("principals", "a principal"), list("namespaces", "a namespace"));
        let rules = match node.get("rules") {
            Some(rules) => {
                self.filled(rules);
                self.ids(rules)
            }
            None => {
                self.problem(node, "an exemption needs `rules`: what is exempted".to_owned());
                String::new()
            }
        };
        let reason = match node.get("reason") {
            Some(reason) => self.text(reason, "`reason`", value::reason),
            None => {
                self.problem(node, "an exemption needs a `reason`".to_owned());
                String::new()
            }
        };
        let until = node.get("until").map(|until| self.text(until, "`until`", value::time)).unwrap_or_default();
        self.line("exempt", &[&principals, &rules, &namespaces, &until, &reason]);
    }

    /// Reads every entry of a list of objects.
    fn each(&mut self, node: Node<'_>, name: &str, members: &[&str], read: fn(&mut Self, Node<'_>)) {
        let Some(list) = node.get(name) else { return };
        if !list.is_array() {
            return self.problem(list, format!("`{name}` must be a list"));
        }
        for entry in list.elements() {
            if self.is_full() {
                break;
            }
            if self.object(entry, members) {
                read(self, entry);
            }
        }
    }

    /// A list of patterns, as a line of its own.
    fn patterns(&mut self, node: Node<'_>, name: &str, key: &str) {
        if let Some(list) = node.get(name) {
            let patterns = self.list(list, "a principal", value::pattern);
            self.line(key, &[&patterns]);
        }
    }

    fn ids(&mut self, node: Node<'_>) -> String {
        let mut ids = String::new();
        if !node.is_array() {
            self.problem(node, format!("expected a list of rule ids, found {}", node.source()));
        }
        for id in node.elements() {
            if self.is_full() {
                break;
            }
            if let Some((_, rule)) = self.rule(id) {
                value::push(&mut ids, rule.id);
            }
        }
        ids
    }

    /// The rule of this id, with its place in the catalogue.
    fn rule(&mut self, node: Node<'_>) -> Option<(usize, &'static Rule)> {
        let id = node.scalar().unwrap_or_default();
        let found = rules::ALL.iter().enumerate().find(|(_, rule)| rule.id == id);
        if found.is_none() {
            let hint = nearest(&id, rules::ALL.iter().map(|rule| rule.id));
            self.problem(node, format!("there is no rule `{id}`{hint}"));
        }
        found.map(|(place, rule)| (place, *rule))
    }

    /// A list that is not empty: whoever writes an empty one means nobody, and leaving it out means everybody.
    fn some(&mut self, node: Node<'_>, what: &str, check: value::Check) -> String {
        self.filled(node);
        self.list(node, what, check)
    }

    fn filled(&mut self, node: Node<'_>) {
        if node.is_array() && node.elements().next().is_none() {
            self.problem(node, "this list must not be empty".to_owned());
        }
    }

    /// A list of texts, each of which must pass the check.
    fn list(&mut self, node: Node<'_>, what: &str, check: value::Check) -> String {
        let mut list = String::new();
        if !node.is_array() {
            self.problem(node, format!("expected a list, found {}", node.source()));
        }
        for entry in node.elements() {
            if self.is_full() {
                break;
            }
            let text = self.text(entry, what, check);
            value::push(&mut list, &text);
        }
        list
    }

    fn text(&mut self, node: Node<'_>, what: &str, check: value::Check) -> String {
        match node.scalar().map(|text| check(&text)) {
            Some(Ok(text)) => text,
            Some(Err(why)) => {
                self.problem(node, format!("{} is not {what}: {why}", node.source()));
                String::new()
            }
            None => {
                self.problem(node, format!("{what} must be a text"));
                String::new()
            }
        }
    }

    fn seconds(&mut self, node: Node<'_>, name: &str) -> String {
        let seconds = node.scalar().and_then(|text| rules::duration::parse(&text));
        if seconds.is_none() {
            let message =
                format!("`{name}` must be a length of time such as `90s`, `15m` or `24h`, not {}", node.source());
            self.problem(node, message);
        }
        seconds.unwrap_or_default().to_string()
    }

    /// Whether it is an object; what it should not have is a problem.
    fn object(&mut self, node: Node<'_>, names: &[&str]) -> bool {
        if !node.is_object() {
            self.problem(node, format!("expected an object, found {}", node.source()));
            return false;
        }
        for (key, _) in node.members() {
            if self.is_full() {
                break;
            }
            let name = key.text().unwrap_or_default();
            if !names.contains(&name.as_ref()) {
                let hint = nearest(&name, names.iter().copied());
                self.problem(key, format!("unknown setting `{name}`{hint}"));
            }
        }
        true
    }

    /// Of two words the second one, which is written down.
    fn switch(&mut self, node: Node<'_>, name: &str, words: &[&'static str; 2], key: &str) {
        if self.choice(node, name, words) == words.last().copied() {
            self.line(key, &[]);
        }
    }

    fn choice(&mut self, node: Node<'_>, name: &str, values: &[&'static str]) -> Option<&'static str> {
        let value = node.get(name)?;
        // `on` and `off` are booleans in YAML 1.1: people write them without quotes, and mean the words.
        let boolean = value.bool().map(|on| if on { "on" } else { "off" });
        let found = values.iter().find(|choice| value.is(choice) || boolean == Some(choice)).copied();
        if found.is_none() {
            let hint = nearest(&value.scalar().unwrap_or_default(), values.iter().copied());
            self.problem(value, format!("`{name}` must be one of {}, not {}{hint}", values.join(", "), value.source()));
        }
        found
    }

    fn line(&mut self, key: &str, fields: &[&str]) {
        self.compiled.push_str(key);
        for field in fields {
            self.compiled.push('\t');
            self.compiled.push_str(field);
        }
        self.compiled.push('\n');
    }

    fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    fn problem(&mut self, node: Node<'_>, message: String) {
        if !self.is_full() {
            let (message, pointer) = (clean(&message), clean(&node.pointer()));
            self.problems.push(Problem { message, pointer, offset: node.span().0 });
        }
    }
}
