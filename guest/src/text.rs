//! What leaves the sandbox: bounded texts without control characters, and no secrets.

use std::borrow::Cow;

/// How many bytes of a text are shown.
const LONGEST: usize = 400;

/// Control characters and line breaks become spaces, user names and passwords of locations are hidden; what is too long
/// is cut, and says so.
pub(crate) fn clean(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let text = without_users(text);
    if text.len() <= LONGEST && is_plain(&text) {
        return text.into_owned();
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

/// What stands before the `@` of a location may be a password (`s3://KEY:SECRET@bucket/x`).
fn without_users(text: &str) -> Cow<'_, str> {
    if !text.as_bytes().contains(&b'@') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for (position, value) in text.split('`').enumerate() {
        if position > 0 {
            shown.push('`');
        }
        without_user(value, &mut shown);
        if shown.len() > 2 * LONGEST {
            break;
        }
    }
    Cow::Owned(shown)
}

#[inline(never)]
fn without_user(value: &str, shown: &mut String) {
    // Flink's `Path` turns backslashes round.
    let slash = |byte: u8| matches!(byte, b'/' | b'\\');
    let part = |from: usize, to: usize| value.get(from..to).unwrap_or_default();
    let last = value.rfind('@').unwrap_or_default();
    let (mut done, mut at) = (0, 0);
    while let Some(found) = part(at, last).as_bytes().windows(2).position(|pair| pair.iter().all(|byte| slash(*byte))) {
        let (scheme, start) = (part(0, at + found), at + found + 2);
        at = start;
        let authority = part(start, value.len()).split(['/', '\\', '?', '#']).next().unwrap_or_default();
        let port = authority.split_once(':').filter(|_| !authority.starts_with('[')).map(|(_, port)| port);
        let end = match authority.rfind('@') {
            Some(end) => start + end,
            // A password with a slash in it that is not written as `%2F`.
            None if port.is_some_and(|port| !port.bytes().all(|byte| byte.is_ascii_digit())) => last,
            None => continue,
        };
        // Azure names a container this way: `abfss://container@account.dfs.core.windows.net`.
        let container = |name: &str| scheme.ends_with(name) && !part(start, end).contains(':');
        if !(scheme.is_empty() || scheme.ends_with(':'))
            || ["wasb:", "wasbs:", "abfs:", "abfss:"].map(container).contains(&true)
        {
            continue;
        }
        shown.push_str(part(done, start));
        shown.push_str("(hidden)");
        (done, at) = (end, end);
    }
    shown.push_str(part(done, value.len()));
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

/// Whether the name of a value says that it is a secret: any part of a pointer, or of a flattened key. These are the
/// words of Flink's `GlobalConfiguration`, and some more.
pub fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 15] = [
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
    ];
    let mut plain = Vec::with_capacity(name.len());
    for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
        plain.push(byte.to_ascii_lowercase());
    }
    // Most letters begin none of the words: setting up a search for each would take longer than all the rest.
    let begins = |byte: u8| matches!(byte, b's' | b'p' | b't' | b'c' | b'a' | b'j' | b'b' | b'h');
    let mut rest = plain.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if begins(*first) && WORDS.iter().any(|word| rest.starts_with(word.as_bytes())) {
            return true;
        }
        rest = after;
    }
    false
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
        for name in [
            "/spec/flinkConfiguration/s3.secret-key",
            "/a/API_TOKEN",
            "/spec/flinkConfiguration/fs.azure.account.key.prod.dfs.core.windows.net",
            "/spec/flinkConfiguration/fs/azure/account/key/prod",
            "deployment.flinkConfiguration.fs.s3a.access.key",
            "s3.access-key",
            "x.apikey",
            "metrics.reporter.dghttp.apiKey",
            "client.private-key",
            "security.ssl.key-passphrase",
            "security.sasl.jaas.config",
            "rest.basic-auth.users",
            "pulsar.auth-params",
            "gs.service-key",
            "fs.credentials.provider",
            "influxdb.http-headers",
            "/password/value",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["/spec/flinkConfiguration/state.savepoints.dir", "/spec/job/jarURI", "pipeline.auto-watermark"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn locations_are_shown_without_user_and_password() {
        for (text, shown) in [
            ("s3://AKIA:TOPSECRET@bucket/x", "s3://(hidden)@bucket/x"),
            ("https://jane:secret@127.1/a.jar", "https://(hidden)@127.1/a.jar"),
            ("https://token@host", "https://(hidden)@host"),
            ("s3://AKIA:TOP/SEC@RET@bucket/x", "s3://(hidden)@bucket/x"),
            ("s3:\\\\a:b@bucket\\x", "s3:\\\\(hidden)@bucket\\x"),
            ("//a:b@bucket/x", "//(hidden)@bucket/x"),
            ("abfss://c:key@account.net/x", "abfss://(hidden)@account.net/x"),
            (
                "`s3://a:b@c/x` and `s3://d:e@f/y@z`, s3://g:h@i",
                "`s3://(hidden)@c/x` and `s3://(hidden)@f/y@z`, s3://(hidden)@i",
            ),
        ] {
            assert_eq!(clean(text), shown);
            assert_eq!(clean(shown), shown);
        }
        for text in [
            "s3://bucket/a@b/x",
            "http://host:8081/a@b",
            "abfss://container@account.dfs.core.windows.net/sp",
            "jane@example.com may not stop `prod/orders`",
            "s3://bucket//a@b",
            "ht tp://a",
            "`s3://bucket` is not for jane@example.com",
        ] {
            assert_eq!(clean(text), text);
        }
        let long = clean(&format!("s3://{}@bucket", "x:".repeat(10_000)));
        assert_eq!(long, "s3://(hidden)@bucket");
        assert!(clean(&"://@".repeat(100_000)).len() <= LONGEST + 8);
    }
}
