use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use trunkline_base::Micros;

use crate::last_words::Name;

/// Most relay threads there can be.
pub const THREADS: usize = 64;

const AHEAD_WORD: usize = 0;
const FIRST_PROGRESS_WORD: usize = 16;
const FIRST_GUILTY_WORD: usize = FIRST_PROGRESS_WORD + THREADS * PROGRESS_WORDS;
const FIRST_PAIR_WORD: usize = FIRST_GUILTY_WORD + THREADS;
const PROGRESS_WORDS: usize = 4;
const WORD_BYTES: usize = 8;

/// Numbers that outlive a relay and belong to no session: how far each thread came, and when ports were released.
///
/// A memory file of words that is read at the start and written by system calls: a few thousand times a second, not per
/// packet. What cannot be written is lost: nothing depends on it but the rest of ports and some counters.
pub(crate) struct Ledger {
    file: File,
}

/// How far a thread came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// When it was last busy (`CLOCK_MONOTONIC`).
    pub(crate) at: Micros,
    /// Since the keeper started.
    pub(crate) packets_in: u64,
    pub(crate) packets_out: u64,
    pub(crate) strays: u64,
}

impl Ledger {
    pub(crate) fn new(file: OwnedFd) -> Self {
        Self { file: file.into() }
    }

    pub(crate) fn progress(&self, thread: u32) -> Progress {
        let mut bytes = [0; PROGRESS_WORDS * WORD_BYTES];
        self.read(progress_word(thread), &mut bytes);
        let word = |at: usize| word_at(&bytes, at);
        Progress { at: word(0), packets_in: word(1), packets_out: word(2), strays: word(3) }
    }

    pub(crate) fn set_progress(&self, thread: u32, progress: Progress) {
        let Progress { at, packets_in, packets_out, strays } = progress;
        let mut bytes = [0; PROGRESS_WORDS * WORD_BYTES];
        for (chunk, word) in bytes.chunks_exact_mut(WORD_BYTES).zip([at, packets_in, packets_out, strays]) {
            chunk.copy_from_slice(&word.to_ne_bytes());
        }
        self.write(progress_word(thread), &bytes);
    }

    /// Sessions that threads had in hand when their relays panicked.
    pub(crate) fn guilty(&self) -> Vec<Name> {
        let mut bytes = [0; THREADS * WORD_BYTES];
        self.read(FIRST_GUILTY_WORD, &mut bytes);
        (0..THREADS).filter_map(|thread| Name::of_word(word_at(&bytes, thread))).collect()
    }

    pub(crate) fn set_guilty(&self, thread: u32, name: Name) {
        self.write(FIRST_GUILTY_WORD + thread as usize % THREADS, &name.word().to_ne_bytes());
    }

    /// When the pair was released; 0: never used.
    pub(crate) fn released(&self, pairs: u32) -> Vec<Micros> {
        let mut bytes = vec![0; pairs as usize * WORD_BYTES];
        self.read(FIRST_PAIR_WORD, &mut bytes);
        (0..pairs as usize).map(|at| word_at(&bytes, at)).collect()
    }

    pub(crate) fn set_released(&self, pair: u32, at: Micros) {
        self.write(FIRST_PAIR_WORD + pair as usize, &at.to_ne_bytes());
    }

    /// How far the test clock is ahead.
    pub(crate) fn ahead(&self) -> Micros {
        let mut bytes = [0; WORD_BYTES];
        self.read(AHEAD_WORD, &mut bytes);
        Micros::from_ne_bytes(bytes)
    }

    pub(crate) fn set_ahead(&self, ahead: Micros) {
        self.write(AHEAD_WORD, &ahead.to_ne_bytes());
    }

    /// What was never written reads as zero.
    fn read(&self, word: usize, bytes: &mut [u8]) {
        let mut done = 0;
        while done < bytes.len() {
            match self.file.read_at(&mut bytes[done..], (word * WORD_BYTES + done) as u64) {
                Ok(0) | Err(_) => return,
                Ok(count) => done += count,
            }
        }
    }

    fn write(&self, word: usize, bytes: &[u8]) {
        let _ = self.file.write_all_at(bytes, (word * WORD_BYTES) as u64);
    }
}

fn progress_word(thread: u32) -> usize {
    FIRST_PROGRESS_WORD + thread as usize % THREADS * PROGRESS_WORDS
}

fn word_at(bytes: &[u8], at: usize) -> u64 {
    let word = bytes[at * WORD_BYTES..][..WORD_BYTES].try_into();
    u64::from_ne_bytes(word.expect("a word has eight bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_found_and_the_rest_is_zero() {
        let ledger = Ledger::new(trunkline_io::memory_file("ledger", false).unwrap());
        assert_eq!(ledger.progress(0), Progress::default());
        assert_eq!(ledger.released(3), [0, 0, 0]);
        let progress = Progress { at: 1, packets_in: 2, packets_out: 3, strays: 4 };
        ledger.set_progress(63, progress);
        ledger.set_released(0, 7);
        ledger.set_released(2, 9);
        ledger.set_ahead(5);
        assert!(ledger.guilty().is_empty());
        ledger.set_guilty(3, Name::of("x"));
        assert_eq!(ledger.guilty(), [Name::of("x")]);
        assert_eq!(ledger.progress(63), progress);
        assert_eq!(ledger.progress(62), Progress::default());
        assert_eq!(ledger.released(4), [7, 0, 9, 0]);
        assert_eq!(ledger.ahead(), 5);
    }
}
