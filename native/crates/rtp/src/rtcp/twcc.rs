use trunkline_base::Packet;

use super::TRANSPORT_FEEDBACK;
use super::compound::{append, put_u16, put_u32};

/// A packet that came: its transport-wide number, extended beyond 16 bits, and when, in ticks of 250 µs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub number: u64,
    pub ticks: u64,
}

/// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1) about the numbers from `base` to
/// that of the last arrival.
///
/// `arrivals` are in ascending order, at least one, from `base` on; they span at most `LONGEST_SPAN` numbers.
///
/// # Returns
/// How many of the arrivals were told: all, save those whose time is too far from that of the one before.
pub(crate) fn write(
    compound: &mut Packet,
    ssrc: u32,
    media_ssrc: u32,
    base: u64,
    feedback_count: u8,
    arrivals: &[Arrival],
) -> usize {
    let Some(first) = arrivals.first() else { return 0 };
    let reference = first.ticks / TICKS_PER_REFERENCE;
    let told = tellable(arrivals, reference * TICKS_PER_REFERENCE);
    let mut body = Body { bytes: [0; LONGEST_BODY], len: 0 };
    let statuses = body.statuses(base, &arrivals[..told], reference * TICKS_PER_REFERENCE);
    body.deltas(&arrivals[..told], reference * TICKS_PER_REFERENCE);

    let packet = append(compound, TRANSPORT_FEEDBACK, FORMAT, HEAD_BYTES + body.len.next_multiple_of(4));
    put_u32(packet, 4, ssrc);
    put_u32(packet, 8, media_ssrc);
    put_u16(packet, 12, base as u16);
    put_u16(packet, 14, statuses);
    put_u32(packet, 16, (reference as u32) << 8 | u32::from(feedback_count));
    packet[HEAD_BYTES..HEAD_BYTES + body.len].copy_from_slice(&body.bytes[..body.len]);
    told
}

/// How many arrivals can be told in one packet: all deltas have to fit 16 bits.
fn tellable(arrivals: &[Arrival], reference: u64) -> usize {
    let mut before = reference;
    arrivals
        .iter()
        .take_while(|arrival| {
            let fits = i16::try_from(delta(before, arrival.ticks)).is_ok();
            before = arrival.ticks;
            fits
        })
        .count()
}

struct Body {
    bytes: [u8; LONGEST_BODY],
    len: usize,
}

impl Body {
    /// Chunks with the status of each number (§3.1.3, §3.1.4). Each chunk is the one that tells the most.
    fn statuses(&mut self, base: u64, arrivals: &[Arrival], reference: u64) -> u16 {
        let mut symbols = [NOT_RECEIVED; LONGEST_SPAN as usize];
        let mut before = reference;
        let mut count = 0;
        for arrival in arrivals {
            let at = (arrival.number - base) as usize;
            symbols[at] = if u8::try_from(delta(before, arrival.ticks)).is_ok() { SMALL } else { LARGE };
            before = arrival.ticks;
            count = at + 1;
        }
        let mut rest = &symbols[..count];
        while !rest.is_empty() {
            let (chunk, told) = chunk(rest);
            self.push(&chunk.to_be_bytes());
            rest = &rest[told..];
        }
        count as u16
    }

    /// Times between the packets (§3.1.5).
    fn deltas(&mut self, arrivals: &[Arrival], reference: u64) {
        let mut before = reference;
        for arrival in arrivals {
            let delta = delta(before, arrival.ticks);
            before = arrival.ticks;
            match u8::try_from(delta) {
                Ok(small) => self.push(&[small]),
                Err(_) => self.push(&(delta as i16).to_be_bytes()),
            }
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

/// The chunk that tells the most of these symbols, and how many. A vector is full, save at the end.
fn chunk(symbols: &[u8]) -> (u16, usize) {
    let run = symbols.iter().take_while(|symbol| **symbol == symbols[0]).count().min(LONGEST_RUN);
    let (one_bit, two_bit) = (symbols.len().min(14), symbols.len().min(7));
    if run >= one_bit {
        (u16::from(symbols[0]) << 13 | run as u16, run)
    } else if !symbols[..one_bit].contains(&LARGE) {
        (0x8000 | vector(&symbols[..one_bit], 1), one_bit)
    } else if run >= two_bit {
        (u16::from(symbols[0]) << 13 | run as u16, run)
    } else {
        (0xc000 | vector(&symbols[..two_bit], 2), two_bit)
    }
}

/// Symbols of `width` bits from the highest of 14 bits on.
fn vector(symbols: &[u8], width: usize) -> u16 {
    symbols
        .iter()
        .enumerate()
        .fold(0, |bits, (n, symbol)| bits | u16::from(*symbol) << (14 - width * (n + 1)))
}

fn delta(before: u64, ticks: u64) -> i64 {
    ticks.wrapping_sub(before).cast_signed()
}

const NOT_RECEIVED: u8 = 0;
const SMALL: u8 = 1;
const LARGE: u8 = 2;

pub(crate) const FORMAT: u8 = 15;
pub(crate) const TICK_US: u64 = 250;
/// The reference time counts 64 ms.
const TICKS_PER_REFERENCE: u64 = 256;
const HEAD_BYTES: usize = 20;
const LONGEST_RUN: usize = 0x1fff;
/// Numbers in one feedback packet, and how many of them came.
pub(crate) const LONGEST_SPAN: u64 = 1_024;
pub(crate) const MOST_ARRIVALS: usize = 256;
/// No chunk tells less than 7 numbers, save the last one.
const LONGEST_BODY: usize = 2 * (LONGEST_SPAN as usize / 7 + 1) + 2 * MOST_ARRIVALS;
