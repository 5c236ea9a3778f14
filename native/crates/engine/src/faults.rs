//! The codes of `src/base/errors.ts` that this crate answers by itself.

use trunkline_control::Fault;

fn fault(code: &str, message: impl Into<String>) -> Fault {
    Fault { code: code.into(), message: message.into() }
}

pub(crate) fn ports_exhausted() -> Fault {
    fault("MEDIA_PORTS_EXHAUSTED", "no pair of RTP ports is free")
}

pub(crate) fn sessions_exhausted(limit: usize) -> Fault {
    fault("MEDIA_SESSIONS_EXHAUSTED", format!("{limit} media sessions are open"))
}

pub(crate) fn session_unknown(id: &str) -> Fault {
    fault("MEDIA_SESSION_UNKNOWN", format!("there is no media session {id}"))
}

pub(crate) fn deadline_missed(what: &str) -> Fault {
    fault("MEDIA_DEADLINE_MISSED", what)
}

pub(crate) fn senseless(message: impl Into<String>) -> Fault {
    fault("MEDIA_SPEC_INVALID", message)
}

pub(crate) fn engine_lost(message: &str) -> Fault {
    fault("MEDIA_ENGINE_LOST", message)
}
