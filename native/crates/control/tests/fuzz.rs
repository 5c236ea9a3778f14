//! What comes over the control socket is trusted to be ours, not to be whole or of our version.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use trunkline_control::{Command, FrameError, FrameReader, Message, encode};

fn golden_texts() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn framed(text: &[u8]) -> Vec<u8> {
    [&u32::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat()
}

/// Reads all bytes in chunks, as commands and as messages, and counts the frames that could be read.
fn readable(bytes: &[u8], chunk: usize) -> usize {
    let (mut commands, mut messages) = (FrameReader::new(), FrameReader::new());
    let mut count = 0;
    for part in bytes.chunks(chunk) {
        commands.push(part);
        messages.push(part);
        count += std::iter::from_fn(|| commands.next_frame::<Command>()).filter(Result::is_ok).count();
        count += std::iter::from_fn(|| messages.next_frame::<Message>()).filter(Result::is_ok).count();
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_frames_or_errors(bytes in vec(any::<u8>(), 0..2_000), chunk in 1..64_usize) {
        readable(&bytes, chunk);
    }

    #[test]
    fn frames_that_were_damaged_lose_at_most_themselves(
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        damage in vec(any::<u8>(), 1..8),
        chunk in 1..512_usize,
    ) {
        let texts = golden_texts();
        let whole = which.get(&texts);
        let mut text = whole.clone();
        let start = at.index(text.len());
        for (offset, byte) in damage.iter().enumerate() {
            if let Some(place) = text.get_mut(start + offset) {
                *place = *byte;
            }
        }
        let bytes = [framed(whole), framed(&text), framed(whole)].concat();
        prop_assert!(readable(&bytes, chunk) >= 2);
    }

    #[test]
    fn what_is_written_can_be_read(which in any::<prop::sample::Index>(), chunk in 1..512_usize) {
        let texts = golden_texts();
        let text = which.get(&texts);
        let mut bytes = Vec::new();
        if let Ok(command) = serde_json::from_slice::<Command>(text) {
            encode(&command, &mut bytes).unwrap();
        } else {
            encode(&serde_json::from_slice::<Message>(text).unwrap(), &mut bytes).unwrap();
        }
        prop_assert_eq!(readable(&bytes, chunk), 1);
    }

    /// JSON can be nested without end; a stack can not.
    #[test]
    fn deep_nesting_is_an_error(depth in 1_000..100_000_usize) {
        let mut reader = FrameReader::new();
        reader.push(&framed(&vec![b'['; depth]));
        let is_refused = matches!(reader.next_frame::<Command>(), Some(Err(FrameError::Unreadable { .. })));
        prop_assert!(is_refused);
    }
}
