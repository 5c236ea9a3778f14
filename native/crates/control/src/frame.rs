use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use trunkline_base::limits::CONTROL_FRAME_BYTES;

const LENGTH_BYTES: usize = 4;

/// Appends one frame to `out`.
///
/// # Errors
/// [`FrameError::TooLong`]: then `out` is as before.
pub fn encode(value: &impl Serialize, out: &mut Vec<u8>) -> Result<(), FrameError> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    if let Err(error) = serde_json::to_writer(&mut *out, value) {
        out.truncate(start);
        return Err(FrameError::Unreadable { id: None, reason: error.to_string() });
    }
    let bytes = out.len() - start - LENGTH_BYTES;
    if bytes > CONTROL_FRAME_BYTES {
        out.truncate(start);
        return Err(FrameError::TooLong { bytes });
    }
    let length = u32::try_from(bytes).expect("a frame has less than 4 GiB");
    out[start..start + LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

/// Takes bytes as they come and gives frames. Drive it so: `push` what one read gave, then `next_frame` until `None`; then it
/// holds less than one frame.
#[derive(Default)]
pub struct FrameReader {
    bytes: Vec<u8>,
    /// Bytes before it were given as frames.
    at: usize,
    broken: bool,
}

impl FrameReader {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that were read. Ignored after a frame that is too long.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.broken {
            return;
        }
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether no part of a further frame is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == self.at
    }

    /// The next frame, or `None` if it is not there in full.
    ///
    /// # Errors
    /// [`FrameError::TooLong`]: once, then nothing more is given, as where the next frame starts is not to be trusted:
    /// close the connection. [`FrameError::Unreadable`]: only this frame is lost.
    pub fn next_frame<T: DeserializeOwned>(&mut self) -> Option<Result<T, FrameError>> {
        let header = self.bytes.get(self.at..self.at + LENGTH_BYTES)?;
        let length = u32::from_be_bytes(header.try_into().expect("four bytes")) as usize;
        if length > CONTROL_FRAME_BYTES {
            *self = Self { broken: true, ..Self::default() };
            return Some(Err(FrameError::TooLong { bytes: length }));
        }
        let start = self.at + LENGTH_BYTES;
        let text = self.bytes.get(start..start + length)?;
        let value = serde_json::from_slice(text)
            .map_err(|error| FrameError::Unreadable { id: id_of(text), reason: error.to_string() });
        self.at = start + length;
        Some(value)
    }
}

/// Why there is no frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// Longer than `limits::CONTROL_FRAME_BYTES`.
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// No JSON, or not what was expected: a newer gateway may know more commands.
    Unreadable {
        /// Of the command, if that much can be read: so that it can be answered.
        id: Option<u64>,
        /// For people; no part of it is secret.
        reason: String,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "a frame of {bytes} bytes, at most {CONTROL_FRAME_BYTES} are taken")
            }
            Self::Unreadable { reason, .. } => write!(f, "a frame that cannot be read: {reason}"),
        }
    }
}

impl std::error::Error for FrameError {}

fn id_of(text: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Numbered {
        id: u64,
    }
    serde_json::from_slice::<Numbered>(text).ok().map(|numbered| numbered.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Command, Op};

    fn frame(text: &str) -> Vec<u8> {
        let length = u32::try_from(text.len()).unwrap();
        [&length.to_be_bytes()[..], text.as_bytes()].concat()
    }

    fn drain(reader: &mut FrameReader) -> Vec<Result<Command, FrameError>> {
        std::iter::from_fn(|| reader.next_frame()).collect()
    }

    #[test]
    fn frames_come_out_whole_however_they_are_cut() {
        let commands = [
            Command { id: 1, op: Op::List },
            Command { id: 2, op: Op::Stats { session: "s".into() } },
            Command { id: 3, op: Op::Stop },
        ];
        let mut bytes = Vec::new();
        for command in &commands {
            encode(command, &mut bytes).unwrap();
        }
        for size in 1..=bytes.len() {
            let mut reader = FrameReader::new();
            let mut seen = Vec::new();
            for chunk in bytes.chunks(size) {
                reader.push(chunk);
                seen.extend(drain(&mut reader).into_iter().map(Result::unwrap));
            }
            assert_eq!(seen, commands, "in chunks of {size}");
        }
    }

    #[test]
    fn a_frame_that_is_too_long_ends_the_connection_and_is_not_stored() {
        let mut reader = FrameReader::new();
        reader.push(&u32::MAX.to_be_bytes());
        assert_eq!(drain(&mut reader), [Err(FrameError::TooLong { bytes: u32::MAX as usize })]);
        reader.push(&frame(r#"{"id":1,"op":"list"}"#));
        assert_eq!(drain(&mut reader), []);
        assert!(reader.bytes.is_empty());
    }

    #[test]
    fn an_unknown_command_is_an_error_with_its_id_and_the_next_one_is_read() {
        let mut reader = FrameReader::new();
        reader.push(&frame(r#"{"id":7,"op":"sing"}"#));
        reader.push(&frame("not json"));
        reader.push(&frame(""));
        reader.push(&frame(r#"{"id":8,"op":"list"}"#));
        let seen = drain(&mut reader);
        assert!(matches!(seen[0], Err(FrameError::Unreadable { id: Some(7), .. })), "{seen:?}");
        assert!(matches!(seen[1], Err(FrameError::Unreadable { id: None, .. })), "{seen:?}");
        assert!(matches!(seen[2], Err(FrameError::Unreadable { id: None, .. })), "{seen:?}");
        assert_eq!(seen[3], Ok(Command { id: 8, op: Op::List }));
    }

    #[test]
    fn a_value_that_is_too_long_is_not_written() {
        let mut out = vec![1, 2, 3];
        let error = encode(&"x".repeat(CONTROL_FRAME_BYTES), &mut out).unwrap_err();
        assert_eq!(error, FrameError::TooLong { bytes: CONTROL_FRAME_BYTES + 2 });
        assert_eq!(out, [1, 2, 3]);
    }
}
