//! The compiled form: one line for each setting, its fields apart by tabs. It is quick to take back, since every sandbox
//! does that anew, and good only for the policy that made it.

use super::list::List;
use super::{Exemption, Scope, Settings, Tenant, Value};
use crate::failure::{Failure, FailureKind};
use crate::operation::Assume;
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
        let [a, b, c, d, e] = std::array::from_fn(|_| fields.next().unwrap_or_default());
        let (first, second) = (List::stored(a), List::stored(b));
        match key {
            "level" => {
                let (place, level) = (rule(a, b)?.0, Level::named(c)?);
                match settings.scopes.last_mut() {
                    Some(scope) => scope.levels.push((place, level)),
                    None => settings.set_level(place, level),
                }
            }
            "value" => {
                let value = Value { rule: rule(a, b)?.1.id, name: c, text: d };
                let scope = settings.scopes.last_mut().map(|scope| &mut scope.parameters);
                scope.unwrap_or(&mut settings.parameters).push(value);
            }
            // Scopes come last: what follows belongs to them.
            "scope" => settings.scopes.push(Scope { namespaces: first, labels: second, ..Scope::default() }),
            "tenant" => settings.tenants.push(Tenant { namespaces: first, prefixes: second }),
            "exempt" => settings.exemptions.push(Exemption {
                principals: first,
                rules: second,
                namespaces: List::stored(c),
                until: Some(d).filter(|until| !until.is_empty()),
                reason: e,
            }),
            "jar-schemes" => settings.jar_schemes = Some(first),
            "operator-accounts" => settings.operator_accounts = Some(first),
            "accept-intent-from" => settings.accept_intent_from = first,
            "override-from" => settings.override_from = first,
            "override-never" => settings.override_never = first,
            "override-longest" => settings.longest_override = Some(a.parse().ok()?),
            "strict" => settings.strict = true,
            "undecided-allows" => settings.undecided_allows = true,
            "assume" => settings.assume = Some(Assume::named(a)?),
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
