use trunkline_base::Micros;
use trunkline_control::Event;

use crate::Shell;
use crate::cx::Cx;

/// Watches what arrives on a side: the first packet, silence, goodbye. Each is told once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Monitor {
    /// `HEARD` and others below. Kept in the record, so that nothing is told again after a restart.
    told: u32,
    /// When the peer was last allowed to send and had a way to; `None` while it is not.
    expected_since: Option<Micros>,
    /// An RTCP BYE came, and no media since.
    goodbye_at: Option<Micros>,
    /// When packets were last refused, and why: tells causes of silence apart.
    wrong_source_at: Micros,
    not_authentic_at: Micros,
}

/// What the monitor cannot see itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outlook {
    /// Whether the peer may send audio and has a way to.
    pub expected: bool,
    /// When a valid packet last came; 0 for never.
    pub heard_at: Micros,
    /// When a check last came, on a WebRTC side.
    pub checked_at: Option<Micros>,
}

impl Monitor {
    /// As a process before us left it.
    pub fn restored(told: u32, now: Micros) -> Self {
        Self { told, goodbye_at: (told & GOODBYE != 0).then_some(now), ..Self::default() }
    }

    pub fn told(&self) -> u32 {
        self.told
    }

    /// Whether `on_media` would have nothing to do: asked for every packet.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.told & !ENDED == HEARD
    }

    /// A valid packet came.
    pub fn on_media<S: Shell>(&mut self, side: &str, remote: impl FnOnce() -> String, cx: &mut Cx<'_, S>) {
        self.goodbye_at = None;
        let before = self.told;
        self.told = (before | HEARD) & !(SILENT | GOODBYE);
        let (session, side) = (cx.session.to_owned(), side.to_owned());
        if before & HEARD == 0 {
            cx.shell.event(Event::FirstPacket { session, side, remote: remote() });
        } else if before & SILENT != 0 {
            cx.shell.event(Event::Resumed { session, side });
        }
    }

    /// RTCP BYE. It may only end one SSRC of a peer that goes on with another: silence has to follow.
    pub fn on_goodbye(&mut self, now: Micros) {
        self.goodbye_at.get_or_insert(now);
        self.told |= GOODBYE;
    }

    /// The transport itself ended.
    pub fn on_ended<S: Shell>(&mut self, side: &str, cx: &mut Cx<'_, S>) {
        self.goodbye_at = None;
        self.told &= !GOODBYE;
        if self.told & ENDED == 0 {
            self.told |= ENDED;
            cx.shell.event(Event::Ended { session: cx.session.to_owned(), side: side.to_owned() });
        }
    }

    pub fn on_wrong_source(&mut self, now: Micros) {
        self.wrong_source_at = now;
    }

    pub fn on_not_authentic(&mut self, now: Micros) {
        self.not_authentic_at = now;
    }

    /// When `wake` has something to do.
    pub fn deadline(&self, outlook: &Outlook, silence: Micros) -> Option<Micros> {
        let goodbye = self.goodbye_at.map(|at| at + GOODBYE_US);
        let silent = match (self.expected_since, outlook.expected) {
            (Some(since), true) if self.told & SILENT == 0 => Some(since.max(outlook.heard_at) + silence),
            // To be noted at once.
            (None, true) | (Some(_), false) => Some(0),
            _ => None,
        };
        goodbye.into_iter().chain(silent).min()
    }

    pub fn wake<S: Shell>(&mut self, side: &str, outlook: &Outlook, silence: Micros, cx: &mut Cx<'_, S>) {
        if self.goodbye_at.is_some_and(|at| cx.now >= at + GOODBYE_US) {
            self.on_ended(side, cx);
        }
        if !outlook.expected {
            self.expected_since = None;
            self.told &= !SILENT;
            return;
        }
        let since = *self.expected_since.get_or_insert(cx.now);
        let quiet_since = since.max(outlook.heard_at);
        let quiet = cx.now.saturating_sub(quiet_since);
        if self.told & SILENT != 0 || quiet < silence {
            return;
        }
        self.told |= SILENT;
        cx.shell.event(Event::Silent {
            session: cx.session.to_owned(),
            side: side.to_owned(),
            for_ms: quiet / 1_000,
            cause: self.cause(outlook, quiet_since, cx.now).to_owned(),
        });
    }

    /// The most telling of what is known.
    fn cause(&self, outlook: &Outlook, quiet_since: Micros, now: Micros) -> &'static str {
        if self.not_authentic_at >= quiet_since {
            "not-authentic"
        } else if self.wrong_source_at >= quiet_since {
            "wrong-source"
        } else if outlook.checked_at.is_some_and(|at| now.saturating_sub(at) > CHECKS_APART_US) {
            "no-consent"
        } else if self.told & HEARD == 0 {
            "never-heard"
        } else {
            "stopped"
        }
    }
}

const HEARD: u32 = 1;
const SILENT: u32 = 2;
const ENDED: u32 = 4;
const GOODBYE: u32 = 8;

const GOODBYE_US: Micros = 1_000_000;
/// Longer than a browser leaves between two checks (RFC 7675 §5.1: 5 s, a fifth more at most).
const CHECKS_APART_US: Micros = 7_000_000;
