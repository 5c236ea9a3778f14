use crate::message::{BINDING_REQUEST, Message, attribute, fingerprint};

/// RFC 8489 §14.3: fewer than 509 bytes.
const MAX_USERNAME_BYTES: usize = 508;

/// A binding request as read; not yet authentic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check<'a> {
    /// Transaction id, to be repeated in the answer.
    pub transaction: [u8; 12],
    /// User fragment of the one who is asked: the part before the colon of USERNAME.
    pub local_ufrag: &'a str,
    /// The part after the colon.
    pub remote_ufrag: &'a str,
    /// Whether the peer nominates this pair (RFC 8445 §7.1.2).
    pub use_candidate: bool,
    /// Priority of a candidate that would be learned from this check; 0 if it does not say.
    pub priority: u32,
    /// `Some(tie-breaker)` if the peer says it is controlled: a role conflict for an ICE-lite agent (487).
    pub controlled: Option<u64>,
    /// The first comprehension-required attributes that we do not know (420); 0 where there is none.
    pub unknown: [u16; 4],
}

/// Why a datagram is not a check that can be looked at further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StunError {
    /// Not STUN, wrong lengths, no or a wrong FINGERPRINT: to be dropped.
    Malformed,
    /// A response, an indication, another method: not for us.
    NotACheck,
    /// No USERNAME of two fragments (RFC 8445 §7.2.2), or no MESSAGE-INTEGRITY: to be answered with 400.
    Anonymous,
}

/// Reads a binding request. Total: never panics, whatever the bytes.
///
/// Of each attribute the first one counts, and none that stands after MESSAGE-INTEGRITY (RFC 8489 §14.5).
///
/// # Errors
/// [`StunError`]; for [`StunError::Anonymous`], [`transaction_of`] says what to answer to.
pub fn read_check(datagram: &[u8]) -> Result<Check<'_>, StunError> {
    let message = Message::read(datagram).ok_or(StunError::Malformed)?;
    if message.kind() != BINDING_REQUEST {
        return Err(StunError::NotACheck);
    }
    let read = Attributes::read(&message, datagram).ok_or(StunError::Malformed)?;
    let username = read.username.filter(|_| read.has_integrity).ok_or(StunError::Anonymous)?;
    let fragments = str::from_utf8(username).ok().filter(|name| name.len() <= MAX_USERNAME_BYTES);
    let (local_ufrag, remote_ufrag) =
        fragments.and_then(|name| name.split_once(':')).ok_or(StunError::Anonymous)?;
    // ICE always has it (RFC 8445 §7.1): without it, its own type may be what was damaged.
    if !read.has_fingerprint {
        return Err(StunError::Malformed);
    }
    Ok(Check {
        transaction: message.transaction(),
        local_ufrag,
        remote_ufrag,
        use_candidate: read.use_candidate,
        priority: read.priority.unwrap_or(0),
        controlled: read.controlled,
        unknown: read.unknown,
    })
}

/// The transaction id of anything that looks like STUN.
#[must_use]
pub fn transaction_of(datagram: &[u8]) -> Option<[u8; 12]> {
    Message::read(datagram).map(|message| message.transaction())
}

#[derive(Default)]
struct Attributes<'a> {
    username: Option<&'a [u8]>,
    use_candidate: bool,
    priority: Option<u32>,
    controlled: Option<u64>,
    unknown: [u16; 4],
    has_integrity: bool,
    has_fingerprint: bool,
}

impl<'a> Attributes<'a> {
    /// `None`: malformed.
    fn read(message: &Message<'a>, datagram: &'a [u8]) -> Option<Self> {
        let mut read = Self::default();
        for attribute in message.attributes() {
            let attribute = attribute?;
            if attribute.kind == attribute::FINGERPRINT {
                let is_right = attribute.value == fingerprint(&datagram[..attribute.at]);
                read.has_fingerprint = true;
                return (is_right && attribute.end == datagram.len()).then_some(read);
            }
            if !read.has_integrity {
                read.take(attribute.kind, attribute.value)?;
            }
        }
        Some(read)
    }

    fn take(&mut self, kind: u16, value: &'a [u8]) -> Option<()> {
        match kind {
            attribute::USERNAME => self.username = self.username.or(Some(value)),
            attribute::USE_CANDIDATE => self.use_candidate = true,
            attribute::PRIORITY => {
                let priority = u32::from_be_bytes(value.try_into().ok()?);
                self.priority = self.priority.or(Some(priority));
            }
            attribute::ICE_CONTROLLED => {
                let tie_breaker = u64::from_be_bytes(value.try_into().ok()?);
                self.controlled = self.controlled.or(Some(tie_breaker));
            }
            attribute::MESSAGE_INTEGRITY | attribute::MESSAGE_INTEGRITY_SHA256 => self.has_integrity = true,
            other if !attribute::is_understood(other) => {
                if let Some(free) = self.unknown.iter_mut().find(|each| **each == 0 || **each == other) {
                    *free = other;
                }
            }
            _ => {}
        }
        Some(())
    }
}
