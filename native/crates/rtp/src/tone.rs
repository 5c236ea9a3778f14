use std::f64::consts::TAU;
use std::sync::LazyLock;

use crate::g711::{G711, encode};

/// A steady tone at -16 dBm0, or silence (`frequency_hz` 0), frame by frame: the phase goes on from the last one.
#[derive(Clone, Copy, Debug)]
pub struct Tone {
    frequency_hz: usize,
    /// Position in a turn of the sine, in 1/8000.
    phase: usize,
}

impl Tone {
    /// A tone from its first sample on. Frequencies from 4,000 Hz on are heard below it, as G.711 has no others.
    #[must_use]
    pub fn new(frequency_hz: u32) -> Self {
        Self { frequency_hz: frequency_hz as usize % SAMPLE_RATE_HZ, phase: 0 }
    }

    /// The next samples at 8,000 Hz, encoded into `out`.
    pub fn fill(&mut self, codec: G711, out: &mut [u8]) {
        let turn = match codec {
            G711::Pcmu => &*MU_LAW_TURN,
            G711::Pcma => &*A_LAW_TURN,
        };
        for code in out {
            *code = turn[self.phase];
            self.phase = (self.phase + self.frequency_hz) % SAMPLE_RATE_HZ;
        }
    }
}

/// One turn of the sine. In steps of 1/8000 every frequency in whole hertz hits it exactly.
type Turn = [u8; SAMPLE_RATE_HZ];

static MU_LAW_TURN: LazyLock<Turn> = LazyLock::new(|| turn(G711::Pcmu));
static A_LAW_TURN: LazyLock<Turn> = LazyLock::new(|| turn(G711::Pcma));

fn turn(codec: G711) -> Turn {
    let amplitude = FULL_SCALE * 10f64.powf((LEVEL_DBM0 - FULL_SCALE_DBM0) / 20.0);
    std::array::from_fn(|n| {
        let sample = amplitude * (TAU * n as f64 / SAMPLE_RATE_HZ as f64).sin();
        encode(codec, sample.round() as i16)
    })
}

const SAMPLE_RATE_HZ: usize = 8_000;
const LEVEL_DBM0: f64 = -16.0;
/// Full scale of a sine is +3.17 dBm0 in µ-law; 16-bit samples of G.711 reach 32,124.
const FULL_SCALE_DBM0: f64 = 3.17;
const FULL_SCALE: f64 = 32_124.0;
