//! The compiled form: one line for each setting, its fields apart by tabs. It is quick to take back, since every sandbox
//! does that anew, and good only for the policy that made it.

use super::list::List;
use super::{Exemption, Scope, Settings, Tenant, Value};
use crate::failure::{Failure, FailureKind};
use crate::rules::{self, Level, Rule};

/// The first bytes of compiled settings.
pub(super) const MAGIC: &str = concat!("sluicegate-settings ", env!("CARGO_PKG_VERSION"), "\n");

impl<'s> Settings<'s> {
    /// Takes the compiled form; nothing stands for the shipped settings.
    ///
    /// # Errors
    /// When the bytes were not made by this policy's [`compile`](super::compile).
    pub fn load(compiled: &'s [u8]) -> Result<Self, Failure> {
        if compiled.is_empty() {
            return Ok(Self::default());
        }
        read(compiled).ok_or_else(|| Failure {
            kind: FailureKind::BadSettings,
            message: "these settings were compiled by another policy; compile them again".to_owned(),
            offset: None,
        })
    }
}

fn read(compiled: &[u8]) -> Option<Settings<'_>> {
    let text = std::str::from_utf8(compiled).ok()?.strip_prefix(MAGIC)?;
    let mut settings = Settings::default();
    for line in text.lines() {
        let mut fields = line.split('\t');
        let key = fields.next()?;
        let mut next = || fields.next();
        match key {
            "level" => {
                let (place, _) = rule(next()?, next()?)?;
                let level = Level::named(next()?)?;
                match settings.scopes.last_mut() {
                    Some(scope) => scope.levels.push((place, level)),
                    None => settings.set_level(place, level),
                }
            }
            "value" => {
                let (_, rule) = rule(next()?, next()?)?;
                let value = Value { rule: rule.id, name: next()?, text: next()? };
                match settings.scopes.last_mut() {
                    Some(scope) => scope.parameters.push(value),
                    None => settings.parameters.push(value),
                }
            }
            // Scopes come last: what follows belongs to them.
            "scope" => {
                let (namespaces, labels) = (List::stored(next()?), List::stored(next()?));
                settings.scopes.push(Scope { namespaces, labels, ..Scope::default() });
            }
            "tenant" => {
                let (namespaces, prefixes) = (List::stored(next()?), List::stored(next()?));
                settings.tenants.push(Tenant { namespaces, prefixes });
            }
            "exempt" => settings.exemptions.push(Exemption {
                principals: List::stored(next()?),
                rules: List::stored(next()?),
                namespaces: List::stored(next()?),
                until: next().filter(|until| !until.is_empty()),
                reason: next()?,
            }),
            "jar-schemes" => settings.jar_schemes = Some(List::stored(next()?)),
            "operator-accounts" => settings.operator_accounts = Some(List::stored(next()?)),
            "accept-intent-from" => settings.accept_intent_from = List::stored(next()?),
            "override-from" => settings.override_from = List::stored(next()?),
            "override-never" => settings.override_never = List::stored(next()?),
            "override-longest" => settings.longest_override = Some(next()?.parse().ok()?),
            "strict" => settings.strict = true,
            "undecided-allows" => settings.undecided_allows = true,
            "assume-restart" => settings.assume_restart = true,
            _ => return None,
        }
    }
    Some(settings)
}

/// The rule at this place, if it is the one that was meant.
fn rule(place: &str, id: &str) -> Option<(usize, &'static Rule)> {
    let place: usize = place.parse().ok()?;
    let rule: &'static Rule = rules::ALL.get(place)?;
    (rule.id == id).then_some((place, rule))
}
