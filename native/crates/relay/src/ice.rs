use std::net::SocketAddr;

use trunkline_base::limits::MEDIA_PER_SIDE;
use trunkline_base::{Address, Micros};
use trunkline_control::Event;
use trunkline_ice::{
    Agent, Check, Credentials, Path, PathChange, REPLY_BYTES, StunError, error, is_authentic, read_check,
    success, transaction_of,
};

use crate::cx::Cx;
use crate::record::{AgentRecord, PathRecord, Sealed, SideRecord};
use crate::side::Side;
use crate::text::SideText;
use crate::webrtc::WebRtc;
use crate::{Forward, Settings, Shell, SideIndex, SocketId, TCP_FROM};

const _: () = assert!(MEDIA_PER_SIDE <= u8::MAX as usize);

impl Side {
    /// A STUN check for a user fragment of this side. Only an authentic one that was never seen changes anything; it is
    /// answered again if it comes again.
    pub fn on_check<S: Shell>(
        &mut self,
        index: SideIndex,
        socket: SocketId,
        from: SocketAddr,
        datagram: &[u8],
        settings: &Settings,
        cx: &mut Cx<'_, S>,
    ) {
        let Some(webrtc) = &mut self.webrtc else { return };
        let mut reply = [0; REPLY_BYTES];
        let (check, len) = answer(webrtc, datagram, from, &mut reply);
        if len > 0 {
            cx.shell.send(socket, from, &reply[..len]);
        }
        let Some(check) = check else { return };
        if !webrtc.checks.get_or_insert_default().is_new(&check.transaction) {
            return;
        }
        if check.local_ufrag == webrtc.credentials.ufrag
            && let Some(before) = webrtc.before.take()
        {
            self.retire(&before, cx);
        }
        cx.shell.learn(socket, from, index, true);
        let agent = &mut self.streams.first.slot.agent.agent;
        let path = Path { remote: Address::from(from), socket, pad: 0 };
        let change = agent.on_check(path, check.use_candidate, cx.now);
        if let Some(forgotten) = agent.take_forgotten()
            && let Some(remote) = forgotten.remote.to_std()
        {
            cx.shell.unlearn(forgotten.socket, remote);
        }
        self.note_path();
        match change {
            PathChange::None => return,
            PathChange::Moved => {}
            PathChange::Connected => self.start_dtls(settings, cx),
        }
        self.tell_path(change, cx);
    }

    /// New credentials; the old ones stay good until the peer uses the new ones (RFC 8445 §9). DTLS and SRTP stay
    /// (RFC 8842 §4). The text is the caller's.
    pub fn restart_ice<S: Shell>(&mut self, index: SideIndex, credentials: Credentials, cx: &mut Cx<'_, S>) {
        let Some(webrtc) = &mut self.webrtc else { return };
        cx.shell.accept_ufrag(&credentials.ufrag, index);
        let before = std::mem::replace(&mut webrtc.credentials, credentials);
        if let Some(expired) = webrtc.before.replace(before) {
            cx.shell.retire_ufrag(&expired.ufrag);
        }
        self.change_agent(|agent| agent.restart());
    }

    /// Notices the loss of consent (RFC 7675).
    pub fn check_consent<S: Shell>(&mut self, settings: &Settings, cx: &mut Cx<'_, S>) {
        let (consent, now) = (settings.consent, cx.now);
        if self.webrtc.is_none() || !self.change_agent(|agent| agent.on_wakeup(consent, now)) {
            return;
        }
        self.note_path();
        cx.shell.event(Event::IceDisconnected { session: cx.session.to_owned(), side: self.id.to_string() });
    }

    pub fn consent_deadline(&self, settings: &Settings) -> Option<Micros> {
        self.webrtc.as_ref()?;
        self.streams.first.slot.agent.agent.deadline(settings.consent)
    }

    /// When a check last came.
    pub fn checked_at(&self, consent: Micros) -> Option<Micros> {
        self.webrtc.as_ref()?;
        self.streams.first.slot.agent.agent.deadline(consent).map(|at| at.saturating_sub(consent))
    }

    /// A TCP connection is gone.
    pub fn on_disconnected<S: Shell>(&mut self, socket: SocketId, cx: &mut Cx<'_, S>) {
        if self.webrtc.is_none() {
            return;
        }
        let was = self.streams.first.slot.agent.agent.state();
        self.change_agent(|agent| agent.forget(|path| path.socket == socket));
        self.note_path();
        if was == "connected" && self.streams.first.slot.agent.agent.state() != "connected" {
            cx.shell
                .event(Event::IceDisconnected { session: cx.session.to_owned(), side: self.id.to_string() });
        }
    }

    /// Goes on with the paths that a process before us had.
    pub fn recover_paths<S: Shell>(&mut self, index: SideIndex, cx: &mut Cx<'_, S>) {
        let record = &mut *self.streams.first.slot;
        let mut agent = match record.agent.whole() {
            Some(whole) => whole.agent,
            // Torn: the path in use is enough to go on; the peer's next checks find the others again.
            None => {
                let mut agent = Agent::new();
                if let Some(selected) = record.path.whole().filter(|kept| !kept.path.remote.is_none()) {
                    agent.on_check(selected.path, true, cx.now);
                }
                agent
            }
        };
        agent.forget(|path| path.socket >= TCP_FROM);
        record.agent = AgentRecord::new(agent);
        for path in agent.paths() {
            if let Some(remote) = path.remote.to_std() {
                cx.shell.learn(path.socket, remote, index, true);
            }
        }
        self.note_path();
    }

    /// Nothing that arrives is for this side any more.
    pub fn forget_paths<S: Shell>(&mut self, cx: &mut Cx<'_, S>) {
        let Some(webrtc) = &self.webrtc else { return };
        cx.shell.retire_ufrag(&webrtc.credentials.ufrag);
        if let Some(before) = &webrtc.before {
            cx.shell.retire_ufrag(&before.ufrag);
        }
        for path in self.streams.first.slot.agent.agent.paths() {
            if let Some(remote) = path.remote.to_std() {
                cx.shell.unlearn(path.socket, remote);
            }
        }
    }

    fn retire<S: Shell>(&mut self, before: &Credentials, cx: &mut Cx<'_, S>) {
        cx.shell.retire_ufrag(&before.ufrag);
        let slot = &mut self.streams.first.slot;
        if let Some(mut text) = SideText::load(slot)
            && let Some(webrtc) = &mut text.webrtc
        {
            webrtc.before = None;
            // Where there is no room they stay good a while longer, which harms nobody.
            let _ = text.store(slot);
        }
    }

    fn change_agent<T>(&mut self, change: impl FnOnce(&mut Agent) -> T) -> T {
        let record = &mut self.streams.first.slot.agent;
        let result = change(&mut record.agent);
        record.seal();
        result
    }

    /// After the agent changed: where things go from now on. The spare copy is written while the agent is whole.
    fn note_path(&mut self) {
        let record: &mut SideRecord = &mut self.streams.first.slot;
        record.agent.seal();
        let selected = record.agent.agent.selected();
        if record.path.whole().map(|kept| kept.path) != selected {
            record.path = PathRecord::new(selected.unwrap_or_default());
        }
        let to = selected.and_then(|path| path.remote.to_std().map(|to| Forward { socket: path.socket, to }));
        if let Some(webrtc) = &mut self.webrtc {
            webrtc.path = to;
        }
    }

    /// A peer that hops between addresses is followed at once, but told of once a second.
    fn tell_path<S: Shell>(&mut self, change: PathChange, cx: &mut Cx<'_, S>) {
        let Some(webrtc) = &mut self.webrtc else { return };
        let Some(remote) = webrtc.remote() else { return };
        let quiet = webrtc.path_told_at.is_none_or(|at| cx.now.saturating_sub(at) >= PATH_NEWS_US);
        if change == PathChange::Connected || quiet {
            webrtc.path_told_at = Some(cx.now);
            cx.shell.event(Event::IceConnected {
                session: cx.session.to_owned(),
                side: self.id.to_string(),
                remote: remote.to_string(),
            });
        }
    }
}

/// What to say to a check (RFC 8445 §7.3), and the check if it is authentic and in order. Nothing follows from any other
/// than a short refusal.
fn answer<'a>(
    webrtc: &WebRtc,
    datagram: &'a [u8],
    from: SocketAddr,
    reply: &mut [u8; REPLY_BYTES],
) -> (Option<Check<'a>>, usize) {
    let check = match read_check(datagram) {
        Ok(check) => check,
        Err(StunError::Anonymous) => {
            let transaction = transaction_of(datagram);
            return (None, transaction.map_or(0, |id| error(reply, &id, 400, &[], None)));
        }
        Err(StunError::Malformed | StunError::NotACheck) => return (None, 0),
    };
    let id = &check.transaction;
    let Some(password) = webrtc.password(check.local_ufrag).filter(|pwd| is_authentic(datagram, pwd)) else {
        return (None, error(reply, id, 401, &[], None));
    };
    if check.unknown[0] != 0 {
        let count = check.unknown.iter().take_while(|attribute| **attribute != 0).count();
        return (None, error(reply, id, 420, &check.unknown[..count], Some(password)));
    }
    if check.controlled.is_some() {
        // A lite agent facing a full one stays controlled: the peer has to switch (RFC 8445 §6.1.1, §7.3.1.1).
        return (None, error(reply, id, 487, &[], Some(password)));
    }
    let len = success(reply, id, from, password);
    (Some(check), len)
}

const PATH_NEWS_US: Micros = 1_000_000;
