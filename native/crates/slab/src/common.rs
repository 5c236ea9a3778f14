use std::sync::atomic::{Ordering, fence};

use crate::error::SlabError;
use crate::layout::{COMMON_AT, WORD, header};
use crate::memory::{Memory, commit};

/// Bytes of the area for the engine's own use.
pub const COMMON_BYTES: usize = 16_384;

/// The two copies of the common area: one counts, the other is written next.
///
/// The word in the header holds the number of the version (upper half; its lowest bit is the copy) and its length.
pub(crate) struct Common<'a>(pub(crate) &'a Memory);

impl Common<'_> {
    /// The bytes written last. Another process may write meanwhile: then they are read again.
    pub(crate) fn read(&self) -> Vec<u8> {
        loop {
            let selected = self.0.word(header::COMMON).load(Ordering::Acquire);
            let len = (selected as u32 as usize).min(COMMON_BYTES);
            let mut bytes = Vec::with_capacity(len.next_multiple_of(WORD));
            for at in (0..len).step_by(WORD) {
                let word = self.0.word(copy_at(selected >> 32) + at).load(Ordering::Relaxed);
                bytes.extend_from_slice(&word.to_ne_bytes());
            }
            bytes.truncate(len);
            fence(Ordering::Acquire);
            if self.0.word(header::COMMON).load(Ordering::Relaxed) == selected {
                return bytes;
            }
        }
    }

    /// One writer at a time. What was there before is erased: it held keys.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), SlabError> {
        if bytes.len() > COMMON_BYTES {
            return Err(SlabError::Full);
        }
        let selector = self.0.word(header::COMMON);
        let version = u64::from(((selector.load(Ordering::Relaxed) >> 32) as u32).wrapping_add(1));
        fence(Ordering::SeqCst);
        for (index, chunk) in bytes.chunks(WORD).enumerate() {
            let mut word = [0; WORD];
            word[..chunk.len()].copy_from_slice(chunk);
            let at = copy_at(version) + index * WORD;
            self.0.word(at).store(u64::from_ne_bytes(word), Ordering::Relaxed);
        }
        commit(selector, (version << 32) | bytes.len() as u64);
        for at in (0..COMMON_BYTES).step_by(WORD) {
            self.0.word(copy_at(version + 1) + at).store(0, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn copy_at(version: u64) -> usize {
    COMMON_AT + (version & 1) as usize * COMMON_BYTES
}
