//! The commands of the README run as they are written there, from the root of the repository.

use std::path::Path;
use std::process::Command;

/// Blocks of this language, each as its lines.
fn blocks<'r>(readme: &'r str, language: &str) -> Vec<Vec<&'r str>> {
    let fence = format!("```{language}");
    let mut lines = readme.lines();
    let mut blocks = Vec::new();
    while lines.by_ref().any(|line| line == fence) {
        blocks.push(lines.by_ref().take_while(|line| *line != "```").collect());
    }
    blocks
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn commands_run_as_written() {
    let readme = readme();
    let mut commands: Vec<&str> = blocks(&readme, "sh").concat();
    commands.retain(|line| line.starts_with("sluicegate "));
    assert!(commands.len() >= 2, "{commands:?}");
    for line in commands {
        let words: Vec<_> = line.split_whitespace().skip(1).collect();
        let run = Command::new(env!("CARGO_BIN_EXE_sluicegate")).args(words).current_dir(root()).output().unwrap();
        assert!(matches!(run.status.code(), Some(0 | 1)), "{line}: {run:?}");
    }
}

#[test]
fn what_a_console_shows_is_what_comes() {
    let readme = readme();
    let consoles = blocks(&readme, "console");
    assert!(!consoles.is_empty());
    for lines in consoles {
        let mut output = String::new();
        for line in lines {
            match line.strip_prefix("$ ") {
                Some(command) => output = shell(command),
                // What is left out.
                None if line == "…" => {}
                None => assert!(output.lines().any(|came| came == line), "the README shows\n{line}\nand not\n{output}"),
            }
        }
    }
}

fn shell(command: &str) -> String {
    let ours = Path::new(env!("CARGO_BIN_EXE_sluicegate")).parent().unwrap().display();
    let path = format!("{ours}:{}", std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(root()).env("PATH", path).env("COLUMNS", "100");
    for name in ["CLICOLOR_FORCE", "SLUICEGATE_SETTINGS"] {
        shell.env_remove(name);
    }
    String::from_utf8(shell.output().unwrap().stdout).unwrap()
}
