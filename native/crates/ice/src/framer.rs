use trunkline_base::{HEADROOM, PACKET_BYTES};

const PREFIX_BYTES: usize = 2;
/// Most bytes of a frame: it has to fit a packet's buffer.
pub const FRAME_BYTES: usize = PACKET_BYTES - HEADROOM;

/// The peer announced a frame longer than a packet's buffer: nothing on this connection can be read any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameTooLong;

/// Frames of RFC 4571 in a TCP stream (ICE-TCP, RFC 6544 §10.1): sans-IO, bounded.
///
/// A frame that comes whole is not copied. Only a connection that once had a part of one owns a buffer, of one packet.
#[derive(Debug, Default)]
pub struct Framer {
    /// Prefix and bytes of the frame that is not whole yet.
    partial: Vec<u8>,
    is_broken: bool,
}

impl Framer {
    /// At the start of a connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes as they come; `each` gets every complete frame. Empty ones are passed over (RFC 4571 §2).
    ///
    /// # Errors
    /// [`FrameTooLong`], from then on always. `each` got what came before.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), FrameTooLong> {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_broken {
            rest = if self.partial.is_empty() {
                self.whole(rest, &mut each)
            } else {
                self.more(rest, &mut each)
            };
        }
        if self.is_broken { Err(FrameTooLong) } else { Ok(()) }
    }

    /// Takes one frame, or keeps what there is of it. Returns what follows.
    fn whole<'a>(&mut self, bytes: &'a [u8], each: &mut impl FnMut(&[u8])) -> &'a [u8] {
        let size = frame_bytes(bytes).filter(|size| *size <= FRAME_BYTES);
        let Some((frame, rest)) = size.and_then(|size| bytes[PREFIX_BYTES..].split_at_checked(size)) else {
            return self.more(bytes, each);
        };
        hand_over(frame, each);
        rest
    }

    /// Goes on with the frame that is not whole. Returns what follows.
    fn more<'a>(&mut self, bytes: &'a [u8], each: &mut impl FnMut(&[u8])) -> &'a [u8] {
        let rest = self.keep(bytes, PREFIX_BYTES);
        let Some(size) = frame_bytes(&self.partial) else { return rest };
        if size > FRAME_BYTES {
            self.is_broken = true;
            return rest;
        }
        let rest = self.keep(rest, PREFIX_BYTES + size);
        if self.partial.len() == PREFIX_BYTES + size {
            hand_over(&self.partial[PREFIX_BYTES..], each);
            self.partial.clear();
        }
        rest
    }

    /// Keeps bytes until there are so many.
    fn keep<'a>(&mut self, bytes: &'a [u8], until: usize) -> &'a [u8] {
        let missing = until.saturating_sub(self.partial.len());
        let (taken, rest) = bytes.split_at(bytes.len().min(missing));
        self.partial.reserve_exact(PREFIX_BYTES + FRAME_BYTES - self.partial.len());
        self.partial.extend_from_slice(taken);
        rest
    }
}

/// What the prefix says, once it is there.
fn frame_bytes(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk().map(|prefix| usize::from(u16::from_be_bytes(*prefix)))
}

fn hand_over(frame: &[u8], each: &mut impl FnMut(&[u8])) {
    if !frame.is_empty() {
        each(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream(frames: &[Vec<u8>]) -> Vec<u8> {
        let prefixed = frames.iter().map(|frame| [&(frame.len() as u16).to_be_bytes()[..], frame].concat());
        prefixed.collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_frame_longer_than_a_packet_ends_the_connection() {
        let prefix = (FRAME_BYTES as u16 + 1).to_be_bytes();
        for cut in 0..=prefix.len() {
            let mut framer = Framer::new();
            let mut seen = Vec::new();
            let bytes = [&[0, 1, b'x'][..], &prefix].concat();
            let (first, second) = bytes.split_at(3 + cut);
            let pushes = [first, second, &[0, 1, b'y']]
                .map(|each| framer.push(each, |frame| seen.push(frame.to_vec())));
            assert_eq!(pushes.last(), Some(&Err(FrameTooLong)), "cut at {cut}");
            assert_eq!(seen, [b"x"]);
        }
    }

    #[test]
    fn whole_frames_need_no_buffer_and_partial_ones_one_packet() {
        let mut framer = Framer::new();
        let bytes = stream(&[vec![1; 100], vec![], vec![2; FRAME_BYTES]]);
        let mut count = 0;
        framer.push(&bytes, |_| count += 1).unwrap();
        assert_eq!((count, framer.partial.capacity()), (2, 0));
        for _ in 0..10 {
            for byte in &bytes {
                framer.push(&[*byte], |_| count += 1).unwrap();
            }
        }
        assert_eq!((count, framer.partial.capacity()), (22, PREFIX_BYTES + FRAME_BYTES));
    }

    proptest! {
        #[test]
        fn frames_come_out_however_the_stream_is_cut(
            sizes in prop::collection::vec(0..=FRAME_BYTES, 0..12),
            cuts in prop::collection::vec(1_usize..3_000, 1..12),
        ) {
            let frames: Vec<Vec<u8>> =
                sizes.iter().enumerate().map(|(n, size)| vec![n as u8 + 1; *size]).collect();
            let bytes = stream(&frames);
            let mut framer = Framer::new();
            let mut seen = Vec::new();
            let mut rest = bytes.as_slice();
            for cut in cuts.iter().cycle() {
                let (now, later) = rest.split_at(rest.len().min(*cut));
                prop_assert_eq!(framer.push(now, |frame| seen.push(frame.to_vec())), Ok(()));
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            let expected: Vec<_> = frames.into_iter().filter(|frame| !frame.is_empty()).collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
