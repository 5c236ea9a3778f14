//! What a relay that panics leaves to the next one: whose packet or command it had in hand. That session is not taken over:
//! one call ends, and not all of them again and again.

use std::cell::Cell;
use std::panic::PanicHookInfo;
use std::sync::{Arc, OnceLock};

use serde_json::json;

use crate::log;
use crate::shared::Shared;

/// Hash of a session's id, the same in every process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Name(u64);

impl Name {
    /// FNV-1a.
    pub(crate) fn of(id: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(id.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }

    pub(crate) const fn word(self) -> u64 {
        self.0
    }

    /// `None` for the word that was never written.
    pub(crate) fn of_word(word: u64) -> Option<Self> {
        (word != 0).then_some(Self(word))
    }
}

thread_local! {
    static IN_HAND: Cell<(u32, Name)> = const { Cell::new((0, Name(0))) };
}

static SHARED: OnceLock<Arc<Shared>> = OnceLock::new();

/// From now on this thread does something for a session.
pub(crate) fn take_in_hand(thread: u32, name: Name) {
    IN_HAND.set((thread, name));
}

/// Where last words are written.
pub(crate) fn write_to(shared: &Arc<Shared>) {
    let _ = SHARED.set(shared.clone());
}

/// Half a relay is worse than none: with a panic in any thread the process ends at once, and the standby goes on.
pub fn die_of_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let (thread, name) = IN_HAND.get();
        if let Some(shared) = SHARED.get()
            && name != Name::default()
        {
            shared.ledger.set_guilty(thread, name);
        }
        let at = panic.location().map(ToString::to_string);
        log::warn("the relay panicked", json!({ "at": at, "why": text_of(panic) }));
        std::process::abort();
    }));
}

fn text_of<'a>(panic: &'a PanicHookInfo<'_>) -> Option<&'a str> {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
