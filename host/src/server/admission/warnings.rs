//! Warnings as an API server passes them on: short lines, and not too many of them (DOMAIN 5.2).

/// The longest warning, in characters (k8s.io/api/admission/v1: `AdmissionResponse.warnings`).
const LONGEST: usize = 120;
/// The most characters of all warnings: above it the API server cuts them itself.
const MOST: usize = 4096;
/// What a line begins with that goes on with the one before.
const ON: &str = "…";

/// Texts as lines that fit, in their order. When there is no more room, the last line says so.
pub(super) fn fitted(texts: &[String]) -> Vec<String> {
    let mut fitted = Vec::new();
    // Room for the last line.
    let mut room = MOST - LONGEST;
    for (told, text) in texts.iter().enumerate() {
        for line in lines(text) {
            let Some(left) = room.checked_sub(line.chars().count()) else {
                let more = texts.len() - told;
                fitted.push(format!(
                    "{more} of {} warnings did not fit: mend what is told here, then send it again",
                    texts.len()
                ));
                return fitted;
            };
            room = left;
            fitted.push(line);
        }
    }
    fitted
}

/// The text in lines of at most [`LONGEST`] characters, broken between words where that is possible.
fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace().flat_map(pieces) {
        let gap = usize::from(!line.is_empty());
        if line.chars().count() + gap + word.chars().count() > LONGEST {
            lines.push(std::mem::replace(&mut line, ON.to_owned()));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A word in pieces that fit into a line of their own: a location may be longer than any line.
fn pieces(word: &str) -> Vec<String> {
    let most = LONGEST - ON.chars().count() - 1;
    let characters: Vec<char> = word.chars().collect();
    characters.chunks(most).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, MOST, fitted, lines};

    #[test]
    fn a_long_text_goes_on_in_the_next_line() {
        assert_eq!(lines("short\nand  flat"), ["short and flat"]);
        let words: Vec<String> = (0..60).map(|number| format!("word{number}")).collect();
        let lines = lines(&words.join(" "));
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= LONGEST), "{lines:?}");
        assert!(lines[1..].iter().all(|line| line.starts_with("… word")), "{lines:?}");
        assert_eq!(lines.join(" ").replace("… ", ""), words.join(" "));
    }

    #[test]
    fn a_word_that_is_too_long_is_broken() {
        let location = format!("s3://bucket/{}ü", "x".repeat(300));
        let lines = lines(&format!("keep {location}"));
        assert!(lines.iter().all(|line| line.chars().count() <= LONGEST), "{lines:?}");
        assert_eq!(lines.concat().replace("… ", ""), format!("keep{location}"));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let few = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(fitted(&few), few);
        let many: Vec<String> = (0..30).map(|number| format!("{number} {}", "text ".repeat(50))).collect();
        let lines = fitted(&many);
        assert!(lines.iter().map(|line| line.chars().count()).sum::<usize>() <= MOST);
        assert!(lines.iter().all(|line| line.chars().count() <= LONGEST));
        let last = lines.last().unwrap();
        assert!(last.contains("of 30 warnings did not fit"), "{last}");
    }
}
