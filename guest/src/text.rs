//! What leaves the sandbox: bounded texts without control characters, and no secrets.

/// How many bytes of a text are shown.
const LONGEST: usize = 400;

/// Control characters and line breaks become spaces; what is too long is cut, and says so.
pub(crate) fn clean(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if text.len() <= LONGEST && is_plain(text) {
        return text.to_owned();
    }
    let mut clean = String::with_capacity(text.len().min(LONGEST));
    for c in text.chars() {
        if clean.len() > LONGEST {
            clean.push('…');
            break;
        }
        clean.push(if hidden(c) { ' ' } else { c });
    }
    clean
}

/// Whether all of it is printable ASCII, which needs no look at each character.
fn is_plain(text: &str) -> bool {
    let odd = |byte: &u8| byte.wrapping_sub(0x20) >= 0x5f;
    text.as_bytes().chunks(16).all(|chunk| !chunk.iter().fold(false, |found, byte| found | odd(byte)))
}

/// The parts one after the other. It is smaller than a `format!` with several arguments.
#[inline(never)]
pub(crate) fn join(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

/// Whether this is written like a UUID.
pub fn is_uuid(text: &str) -> bool {
    let mut groups = [8, 4, 4, 4, 12].into_iter();
    let group = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split('-').all(|part| groups.next().is_some_and(|length| group(part, length))) && groups.next().is_none()
}

/// Whether the name of a value says that it is a secret.
pub fn is_secret(pointer: &str) -> bool {
    const WORDS: [&str; 7] = ["secret", "password", "passwd", "token", "credential", "access-key", "accesskey"];
    let name = pointer.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, clean, is_secret, is_uuid};

    #[test]
    fn texts_are_bounded_and_plain() {
        assert_eq!(clean("a\n\u{1b}[31mb\u{202e}c"), "a  [31mb c");
        let long = clean(&"é".repeat(10_000));
        assert!(long.len() <= LONGEST + 8 && long.ends_with('…'));
    }

    #[test]
    fn ids_are_hexadecimal() {
        assert!(is_uuid("0cb796fc-2641-488e-bde8-52b2199c5747") && is_uuid("0CB796FC-2641-488E-BDE8-52B2199C5747"));
        for name in ["", "orders", "checkout-eu01-prod-live-warehouse-01", "0cb796fc-2641-488e-bde8-52b2199c5747-0"] {
            assert!(!is_uuid(name), "{name}");
        }
        assert!(!is_uuid("checkout-euro-prod-live-warehouse001"), "a name of the same shape");
    }

    #[test]
    fn secrets_are_told_by_their_name() {
        assert!(is_secret("/spec/flinkConfiguration/s3.secret-key") && is_secret("/a/API_TOKEN"));
        assert!(!is_secret("/spec/secretless/state.savepoints.dir"));
    }
}
