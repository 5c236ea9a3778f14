use trunkline_base::Micros;
use trunkline_dtls::Certificate;
use trunkline_slab::Slab;

/// Age at which a new certificate is made; they are valid for 30 days.
const ROTATE_AFTER: Micros = 14 * 24 * 3_600 * 1_000_000;
/// Certificates that running calls may have shown.
const KEPT: usize = 3;

/// The certificates of all threads, in the slab: the relay that follows shows the same.
pub(crate) struct Certificates {
    /// The newest last.
    kept: Vec<Dated>,
}

struct Dated {
    /// `CLOCK_MONOTONIC`: the slab does not outlive the machine's uptime.
    made_at: Micros,
    certificate: Certificate,
}

impl Certificates {
    /// Those of the slab; a new one if there is none that can still be used.
    pub(crate) fn load(slab: &Slab, now: Micros) -> Self {
        let mut certificates = Self { kept: read(&slab.common()) };
        certificates.rotate(slab, now);
        certificates
    }

    /// The newest last.
    pub(crate) fn all(&self) -> Vec<Certificate> {
        self.kept.iter().map(|dated| dated.certificate.clone()).collect()
    }

    /// When `rotate` has something to do.
    pub(crate) fn deadline(&self) -> Micros {
        self.kept.last().map_or(0, |dated| dated.made_at.saturating_add(ROTATE_AFTER))
    }

    /// Makes a new one if it is time to. `true`: there is one.
    pub(crate) fn rotate(&mut self, slab: &Slab, now: Micros) -> bool {
        if now < self.deadline() {
            return false;
        }
        self.kept.push(Dated { made_at: now, certificate: Certificate::generate() });
        let surplus = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..surplus);
        if let Err(error) = slab.set_common(&write(&self.kept)) {
            let why = format!("{error:?}");
            crate::log::warn("the certificate is not kept", serde_json::json!({ "why": why }));
        }
        true
    }
}

/// For each: time, length, bytes.
fn write(kept: &[Dated]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Dated { made_at, certificate } in kept {
        let text = certificate.to_bytes();
        bytes.extend_from_slice(&made_at.to_be_bytes());
        bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
        bytes.extend_from_slice(&text);
    }
    bytes
}

/// What cannot be read is left out: a new certificate costs nothing but new handshakes' time.
fn read(mut bytes: &[u8]) -> Vec<Dated> {
    let mut kept = Vec::new();
    while let Some((dated, rest)) = read_one(bytes) {
        kept.extend(dated);
        bytes = rest;
    }
    kept
}

fn read_one(bytes: &[u8]) -> Option<(Option<Dated>, &[u8])> {
    let (made_at, bytes) = bytes.split_first_chunk::<8>()?;
    let (length, bytes) = bytes.split_first_chunk::<4>()?;
    let (text, rest) = bytes.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    let made_at = Micros::from_be_bytes(*made_at);
    // An empty area reads as zeros.
    (!text.is_empty()).then_some(())?;
    Some((Certificate::from_bytes(text).map(|certificate| Dated { made_at, certificate }), rest))
}
