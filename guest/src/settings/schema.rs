//! The JSON Schema of a settings document, for editors and pipelines. It says less than `compile`: what it
//! refuses, that refuses too, but for a null in place of nothing.

use crate::rules::{self, Parameter, ParameterKind, Rule};
use crate::writer::Writer;

/// All of it but what the rules say; each `@` is the place of a list.
const TEMPLATE: &str = include_str!("schema.json");

/// Writes it, without line breaks.
pub fn schema() -> String {
    let mut out = Writer::with_capacity(32 << 10);
    for line in TEMPLATE.split('\n').map(str::trim_ascii_start) {
        match line {
            "\"@families\": true" => out.separated(&super::families(), |out, family| {
                out.string(family);
                out.raw(r#":{"enum":["on","off",true,false]}"#);
            }),
            "\"@rules\": true" => out.separated(rules::ALL, |out, rule| of_rule(out, rule)),
            "\"@ids\"" => out.separated(rules::ALL, |out, rule| out.string(rule.id)),
            line => out.raw(line),
        }
    }
    out.finish()
}

fn of_rule(out: &mut Writer, rule: &Rule) {
    out.string(rule.id);
    out.raw(r#":{"description":"#);
    out.string(rule.title);
    if rule.parameters.is_empty() {
        return out.raw(r##","$ref":"#/$defs/rule"}"##);
    }
    out.raw(r##","type":"object","additionalProperties":false,"properties":{"level":{"$ref":"#/$defs/level"},"##);
    out.separated(rule.parameters, parameter);
    out.raw("}}");
}

fn parameter(out: &mut Writer, parameter: &Parameter) {
    out.string(parameter.name);
    out.raw(r#":{"description":"#);
    out.string(parameter.title);
    out.raw(match parameter.kind {
        ParameterKind::Duration(_) => r##","$ref":"#/$defs/duration","default":"##,
    });
    out.string(&parameter.kind.shipped());
    out.raw("}");
}
