//! Lengths of time as Flink's options write them: `10 min`, `60s`, milliseconds without a unit, or ISO 8601 (`PT10M`).

use crate::number;
use crate::quantity::digits;

/// In seconds.
pub fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let (number, unit) = digits(text);
    if number.is_empty() {
        return iso(text);
    }
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1e-3,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        // The sign for micro has two code points that look alike.
        "\u{b5}s" | "\u{3bc}s" | "micro" | "micros" | "microsecond" | "microseconds" => 1e-6,
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => 1e-9,
        _ => return None,
    };
    let number: i64 = number.parse().ok()?;
    Some(number as f64 * factor)
}

/// As `java.time.Duration` reads it, without signs: Flink refuses what is negative.
fn iso(text: &str) -> Option<f64> {
    let text = text.to_ascii_uppercase();
    let rest = text.strip_prefix('P')?;
    let (days, mut time) = rest.split_once('T').unwrap_or((rest, "0S"));
    let number = |text: &str, fraction: bool| {
        let plain = |byte: u8| byte.is_ascii_digit() || fraction && byte == b'.';
        number::parse(text).filter(|_| text.bytes().all(plain))
    };
    let mut sum = match days {
        "" if text.len() < 3 => return None,
        "" => 0.0,
        days => number(days.strip_suffix('D')?, false)? * 86_400.0,
    };
    if time.is_empty() {
        return None;
    }
    for (unit, factor) in [('H', 3600.0), ('M', 60.0), ('S', 1.0)] {
        if let Some((amount, rest)) = time.split_once(unit) {
            sum += number(amount, unit == 'S')? * factor;
            time = rest;
        }
    }
    time.is_empty().then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_are_read_as_flink_reads_them() {
        for (text, expected) in [
            ("10 min", 600.0),
            ("60s", 60.0),
            ("1 h", 3600.0),
            ("3m", 180.0),
            ("500", 0.5),
            ("500 MS", 0.5),
            ("1 day", 86_400.0),
            (" 2 Hours ", 7200.0),
            ("PT10M", 600.0),
            ("pt1h30m", 5400.0),
            ("P1DT1.5S", 86_401.5),
            ("P2D", 172_800.0),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "soon",
            "1.5 min",
            "-1 s",
            "10 mins",
            "5 weeks",
            "P",
            "PT",
            "P1",
            "PT1X",
            "PT-1S",
            "99999999999999999999",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
