use bytemuck::{Pod, Zeroable};
use trunkline_base::{Address, Micros};

const PATHS: usize = 8;
/// Two checks of a peer may be lost on the way (RFC 7675 §5.1: one every 5 s, a fifth more at most).
const QUIET_US: Micros = 15_000_000;

/// An address pair: where the peer is and on which socket of ours it is heard.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Path {
    /// Where the peer is.
    pub remote: Address,
    /// The number of a socket of ours.
    pub socket: u32,
    /// 0.
    pub pad: u32,
}

impl Path {
    const NONE: Self = Self { remote: Address::NONE, socket: 0, pad: 0 };
}

/// What a check did to the way that media takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathChange {
    /// Nothing.
    None,
    /// The first way to the peer, or one again after consent was lost.
    Connected,
    /// Media goes to another place from now on.
    Moved,
}

/// Which pairs authenticated, and which one is used, of one ICE-lite side (RFC 8445 §2.5); plain data.
///
/// Until there is a nomination the first valid pair is used, then each nomination is followed at once. Consent
/// (RFC 7675) is any authentic check; one on another pair moves media there once the pair in use was silent for 15 s,
/// so that nobody is sent to for long who does not ask for it. Keeps at most 8 pairs: the one heard longest ago gives way, but never the
/// one in use.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct Agent {
    known: [Known; PATHS],
    forgotten: Path,
    last_check_at: Micros,
    /// Index in `known` and 1; 0 before the first check.
    selected: u16,
    /// 1: no check came for too long, so nothing may be sent.
    lost: u16,
    /// 1: the peer changed its credentials, and was not followed since.
    restarted: u16,
    /// 1: `forgotten` was not taken yet.
    has_forgotten: u16,
}

/// A pair that authenticated. No address: free.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
struct Known {
    path: Path,
    heard_at: Micros,
}

impl Default for Agent {
    fn default() -> Self {
        Self::zeroed()
    }
}

impl Agent {
    /// One that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An authentic check came over this path, for the first time (see [`RecentChecks`](crate::RecentChecks)). It may have
    /// pushed out another: [`Self::take_forgotten`] tells.
    pub fn on_check(&mut self, path: Path, use_candidate: bool, now: Micros) -> PathChange {
        let (at, is_new) = self.place_of(&path);
        self.last_check_at = now;
        let before = self.selected;
        let was_lost = std::mem::take(&mut self.lost) == 1;
        // While consent was missing the old path was dead: any that works is better.
        let leads_elsewhere = self.restarted == 1 && is_new || self.is_quiet(now);
        self.known[at] = Known { path, heard_at: now };
        if before == 0 || use_candidate || was_lost || leads_elsewhere {
            self.selected = at as u16 + 1;
        }
        if use_candidate || leads_elsewhere {
            self.restarted = 0;
        }
        match before {
            0 => PathChange::Connected,
            _ if was_lost => PathChange::Connected,
            _ if before != self.selected => PathChange::Moved,
            _ => PathChange::None,
        }
    }

    /// The path that was pushed out by the last `on_check`, once.
    pub fn take_forgotten(&mut self) -> Option<Path> {
        (std::mem::take(&mut self.has_forgotten) == 1).then_some(self.forgotten)
    }

    /// Where media goes; `None` before the first check and after consent was lost.
    #[must_use]
    pub fn selected(&self) -> Option<Path> {
        if self.lost == 1 { None } else { self.in_use().map(|known| known.path) }
    }

    /// Whether media and DTLS may come over this path: an authentic check did.
    #[must_use]
    pub fn is_valid(&self, path: &Path) -> bool {
        self.paths().any(|each| each == *path)
    }

    /// Every pair that authenticated and was not pushed out.
    pub fn paths(&self) -> impl Iterator<Item = Path> + '_ {
        self.known.iter().map(|known| known.path).filter(|path| !path.remote.is_none())
    }

    /// When [`Self::on_wakeup`] has something to say; `None` while there is no consent that could be lost.
    #[must_use]
    pub fn deadline(&self, consent: Micros) -> Option<Micros> {
        (self.selected != 0 && self.lost == 0).then(|| self.last_check_at.saturating_add(consent))
    }

    /// `true`: consent was lost just now. `consent` is the time without a check after which it is (RFC 7675 §5.1: 30 s).
    /// Early calls are harmless.
    pub fn on_wakeup(&mut self, consent: Micros, now: Micros) -> bool {
        let is_lost = self.deadline(consent).is_some_and(|at| at <= now);
        self.lost |= u16::from(is_lost);
        is_lost
    }

    /// The peer's credentials changed (ICE restart): the old paths stay in use until a check with the new ones comes.
    ///
    /// That is a nomination, or the first check from where none came before: a peer that restarts because it moved is
    /// followed before it nominates. A check on an old path may still be one with the old credentials, and moves nothing.
    pub fn restart(&mut self) {
        self.restarted = 1;
    }

    /// `new`, `connected` or `disconnected`. A lite agent sends no checks, so it is never `checking`.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match (self.selected, self.lost) {
            (0, _) => "new",
            (_, 0) => "connected",
            _ => "disconnected",
        }
    }

    /// The peer is not there any more: a connection was closed. If it was in use, the pair heard last is from now on.
    pub fn forget(&mut self, is_gone: impl Fn(&Path) -> bool) {
        let selected = usize::from(self.selected).checked_sub(1);
        for known in self.known.iter_mut().filter(|known| !known.is_free() && is_gone(&known.path)) {
            *known = Known::zeroed();
        }
        if selected.and_then(|at| self.known.get(at)).is_some_and(|known| !known.is_free()) {
            return;
        }
        let left = (0..PATHS).filter(|at| !self.known[*at].is_free());
        let newest = left.max_by_key(|at| self.known[*at].heard_at);
        self.selected = newest.map_or(0, |at| at as u16 + 1);
        self.lost &= u16::from(newest.is_some());
    }

    /// The pair in use was not heard for a while, whatever others were.
    fn is_quiet(&self, now: Micros) -> bool {
        self.in_use().is_some_and(|known| now.saturating_sub(known.heard_at) >= QUIET_US)
    }

    fn in_use(&self) -> Option<&Known> {
        self.known.get(usize::from(self.selected.checked_sub(1)?))
    }

    /// Where the path is kept, and whether it is new there.
    fn place_of(&mut self, path: &Path) -> (usize, bool) {
        if let Some(at) = self.known.iter().position(|known| known.path == *path) {
            return (at, false);
        }
        // A free place was never heard, so it comes first.
        let others = (0..PATHS).filter(|at| at + 1 != usize::from(self.selected));
        let at = others.min_by_key(|at| (!self.known[*at].is_free(), self.known[*at].heard_at)).unwrap_or(0);
        if !self.known[at].is_free() {
            self.forgotten = self.known[at].path;
            self.has_forgotten = 1;
        }
        (at, true)
    }
}

impl Known {
    fn is_free(&self) -> bool {
        self.path == Path::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    const CONSENT: Micros = 30_000_000;

    fn path(port: u16) -> Path {
        let remote = SocketAddr::from(([192, 0, 2, 1], port)).into();
        Path { remote, socket: 3, pad: 0 }
    }

    const WIFI: u16 = 1_000;
    const VPN: u16 = 2_000;
    const MOBILE: u16 = 3_000;

    #[test]
    fn before_nomination_the_first_valid_pair_is_used_then_each_nomination_at_once() {
        let mut ice = Agent::new();
        assert_eq!((ice.selected(), ice.state(), ice.deadline(CONSENT)), (None, "new", None));
        assert_eq!(ice.on_check(path(WIFI), false, 0), PathChange::Connected);
        assert_eq!(ice.on_check(path(VPN), false, 10), PathChange::None);
        assert_eq!(ice.selected(), Some(path(WIFI)));
        assert_eq!(ice.on_check(path(VPN), true, 20), PathChange::Moved);
        assert_eq!(ice.on_check(path(WIFI), false, 30), PathChange::None);
        assert_eq!(ice.selected(), Some(path(VPN)));
        assert_eq!(ice.on_check(path(MOBILE), true, 40), PathChange::Moved);
        assert_eq!(ice.selected(), Some(path(MOBILE)));
        assert_eq!(ice.state(), "connected");
    }

    #[test]
    fn rfc_7675_consent_is_lost_once_and_a_check_brings_it_back() {
        let mut ice = Agent::new();
        ice.on_check(path(WIFI), true, 1_000);
        ice.on_check(path(VPN), false, 5_000);
        let at = 5_000 + CONSENT;
        assert_eq!(ice.deadline(CONSENT), Some(at));
        assert!(!ice.on_wakeup(CONSENT, at - 1));
        assert!(ice.on_wakeup(CONSENT, at));
        assert!(!ice.on_wakeup(CONSENT, at + 1));
        assert_eq!((ice.state(), ice.selected(), ice.deadline(CONSENT)), ("disconnected", None, None));
        assert_eq!(ice.on_check(path(MOBILE), false, at + 5), PathChange::Connected);
        assert_eq!(ice.selected(), Some(path(MOBILE)));
        assert_eq!(ice.deadline(CONSENT), Some(at + 5 + CONSENT));
    }

    #[test]
    fn only_where_a_check_came_from_is_valid() {
        let mut ice = Agent::new();
        ice.on_check(path(WIFI), false, 0);
        assert!(ice.is_valid(&path(WIFI)));
        assert!(!ice.is_valid(&path(VPN)));
        assert!(!ice.is_valid(&Path { socket: 4, ..path(WIFI) }), "another socket of ours");
        assert!(!ice.is_valid(&Path::NONE));
    }

    #[test]
    fn the_pair_heard_longest_ago_gives_way_but_never_the_one_in_use() {
        let mut ice = Agent::new();
        ice.on_check(path(WIFI), true, 0);
        for port in 1..8 {
            ice.on_check(path(port), false, port.into());
        }
        assert_eq!(ice.take_forgotten(), None);
        ice.on_check(path(1), false, 50);
        ice.on_check(path(8), false, 60);
        assert_eq!(ice.take_forgotten(), Some(path(2)));
        assert_eq!(ice.take_forgotten(), None);
        assert!(ice.is_valid(&path(WIFI)) && ice.is_valid(&path(1)) && !ice.is_valid(&path(2)));
        for port in 100..1_000 {
            ice.on_check(path(port), false, port.into());
            assert_eq!(ice.selected(), Some(path(WIFI)));
            assert_eq!(ice.paths().count(), PATHS);
        }
    }

    #[test]
    fn media_leaves_a_pair_that_is_not_heard_any_more_for_one_that_is() {
        let mut ice = Agent::new();
        ice.on_check(path(WIFI), true, 0);
        assert_eq!(ice.on_check(path(VPN), false, QUIET_US - 1), PathChange::None);
        assert_eq!(ice.on_check(path(WIFI), false, QUIET_US), PathChange::None, "late, but the one in use");
        assert_eq!(ice.on_check(path(VPN), false, 2 * QUIET_US - 1), PathChange::None);
        assert_eq!(ice.on_check(path(VPN), false, 2 * QUIET_US), PathChange::Moved);
        assert_eq!(ice.selected(), Some(path(VPN)));
    }

    #[test]
    fn a_closed_connection_leaves_the_pair_heard_last_and_no_new_consent() {
        let is_wifi = |gone: &Path| *gone == path(WIFI);
        let mut ice = Agent::new();
        ice.on_check(path(WIFI), true, 0);
        for (port, at) in [(VPN, 10), (MOBILE, 20)] {
            ice.on_check(path(port), false, at);
        }
        ice.forget(|gone| *gone == path(VPN));
        assert_eq!((ice.selected(), ice.is_valid(&path(VPN))), (Some(path(WIFI)), false));
        ice.forget(is_wifi);
        assert_eq!((ice.selected(), ice.deadline(CONSENT)), (Some(path(MOBILE)), Some(20 + CONSENT)));
        assert!(ice.on_wakeup(CONSENT, 20 + CONSENT));
        ice.forget(is_wifi);
        assert_eq!((ice.selected(), ice.state()), (None, "disconnected"));
        ice.forget(|_| true);
        assert_eq!((ice.selected(), ice.state(), ice.paths().count()), (None, "new", 0));
        assert_eq!(ice.on_check(path(VPN), false, 50), PathChange::Connected);
    }

    #[test]
    fn after_a_restart_media_goes_on_where_it_went_until_the_new_credentials_are_used() {
        let mut ice = Agent::new();
        ice.on_check(path(WIFI), true, 0);
        ice.on_check(path(VPN), false, 10);
        ice.restart();
        assert_eq!((ice.selected(), ice.state()), (Some(path(WIFI)), "connected"));
        assert_eq!(ice.on_check(path(VPN), false, 20), PathChange::None, "perhaps with the old ones");
        assert_eq!(ice.on_check(path(WIFI), false, 30), PathChange::None);
        assert_eq!(ice.on_check(path(MOBILE), false, 40), PathChange::Moved);
        assert_eq!(ice.on_check(path(9), false, 50), PathChange::None, "the first one is used");
        assert_eq!(ice.on_check(path(VPN), true, 60), PathChange::Moved);
        assert_eq!(ice.selected(), Some(path(VPN)));
    }

    #[test]
    fn it_is_plain_data_that_another_process_goes_on_with() {
        let mut ice = Agent::new();
        ice.on_check(path(WIFI), true, 7);
        let mut copy: Agent = bytemuck::pod_read_unaligned(bytemuck::bytes_of(&ice));
        assert_eq!(copy, ice);
        assert_eq!(copy.on_check(path(VPN), true, 9), PathChange::Moved);
        assert_eq!(copy.paths().count(), 2);
    }
}
