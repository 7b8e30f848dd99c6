//! Where requests begin and end in what a client sends. The strictest reading: what it cannot follow, it refuses.

use hyper::StatusCode;

use super::Refusal;
use super::head::{self, Head, Length};

/// Bytes of the longest line before a chunk, and of all lines after the last one.
const LONGEST_LINE: usize = 256;
const LONGEST_TRAILERS: usize = 8 << 10;

/// Follows one connection.
#[derive(Debug, Default)]
pub(super) struct Framing {
    state: State,
    /// How much of what waits has been searched for the end of a head or of trailers.
    searched: usize,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Head,
    Body(u64),
    ChunkLine,
    Chunk(u64),
    ChunkEnd,
    Trailers,
    Lost,
}

/// What to do with the bytes that wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// More are needed.
    More,
    /// So many mean nothing: empty lines before a head.
    Skip(usize),
    /// So many may go on.
    Pass(usize),
    /// A head, so many bytes long.
    Head(usize, Head),
    /// From here on nothing is understood.
    Refuse(Refusal),
}

impl Framing {
    /// Looks at what waits. `Pass` and `Skip` count as done.
    pub(super) fn step(&mut self, bytes: &[u8]) -> Step {
        let step = self.read(bytes);
        match &step {
            Step::More => {}
            Step::Refuse(_) => self.state = State::Lost,
            _ => self.searched = 0,
        }
        step
    }

    /// Whether a request has begun and not ended.
    pub(super) fn inside(&self) -> bool {
        !matches!(self.state, State::Head)
    }

    fn read(&mut self, bytes: &[u8]) -> Step {
        match self.state {
            _ if bytes.is_empty() => Step::More,
            State::Head => self.head(bytes),
            State::Body(left) => self.data(bytes, left),
            State::Chunk(left) => self.data(bytes, left),
            State::ChunkLine => self.chunk_line(bytes),
            State::ChunkEnd => match bytes {
                [b'\r', b'\n', ..] => self.go(State::ChunkLine, 2),
                [b'\r'] => Step::More,
                _ => lost("a chunk of the body is longer than it says"),
            },
            State::Trailers => self.trailers(bytes),
            State::Lost => lost("the request before this one was refused"),
        }
    }

    fn go(&mut self, state: State, passed: usize) -> Step {
        self.state = state;
        Step::Pass(passed)
    }

    fn head(&mut self, bytes: &[u8]) -> Step {
        if bytes.starts_with(b"\r\n") {
            return Step::Skip(2);
        }
        let Some(end) = self.search(bytes, b"\r\n\r\n", head::LARGEST) else {
            // A lone LF would be the end of a line for some.
            return match bytes.len() > head::LARGEST {
                true => {
                    let message = format!("the head of the request is longer than {} bytes", head::LARGEST);
                    Step::Refuse(Refusal::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message))
                }
                false if ends_otherwise(bytes) => lost("the lines of the head do not end with CR LF"),
                false => Step::More,
            };
        };
        match Head::read(bytes.get(..end).unwrap_or_default()) {
            Err(refusal) => Step::Refuse(refusal),
            Ok(head) => {
                self.state = match head.length {
                    Length::None | Length::Known(0) => State::Head,
                    Length::Known(length) => State::Body(length),
                    Length::Chunked => State::ChunkLine,
                };
                Step::Head(end, head)
            }
        }
    }

    fn data(&mut self, bytes: &[u8], left: u64) -> Step {
        let passed = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let left = left - passed as u64;
        let state = match (&self.state, left) {
            (State::Chunk(_), 0) => State::ChunkEnd,
            (State::Chunk(_), left) => State::Chunk(left),
            (_, 0) => State::Head,
            (_, left) => State::Body(left),
        };
        self.go(state, passed)
    }

    fn chunk_line(&mut self, bytes: &[u8]) -> Step {
        let Some(end) = self.search(bytes, b"\r\n", LONGEST_LINE) else {
            return match bytes.len() > LONGEST_LINE {
                true => lost("the line before a chunk is too long"),
                false => Step::More,
            };
        };
        let line = bytes.get(..end - 2).unwrap_or_default();
        let (size, extension) = match line.iter().position(|byte| *byte == b';') {
            Some(at) => line.split_at(at),
            None => (line, &[][..]),
        };
        let digits = !size.is_empty() && size.len() <= 15 && size.iter().all(u8::is_ascii_hexdigit);
        let size = std::str::from_utf8(size).ok().and_then(|size| u64::from_str_radix(size, 16).ok());
        match size.filter(|_| digits && !extension.iter().any(u8::is_ascii_control)) {
            None => lost("the length of a chunk is not hexadecimal digits alone"),
            Some(0) => self.go(State::Trailers, end),
            Some(size) => self.go(State::Chunk(size), end),
        }
    }

    /// The lines after the last chunk go nowhere; they only must not hold the next request.
    fn trailers(&mut self, bytes: &[u8]) -> Step {
        if bytes.starts_with(b"\r\n") {
            return self.go(State::Head, 2);
        }
        let Some(end) = self.search(bytes, b"\r\n\r\n", LONGEST_TRAILERS) else {
            return match bytes.len() > LONGEST_TRAILERS {
                true => lost("the lines after the last chunk are too long"),
                false => Step::More,
            };
        };
        let lines = bytes.get(..end - 4).unwrap_or_default();
        let fits = std::str::from_utf8(lines).is_ok_and(|lines| lines.split("\r\n").all(is_trailer));
        match fits {
            true => self.go(State::Head, end),
            false => lost("the lines after the last chunk are no headers"),
        }
    }

    /// The place after `end`, if it stands within the first `limit` bytes.
    fn search(&mut self, bytes: &[u8], end: &[u8], limit: usize) -> Option<usize> {
        let window = bytes.get(..limit.min(bytes.len())).unwrap_or_default();
        let from = self.searched.saturating_sub(end.len() - 1);
        let found = window.get(from..).unwrap_or_default().windows(end.len()).position(|part| part == end);
        self.searched = window.len();
        found.map(|at| from + at + end.len())
    }
}

/// Whether somebody could see an empty line here, the end of the head, who does not insist on CR LF.
fn ends_otherwise(bytes: &[u8]) -> bool {
    let tail = bytes.get(bytes.len().saturating_sub(3)..).unwrap_or_default();
    bytes.starts_with(b"\n") || tail.ends_with(b"\n\n") || tail.ends_with(b"\n\r\n")
}

fn is_trailer(line: &str) -> bool {
    let named = |(name, _): (&str, &str)| !name.is_empty() && name.bytes().all(head::is_token);
    line.split_once(':').is_some_and(named) && !line.contains(|c: char| c != '\t' && c.is_ascii_control())
}

fn lost(message: &str) -> Step {
    let message = format!("{message}; where this request ends cannot be told");
    Step::Refuse(Refusal::new(StatusCode::BAD_REQUEST, message))
}
