use std::io;

/// The result of a system call that says -1 on failure.
pub(crate) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The same for calls that count bytes.
pub(crate) fn check_size(result: libc::ssize_t) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// `None` where the call would block; interrupted calls are made again.
pub(crate) fn nonblocking<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<Option<T>> {
    loop {
        match call() {
            Ok(value) => return Ok(Some(value)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

/// Errors that the network reports about an earlier packet (ICMP), not about the socket.
pub(crate) fn is_of_network(code: i32) -> bool {
    use libc::{ECONNREFUSED, EHOSTDOWN, EHOSTUNREACH, ENETDOWN, ENETUNREACH, ENOPROTOOPT, EPROTO};
    matches!(
        code,
        ECONNREFUSED
            | EHOSTDOWN
            | EHOSTUNREACH
            | ENETDOWN
            | ENETUNREACH
            | ENOPROTOOPT
            | EPROTO
            | libc::EMSGSIZE
    )
}
