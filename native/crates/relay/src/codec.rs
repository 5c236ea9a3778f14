use std::rc::Rc;

use trunkline_control::{MediumKind, PayloadCodec, RemoteMedium};

/// A medium as it was negotiated, in the form that routes are made from.
#[derive(Clone, Debug)]
pub(crate) struct Medium {
    pub kind: MediumKind,
    pub active: bool,
    pub send: bool,
    pub receive: bool,
    pub nack: bool,
    pub transport_cc_id: Option<u8>,
    pub mid: Option<Mid>,
    /// Most wanted first. Mostly the same list as the other.
    pub send_codecs: Rc<[Codec]>,
    pub receive_codecs: Rc<[Codec]>,
}

/// `a=mid` and the number of its header extension (RFC 8843 §15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mid {
    id: u8,
    len: u8,
    text: [u8; 16],
}

/// A codec with its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codec {
    pub clock_hz: u32,
    pub payload_type: u8,
    pub role: CodecRole,
    pub name: Name,
    /// Equal for what one decoder can read: name, clock, channels and the parameters of the bit stream.
    identity: u64,
}

/// What packets of a codec are to a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodecRole {
    Media,
    /// telephone-event (RFC 4733).
    Event,
    /// Comfort noise (RFC 3389): goes with the codec around it.
    Noise,
    /// Speaks of other packets by numbers that do not hold beyond us: rtx, red, FEC.
    Repair,
}

/// Name of a codec, cut to 16 bytes.
pub(crate) type Name = [u8; 16];

impl Medium {
    pub fn new(remote: &RemoteMedium) -> Self {
        let list = |codecs: &[PayloadCodec]| codecs.iter().map(Codec::new).collect::<Rc<[Codec]>>();
        let send_codecs = list(&remote.send_codecs);
        let same = remote.send_codecs == remote.receive_codecs;
        let receive_codecs = if same { send_codecs.clone() } else { list(&remote.receive_codecs) };
        Self {
            kind: remote.kind,
            active: remote.active,
            send: remote.active && remote.send,
            receive: remote.active && remote.receive,
            nack: remote.nack,
            transport_cc_id: remote.transport_cc_extension_id,
            mid: Mid::new(remote),
            send_codecs,
            receive_codecs,
        }
    }
}

impl Mid {
    fn new(remote: &RemoteMedium) -> Option<Self> {
        let (id, value) = (remote.mid_extension_id?, remote.mid.as_deref()?.as_bytes());
        let mut text = [0; 16];
        text.get_mut(..value.len())?.copy_from_slice(value);
        Some(Self { id, len: value.len() as u8, text })
    }

    pub fn id(&self) -> u8 {
        self.id
    }

    pub fn text(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }
}

impl Codec {
    pub fn new(codec: &PayloadCodec) -> Self {
        let lower = codec.name.to_ascii_lowercase();
        let fmtp = codec.fmtp.as_deref().unwrap_or("");
        let mut identity = Fnv::new();
        identity.add(lower.as_bytes());
        identity.add(&codec.clock_rate_hz.to_be_bytes());
        identity.add(&[codec.channels.unwrap_or(1)]);
        identity.add(bit_stream(&lower, fmtp).as_bytes());
        Self {
            clock_hz: codec.clock_rate_hz.max(1),
            payload_type: codec.payload_type,
            role: role_of(&lower),
            name: name_of(&codec.name),
            identity: identity.0,
        }
    }

    pub fn is_same(&self, other: &Codec) -> bool {
        self.identity == other.identity
    }

    pub fn is_named(&self, name: &str) -> bool {
        text_of(&self.name).eq_ignore_ascii_case(name)
    }
}

/// The name up to its zeros.
pub(crate) fn text_of(name: &Name) -> &str {
    let len = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    std::str::from_utf8(&name[..len]).unwrap_or("")
}

fn name_of(text: &str) -> Name {
    let mut name = [0; 16];
    let mut len = text.len().min(16);
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    name[..len].copy_from_slice(&text.as_bytes()[..len]);
    name
}

fn role_of(lower: &str) -> CodecRole {
    match lower {
        "telephone-event" => CodecRole::Event,
        "cn" => CodecRole::Noise,
        "rtx" | "red" | "ulpfec" | "flexfec" | "flexfec-03" => CodecRole::Repair,
        _ => CodecRole::Media,
    }
}

/// The parameters without which a decoder cannot read the stream; others only describe wishes.
fn bit_stream(lower: &str, fmtp: &str) -> String {
    match lower {
        // Profile and constraints, not the level (RFC 6184 §8.1).
        "h264" => {
            let mode = parameter(fmtp, "packetization-mode").unwrap_or("0");
            let profile = parameter(fmtp, "profile-level-id").unwrap_or("42e0");
            format!("{mode} {}", profile.get(..4).unwrap_or(profile).to_ascii_lowercase())
        }
        "vp9" => parameter(fmtp, "profile-id").unwrap_or("0").to_owned(),
        _ => String::new(),
    }
}

fn parameter<'a>(fmtp: &'a str, key: &str) -> Option<&'a str> {
    fmtp.split(|c: char| c == ';' || c.is_whitespace())
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(name, value)| name.eq_ignore_ascii_case(key).then_some(value))
}

/// FNV-1a.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
