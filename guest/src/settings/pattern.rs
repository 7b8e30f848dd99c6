//! Patterns of names: `*` stands for any characters but `:`, and alone for everything.

/// Whether the pattern fits the whole text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last asterisk was met: what follows it, and how far it reaches. An earlier one need not reach further
    // than it has to, since the last one could reach there as well.
    let mut asterisk: Option<(usize, usize)> = None;
    while let Some(byte) = text.get(t) {
        match (pattern.get(p), asterisk) {
            (Some(b'*'), _) => {
                p += 1;
                asterisk = Some((p, t));
            }
            (Some(wanted), _) if wanted == byte => (p, t) = (p + 1, t + 1),
            (_, Some((after, reach))) if text.get(reach) != Some(&b':') => {
                (p, t) = (after, reach + 1);
                asterisk = Some((after, reach + 1));
            }
            _ => return false,
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// Why a text is no pattern.
pub(super) fn fault(pattern: &str) -> Option<&'static str> {
    if pattern.trim_ascii() != pattern || pattern.is_empty() || pattern.bytes().any(|byte| byte.is_ascii_control()) {
        return Some("it is blank, or has blanks or control characters around it");
    }
    let other = |byte| matches!(byte, b'?' | b'[' | b']' | b'{' | b'}' | b'\\' | b'!');
    (pattern.bytes().any(other) || pattern.as_bytes().windows(2).any(|pair| pair == b"**"))
        .then_some("only `*` stands for other characters")
}

#[cfg(test)]
mod tests {
    use super::{fault, matches};

    #[test]
    fn an_asterisk_spans_no_colon() {
        let operator = "system:serviceaccount:*:flink-operator";
        assert!(matches(operator, "system:serviceaccount:ops:flink-operator"));
        for other in ["system:serviceaccount:a:b:flink-operator", "flink-operator", "", "system:serviceaccount:a:flink"]
        {
            assert!(!matches(operator, other), "{other}");
        }
        assert!(matches("*", "system:serviceaccount:a:b") && matches("*", ""));
    }

    #[test]
    fn asterisks_stand_anywhere() {
        for (pattern, text) in
            [("dev-*", "dev-7"), ("dev-*", "dev-"), ("*-prod", "eu-prod"), ("a*b*c", "aXbYbZc"), ("prod", "prod")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("dev-*", "dev"), ("prod", "prod-eu"), ("*-prod", "eu-prod-2"), ("a*b*c", "aXc"), ("", "a"), ("*:a", "b")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        for text in ["", " ", "a ", "dev-?", "{a,b}", "a**", "!x", "a\tb"] {
            assert!(fault(text).is_some(), "{text:?}");
        }
        assert_eq!(fault("system:serviceaccount:*:flink-operator"), None);
    }
}
