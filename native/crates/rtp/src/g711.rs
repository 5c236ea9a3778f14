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

#[cfg(test)]
mod tests {
    use super::{G711, encode};

    /// The value of a code (ITU-T G.711 tables 1 and 2), as 16-bit sample.
    fn decode(codec: G711, code: u8) -> i32 {
        let (bits, negative) = match codec {
            G711::Pcmu => (!code, !code & 0x80 != 0),
            G711::Pcma => (code ^ 0x55, (code ^ 0x55) & 0x80 == 0),
        };
        let (exponent, mantissa) = (bits >> 4 & 7, i32::from(bits & 0x0f));
        let magnitude = match (codec, exponent) {
            (G711::Pcmu, _) => (((mantissa << 3) + 132) << exponent) - 132,
            (G711::Pcma, 0) => (mantissa << 4) + 8,
            (G711::Pcma, _) => ((mantissa << 4) + 264) << (exponent - 1),
        };
        if negative { -magnitude } else { magnitude }
    }

    #[test]
    fn a_decoded_code_is_encoded_as_itself_save_the_negative_zero_of_mu_law() {
        for code in 0..=255u8 {
            assert_eq!(encode(G711::Pcma, decode(G711::Pcma, code) as i16), code);
            let expected = if code == 0x7f { 0xff } else { code };
            assert_eq!(encode(G711::Pcmu, decode(G711::Pcmu, code) as i16), expected);
        }
    }

    #[test]
    fn law_a_code_is_half_a_step_from_its_sample_at_most() {
        for sample in -32_635..=32_635i16 {
            for codec in [G711::Pcmu, G711::Pcma] {
                let code = encode(codec, sample);
                let bits = if codec == G711::Pcmu { !code } else { code ^ 0x55 };
                let exponent = bits >> 4 & 7;
                let step = if codec == G711::Pcmu { 8 << exponent } else { 16 << exponent.saturating_sub(1) };
                let error = (decode(codec, code) - i32::from(sample)).abs();
                assert!(error <= step / 2, "{codec:?} {sample}: {error} with steps of {step}");
            }
        }
    }
}
