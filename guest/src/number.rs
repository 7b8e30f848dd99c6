//! Decimal numbers as doubles. The standard library's parser is right to the last bit for any number of digits, and would be
//! a fiftieth of the component; options are written with a few digits, for which this one is right to the last bit too.

/// The largest power of ten that a double holds exactly.
const EXACT: i32 = 22;

/// Reads digits with an optional sign, point and exponent: `-1.5e3`. `None`: it is none, or out of range.
pub fn parse(text: &str) -> Option<f64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, exponent) = match digits.find(['e', 'E']) {
        Some(at) => (digits.get(..at)?, digits.get(at + 1..)?.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (mut mantissa, mut dropped) = (0_u64, 0_i32);
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = u64::from(byte).checked_sub(u64::from(b'0')).filter(|digit| *digit < 10)?;
        // What does not fit any more is beyond what a double can tell.
        match mantissa.checked_mul(10).and_then(|shifted| shifted.checked_add(digit)).filter(|_| dropped == 0) {
            Some(more) => mantissa = more,
            None => dropped = dropped.saturating_add(1),
        }
    }
    let places = i32::try_from(fraction.len()).ok()?;
    let power = exponent.saturating_add(dropped).saturating_sub(places);
    let mantissa = mantissa as f64;
    let value = match power {
        _ if mantissa == 0.0 => 0.0,
        0..=EXACT => mantissa * 10_f64.powi(power),
        _ if (-EXACT..0).contains(&power) => mantissa / 10_f64.powi(-power),
        // In two steps: the first of them alone may be too small.
        _ if power < 0 => mantissa / 10_f64.powi(EXACT) * 10_f64.powi(power.saturating_add(EXACT).max(-400)),
        _ => mantissa * 10_f64.powi(power.min(400)),
    };
    value.is_finite().then_some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        for text in ["0", "1", "-1", "+2", "0.7", "0.01", ".5", "5.", "1e9", "1E-3", "1.5e3", "100000", "123456789.125"]
        {
            assert_eq!(parse(text), text.parse().ok(), "{text}");
        }
        for text in ["1e300", "2.5e-300", "123456789012345678901234567890", "0.1000000000000000055511151231257827"] {
            let (ours, theirs) = (parse(text).unwrap(), text.parse::<f64>().unwrap());
            assert!(((ours - theirs) / theirs).abs() < 1e-12, "{text}: {ours} {theirs}");
        }
        assert_eq!(parse("0e999999999"), Some(0.0));
        assert_eq!(parse("1e-2147483648"), Some(0.0));
    }

    #[test]
    fn anything_else_is_none() {
        for text in ["", ".", "-", "e5", "1e", "1e+", "1x", "0x10", "1.2.3", "NaN", "1e999", " 1"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }
}
