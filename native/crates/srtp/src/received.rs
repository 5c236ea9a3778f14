use bytemuck::{Pod, Zeroable};
use trunkline_base::limits::SSRCS_PER_STREAM;

use crate::replay_window::ReplayWindow;

/// SSRCs of which only the highest index is kept.
const FORGOTTEN: usize = 10;

/// What was received under a master key: roll-over counters and replay windows per SSRC, for RTP and RTCP.
///
/// Forgets the SSRC heard longest ago when there are too many, but keeps its highest index: should it come back, nothing
/// up to that is taken again (RFC 3711 §3.2.1). That is known of ten SSRCs more. An eleventh pushes the first of them out;
/// refusing it instead would let a peer that takes a new SSRC at each hold lose its call, while the replay that
/// becomes possible needs a recording of the same key and the peer's address.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Received {
    pub(crate) rtp: Sources,
    pub(crate) rtcp: Sources,
}

impl Default for Received {
    fn default() -> Self {
        Self::zeroed()
    }
}

/// The SSRCs of RTP or of RTCP. Only authentic packets get here.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Sources {
    known: [Source; SSRCS_PER_STREAM],
    forgotten: [Forgotten; FORGOTTEN],
    /// Counts how often another SSRC than the last was heard.
    turn: u32,
    /// Which of `forgotten` gives way next.
    oldest: u32,
}

impl Sources {
    /// `None`: an SSRC that was never heard, or too long ago.
    pub fn highest(&self, ssrc: u32) -> Option<u64> {
        self.known(ssrc).map_or_else(|| self.forgotten(ssrc), |source| source.window.highest())
    }

    /// Whether this index of the SSRC may still come.
    pub fn is_new(&self, ssrc: u32, index: u64) -> bool {
        match self.known(ssrc) {
            Some(source) => source.window.is_new(index),
            None => self.forgotten(ssrc).is_none_or(|highest| index > highest),
        }
    }

    /// Marks an index that is new as seen.
    pub fn add(&mut self, ssrc: u32, index: u64) {
        let at = self.known.iter().position(|source| source.is(ssrc)).unwrap_or_else(|| self.make_room(ssrc));
        let source = &mut self.known[at];
        source.window.add(index);
        if source.heard_in != self.turn {
            self.turn = self.turn.wrapping_add(1);
            source.heard_in = self.turn;
        }
    }

    fn known(&self, ssrc: u32) -> Option<&Source> {
        self.known.iter().find(|source| source.is(ssrc))
    }

    fn forgotten(&self, ssrc: u32) -> Option<u64> {
        self.forgotten.iter().find(|entry| entry.ssrc == ssrc).and_then(Forgotten::highest)
    }

    /// Puts the SSRC in the place of the one heard longest ago, which is remembered first.
    fn make_room(&mut self, ssrc: u32) -> usize {
        let age =
            |source: &Source| (source.window.highest().is_none(), self.turn.wrapping_sub(source.heard_in));
        let at = (0..SSRCS_PER_STREAM).max_by_key(|at| age(&self.known[*at])).unwrap_or(0);
        let window = self.forgotten(ssrc).map_or(ReplayWindow::zeroed(), ReplayWindow::after);
        let gone = self.known[at];
        if let Some(highest) = gone.window.highest() {
            self.remember(ssrc, Forgotten::new(gone.ssrc, highest));
        }
        self.known[at] = Source { window, ssrc, heard_in: self.turn.wrapping_sub(1) };
        at
    }

    /// In the place of the SSRC that came back, if it did.
    fn remember(&mut self, came_back: u32, gone: Forgotten) {
        let free =
            self.forgotten.iter().position(|entry| entry.ssrc == came_back && entry.highest().is_some());
        let at = free.unwrap_or_else(|| {
            let at = self.oldest as usize % FORGOTTEN;
            self.oldest = (at as u32 + 1) % FORGOTTEN as u32;
            at
        });
        self.forgotten[at] = gone;
    }
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
struct Source {
    window: ReplayWindow,
    ssrc: u32,
    /// The turn in which it was heard last.
    heard_in: u32,
}

impl Source {
    fn is(&self, ssrc: u32) -> bool {
        self.ssrc == ssrc && self.window.highest().is_some()
    }
}

/// The highest index of an SSRC. All zero: free.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
struct Forgotten {
    ssrc: u32,
    roc: u32,
    sequence: u16,
    set: u16,
}

impl Forgotten {
    fn new(ssrc: u32, highest: u64) -> Self {
        Self { ssrc, roc: (highest >> 16) as u32, sequence: highest as u16, set: 1 }
    }

    fn highest(&self) -> Option<u64> {
        (self.set != 0).then_some(u64::from(self.roc) << 16 | u64::from(self.sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(sources: &mut Sources, ssrcs: impl IntoIterator<Item = u32>) {
        for ssrc in ssrcs {
            sources.add(ssrc, 1_000);
        }
    }

    #[test]
    fn it_fits_the_slab() {
        assert_eq!(size_of::<Received>(), 512);
    }

    #[test]
    fn the_one_heard_longest_ago_gives_way() {
        let mut sources = Sources::zeroed();
        heard(&mut sources, [1, 2, 3, 4]);
        sources.add(1, 1_001);
        heard(&mut sources, [5]);
        let known: Vec<u32> = (0..=5).filter(|ssrc| sources.known(*ssrc).is_some()).collect();
        assert_eq!(known, [1, 3, 4, 5]);
        assert!(sources.is_new(1, 999), "its window is whole");
    }

    #[test]
    fn who_comes_back_goes_on_where_it_was() {
        let mut sources = Sources::zeroed();
        heard(&mut sources, [7]);
        heard(&mut sources, 100..104 + FORGOTTEN as u32 - 1);
        assert_eq!(sources.highest(7), Some(1_000));
        assert!(!sources.is_new(7, 999) && !sources.is_new(7, 1_000) && sources.is_new(7, 1_001));
        sources.add(7, 1_002);
        assert!(!sources.is_new(7, 999) && sources.is_new(7, 1_001));
    }

    #[test]
    fn the_eleventh_forgotten_pushes_the_first_out() {
        let mut sources = Sources::zeroed();
        heard(&mut sources, [7]);
        heard(&mut sources, 100..104 + FORGOTTEN as u32);
        assert_eq!(sources.highest(7), None);
        assert_eq!(sources.highest(100), Some(1_000));
    }

    /// Ten that take turns with the four known ones: nobody is ever lost, however often.
    #[test]
    fn as_many_as_are_remembered_may_take_turns_for_ever() {
        let mut sources = Sources::zeroed();
        let ssrcs = 0..(SSRCS_PER_STREAM + FORGOTTEN) as u32;
        for round in 0..50 {
            for ssrc in ssrcs.clone() {
                assert_eq!(sources.highest(ssrc), (round > 0).then_some(round), "SSRC {ssrc}, round {round}");
                sources.add(ssrc, round + 1);
            }
        }
    }

    #[test]
    fn ssrc_0_is_one_like_any_other() {
        let mut sources = Sources::zeroed();
        assert_eq!(sources.highest(0), None);
        assert!(sources.is_new(0, 0));
        sources.add(0, 0);
        assert_eq!(sources.highest(0), Some(0));
        assert!(!sources.is_new(0, 0));
        heard(&mut sources, 1..=4);
        assert_eq!(sources.highest(0), Some(0));
    }

    #[test]
    fn age_is_told_across_the_wrap_of_turns() {
        let mut sources = Sources { turn: u32::MAX - 2, ..Sources::zeroed() };
        heard(&mut sources, [1, 2, 3, 4, 1, 5]);
        assert!(sources.known(1).is_some() && sources.known(2).is_none());
    }
}
