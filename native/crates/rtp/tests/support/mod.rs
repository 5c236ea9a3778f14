//! What several tests need.
#![allow(dead_code)]

pub mod rtcp;

use std::path::PathBuf;

use proptest::test_runner::Config;
use trunkline_rtp::{Header, Line, Place};

pub const MS: u64 = 1_000;

/// Failing cases are printed, not kept in files.
pub fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

pub fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A header as a source of packets has it.
pub fn header(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
    Header { marker: false, payload_type: 0, sequence, timestamp, ssrc, payload_start: 12, payload_end: 172 }
}

/// Sequence number, timestamp and whether a stretch begins.
pub type Numbers = (u16, u32, bool);

pub fn numbers(place: Place) -> Numbers {
    (place.index as u16, place.timestamp, place.begins)
}

/// A line fed in milliseconds.
pub struct Feed {
    pub line: Line,
}

impl Feed {
    /// The next number is 100, the next timestamp 1,000.
    pub fn new() -> Self {
        Self { line: Line::new(100, 1_000) }
    }

    pub fn place(&mut self, ssrc: u32, sequence: u16, timestamp: u32, now_ms: u64) -> Option<Numbers> {
        self.place_at(8_000, ssrc, sequence, timestamp, now_ms)
    }

    pub fn place_at(
        &mut self,
        clock_hz: u32,
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
        now_ms: u64,
    ) -> Option<Numbers> {
        self.line.place(&header(ssrc, sequence, timestamp), clock_hz, now_ms * MS).map(numbers)
    }
}

/// The folder with public test data. `None`: it is not here, and the test is skipped, save in CI.
pub fn corpora() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/corpora");
    let folder = PathBuf::from(std::env::var_os("TRUNKLINE_CORPORA").unwrap_or_else(|| default.into()));
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no corpora in {}", folder.display());
    println!("skipped: no corpora");
    None
}
