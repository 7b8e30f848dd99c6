//! Amounts as the Flink Kubernetes Operator reads them: Flink's `MemorySize`, Kubernetes quantities, and the numbers of
//! Flink's options.

use crate::number;

/// Where the unit of a Kubernetes quantity starts (fabric8 `Quantity`).
const UNITS: [char; 12] = ['e', 'E', 'i', 'n', 'u', 'm', 'k', 'K', 'M', 'G', 'T', 'P'];

/// Bytes, as Flink reads them: whole, and a unit is a power of 1024 (`MemorySize`).
pub fn memory_size(text: &str) -> Option<u64> {
    let (number, unit) = digits(text.trim());
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "kibibytes" => 10,
        "m" | "mb" | "mebibytes" => 20,
        "g" | "gb" | "gibibytes" => 30,
        "t" | "tb" | "tebibytes" => 40,
        _ => return None,
    };
    bytes(number, 1 << shift)
}

/// Bytes, as the operator reads the memory of a resource: as Flink does (`2048m` is 2 GiB), else as a Kubernetes
/// quantity in any case, which must come out whole and not negative (`ResourceConfigUtils`).
pub fn memory(text: &str) -> Option<u64> {
    memory_size(text).or_else(|| {
        let mut text: String = text.split_whitespace().collect();
        text.make_ascii_uppercase();
        let text = text.strip_suffix('B').unwrap_or(&text);
        let (amount, unit) = split(text);
        let factor = match unit {
            "" => 1,
            "KI" => 1 << 10,
            "MI" => 1 << 20,
            "GI" => 1 << 30,
            "TI" => 1 << 40,
            "PI" => 1 << 50,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "T" => 1_000_000_000_000,
            "P" => 1_000_000_000_000_000,
            // Higher powers come out in a notation that Flink cannot read: `E` and `EI` among them.
            exponent => {
                let power: u32 = exponent.strip_prefix('E')?.parse().ok()?;
                10_u64.checked_pow(power).filter(|_| power <= 15)?
            }
        };
        let amount = amount.strip_prefix('+').unwrap_or(amount);
        bytes(amount.strip_suffix('.').unwrap_or(amount), factor)
    })
}

/// A Kubernetes quantity: a number with a suffix, or an exponent.
pub fn quantity(text: &str) -> Option<f64> {
    let (amount, unit) = split(text);
    let factor = match unit {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            10_f64.powi(power)
        }
    };
    let plain = amount.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-'));
    let amount = number::parse(amount).filter(|_| plain)?;
    Some(amount * factor)
}

/// A number of an option, as Java reads a double.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text {
        "NaN" | "+NaN" | "-NaN" => return Some(f64::NAN),
        "Infinity" | "+Infinity" => return Some(f64::INFINITY),
        "-Infinity" => return Some(f64::NEG_INFINITY),
        _ => {}
    }
    number::parse(text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text))
}

/// What starts with digits, apart: them, and the rest.
pub fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find(UNITS).unwrap_or(text.len()))
}

/// No more than a 64-bit number of Java holds.
fn bytes(number: &str, factor: u64) -> Option<u64> {
    let plain = number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| plain)?;
    number.checked_mul(factor).filter(|bytes| i64::try_from(*bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{memory, memory_size, number, quantity};

    #[test]
    fn memory_is_flink_s_before_it_is_kubernetes() {
        for (text, expected) in [
            ("2048m", 2 << 30),
            ("1G", 1 << 30),
            ("100", 100),
            ("1g", 1 << 30),
            (" 512 MB ", 512 << 20),
            ("3 gibibytes", 3 << 30),
            ("1Gi", 1 << 30),
            ("1gi", 1 << 30),
            ("2 GiB", 2 << 30),
            ("1Ki", 1024),
            ("+1G", 1_000_000_000),
            ("1.Gi", 1 << 30),
            ("1e9", 1_000_000_000),
            ("1P", 1_000_000_000_000_000),
            ("0", 0),
            ("0Gi", 0),
        ] {
            assert_eq!(memory(text), Some(expected), "{text}");
        }
        for text in [
            "1.5Gi",
            "0.5Gi",
            "1.5G",
            "0.5",
            "1.0Gi",
            "-1Gi",
            "-1",
            "invalid",
            "abc",
            "",
            " ",
            "1E",
            "1Ei",
            "1e16",
            "1e-3",
            "5n",
            "9999999999999999999",
            "16777216t",
            "Gi",
        ] {
            assert_eq!(memory(text), None, "{text}");
        }
        assert_eq!(memory_size("2Gi"), None, "an option of Flink is read by Flink alone");
    }

    #[test]
    fn quantities_are_kubernetes_alone() {
        for (text, expected) in [
            ("1", 1.0),
            ("0.5", 0.5),
            ("500m", 0.5),
            ("1.5Gi", 1_610_612_736.0),
            ("-2Gi", -2_147_483_648.0),
            ("2e3", 2000.0),
            ("1E", 1e18),
            ("12e-1", 1.2),
            (".5", 0.5),
            ("5.", 5.0),
            ("0", 0.0),
        ] {
            assert!((quantity(text).unwrap() - expected).abs() <= expected.abs() * 1e-12, "{text}");
        }
        for text in ["abc", "notacpu", "xyz", "", "1g", "1K", "1GB", "1 Gi", " 1", "1e", "1e1.5", "--1", "inf", "NaN"] {
            assert_eq!(quantity(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_java_s() {
        for (text, expected) in [("0.7", 0.7), (" 1 ", 1.0), ("1e-2", 0.01), (".5", 0.5), ("0.5f", 0.5), ("-1", -1.0)] {
            assert_eq!(number(text), Some(expected), "{text}");
        }
        assert!(number("NaN").unwrap().is_nan() && number("-Infinity") == Some(f64::NEG_INFINITY));
        for text in ["", "abc", "inf", "nan", "0,7", "70%", "1_000", "infinity"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
