use trunkline_base::Micros;
use trunkline_base::limits::DTLS_ATTEMPTS;

use crate::alert;
use crate::hellos::Hellos;
use crate::reassembly::Reassembly;

/// Of a whole handshake, all attempts together.
const HANDSHAKE: Micros = 30_000_000;
/// After an attempt of the library; doubles with each, so that a burst of noise does not use them all up.
const FIRST_PAUSE: Micros = 50_000;
/// What is left once an alert in the clear said that the peer gave up. It may be forged: a good handshake is done by then.
const AFTER_ALERT: Micros = 3_000_000;

/// What is remembered from one attempt to the next.
#[derive(Debug, Default)]
pub struct Handshaking {
    pub reassembly: Reassembly,
    pub hellos: Hellos,
    attempts: usize,
    ends: Option<Micros>,
    resumes: Option<Micros>,
    /// Why the last attempt failed.
    trouble: Option<String>,
    alert: Option<u8>,
}

impl Handshaking {
    pub fn begin(&mut self, now: Micros) {
        self.attempts += 1;
        self.ends.get_or_insert(now + HANDSHAKE);
    }

    /// `Err`: that was the last attempt.
    pub fn on_gave_up(&mut self, reason: String, now: Micros) -> Result<(), String> {
        self.hellos.forget();
        self.reassembly = Reassembly::default();
        if self.attempts >= DTLS_ATTEMPTS {
            return Err(format!("{DTLS_ATTEMPTS} attempts failed, the last one with: {reason}"));
        }
        self.trouble = Some(reason);
        self.resumes = Some(now + (FIRST_PAUSE << self.attempts.saturating_sub(1)));
        Ok(())
    }

    pub fn is_paused(&self) -> bool {
        self.resumes.is_some()
    }

    /// Whether the pause is over with this.
    pub fn resumes(&mut self, now: Micros) -> bool {
        self.resumes.take_if(|at| *at <= now).is_some()
    }

    pub fn on_clear_alert(&mut self, alert: u8, now: Micros) {
        self.alert = Some(alert);
        self.ends = self.ends.map(|ends| ends.min(now + AFTER_ALERT));
    }

    /// The reason, if its time is over.
    pub fn expired(&self, now: Micros) -> Option<String> {
        if self.ends? > now {
            return None;
        }
        Some(match (self.alert, &self.trouble) {
            (Some(alert), _) => format!("the peer ended the handshake: {}", alert::name(alert)),
            (None, Some(trouble)) => format!("no handshake in time; an attempt failed with: {trouble}"),
            (None, None) => "no handshake in time".into(),
        })
    }

    pub fn deadline(&self) -> Option<Micros> {
        self.ends.into_iter().chain(self.resumes).min()
    }
}
