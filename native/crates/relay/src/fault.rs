use trunkline_control::Fault;

/// A bug of the caller; nothing changed.
pub(crate) fn spec_invalid(message: impl Into<String>) -> Fault {
    Fault { code: "MEDIA_SPEC_INVALID".to_owned(), message: message.into() }
}

/// No record or no room for its text.
pub(crate) fn sessions_exhausted(message: impl Into<String>) -> Fault {
    Fault { code: "MEDIA_SESSIONS_EXHAUSTED".to_owned(), message: message.into() }
}
