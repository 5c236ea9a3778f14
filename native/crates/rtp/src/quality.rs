/// E-model (ITU-T G.107, default values, G.113 Ie and Bpl of the codec): R and MOS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Transmission rating, from 0 to 93.2 (the best that narrowband telephony can be).
    pub r: f32,
    /// Mean opinion score, from 1 to 4.41.
    pub mos: f32,
}

/// `codec`: an encoding name as in SDP, in any case. `loss_fraction` is from 0 to 1, of random loss. `one_way_ms` is
/// mouth to ear as far as known: half the round trip, jitter buffer (twice the jitter), packetisation.
#[must_use]
pub fn estimate(codec: &str, loss_fraction: f32, one_way_ms: f32) -> Quality {
    let delay_ms = bounded(one_way_ms, LONGEST_DELAY_MS);
    let loss_percent = bounded(loss_fraction, 1.0) * 100.0;
    let impairments = delay_impairment(delay_ms) + equipment_impairment(codec, loss_percent);
    let r = (signal_to_noise() - simultaneous_impairment(delay_ms) - impairments).clamp(0.0, 100.0);
    Quality { r: r as f32, mos: mos(r) as f32 }
}

/// From 0 to `most`; what is not a number is 0.
fn bounded(value: f32, most: f64) -> f64 {
    f64::from(value).max(0.0).min(most)
}

/// Ie and Bpl of G.113 appendix I. Those of G.711 are with concealment, which browsers and phones do; without it Bpl
/// would be 4.3.
///
/// There are none for Opus and G.722 on the narrowband scale that this model has: they count as G.711, whose quality
/// they reach. So does what is not known.
fn codec_values(codec: &str) -> (f64, f64) {
    let known = CODECS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(codec));
    known.map_or(G711_CONCEALED, |(_, ie, bpl)| (*ie, *bpl))
}

/// Ro (G.107 §7.2).
fn signal_to_noise() -> f64 {
    15.0 - 1.5 * (SLR + noise())
}

/// No: power of all noise at the 0 dBr point, in dBm0p.
fn noise() -> f64 {
    let olr = SLR + RLR;
    let nos = PS - SLR - DS - 100.0 + 0.004 * (PS - olr - DS - 14.0).powi(2);
    let pre = PR + 10.0 * (1.0 + 10f64.powf((10.0 - LSTR) / 10.0)).log10();
    let nor = RLR - 121.0 + pre + 0.008 * (pre - 35.0).powi(2);
    let power: f64 = [NC, nos, nor, NFOR + RLR].iter().map(|level| 10f64.powf(level / 10.0)).sum();
    10.0 * power.log10()
}

/// Is (§7.3): what comes at the same time as the voice.
fn simultaneous_impairment(delay_ms: f64) -> f64 {
    let olr = SLR + RLR;
    let x = olr + 0.2 * (64.0 + noise() - RLR);
    let too_loud = 20.0 * ((1.0 + (x / 8.0).powi(8)).powf(1.0 / 8.0) - x / 8.0);
    too_loud + sidetone_impairment(delay_ms) + quantising_impairment()
}

/// Ist.
fn sidetone_impairment(delay_ms: f64) -> f64 {
    let stmr =
        -10.0 * (10f64.powf(-STMR / 10.0) + (-delay_ms / 4.0).exp() * 10f64.powf(-TELR / 10.0)).log10();
    12.0 * (1.0 + ((stmr - 13.0) / 6.0).powi(8)).powf(1.0 / 8.0)
        - 28.0 * (1.0 + ((stmr + 1.0) / 19.4).powi(35)).powf(1.0 / 35.0)
        - 13.0 * (1.0 + ((stmr - 3.0) / 33.0).powi(13)).powf(1.0 / 13.0)
        + 29.0
}

/// Iq, for one quantising distortion unit.
fn quantising_impairment() -> f64 {
    let q = 37.0 - 15.0 * f64::log10(QDU);
    let g = 1.07 + 0.258 * q + 0.0602 * q * q;
    let y = (signal_to_noise() - 100.0) / 15.0 + 46.0 / 8.4 - g / 9.0;
    let z = 46.0 / 30.0 - g / 40.0;
    15.0 * (1.0 + 10f64.powf(y) + 10f64.powf(z)).log10()
}

/// Id (§7.4): talker echo, listener echo, and delay as such. All delays are the same one way, and there and back.
fn delay_impairment(delay_ms: f64) -> f64 {
    talker_echo(delay_ms) + listener_echo(2.0 * delay_ms) + absolute_delay(delay_ms)
}

/// Idte.
fn talker_echo(delay_ms: f64) -> f64 {
    let terv = TELR - 40.0 * ((1.0 + delay_ms / 10.0) / (1.0 + delay_ms / 150.0)).log10()
        + 6.0 * (-0.3 * delay_ms * delay_ms).exp();
    let apart = -1.5 * (noise() - RLR) - (80.0 + 2.5 * (terv - 14.0));
    (apart / 2.0 + (apart * apart / 4.0 + 100.0).sqrt() - 1.0) * (1.0 - (-delay_ms).exp())
}

/// Idle.
fn listener_echo(round_trip_ms: f64) -> f64 {
    let apart = signal_to_noise() - 10.5 * (WEPL + 7.0) * (round_trip_ms + 1.0).powf(-0.25);
    apart / 2.0 + (apart * apart / 4.0 + 169.0).sqrt()
}

/// Idd.
fn absolute_delay(delay_ms: f64) -> f64 {
    if delay_ms <= 100.0 {
        return 0.0;
    }
    let x = (delay_ms / 100.0).log2();
    let bend = |x: f64| (1.0 + x.powi(6)).powf(1.0 / 6.0);
    25.0 * (bend(x) - 3.0 * bend(x / 3.0) + 2.0)
}

/// Ie-eff (§7.5), for random loss: a burst ratio of 1.
fn equipment_impairment(codec: &str, loss_percent: f64) -> f64 {
    let (ie, bpl) = codec_values(codec);
    ie + (95.0 - ie) * loss_percent / (loss_percent + bpl)
}

/// G.107 annex B; the formula dips below 1 for the lowest R.
fn mos(r: f64) -> f64 {
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
}

/// Name, Ie, Bpl.
const CODECS: [(&str, f64, f64); 5] = [
    ("PCMU", G711_CONCEALED.0, G711_CONCEALED.1),
    ("PCMA", G711_CONCEALED.0, G711_CONCEALED.1),
    ("G729", 11.0, 19.0),
    ("G723", 15.0, 16.1),
    // At its highest rate it is GSM-EFR.
    ("AMR", 5.0, 10.0),
];
const G711_CONCEALED: (f64, f64) = (0.0, 25.1);

/// Default values of G.107 table 2: loudness ratings, sidetone, room and circuit noise, echo losses.
const SLR: f64 = 8.0;
const RLR: f64 = 2.0;
const STMR: f64 = 15.0;
const LSTR: f64 = 18.0;
const DS: f64 = 3.0;
const PS: f64 = 35.0;
const PR: f64 = 35.0;
const NC: f64 = -70.0;
const NFOR: f64 = -64.0;
const TELR: f64 = 65.0;
const WEPL: f64 = 110.0;
const QDU: f64 = 1.0;
/// Beyond this nothing changes for a listener.
const LONGEST_DELAY_MS: f64 = 10_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_values_of_g_107_give_93_2() {
        let best = estimate("PCMU", 0.0, 0.0);
        assert!((best.r - 93.2).abs() < 0.05, "{best:?}");
        assert!((best.mos - 4.41).abs() < 0.01, "{best:?}");
    }

    #[test]
    fn g_107_annex_b_mos_of_the_limits_of_user_satisfaction() {
        for (r, expected) in
            [(90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58), (0.0, 1.0)]
        {
            assert!((mos(r) - expected).abs() < 0.01, "R {r}: {}", mos(r));
        }
    }

    #[test]
    fn g_107_7_5_loss_weighs_by_the_robustness_of_the_codec() {
        for (codec, loss, expected) in [
            ("PCMA", 0.251, 95.0 / 2.0),
            ("opus", 0.01, 95.0 / 26.1),
            ("g729", 0.0, 11.0),
            ("G729", 0.19, 11.0 + 84.0 / 2.0),
            ("AMR", 0.1, 5.0 + 90.0 / 2.0),
            ("something-new", 0.0, 0.0),
        ] {
            let lost = estimate("PCMU", 0.0, 20.0).r - estimate(codec, loss, 20.0).r;
            assert!((f64::from(lost) - expected).abs() < 0.01, "{codec}: {lost}");
        }
    }

    #[test]
    fn delay_is_hardly_felt_up_to_150_ms_and_hurts_beyond() {
        let r = |ms| estimate("PCMU", 0.0, ms).r;
        assert!(r(150.0) > 88.0 && r(150.0) < 91.0, "{}", r(150.0));
        assert!(r(300.0) < 80.0 && r(300.0) > 65.0, "{}", r(300.0));
        assert!(r(600.0) < 60.0);
    }

    #[test]
    fn law_more_loss_or_delay_is_never_better_and_no_input_leaves_the_scale() {
        for codec in ["PCMU", "G729", "opus", ""] {
            let mut worst = estimate(codec, 0.0, 0.0).r;
            for n in 0..200u16 {
                let quality = estimate(codec, f32::from(n) / 199.0, f32::from(n) * 5.0);
                assert!(quality.r <= worst + 0.01, "{codec} {n}: {quality:?} after {worst}");
                worst = quality.r;
            }
        }
        for odd in [f32::NAN, f32::INFINITY, -1.0, f32::MAX] {
            for quality in [estimate("PCMU", odd, 0.0), estimate("PCMU", 0.0, odd)] {
                assert!((0.0..=93.3).contains(&quality.r), "{odd}: {quality:?}");
            }
        }
    }
}
