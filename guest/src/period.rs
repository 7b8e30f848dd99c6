//! Periods that the autoscaler leaves out: a time of day (`9:30-10:50:20`), a Quartz cron expression, or both joined by
//! `&&`. Only whether the operator could read them, not when they are.

/// Whether the autoscaler can read it (`CalendarUtils`).
pub fn is_period(text: &str) -> bool {
    let text = text.strip_suffix("&&").unwrap_or(text);
    match text.split_once("&&") {
        None => is_daily(text.trim()) || is_cron(text.trim()),
        Some((a, b)) => {
            let (a, b) = (a.trim(), b.trim());
            is_daily(a) && is_cron(b) || is_cron(a) && is_daily(b)
        }
    }
}

/// From a time of day to a later one (Quartz `DailyCalendar`).
fn is_daily(text: &str) -> bool {
    text.split_once('-').is_some_and(|(from, to)| time(from).zip(time(to)).is_some_and(|(from, to)| from < to))
}

/// Hours and minutes, then seconds and milliseconds if they are given.
fn time(text: &str) -> Option<[u32; 4]> {
    let mut time = [0; 4];
    let mut parts = text.split(':').filter(|part| !part.is_empty());
    for (position, (slot, limit)) in time.iter_mut().zip([24, 60, 60, 1000]).enumerate() {
        match parts.next() {
            Some(part) => *slot = part.parse().ok().filter(|number| *number < limit)?,
            None if position < 2 => return None,
            None => {}
        }
    }
    parts.next().is_none().then_some(time)
}

const DAY_OF_MONTH: usize = 3;
const MONTH: usize = 4;
const DAY_OF_WEEK: usize = 5;
const YEAR: usize = 6;

/// The least and the greatest number of each field, and the greatest step.
const FIELDS: [(u32, u32, u32); 7] =
    [(0, 59, 59), (0, 59, 59), (0, 23, 23), (1, 31, 31), (1, 12, 12), (1, 7, 7), (0, u32::MAX, u32::MAX)];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// Six or seven fields, and a `?` in exactly one of day of month and day of week (Quartz `CronExpression`).
fn is_cron(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    let mut fields = 0;
    // Whether day of month and day of week are left open.
    let mut open = [false; 2];
    for field in text.split([' ', '\t']).filter(|field| !field.is_empty()).take(FIELDS.len()) {
        let days = fields == DAY_OF_MONTH || fields == DAY_OF_WEEK;
        let mixed = days && field.contains('L') && field.contains(',');
        if mixed || fields == DAY_OF_WEEK && field.matches('#').count() > 1 {
            return false;
        }
        for value in field.split(',').filter(|value| !value.is_empty()) {
            match is_value(value, fields) {
                None => return false,
                Some(left_open) => {
                    if let Some(slot) = open.get_mut(usize::from(fields == DAY_OF_WEEK)) {
                        *slot |= left_open;
                    }
                }
            }
        }
        fields += 1;
    }
    fields > DAY_OF_WEEK && open.into_iter().filter(|open| *open).count() == 1
}

/// `None`: Quartz cannot read it. `Some(true)`: it leaves the field open.
fn is_value(value: &str, field: usize) -> Option<bool> {
    let (least, greatest, step) = FIELDS.get(field).copied()?;
    let within = |number: u32| (least..=greatest).contains(&number);
    let is_step = |text: &str| text.parse::<u32>().is_ok_and(|number| number <= step);
    let last_days = value.strip_prefix('L').filter(|rest| {
        let rest = rest.strip_suffix('W').unwrap_or(rest);
        let offset = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        rest.is_empty() || rest.strip_prefix('-').is_some_and(offset)
    });
    let fits = match value.chars().next()? {
        '?' => return (matches!(field, DAY_OF_MONTH | DAY_OF_WEEK) && value.len() < 3).then_some(true),
        'L' if last_days.is_some() => {
            let offset = last_days.and_then(|rest| rest.trim_end_matches('W').strip_prefix('-'));
            field != DAY_OF_MONTH || offset.is_none_or(|digits| digits.parse::<u32>().is_ok_and(|days| days <= 30))
        }
        '*' | '/' => match value.strip_prefix('*').unwrap_or(value).strip_prefix('/') {
            Some(digits) => is_step(digits),
            None => true,
        },
        c if c.is_ascii_alphabetic() => is_named(value, field),
        c if c.is_ascii_digit() => {
            let (number, rest) = number(value)?;
            match rest.chars().next() {
                Some('L') => field == DAY_OF_WEEK && within(number),
                Some('W') => field == DAY_OF_MONTH && number <= 31,
                Some('#') => field == DAY_OF_WEEK && is_nth(rest.get(1..)?),
                Some('-') => {
                    let (end, rest) = self::number(rest.get(1..)?)?;
                    let stepped = rest.strip_prefix('/').is_none_or(|rest| self::number(rest).is_some());
                    within(number) && end <= greatest && stepped && (field != YEAR || number <= end)
                }
                Some('/') => within(number) && is_step(rest.get(1..)?),
                _ => within(number),
            }
        }
        _ => false,
    };
    fits.then_some(false)
}

/// A month or day by its name, or a range of them; what follows is not looked at.
fn is_named(value: &str, field: usize) -> bool {
    let names: &[&str] = match field {
        MONTH => &MONTHS,
        DAY_OF_WEEK => &DAYS,
        _ => return false,
    };
    let is_name = |at: usize| value.get(at..at + 3).is_some_and(|name| names.contains(&name));
    is_name(0)
        && match value.get(3..4) {
            Some("-") => is_name(4),
            Some("#") if field == DAY_OF_WEEK => value.get(4..).is_some_and(is_nth),
            _ => true,
        }
}

fn is_nth(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|nth| (1..=5).contains(&nth))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = crate::quantity::digits(text);
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::is_period;

    #[test]
    fn times_of_day_cron_expressions_and_both_are_periods() {
        for text in [
            "9:30:30-10:50:20",
            "00:00-23:59",
            "8:5-8:6",
            "10:00:00:000-10:00:00:001",
            "* * 9-11,14-16 * * ?",
            "* * * ? * 2-6",
            "0 0 12 * * ? 2027",
            "0 0/5 14,18 * * ?",
            "0 15 10 ? * MON-FRI",
            "0 15 10 L * ?",
            "0 15 10 L-2 * ?",
            "0 15 10 LW * ?",
            "0 15 10 15W * ?",
            "0 15 10 ? * 6L 2026-2028",
            "0 15 10 ? jan-mar fri#3",
            "0 0 22-6 ? * SAT,SUN",
            "*/10 * * ? * 2/2",
            "9:30:30-10:50:20 && * * * ? * 2,5",
            "* * * ? * 2,5 && 9:30-10:50",
        ] {
            assert!(is_period(text), "{text}");
        }
        for text in [
            "",
            "never",
            "9:30",
            "9-10",
            "10:50-9:30",
            "9:30-9:30",
            "24:00-25:00",
            "9:60-10:00",
            "9:30-10:50-11:00",
            "a:b-c:d",
            "* * * * *",
            "* * * * * *",
            "* * * ? * ?",
            "60 * * ? * 2",
            "* * 24 ? * 2",
            "* * * 32 * ?",
            "* * * 0 * ?",
            "* * * ? 13 2",
            "* * * ? * 8",
            "* * * ? * FOO",
            "* * ? * * 2",
            "*/60 * * ? * 2",
            "*/ * * ? * 2",
            "* * * L-31 * ?",
            "* * * L,3 * ?",
            "* * * ? * 2#6",
            "* * * ? * 2 2028-2026",
            "9:30-10:50 && 11:00-12:00",
            "* * * ? * 2 && * * * ? * 3",
            "9:30-10:50 && * * * ? * 2 && 11:00-12:00",
        ] {
            assert!(!is_period(text), "{text}");
        }
    }
}
