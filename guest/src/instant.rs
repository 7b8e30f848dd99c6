//! Points in time as platforms write them, for comparing only: RFC 3339, or the milliseconds of Alibaba's API.

/// Seconds since 1970, and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(i64, u32);

impl Instant {
    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0
    }

    /// Reads a time. `None`: it is not one, or has no offset and so cannot be compared.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() <= 15 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let millis: i64 = text.parse().ok()?;
            let nanos = u32::try_from(millis % 1000).ok()? * 1_000_000;
            return Some(Self(millis / 1000, nanos));
        }
        let (date, time) = text.split_once(['T', 't', ' '])?;
        let mut date = date.splitn(3, '-');
        let (year, month, day) = (number(date.next()?, 4)?, number(date.next()?, 2)?, number(date.next()?, 2)?);
        let (time, offset) = match time.strip_suffix(['Z', 'z']) {
            Some(time) => (time, 0),
            None => {
                let at = time.rfind(['+', '-'])?;
                let (time, offset) = time.split_at(at);
                let sign = if offset.starts_with('-') { -1 } else { 1 };
                let (hours, minutes) = offset.get(1..)?.split_once(':')?;
                let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                (time, sign * (hours * 3600 + minutes * 60))
            }
        };
        let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
        let mut time = time.splitn(3, ':');
        let (hours, minutes, seconds) = (number(time.next()?, 2)?, number(time.next()?, 2)?, number(time.next()?, 2)?);
        // A leap second is written as 60.
        let fits = (1..=12).contains(&month)
            && (1..=length(year, month)).contains(&day)
            && hours < 24
            && minutes < 60
            && seconds <= 60;
        let second = days(year, month, day) * 86_400 + hours * 3600 + minutes * 60 + seconds - offset;
        fits.then_some(Self(second, nanos(fraction)?))
    }
}

/// Seconds since 1970 as RFC 3339 in UTC, for people. Howard Hinnant's `civil_from_days`.
pub fn rfc3339(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let good = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| text.parse().ok()).flatten()
}

fn nanos(fraction: &str) -> Option<u32> {
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

/// The days of a month.
fn length(year: i64, month: i64) -> i64 {
    let (next, after) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next, after, 1) - days(year, month, 1)
}

/// Days since 1970-01-01: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::Instant;

    #[test]
    fn times_are_compared_across_spellings() {
        let read = |text| Instant::parse(text).unwrap();
        assert_eq!(read("1970-01-01T00:00:00Z"), Instant(0, 0));
        assert_eq!(read("2026-11-21T10:00:00Z"), read("2026-11-21T12:00:00.000+02:00"));
        assert_eq!(read("2026-11-21T10:00:00.5Z"), read("1795255200500"));
        assert!(read("2000-02-29T00:00:00Z") < read("2026-12-31T23:59:60+23:59"));
        assert!(read("2024-02-29T23:59:59.999Z") < read("2024-03-01T00:00:00Z"));
        assert!(read("2026-11-21T10:00:00Z") > read("2026-11-21T10:00:00+01:00"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "yesterday",
            "2026-11-21",
            "2026-11-21T10:00:00",
            "2026-13-21T10:00:00Z",
            "+",
            "2026-11-21T1é:00:00Z",
            "2026-02-29T10:00:00Z",
            "2100-02-29T10:00:00Z",
            "2026-02-31T10:00:00Z",
            "2026-04-31T10:00:00Z",
            "2026-12-32T10:00:00Z",
            "2026-01-00T10:00:00Z",
            "2026-11-21T10:00:00+24:00",
            "2026-11-21T10:00:00-01:60",
            "2026-11-21T10:00:00+99:99",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }
}
