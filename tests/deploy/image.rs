//! The Dockerfile, as far as it can be held to something without an engine: its form, and what the chart expects of it.

use sluicegate_tests::root;

use crate::helm::chart;

/// Instructions and their arguments, lines joined.
fn instructions() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join("host/deploy/Dockerfile")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    joined
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (word, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no argument: {line}"));
            (word.to_owned(), rest.split_whitespace().collect::<Vec<_>>().join(" "))
        })
        .collect()
}

/// The last stage.
fn shipped() -> Vec<(String, String)> {
    let all = instructions();
    let start = all.iter().rposition(|(word, _)| word == "FROM").unwrap();
    all[start..].to_vec()
}

fn only(word: &str) -> String {
    let found: Vec<_> = shipped().into_iter().filter(|(it, _)| it == word).map(|(_, rest)| rest).collect();
    assert_eq!(found.len(), 1, "{word}: {found:?}");
    found[0].clone()
}

#[test]
fn its_instructions_are_well_formed() {
    for (word, rest) in instructions() {
        assert!(
            ["FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "EXPOSE", "ENTRYPOINT", "CMD", "LABEL"].contains(&&*word),
            "{word}"
        );
        if rest.starts_with('[') {
            let list: Vec<String> = serde_json::from_str(&rest).unwrap_or_else(|error| panic!("{error}: {rest}"));
            assert!(!list.is_empty());
        }
        if word == "ENV" {
            assert!(rest.contains('='), "{rest}");
        }
    }
    let from: Vec<String> =
        instructions().into_iter().filter(|(word, _)| word == "FROM").map(|(_, rest)| rest).collect();
    assert_eq!(from.len(), 2);
    assert!(from.iter().all(|image| image.contains(':') && !image.contains(":latest")), "{from:?}");
}

#[test]
fn it_builds_what_is_shipped_from_what_is_locked() {
    let builds: Vec<String> =
        instructions().into_iter().map(|(_, rest)| rest).filter(|it| it.contains("cargo build")).collect();
    assert_eq!(builds.len(), 1);
    assert!(builds[0].contains("--profile dist") && builds[0].contains("--locked"), "{builds:?}");
}

#[test]
fn the_shipped_stage_has_no_shell_and_runs_as_the_charts_user() {
    assert!(shipped()[0].1.contains("distroless"), "{:?}", shipped()[0]);
    for (word, rest) in shipped() {
        let exec = !["RUN", "ENTRYPOINT", "CMD"].contains(&&*word) || rest.starts_with('[');
        assert!(exec, "there is no shell to run {rest}");
    }
    let values = sluicegate::yaml::parse(&std::fs::read_to_string(chart().join("values.yaml")).unwrap()).unwrap();
    assert_eq!(only("USER"), format!("{}:{}", values["runAsUser"], values["runAsGroup"]));
    assert_eq!(only("ENTRYPOINT"), r#"["/usr/local/bin/sluicegate"]"#);
    assert_eq!(only("EXPOSE"), "8443 9090");
    assert_eq!(only("ENV"), "XDG_CACHE_HOME=/var/cache");
}

#[test]
fn what_it_copies_is_there() {
    for (word, rest) in instructions() {
        if word != "COPY" || rest.contains("--from=") {
            continue;
        }
        let words: Vec<&str> = rest.split(' ').collect();
        for source in &words[..words.len() - 1] {
            assert!(root().join(source).exists(), "{source}");
        }
    }
    // Only what is copied is sent to the engine.
    let ignored = std::fs::read_to_string(root().join("host/deploy/Dockerfile.dockerignore")).unwrap();
    assert!(ignored.lines().any(|line| line == "*"), "starts from nothing");
    for kept in ignored.lines().filter_map(|line| line.strip_prefix('!')) {
        assert!(root().join(kept).exists(), "{kept}");
    }
}
