//! Outside vectors, and how tests read them.

use serde_json::Value;
use trunkline_base::Packet;

use crate::aead::Gcm;
use crate::header::{RtpHeader, rtcp_ssrc};
use crate::transform::{Srtcp, Transform};
use crate::{MasterKey, Opener, Received, Refused, Sealer, Suite};

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().as_chunks::<2>().0;
    digits.iter().map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// A table of the corpora.
pub fn corpus(path: &str) -> Option<Value> {
    let text = std::fs::read_to_string(trunkline_sim::corpora(path)?).expect("a readable file");
    Some(serde_json::from_str(&text).expect("JSON"))
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("{name} in {vector}"))
}

fn packet(vector: &Value, name: &str) -> Packet {
    Packet::from_bytes(&bytes(text(vector, name)))
}

#[test]
fn rfc_7714_16_and_17() {
    let Some(table) = corpus("srtp/rfc7714.json") else { return };
    for vector in table["vectors"].as_array().unwrap() {
        let salt = bytes(text(vector, "session_salt")).try_into().unwrap();
        let gcm = Gcm::from_session_key(&bytes(text(vector, "session_key")), salt);
        let encrypts = text(vector, "mode") == "encrypt";
        match text(vector, "kind") {
            "rtp" if encrypts => gcm_rtp(&gcm, vector),
            "rtp" => {} // RTP is always encrypted (RFC 7714 §8.2); only a profile that we lack authenticates alone.
            _ => gcm_rtcp(&gcm, vector, encrypts),
        }
    }
}

fn gcm_rtp(gcm: &Gcm, vector: &Value) {
    let mut sealed = packet(vector, "plain");
    let header = RtpHeader::read(sealed.bytes()).unwrap();
    let index = vector["roc"].as_u64().unwrap() << 16 | u64::from(header.sequence);
    gcm.seal_rtp(&mut sealed, &header, index);
    assert_eq!(hex(sealed.bytes()), text(vector, "protected"), "{vector}");
    assert!(gcm.open_rtp(&mut sealed, &header, index));
    assert_eq!(hex(sealed.bytes()), text(vector, "plain"));
}

fn gcm_rtcp(gcm: &Gcm, vector: &Value, encrypted: bool) {
    let mut sealed = packet(vector, "plain");
    let ssrc = rtcp_ssrc(sealed.bytes()).unwrap();
    let srtcp = Srtcp { encrypted, index: vector["srtcp_index"].as_u64().unwrap() as u32 };
    if encrypted {
        gcm.seal_rtcp(&mut sealed, ssrc, srtcp);
        assert_eq!(hex(sealed.bytes()), text(vector, "protected"), "{vector}");
    }
    let mut sealed = packet(vector, "protected");
    assert!(gcm.open_rtcp(&mut sealed, ssrc, srtcp), "{vector}");
    assert_eq!(hex(sealed.bytes()), text(vector, "plain"));
    for at in 0..bytes(text(vector, "protected")).len() {
        let mut forged = packet(vector, "protected");
        forged.bytes_mut()[at] ^= 0x10;
        let word = srtcp_of(&forged);
        let ssrc = rtcp_ssrc(forged.bytes()).unwrap_or(ssrc);
        assert!(!gcm.open_rtcp(&mut forged, ssrc, word), "byte {at} of {vector}");
    }
}

fn srtcp_of(packet: &Packet) -> Srtcp {
    let any = Transform::new(&MasterKey::random(Suite::AeadAes128Gcm)).unwrap();
    any.srtcp_of(packet.bytes()).unwrap()
}

#[test]
fn whole_packets() {
    let Some(table) = corpus("srtp/packets.json") else { return };
    let vectors = table["vectors"].as_array().unwrap();
    // By design: an MKI is never negotiated, and suites that are not ours are never offered.
    let ours = vectors.iter().filter(|vector| vector["mki"].is_null());
    let mut tried = 0;
    for vector in ours {
        let Some(suite) = Suite::from_name(text(vector, "profile")) else { continue };
        let mut key = bytes(text(vector, "master_key"));
        key.extend(bytes(text(vector, "master_salt")));
        let key = MasterKey::from_bytes(suite, &key).unwrap();
        whole_rtp(&key, vector);
        if vector["srtcp"].is_string() {
            whole_rtcp(&key, vector);
        }
        tried += 1;
    }
    assert!(tried >= 6, "{tried} vectors are of our suites");
}

fn whole_rtp(key: &MasterKey, vector: &Value) {
    let (sealer, opener) = (Sealer::new(key).unwrap(), Opener::new(key).unwrap());
    let mut sealed = packet(vector, "rtp");
    let header = RtpHeader::read(sealed.bytes()).unwrap();
    let index = vector["roc"].as_u64().unwrap() << 16 | u64::from(header.sequence);
    sealer.protect_rtp(&mut sealed, index);
    assert_eq!(hex(sealed.bytes()), text(vector, "srtp"), "{vector}");
    let mut received = Received::default();
    if index >= 1 << 16 {
        received.rtp.add(header.ssrc, index - 100); // The roll-over counter is not on the wire.
    }
    let before = received;
    for bit in 0..8 * sealed.len() {
        let mut forged = packet(vector, "srtp");
        forged.bytes_mut()[bit / 8] ^= 1 << (bit % 8);
        assert!(opener.open_rtp(&mut forged, &mut received).is_err(), "bit {bit} of {vector}");
        assert_eq!(received, before);
    }
    assert_eq!(opener.open_rtp(&mut sealed, &mut received), Ok(()), "{vector}");
    assert_eq!(hex(sealed.bytes()), text(vector, "rtp"));
    let again = opener.open_rtp(&mut packet(vector, "srtp"), &mut received);
    assert_eq!(again, Err(Refused::Replayed));
}

fn whole_rtcp(key: &MasterKey, vector: &Value) {
    let (sealer, opener) = (Sealer::new(key).unwrap(), Opener::new(key).unwrap());
    let mut sealed = packet(vector, "rtcp");
    sealer.protect_rtcp(&mut sealed, vector["srtcp_index"].as_u64().unwrap() as u32);
    assert_eq!(hex(sealed.bytes()), text(vector, "srtcp"), "{vector}");
    let mut received = Received::default();
    for bit in 0..8 * sealed.len() {
        let mut forged = packet(vector, "srtcp");
        forged.bytes_mut()[bit / 8] ^= 1 << (bit % 8);
        assert!(opener.open_rtcp(&mut forged, &mut received).is_err(), "bit {bit} of {vector}");
        assert_eq!(received, Received::default());
    }
    assert_eq!(opener.open_rtcp(&mut sealed, &mut received), Ok(()));
    assert_eq!(hex(sealed.bytes()), text(vector, "rtcp"));
    let again = opener.open_rtcp(&mut packet(vector, "srtcp"), &mut received);
    assert_eq!(again, Err(Refused::Replayed));
}
