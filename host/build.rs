//! Builds the policy for `wasm32-unknown-unknown`, makes it a component, and leaves it where `src/policy.rs` embeds it.
//! With `SLUICEGATE_POLICY=FILE` a ready component is embedded instead. Beside it: examples from the corpus.

#[path = "build/examples.rs"]
mod examples;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

const TARGET: &str = "wasm32-unknown-unknown";

/// What the guest is compiled and linked with. The stack holds the deepest document that is read with room to spare.
/// The initial memory is what small and middling requests need: growing it costs more than judging them, and pages that
/// nobody touches cost nothing.
const FLAGS: &[&str] = &[
    "-Ctarget-feature=+simd128,+bulk-memory",
    "-Clink-arg=-zstack-size=131072",
    "-Clink-arg=--initial-memory=1048576",
    // Addresses take the bytes that they need, rather than the five that the linker leaves room for: a twentieth of all.
    "-Clink-arg=--compress-relocations",
    // What every byte and value passes through is inlined by attribute; more would make the component a quarter larger,
    // and hardly faster.
    "-Cllvm-args=-inline-threshold=10",
    "-Cllvm-args=-unroll-threshold=30",
];

fn main() -> ExitCode {
    match embed() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

fn embed() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=SLUICEGATE_POLICY");
    let out = PathBuf::from(variable("OUT_DIR")?);
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = manifest.parent().ok_or("the host has no parent folder")?;
    let component = match env::var_os("SLUICEGATE_POLICY").filter(|file| !file.is_empty()) {
        Some(file) => {
            let file = root.join(file);
            println!("cargo::rerun-if-changed={}", file.display());
            fs::read(&file).map_err(|error| format!("SLUICEGATE_POLICY={}: {error}", file.display()))?
        }
        None => componentize(&compile(&out, root)?)?,
    };
    replace(&out.join("examples.rs"), examples::table(root)?.as_bytes())?;
    replace(&out.join("policy.wasm"), &component)
}

/// Puts a new file in place of an old one, which may have other names in copies of the target folder.
fn replace(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let fresh = file.with_extension("new");
    let written = fs::write(&fresh, bytes).and_then(|()| fs::rename(&fresh, file));
    written.map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// Compiles the guest, away from everything that the outer build was told: flags, wrappers, target folder.
fn compile(out: &Path, root: &Path) -> Result<PathBuf, String> {
    println!("cargo::rerun-if-changed=build");
    for watched in ["guest", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    target_installed()?;

    let target_dir = out.join("guest");
    let mut cargo = Command::new(variable("CARGO")?);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(belongs_to_outer_build) {
            cargo.env_remove(name);
        }
    }
    // Setting these, rather than removing them, also beats what a `.cargo/config.toml` says.
    cargo.env("RUSTC_WRAPPER", "").env("RUSTC_WORKSPACE_WRAPPER", "").env("CARGO_ENCODED_RUSTFLAGS", flags(root));
    cargo.args(["build", "--locked", "--quiet", "--lib", "--package", "sluicegate-policy"]);
    cargo.args(["--profile", "policy", "--target", TARGET]);
    cargo.arg("--manifest-path").arg(root.join("Cargo.toml")).arg("--target-dir").arg(&target_dir);
    let status = cargo.status().map_err(|error| format!("cannot start cargo for the policy: {error}"))?;
    if !status.success() {
        return Err(format!("the policy did not compile for {TARGET}; what cargo said stands below"));
    }
    Ok(target_dir.join(TARGET).join("policy").join("sluicegate_policy.wasm"))
}

fn belongs_to_outer_build(name: &str) -> bool {
    const KEPT: [&str; 6] =
        ["CARGO_HOME", "CARGO_MAKEFLAGS", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTR", "CARGO_SOURCE_"];
    let cargo = name.starts_with("CARGO") && !KEPT.iter().any(|kept| name.starts_with(kept));
    cargo || name.starts_with("RUSTC_") || matches!(name, "RUSTFLAGS" | "RUSTDOCFLAGS" | "TARGET" | "HOST")
}

/// Paths of this machine are cut out, so that the same sources give the same component everywhere.
fn flags(root: &Path) -> String {
    let mut flags: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    for (path, name) in [(Some(root.to_owned()), "sluicegate"), (home, "cargo")] {
        if let Some(path) = path {
            flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        }
    }
    flags.join("\u{1f}")
}

fn target_installed() -> Result<(), String> {
    let rustc = Command::new(variable("RUSTC")?).args(["--print", "target-libdir", "--target", TARGET]).output();
    let output = rustc.map_err(|error| format!("cannot start rustc: {error}"))?;
    let folder = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    Err(format!("the Rust target for the policy is missing: run `rustup target add {TARGET}` and build again"))
}

fn componentize(module: &Path) -> Result<Vec<u8>, String> {
    let module = fs::read(module).map_err(|error| format!("{}: {error}", module.display()))?;
    let component =
        wit_component::ComponentEncoder::default().module(&module).and_then(|encoder| encoder.validate(true).encode());
    component.map_err(|error| format!("the policy did not become a component: {error:#}"))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("cargo did not set {name}"))
}
