//! Lengths of time as settings write them: `90s`, `15m`, `24h`, `7d`.

/// Each unit with its seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Reads one, in seconds. `None`: it is none, or longer than anybody means.
pub fn parse(text: &str) -> Option<u64> {
    let (unit, seconds) = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
    let number = text.strip_suffix(unit)?;
    let plain = (1..=6).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| number.parse::<u64>().ok()).flatten().map(|number| number * seconds)
}

/// Writes one, in hours at the most: `24h` says more than `1d`.
pub fn write(seconds: u64) -> String {
    let fits = |(_, unit): &(char, u64)| seconds > 0 && seconds.is_multiple_of(*unit);
    let (unit, length) = UNITS.into_iter().skip(1).find(fits).unwrap_or(('s', 1));
    format!("{}{unit}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::{parse, write};

    #[test]
    fn lengths_are_read_and_written() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("24h", 86_400), ("0s", 0)] {
            assert_eq!((parse(text), write(seconds).as_str()), (Some(seconds), text));
        }
        assert_eq!((parse("7d"), write(7 * 86_400).as_str()), (Some(604_800), "168h"));
        for text in ["", "s", "15", "15 m", "1h30m", "-5m", "+5m", "1.5h", "15M", "9999999h", "ém"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
