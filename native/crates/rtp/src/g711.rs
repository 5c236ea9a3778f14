/// G.711 variants that tones are made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum G711 {
    /// µ-law.
    Pcmu,
    /// A-law.
    Pcma,
}

/// The code of a linear sample of 16 bits (ITU-T G.711).
pub(crate) fn encode(codec: G711, sample: i16) -> u8 {
    match codec {
        G711::Pcmu => mu_law(sample),
        G711::Pcma => a_law(sample),
    }
}

fn mu_law(sample: i16) -> u8 {
    let magnitude = sample.unsigned_abs().min(MU_LAW_CLIP) + MU_LAW_BIAS;
    let exponent = magnitude.ilog2() - 7;
    let mantissa = magnitude >> (exponent + 3) & 0x0f;
    !(sign(sample) | (exponent << 4) as u8 | mantissa as u8)
}

fn a_law(sample: i16) -> u8 {
    // Negative samples use the one's complement, so that both halves have the same steps.
    let magnitude = if sample < 0 { !sample } else { sample }.unsigned_abs();
    let exponent = magnitude.max(1).ilog2().saturating_sub(7);
    let mantissa = magnitude >> if exponent == 0 { 4 } else { exponent + 3 } & 0x0f;
    (0x80 ^ sign(sample) | (exponent << 4) as u8 | mantissa as u8) ^ 0x55
}

fn sign(sample: i16) -> u8 {
    if sample < 0 { 0x80 } else { 0 }
}

const MU_LAW_BIAS: u16 = 0x84;
const MU_LAW_CLIP: u16 = 32_635;
