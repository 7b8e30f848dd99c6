//! Which names are those of secrets. The policy has the same list for what it says (`guest/src/text.rs`): it cannot be
//! shared, since a policy may be anybody's, but a test holds the two against each other.

/// Parts of names, without what separates their words.
const WORDS: [&str; 20] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "token",
    "credential",
    "accesskey",
    "accountkey",
    "apikey",
    "privatekey",
    "servicekey",
    "jaas",
    "basicauth",
    "authparams",
    "httpheaders",
    // Only here: what else comes in with HTTP, in arguments and in the environment.
    "authorization",
    "signature",
    "cookie",
    "encryptionkey",
    "signingkey",
];
/// Whole names.
const NAMES: [&str; 6] = ["pwd", "pass", "auth", "sig", "pin", "sessionid"];

/// Letters and digits only, in lower case.
pub(super) fn plain(name: &str) -> String {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// Whether the name of a value says that it is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    // `-Dpwd=…`, as Java and Flink take properties.
    let name = name.strip_prefix("-D").unwrap_or(name);
    let plain = plain(name);
    has_word(&plain) || NAMES.contains(&plain.as_str()) || last_word(name)
}

/// Whether a word stands anywhere in this plain name or path.
pub(super) fn has_word(plain: &str) -> bool {
    WORDS.iter().any(|word| plain.contains(word))
}

/// `DB_PWD`, `--db-pass`.
fn last_word(name: &str) -> bool {
    let last = name.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    NAMES.iter().any(|word| last.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::{WORDS, is_secret};

    #[test]
    fn the_words_of_the_policy_are_here_as_well() {
        let policy = include_str!("../../../../guest/src/text.rs");
        let start = policy.find("const WORDS").unwrap();
        let list = &policy[start..start + policy[start..].find("];").unwrap()];
        let words: Vec<_> = list.split('"').skip(1).step_by(2).collect();
        assert!(words.len() >= 15, "{words:?}");
        for word in words {
            assert!(WORDS.contains(&word), "{word}");
        }
    }

    #[test]
    fn names_are_those_of_the_field() {
        for name in [
            "s3.secret-key",
            "fs.azure.account.key.prod",
            "AWS_SECRET_ACCESS_KEY",
            "DB_PWD",
            "--db-pass",
            "sig",
            "X-Amz-Signature",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["state.savepoints.dir", "key", "parallelism", "passthrough.mode", "design", "author"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
