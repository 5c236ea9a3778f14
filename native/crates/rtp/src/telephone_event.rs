/// The payload of a telephone-event (RFC 4733 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TelephoneEvent {
    pub event: u8,
    pub end: bool,
    /// In dBm0 without the sign, 6 bits.
    pub volume: u8,
    /// Since the start of the event, in ticks of the event's clock.
    pub duration: u16,
}

impl TelephoneEvent {
    /// `None`: too short. What follows the first event is not looked at.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let [event, second, high, low, ..] = *payload else { return None };
        Some(Self {
            event,
            end: second & END != 0,
            volume: second & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    pub fn to_bytes(self) -> [u8; EVENT_BYTES] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, self.volume & 0x3f | if self.end { END } else { 0 }, high, low]
    }
}

/// The digit of an event code (RFC 4733 §3.2); `None`: not DTMF.
pub(crate) fn digit_of(event: u8) -> Option<char> {
    DIGITS.get(usize::from(event)).copied().map(char::from)
}

/// The event code of a digit, letters in either case.
pub(crate) fn event_of(digit: char) -> Option<u8> {
    let digit = u8::try_from(digit.to_ascii_uppercase()).ok()?;
    DIGITS.iter().position(|known| *known == digit).map(|event| event as u8)
}

/// The longest duration a packet can say, in ticks; a longer event is told in segments (RFC 4733 §2.5.1.3).
pub(crate) const LONGEST_DURATION: u32 = 0xffff;
pub(crate) const EVENT_BYTES: usize = 4;
const DIGITS: &[u8; 16] = b"0123456789*#ABCD";
const END: u8 = 0x80;
