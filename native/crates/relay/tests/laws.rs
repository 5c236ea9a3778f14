//! Laws that hold over every order of events: packets, commands, deaths of the process.

mod support;

use std::collections::HashMap;

use proptest::prelude::*;
use support::{Browser, MS, Phone, Rig, dtmf_8, pcmu, rtp_spec, webrtc_spec};
use trunkline_control::MediumKind::Audio;
use trunkline_control::{ConnectedTo, LocalSide, SessionChange};
use trunkline_rtp::is_rtcp;
use trunkline_srtp::Suite;

/// `a` is a browser, `b` and `c` are phones.
const SIDES: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Some packets of a side, with this many lost before them.
    Say {
        side: usize,
        packets: u8,
        lost: u8,
    },
    /// A side begins new numbers.
    Restart {
        side: usize,
        sequence: u16,
        ssrc: u32,
    },
    Link {
        side: usize,
        partner: usize,
    },
    To {
        side: usize,
        to: u8,
    },
    Hold {
        side: usize,
        send: bool,
        receive: bool,
    },
    Mute {
        side: usize,
        muted: bool,
    },
    /// `c` agrees on another suite.
    Secure {
        suite: usize,
    },
    Digits {
        side: usize,
    },
    /// The browser comes back with another certificate.
    Reconnect,
    Roam {
        port: u16,
    },
    RestartIce,
    Wait {
        ms: u16,
    },
    Die {
        ms: u8,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = 0..3_usize;
    let step = prop_oneof![
        8 => (side.clone(), 1..6_u8, 0..3_u8).prop_map(|(side, packets, lost)| Step::Say { side, packets, lost }),
        1 => (side.clone(), any::<u16>(), 0..3_u32).prop_map(|(side, sequence, ssrc)| Step::Restart { side, sequence, ssrc }),
        2 => (side.clone(), side.clone()).prop_map(|(side, partner)| Step::Link { side, partner }),
        1 => (side.clone(), 0..4_u8).prop_map(|(side, to)| Step::To { side, to }),
        1 => (side.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(side, send, receive)| Step::Hold { side, send, receive }),
        1 => (side.clone(), any::<bool>()).prop_map(|(side, muted)| Step::Mute { side, muted }),
        1 => (0..4_usize).prop_map(|suite| Step::Secure { suite }),
        1 => side.prop_map(|side| Step::Digits { side }),
        1 => Just(Step::Reconnect),
        1 => (1_024..60_000_u16).prop_map(|port| Step::Roam { port }),
        1 => Just(Step::RestartIce),
        3 => (0..600_u16).prop_map(|ms| Step::Wait { ms }),
        2 => (0..50_u8).prop_map(|ms| Step::Die { ms }),
    ];
    prop::collection::vec(step, 1..60)
}

/// What reached one peer.
#[derive(Default)]
struct Line {
    /// Datagrams as they left, by sequence number; a run is shorter than a cycle of them.
    left: HashMap<u16, Vec<u8>>,
    last: Option<(u16, u32)>,
}

struct World {
    rig: Rig,
    browser: Browser,
    browsers: u8,
    phones: [Phone; 2],
    /// Next number and timestamp of each side's voice, its SSRC, and its lines toward us.
    voices: [(u16, u32, u32); 3],
    lines: [Line; 3],
    rtcp: HashMap<(u32, [u8; 4]), Vec<u8>>,
}

impl World {
    fn new() -> Self {
        let mut rig = Rig::open(&[webrtc_spec("a", &[Audio]), rtp_spec("b"), rtp_spec("c")]);
        let codecs = [pcmu(), dtmf_8()];
        let phones = [("b", 2), ("c", 3)].map(|(side, host)| Phone::new(&mut rig, side, host, &codecs));
        let mut browser = Browser::new("a", 1, "active", &codecs);
        browser.connect(&mut rig);
        rig.link("a", "b");
        let voices = [(100, 5_000, 1), (60_000, 9, 2), (32_760, 77, 3)];
        Self { rig, browser, browsers: 1, phones, voices, lines: Default::default(), rtcp: HashMap::new() }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Say { side, packets, lost } => {
                let lost = u16::from(lost);
                self.voices[side].0 = self.voices[side].0.wrapping_add(lost);
                self.voices[side].1 = self.voices[side].1.wrapping_add(u32::from(lost) * 160);
                (0..packets).for_each(|_| self.say(side));
            }
            Step::Restart { side, sequence, ssrc } => {
                // Under one key numbers only rise, so whoever encrypts takes a new SSRC.
                let ssrc = if side == 1 { 20 + ssrc } else { self.voices[side].2 + 10 };
                let sequence = if side == 1 { sequence } else { sequence & 0x3fff };
                self.voices[side] = (sequence, u32::from(sequence) * 7, ssrc);
            }
            Step::Link { side, partner } if side != partner => self.rig.link(SIDES[side], SIDES[partner]),
            Step::Link { .. } => {}
            Step::To { side, to } => {
                let to = match to {
                    0 => ConnectedTo::Nothing,
                    1 => ConnectedTo::Echo,
                    2 => ConnectedTo::Silence,
                    _ => ConnectedTo::Tone { frequency_hz: 440 },
                };
                self.rig.connect(SIDES[side], to);
            }
            Step::Hold { side, send, receive } => self.hold(side, send, receive),
            Step::Mute { side, muted } => {
                self.rig.change(&SessionChange::Mute { side: SIDES[side].into(), muted });
            }
            Step::Secure { suite } => self.phones[1].secure(&mut self.rig, Suite::ALL[suite]),
            Step::Digits { side } => {
                let digits = SessionChange::SendDtmf {
                    side: SIDES[side].into(),
                    digits: "12".into(),
                    duration_ms: None,
                    gap_ms: None,
                };
                // Too many at once are refused.
                let _ = self.rig.try_change(&digits);
            }
            Step::Reconnect => self.reconnect(),
            Step::Roam { port } => {
                self.browser.settle(&mut self.rig);
                self.browser.address.set_port(port);
                self.browser.check(&mut self.rig, true);
            }
            Step::RestartIce => {
                self.rig.change(&SessionChange::RestartIce { side: "a".into() });
                self.browser.check(&mut self.rig, true);
            }
            Step::Wait { ms } => self.rig.advance(u64::from(ms) * MS),
            Step::Die { ms } => {
                self.check();
                self.rig.crash(u64::from(ms) * MS);
            }
        }
        self.check();
    }

    fn say(&mut self, side: usize) {
        let (sequence, timestamp, ssrc) = self.voices[side];
        self.voices[side] = (sequence.wrapping_add(1), timestamp.wrapping_add(160), ssrc);
        let words = support::Words { sequence, timestamp, payload_type: 0, marker: false, ssrc };
        if side == 0 {
            let packet = support::rtp_packet(&words, &[side as u8; 160]);
            self.browser.send_rtp(&mut self.rig, &packet);
        } else {
            self.phones[side - 1].send_as(&mut self.rig, &words, &[side as u8; 160]);
        }
        self.rig.advance(20 * MS);
    }

    fn hold(&mut self, side: usize, send: bool, receive: bool) {
        if side == 0 {
            (self.browser.media[0].send, self.browser.media[0].receive) = (send, receive);
            self.rig.change(&self.browser.remote());
        } else {
            let phone = &mut self.phones[side - 1];
            (phone.remote.send, phone.remote.receive) = (send, receive);
            phone.negotiate(&mut self.rig);
        }
    }

    fn reconnect(&mut self) {
        self.check();
        self.browsers = self.browsers % 200 + 1;
        let media = self.browser.media.clone();
        let role = if self.browsers.is_multiple_of(2) { "passive" } else { "active" };
        self.browser = Browser::new("a", self.browsers, role, &[]);
        self.browser.media = media;
        self.browser.connect(&mut self.rig);
    }

    /// Takes what reached each peer, and looks at it.
    fn check(&mut self) {
        self.browser.settle(&mut self.rig);
        let sealed: Vec<Vec<u8>> = self.browser.raw.drain(..).collect();
        let plain = std::mem::take(&mut self.browser.rtp);
        self.browser.rtcp.clear();
        let (rtcp, rtp): (Vec<_>, Vec<_>) = sealed.into_iter().partition(|bytes| is_rtcp(bytes));
        self.note_rtcp(rtcp);
        assert_eq!(rtp.len(), plain.len(), "each opened with the browser's keys");
        self.note(0, rtp, &plain);
        for side in [1, 2] {
            let phone = &mut self.phones[side - 1];
            let datagrams: Vec<_> = self
                .rig
                .take_sent(phone.address)
                .into_iter()
                .map(|sent| sent.bytes)
                .filter(|bytes| !is_rtcp(bytes))
                .collect();
            let plain: Vec<_> = datagrams.iter().map(|bytes| phone.open(bytes)).collect();
            self.note(side, datagrams, &plain);
        }
    }

    fn note(&mut self, side: usize, datagrams: Vec<Vec<u8>>, plain: &[support::Heard]) {
        let ssrc = match self.rig.local(SIDES[side]) {
            LocalSide::WebRtc { media, .. } => media[0].ssrc,
            LocalSide::Rtp { media, .. } => media[0].ssrc,
        };
        let line = &mut self.lines[side];
        for (bytes, heard) in datagrams.into_iter().zip(plain) {
            assert_eq!(heard.ssrc, ssrc, "one SSRC toward {}", SIDES[side]);
            if let Some((sequence, timestamp)) = line.last {
                let ahead = heard.sequence.wrapping_sub(sequence).cast_signed();
                assert!(ahead > 0, "numbers toward {} go back by {ahead}", SIDES[side]);
                assert!(ahead < 60, "{ahead} numbers toward {} are missing", SIDES[side]);
                let later = heard.timestamp.wrapping_sub(timestamp).cast_signed();
                assert!(later >= 0, "timestamps toward {} go back by {later}", SIDES[side]);
            }
            line.last = Some((heard.sequence, heard.timestamp));
            let before = line.left.insert(heard.sequence, bytes);
            assert_eq!(before, None, "number {} left twice toward {}", heard.sequence, SIDES[side]);
        }
    }

    /// No index of SRTCP twice: with AES-GCM, which browsers of ours agree on, it stands in the last four bytes.
    fn note_rtcp(&mut self, compounds: Vec<Vec<u8>>) {
        for compound in compounds {
            let ssrc = u32::from_be_bytes([compound[4], compound[5], compound[6], compound[7]]);
            let index = *compound.last_chunk::<4>().unwrap();
            assert_eq!(self.rtcp.insert((ssrc, index), compound), None, "an SRTCP index twice");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn toward_each_peer_one_ssrc_rising_numbers_and_none_twice(steps in steps()) {
        let mut world = World::new();
        world.step(Step::Say { side: 0, packets: 2, lost: 0 });
        for step in steps {
            world.step(step);
        }
        // Whatever happened, a call can go on.
        world.hold(0, true, true);
        world.hold(1, true, true);
        for muted in ["a", "b"] {
            world.rig.change(&SessionChange::Mute { side: muted.into(), muted: false });
        }
        world.rig.link("a", "b");
        world.rig.advance(2_000 * MS);
        world.browser.check(&mut world.rig, true);
        world.check();
        let before = world.lines.each_ref().map(|line| line.left.len());
        for _ in 0..3 {
            world.say(0);
            world.say(1);
        }
        world.check();
        prop_assert!(world.lines[0].left.len() >= before[0] + 2, "the browser hears nothing");
        prop_assert!(world.lines[1].left.len() >= before[1] + 2, "the phone hears nothing");
    }
}
