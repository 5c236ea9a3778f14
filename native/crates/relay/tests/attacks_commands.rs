//! Commands that make no sense, in any order, between packets and deaths: refused or done, never the end of the process.

mod support;

use support::{Phone, Rig, SECOND, WEBRTC, Words, check_datagram, codec, pcmu, rtp_packet, rtp_spec};
use trunkline_control::{
    ConnectedTo, Fingerprint, MediumKind, PayloadCodec, PortPolicy, RemoteDtls, RemoteIce, RemoteMedium,
    RemoteSide, SdesKey, SdesPair, SessionChange, SideSpec,
};
use trunkline_sim::Random;

const IDS: [&str; 6] = ["a", "b", "c", "d", "nobody", ""];

fn one<T: Clone>(random: &mut Random, of: &[T]) -> T {
    of[random.below(of.len() as u64) as usize].clone()
}

fn text(random: &mut Random) -> String {
    let any = [
        "",
        "a",
        "0.0.0.0",
        "::",
        "192.0.2.1",
        "255.255.255.255",
        "ff02::1",
        "::ffff:192.0.2.1",
        "999.1.1.1",
        "é\0\u{202e}",
    ];
    match random.below(12) {
        0 => "x".repeat(random.below(5_000) as usize),
        _ => one(random, &any).to_owned(),
    }
}

fn media(random: &mut Random) -> Vec<MediumKind> {
    let most = if random.chance(0.1) { 9 } else { 3 };
    (0..random.below(most))
        .map(|_| one(random, &[MediumKind::Audio, MediumKind::Audio, MediumKind::Video]))
        .collect()
}

fn side(random: &mut Random) -> SideSpec {
    let id = one(random, &IDS).to_owned();
    let media = media(random);
    if random.chance(0.5) {
        return SideSpec::WebRtc { id, media };
    }
    let ports = one(random, &[None, Some(PortPolicy::Shared)]);
    SideSpec::Rtp { id, media, towards: Some(text(random)), signalled_from: Some(text(random)), ports }
}

fn codecs(random: &mut Random) -> Vec<PayloadCodec> {
    let names = [
        "PCMU",
        "PCMA",
        "opus",
        "telephone-event",
        "CN",
        "rtx",
        "VP8",
        "H264",
        "",
        "ééééééééé",
        "telephone-EVENT",
    ];
    let clocks = [0, 1, 7, 8_000, 48_000, 90_000, 1 << 31, u32::MAX];
    let fmtps =
        ["", "apt=", "profile-level-id=é2e01f", "profile-level-id=42e01f;packetization-mode=1", "=;=;;="];
    let most = if random.chance(0.05) { 80 } else { 5 };
    let one_of = |random: &mut Random| PayloadCodec {
        channels: one(random, &[None, Some(0), Some(2), Some(255)]),
        fmtp: Some(one(random, &fmtps).to_owned()),
        ..codec(one(random, &[0, 8, 96, 101, 111, 127, 128, 255]), one(random, &names), one(random, &clocks))
    };
    let usual = random.chance(0.7).then(pcmu);
    (0..random.below(most)).map(|_| one_of(random)).chain(usual).collect()
}

fn medium(random: &mut Random, kind: MediumKind, keys: &[SdesKey]) -> RemoteMedium {
    let flag = |random: &mut Random| random.chance(0.7);
    let srtp = (random.chance(0.3) && !keys.is_empty()).then(|| {
        let local = one(random, keys);
        let remote = if random.chance(0.7) {
            local.clone()
        } else {
            SdesKey { key: text(random), ..one(random, keys) }
        };
        SdesPair { local, remote }
    });
    RemoteMedium {
        kind,
        active: flag(random),
        send: flag(random),
        receive: flag(random),
        send_codecs: codecs(random),
        receive_codecs: codecs(random),
        mid: random.chance(0.3).then(|| text(random)),
        mid_extension_id: one(random, &[None, Some(0), Some(1), Some(14), Some(15), Some(255)]),
        transport_cc_extension_id: one(random, &[None, Some(0), Some(3), Some(255)]),
        nack: flag(random),
        ptime_ms: one(random, &[None, Some(0), Some(20)]),
        address: if flag(random) { Some("192.0.2.1".into()) } else { Some(text(random)) },
        port: one(random, &[None, Some(0), Some(4_000), Some(4_000), Some(65_535)]),
        rtcp_address: random.chance(0.3).then(|| text(random)),
        rtcp_port: one(random, &[None, Some(0), Some(4_001), Some(65_535)]),
        rtcp_mux: flag(random),
        srtp,
    }
}

fn change(random: &mut Random, rig: &Rig) -> SessionChange {
    use trunkline_control::LocalSide;
    let id = one(random, &IDS).to_owned();
    match random.below(11) {
        0 => SessionChange::AddSide { side: side(random) },
        1 if random.chance(0.3) => SessionChange::DropSide { side: id },
        2 => SessionChange::RestartIce { side: id },
        3 | 4 => {
            let to = match random.below(6) {
                0 => ConnectedTo::Echo,
                1 => ConnectedTo::Tone { frequency_hz: one(random, &[0, 1, 440, 3_999, 4_000, u32::MAX]) },
                2 => ConnectedTo::Silence,
                3 => ConnectedTo::Nothing,
                _ => ConnectedTo::Side { side: one(random, &IDS).to_owned() },
            };
            SessionChange::Connect { side: id, to }
        }
        5 => SessionChange::Mute { side: id, muted: random.chance(0.5) },
        6 => SessionChange::SendDtmf {
            side: id,
            digits: one(random, &["", "1", "*#ABCDabcd", "x", "é", &"9".repeat(65), &"5".repeat(30)])
                .to_owned(),
            duration_ms: one(random, &[None, Some(0), Some(100), Some(u32::MAX)]),
            gap_ms: one(random, &[None, Some(0), Some(u32::MAX)]),
        },
        _ => {
            // Mostly what the side is.
            let local = rig.session().local();
            let Some(side) = (!local.sides.is_empty()).then(|| one(random, &local.sides)) else {
                return SessionChange::DropSide { side: id };
            };
            match side {
                LocalSide::WebRtc { id, media, .. } => SessionChange::Remote {
                    side: id,
                    remote: RemoteSide::WebRtc {
                        ice: RemoteIce { ufrag: text(random), pwd: text(random) },
                        dtls: RemoteDtls {
                            role: one(random, &["active", "passive", "actpass", ""]).to_owned(),
                            fingerprints: (0..random.below(3))
                                .map(|_| Fingerprint {
                                    algorithm: one(random, &["sha-256", "md5", ""]).to_owned(),
                                    value: text(random),
                                })
                                .collect(),
                        },
                        media: media.iter().map(|stream| medium(random, stream.kind, &[])).collect(),
                    },
                },
                LocalSide::Rtp { id, media, .. } => SessionChange::Remote {
                    side: id,
                    remote: RemoteSide::Rtp {
                        media: media
                            .iter()
                            .map(|stream| medium(random, stream.kind, &stream.crypto))
                            .collect(),
                    },
                },
            }
        }
    }
}

/// Packets and checks from where peers could be.
fn traffic(random: &mut Random, rig: &mut Rig) {
    let sockets: Vec<_> = rig.shell.owners.keys().copied().collect();
    for _ in 0..8 {
        let words = Words {
            sequence: random.bits() as u16,
            timestamp: random.bits() as u32,
            payload_type: one(random, &[0, 8, 96, 101, 111, 127]),
            marker: random.chance(0.5),
            ssrc: random.below(3) as u32,
        };
        let from =
            one(random, &["192.0.2.1:4000", "192.0.2.1:4001", "192.0.2.1:65535", "[::1]:9"]).parse().unwrap();
        let payload = vec![5; random.below(300) as usize];
        for next in 0..3 {
            let words = Words { sequence: words.sequence.wrapping_add(next), ..words };
            let socket = if sockets.is_empty() { support::SHARED } else { one(random, &sockets) };
            rig.arrive(socket, from, &rtp_packet(&words, &payload));
            rig.arrive(support::SHARED, from, &rtp_packet(&words, &payload));
        }
        let ufrags: Vec<_> = rig.shell.ufrags.keys().cloned().collect();
        for ufrag in ufrags {
            rig.arrive(WEBRTC, from, &check_datagram(&ufrag, "wrong", true));
        }
        rig.arrive(WEBRTC, from, &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 1]);
    }
}

#[test]
fn no_command_ends_the_process_and_a_call_can_be_made_of_what_is_left() {
    let (mut done, mut refused) = (0, 0);
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let mut rig = Rig::empty();
        while rig.try_open(&[side(&mut random), side(&mut random)]).is_err() {}
        for _ in 0..80 {
            let change = change(&mut random, &rig);
            match rig.try_change(&change) {
                Ok(_) => done += 1,
                Err(fault) => {
                    assert!(fault.code.starts_with("MEDIA_"), "{fault:?}");
                    refused += 1;
                }
            }
            traffic(&mut random, &mut rig);
            rig.advance(random.below(SECOND / 5));
            if random.chance(0.05) && !rig.session().local().sides.is_empty() {
                rig.crash(random.below(SECOND));
            }
            rig.take_events();
            rig.shell.sent.clear();
        }
        let ids = ["x", "y"];
        for id in ids {
            let added = rig.try_change(&SessionChange::AddSide { side: rtp_spec(id) });
            added.unwrap_or_else(|fault| panic!("seed {seed}: {fault:?}"));
        }
        let [mut x, mut y] = [7, 8].map(|host| Phone::new(&mut rig, ids[host as usize - 7], host, &[pcmu()]));
        rig.link("x", "y");
        x.say(&mut rig, 1);
        y.say(&mut rig, 1);
        assert_eq!((x.heard(&mut rig).len(), y.heard(&mut rig).len()), (1, 1), "seed {seed}");
        rig.close();
        assert_eq!(
            (rig.shell.slots_used(), rig.shell.owners.len(), rig.shell.ufrags.len()),
            (0, 0, 0),
            "seed {seed}"
        );
        assert_eq!(rig.shell.sources.len(), 0, "seed {seed}");
    }
    assert!(done > 2_000 && refused > 1_000, "{done} done, {refused} refused");
}
