//! Text in a column: wrapped between words, later lines below the first.

use std::io::{self, Write};

use anstyle::Style;

/// Writes `text` after `label`, which is padded to `indent`, in lines of at most `width` characters.
pub(super) fn paragraph(
    out: &mut dyn Write,
    (label, label_style): (&str, Style),
    (text, style): (&str, Style),
    indent: usize,
    width: usize,
) -> io::Result<()> {
    let room = width.saturating_sub(indent).max(24);
    let word = label.trim_start();
    let lead = label.len() - word.len();
    let gap = indent.saturating_sub(lead + word.chars().count());
    write!(out, "{:lead$}{label_style}{word}{label_style:#}{:gap$}", "", "")?;
    for (number, line) in wrap(text, room).into_iter().enumerate() {
        let margin = if number == 0 { 0 } else { indent };
        writeln!(out, "{:margin$}{style}{line}{style:#}", "")?;
    }
    Ok(())
}

/// A name or text from outside, without what a terminal would obey or not show.
pub fn clean(text: &str) -> String {
    let obeyed = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if obeyed(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Lines of at most `room` characters; a longer word keeps a line of its own, so that it can be copied.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in clean(text).split_whitespace() {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > room {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += size;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_between_words_only() {
        assert_eq!(wrap("stop the job with a savepoint", 12), ["stop the job", "with a", "savepoint"]);
        assert_eq!(wrap("see s3://a/very/long/location now", 10), ["see", "s3://a/very/long/location", "now"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("a\u{1b}[2Jb", 10), ["a\u{fffd}[2Jb"]);
    }
}
