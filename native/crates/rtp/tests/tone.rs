//! Tones as a listener hears them.

use trunkline_rtp::{G711, Tone};

const BOTH: [G711; 2] = [G711::Pcmu, G711::Pcma];

#[test]
fn the_tone_is_heard_at_its_frequency_and_nowhere_else() {
    for codec in BOTH {
        let samples = play(1_004, codec, 25);
        assert!(level(&samples, 1_004.0) > 0.98);
        for other in [440.0, 941.0, 1_100.0, 2_008.0] {
            assert!(level(&samples, other) < 0.01, "{codec:?} {other} Hz");
        }
    }
}

#[test]
fn the_tone_has_minus_16_dbm0_and_no_edges_between_frames() {
    for codec in BOTH {
        let samples = play(1_004, codec, 100);
        let power = samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len() as f64;
        let level = 3.17 + 10.0 * (power / (32_124.0f64.powi(2) / 2.0)).log10();
        assert!((level + 16.0).abs() < 0.3, "{level:.2} dBm0");
        let steepest = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
        assert!(steepest < 3_700.0, "a step of {steepest}");
    }
}

#[test]
fn frequency_0_is_silence() {
    for codec in BOTH {
        assert!(play(0, codec, 2).iter().all(|sample| sample.abs() <= 8.0));
    }
}

fn play(frequency_hz: u32, codec: G711, frames: usize) -> Vec<f64> {
    let mut tone = Tone::new(frequency_hz);
    let mut codes = vec![0; 160 * frames];
    for frame in codes.chunks_mut(160) {
        tone.fill(codec, frame);
    }
    codes.iter().map(|code| decode(codec, *code)).collect()
}

fn decode(codec: G711, code: u8) -> f64 {
    let bits = if codec == G711::Pcmu { !code } else { code ^ 0xd5 };
    let (exponent, mantissa) = (i32::from(bits >> 4 & 7), i32::from(bits & 0x0f));
    let magnitude = match (codec, exponent) {
        (G711::Pcmu, _) => (((mantissa << 3) + 132) << exponent) - 132,
        (G711::Pcma, 0) => (mantissa << 4) + 8,
        (G711::Pcma, _) => ((mantissa << 4) + 264) << (exponent - 1),
    };
    f64::from(if bits & 0x80 == 0 { magnitude } else { -magnitude })
}

/// The share of the signal's power at one frequency (Goertzel's algorithm).
fn level(samples: &[f64], frequency_hz: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * frequency_hz / 8_000.0).cos();
    let (mut previous, mut before, mut power) = (0.0, 0.0, 0.0);
    for sample in samples {
        (before, previous) = (previous, sample + coefficient * previous - before);
        power += sample * sample;
    }
    let found = previous * previous + before * before - coefficient * previous * before;
    2.0 * found / (samples.len() as f64 * power)
}
