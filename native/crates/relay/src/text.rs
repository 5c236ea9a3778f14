use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use trunkline_control::{
    ConnectedTo, Fault, Fingerprint, LocalCandidate, LocalIce, LocalRtpStream, LocalSide, LocalStream,
    MediumKind, RemoteSide, SdesKey, SideSpec,
};
use trunkline_ice::Credentials;
use trunkline_slab::{SlabError, Slot};
use trunkline_srtp::{MasterKey, Suite};

use crate::fault::sessions_exhausted;
use crate::{RtpPlace, SideRecord};

/// What is kept beside a record: what commands change. Replaced as a whole, so a reader finds the old or the new one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(crate) enum SlotText {
    /// In the slot of a side's first medium.
    Side(Box<SideText>),
    /// In the slot of a further one.
    Medium {
        session: String,
        born: u32,
        /// From 1 on.
        medium: usize,
    },
}

/// A side as it was asked for, told and negotiated.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SideText {
    pub session: String,
    /// Number of the side in its session, in the order they were made.
    pub born: u32,
    /// The session was opened as a whole. As long as no side says so nobody was told of the session.
    #[serde(default)]
    pub complete: bool,
    pub spec: SideSpec,
    pub cname: String,
    pub ssrcs: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webrtc: Option<WebRtcText>,
    /// One for each medium of an RTP side.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rtp: Vec<RtpText>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "packed")]
    pub remote: Option<RemoteSide>,
    pub to: ConnectedTo,
    /// The session's count of `connect` when `to` was written: of two sides that disagree the newer is right.
    #[serde(default)]
    pub linked: u64,
    #[serde(default)]
    pub muted: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebRtcText {
    pub ufrag: String,
    pub pwd: String,
    /// Credentials before an ICE restart, good until the peer uses the new ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<(String, String)>,
    pub candidates: Vec<LocalCandidate>,
    /// sha-256 of the certificate that we told.
    pub fingerprint: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RtpText {
    pub place: RtpPlace,
    /// Our SDES keys, in the order of `SUITES`.
    pub keys: Vec<String>,
}

impl SideText {
    pub fn id(&self) -> &str {
        id_of(&self.spec)
    }

    pub fn media(&self) -> &[MediumKind] {
        media_of(&self.spec)
    }

    /// What the peer has to be told.
    pub fn local(&self) -> LocalSide {
        let streams = self.media().iter().zip(&self.ssrcs);
        match &self.webrtc {
            Some(webrtc) => LocalSide::WebRtc {
                id: self.id().to_owned(),
                ice: LocalIce { ufrag: webrtc.ufrag.clone(), pwd: webrtc.pwd.clone(), lite: true },
                candidates: webrtc.candidates.clone(),
                fingerprint: Fingerprint {
                    algorithm: "sha-256".to_owned(),
                    value: webrtc.fingerprint.clone(),
                },
                feedback: FEEDBACK.map(str::to_owned).to_vec(),
                media: streams
                    .map(|(kind, ssrc)| LocalStream { kind: *kind, ssrc: *ssrc, cname: self.cname.clone() })
                    .collect(),
            },
            None => LocalSide::Rtp {
                id: self.id().to_owned(),
                media: streams
                    .zip(&self.rtp)
                    .map(|((kind, ssrc), rtp)| LocalRtpStream {
                        kind: *kind,
                        ssrc: *ssrc,
                        cname: self.cname.clone(),
                        address: rtp.place.address.to_string(),
                        port: rtp.place.port,
                        rtcp_port: rtp.place.rtcp_port,
                        crypto: rtp.offers(),
                    })
                    .collect(),
            },
        }
    }

    /// # Errors
    /// `MEDIA_SESSIONS_EXHAUSTED`: there is no room; the old text stays.
    pub fn store(self: Box<Self>, slot: &mut Slot<SideRecord>) -> Result<(), Fault> {
        SlotText::Side(self).store(slot)
    }

    /// `None` where the slot has no such text: not while a side lives.
    pub fn load(slot: &Slot<SideRecord>) -> Option<Box<Self>> {
        match SlotText::load(slot)? {
            SlotText::Side(side) => Some(side),
            SlotText::Medium { .. } => None,
        }
    }
}

impl SlotText {
    /// See `SideText::store`.
    pub fn store(&self, slot: &mut Slot<SideRecord>) -> Result<(), Fault> {
        let text = serde_json::to_vec(self).map_err(|error| sessions_exhausted(error.to_string()))?;
        slot.set_text(&text).map_err(|error| match error {
            SlabError::Full => sessions_exhausted("there is no room for what was negotiated".to_owned()),
            other => sessions_exhausted(format!("{other:?}")),
        })
    }

    pub fn load(slot: &Slot<SideRecord>) -> Option<Self> {
        serde_json::from_slice(&slot.text()).ok()
    }

    /// Id of the session alone: all slots are asked for it before the first session is recovered.
    pub fn session_of(slot: &Slot<SideRecord>) -> Option<String> {
        #[derive(Deserialize)]
        struct Named {
            session: String,
        }
        serde_json::from_slice::<Named>(&slot.text()).ok().map(|named| named.session)
    }
}

impl WebRtcText {
    pub fn credentials(&self) -> Credentials {
        Credentials { ufrag: self.ufrag.clone(), pwd: self.pwd.clone() }
    }

    pub fn before(&self) -> Option<Credentials> {
        self.before.clone().map(|(ufrag, pwd)| Credentials { ufrag, pwd })
    }
}

impl RtpText {
    /// With a new key for each suite.
    pub fn new(place: RtpPlace) -> Self {
        let keys = SUITES.map(|suite| {
            let (bytes, len) = MasterKey::random(suite).to_bytes();
            STANDARD.encode(&bytes[..len])
        });
        Self { place, keys: keys.to_vec() }
    }

    /// Whether this is one of the keys that we offered.
    pub fn has(&self, suite: Suite, key: &str) -> bool {
        SUITES.iter().zip(&self.keys).any(|(own, own_key)| *own == suite && own_key == key)
    }

    fn offers(&self) -> Vec<SdesKey> {
        let keys = SUITES.iter().zip(&self.keys).zip(1..);
        keys.map(|((suite, key), tag)| SdesKey { tag, suite: suite.name().to_owned(), key: key.clone() })
            .collect()
    }
}

/// What was negotiated with lists that are equal written once: half of a text is names of codecs.
mod packed {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use trunkline_control::{RemoteMedium, RemoteSide};

    #[derive(Serialize, Deserialize)]
    struct Packed {
        #[serde(flatten)]
        remote: RemoteSide,
        /// Media whose codecs are the same in both directions.
        #[serde(default)]
        same: Vec<usize>,
    }

    pub(super) fn serialize<S: Serializer>(remote: &Option<RemoteSide>, to: S) -> Result<S::Ok, S::Error> {
        let packed = remote.clone().map(|mut remote| {
            let mut same = Vec::new();
            for (at, medium) in media_of(&mut remote).iter_mut().enumerate() {
                if medium.receive_codecs == medium.send_codecs {
                    medium.receive_codecs.clear();
                    same.push(at);
                }
            }
            Packed { remote, same }
        });
        packed.serialize(to)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Option<RemoteSide>, D::Error> {
        let packed = Option::<Packed>::deserialize(from)?;
        Ok(packed.map(|Packed { mut remote, same }| {
            let media = media_of(&mut remote);
            for at in same {
                if let Some(medium) = media.get_mut(at) {
                    medium.receive_codecs = medium.send_codecs.clone();
                }
            }
            remote
        }))
    }

    fn media_of(remote: &mut RemoteSide) -> &mut [RemoteMedium] {
        match remote {
            RemoteSide::WebRtc { media, .. } | RemoteSide::Rtp { media } => media,
        }
    }
}

pub(crate) fn id_of(spec: &SideSpec) -> &str {
    match spec {
        SideSpec::WebRtc { id, .. } | SideSpec::Rtp { id, .. } => id,
    }
}

pub(crate) fn media_of(spec: &SideSpec) -> &[MediumKind] {
    match spec {
        SideSpec::WebRtc { media, .. } | SideSpec::Rtp { media, .. } => media,
    }
}

/// The key and salt of an SDES line.
pub(crate) fn decode_key(suite: Suite, key: &str) -> Option<MasterKey> {
    MasterKey::from_bytes(suite, &STANDARD.decode(key).ok()?)
}

/// Every suite that we can do, most wanted first for a peer that can do all.
pub(crate) const SUITES: [Suite; 4] = Suite::ALL;
/// What else than requests for pictures is answered (record 7).
const FEEDBACK: [&str; 2] = ["nack", "transport-cc"];
