//! Large answers, such as a savepoint's metadata, that wait in memory until their request is judged: bounded together,
//! however many requests there are.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::facts::Answered;

/// Bytes that one permit stands for.
const UNIT: usize = 1 << 10;
/// KiB of all large answers together.
const MOST: usize = 64 << 10;
/// Bytes up to which an answer is not counted.
const SMALL: usize = 64 << 10;
/// What takes the place of one that there is no room for.
const NO_ROOM: &str = "too many large answers wait to be judged; try again in a second";

/// Room for large answers.
#[derive(Debug)]
pub struct Answers(Arc<Semaphore>);

/// The room that the answers for one request take; it is free when this is dropped.
pub type Held = Vec<OwnedSemaphorePermit>;

impl Default for Answers {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl Answers {
    /// The answer, if there is room for it.
    pub fn hold(&self, answer: Answered, held: &mut Held) -> Answered {
        let size = match &answer {
            Answered::Found(bytes) if bytes.len() > SMALL => u32::try_from(bytes.len().div_ceil(UNIT)),
            _ => return answer,
        };
        let room = size.ok().and_then(|size| Arc::clone(&self.0).try_acquire_many_owned(size).ok());
        match room {
            Some(room) => {
                held.push(room);
                answer
            }
            None => Answered::Unavailable(NO_ROOM.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answers, Held, MOST, NO_ROOM, UNIT};
    use crate::facts::Answered;

    #[test]
    fn large_answers_are_held_as_long_as_there_is_room() {
        let answers = Answers::default();
        let large = || Answered::Found(vec![0; MOST * UNIT / 2]);
        let (mut one, mut other) = (Held::new(), Held::new());
        for _ in 0..2 {
            assert_eq!(answers.hold(large(), &mut one), large());
        }
        assert_eq!(answers.hold(large(), &mut other), Answered::Unavailable(NO_ROOM.to_owned()));
        let small = Answered::Found(b"{}".to_vec());
        assert_eq!(answers.hold(small.clone(), &mut other), small);
        drop(one);
        assert_eq!(answers.hold(large(), &mut other), large());
    }
}
