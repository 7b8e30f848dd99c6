//! Components written as text, with the contract of a policy.

use std::path::Path;
use std::time::Duration;

use sluicegate::{Cache, CheckError, Envelope, Limits, Outcome, Policy, PolicyError, Request, Settings};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What is left of the answer `failure { kind: malformed, message, offset: none }` when nothing else is written.
pub const ANSWER: &str = "(i32.store8 (i32.const 0) (i32.const 1)) (i32.const 0)";

/// Parts of a component; the rest of the contract is filled in.
#[derive(Clone, Copy)]
pub struct Written<'t> {
    /// Declarations of the module.
    pub declarations: &'t str,
    /// `check`: 15 parameters, gives the address of its result.
    pub check: &'t str,
    /// `compile-settings`.
    pub compile_settings: &'t str,
    /// `cabi_realloc`.
    pub realloc: &'t str,
    /// Pages of memory.
    pub pages: u32,
}

impl Default for Written<'_> {
    fn default() -> Self {
        Self {
            declarations: "",
            check: ANSWER,
            compile_settings: "unreachable",
            realloc: "(i32.const 65536)",
            pages: 16,
        }
    }
}

impl Written<'_> {
    /// The component.
    pub fn component(self) -> Vec<u8> {
        let Self { declarations, check, compile_settings, realloc, pages } = self;
        let fifteen = "i32 ".repeat(15);
        let gate = "sluicegate:policy/gate@0.1.0#";
        let text = format!(
            r#"(module
                (memory (export "memory") {pages})
                {declarations}
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {realloc})
                (func (export "{gate}check") (param {fifteen}) (result i32) {check})
                (func (export "{gate}compile-settings") (param i32 i32) (result i32) {compile_settings})
                (func (export "{gate}describe") (result i32) unreachable))"#
        );
        let mut module = wat::parse_str(text).unwrap();
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit")).unwrap();
        let world = resolve.select_world(&[package], None).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }

    /// The policy, loaded with a time limit of 50 ms.
    pub fn policy(self) -> Policy {
        load(self.component(), Limits { time: Duration::from_millis(50), ..Limits::default() }).unwrap()
    }
}

/// Loads a component without any cache.
pub fn load(component: impl Into<Vec<u8>>, limits: Limits) -> Result<Policy, PolicyError> {
    Policy::load_with(component, limits, &Cache::none())
}

/// Puts a small question.
pub fn ask(policy: &Policy) -> Result<Outcome, CheckError> {
    policy.check(&Request { envelope: Envelope::Plan, body: b"{}" }, &[], &Settings::default())
}

/// Puts a small question to a policy that must give way.
pub fn breach(policy: &Policy) -> PolicyError {
    match ask(policy) {
        Err(CheckError::Policy(error)) => error,
        other => panic!("it should have failed: {other:?}"),
    }
}
