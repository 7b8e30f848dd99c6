//! What the policy looks like from outside, and what else is let in.

use sluicegate::{Limits, Policy, PolicyError};

use crate::written::load;

#[test]
fn the_policy_imports_nothing_and_exports_the_gate() {
    let engine = wasmtime::Engine::default();
    let component = wasmtime::component::Component::from_binary(&engine, Policy::embedded_component()).unwrap();
    let kind = component.component_type();
    assert_eq!(kind.imports(&engine).map(|(name, _)| name).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(kind.exports(&engine).map(|(name, _)| name).collect::<Vec<_>>(), ["sluicegate:policy/gate@0.1.0"]);
}

#[test]
fn the_policy_is_small() {
    let size = Policy::embedded_component().len();
    assert!(size < 900_000, "the component has {size} bytes");
}

#[test]
fn its_digest_is_that_of_its_bytes() {
    let policy = Policy::embedded(Limits::default()).unwrap();
    let again = load(policy.component_bytes(), Limits::default()).unwrap();
    assert_eq!(policy.digest(), again.digest());
    assert_eq!(policy.inspect().size, policy.component_bytes().len());
    assert!(policy.digest().starts_with("sha256:") && policy.digest().len() == 71);
}

#[test]
fn whoever_imports_anything_stays_outside() {
    for import in [
        r#"(import "f" (func))"#,
        r#"(import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64)))))"#,
        // Nothing but names: still a wish for something from outside.
        r#"(import "types" (instance (type $r (record (field "a" u8))) (export "r" (type (eq $r)))))"#,
        r#"(type $r (record (field "a" u8))) (import "r" (type (eq $r)))"#,
        r#"(import "r" (type (sub resource)))"#,
        r#"(import "m" (core module))"#,
    ] {
        let component = wat::parse_str(format!("(component {import})")).unwrap();
        let error = load(component, Limits::default()).unwrap_err();
        assert!(matches!(error, PolicyError::Imports(_)), "{import}: {error:?}");
    }
}

#[test]
fn whatever_is_no_policy_stays_outside() {
    for (text, unusable) in [
        ("(component)", false),
        (
            r#"(component (component $c) (instance $i (instantiate $c)) (export "sluicegate:policy/gate@0.1.0" (instance $i)))"#,
            false,
        ),
        // The right name, but another function.
        (
            r#"(component
                (core module $m (func (export "f")))
                (core instance $i (instantiate $m))
                (func $f (canon lift (core func $i "f")))
                (instance $gate (export "check" (func $f)) (export "compile-settings" (func $f)) (export "describe" (func $f)))
                (export "sluicegate:policy/gate@0.1.0" (instance $gate)))"#,
            false,
        ),
        ("(module)", true),
        ("(component (core module (memory 3000)))", true),
    ] {
        let error = load(wat::parse_str(text).unwrap(), Limits::default()).unwrap_err();
        match error {
            PolicyError::Unusable(_) => assert!(unusable, "{text}: {error}"),
            PolicyError::WrongContract(_) => assert!(!unusable, "{text}: {error}"),
            _ => panic!("{text}: {error:?}"),
        }
    }
    for bytes in [&b""[..], b"\0asm", b"not a component"] {
        assert!(matches!(load(bytes, Limits::default()), Err(PolicyError::Unusable(_))));
    }
    assert!(matches!(load(vec![0; 33 << 20], Limits::default()), Err(PolicyError::InputTooLarge { .. })));
}
