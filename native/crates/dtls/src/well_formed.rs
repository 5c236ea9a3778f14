use crate::handshake::message;

/// Whether the lengths in a message that comes in the clear add up. Noise and damage hardly ever pass; what it means is the
/// library's business.
pub fn is_well_formed(kind: u8, body: &[u8]) -> bool {
    let rest = match kind {
        message::CLIENT_HELLO => client_hello(body),
        message::SERVER_HELLO => server_hello(body),
        // server_version is that of DTLS 1.0 (RFC 6347 §4.2.1).
        message::HELLO_VERIFY_REQUEST => body.strip_prefix(&[0xfe]).and_then(|rest| vector1(rest.get(1..)?)),
        message::CERTIFICATE => vector3_of(body, vector3),
        message::SERVER_KEY_EXCHANGE => server_key_exchange(body),
        message::CERTIFICATE_REQUEST => certificate_request(body),
        message::SERVER_HELLO_DONE => Some(body),
        message::CERTIFICATE_VERIFY => signed(body),
        message::CLIENT_KEY_EXCHANGE => vector1(body),
        _ => None,
    };
    rest.is_some_and(<[u8]>::is_empty)
}

/// RFC 8446 §4.1.2, with the cookie of RFC 9147 §5.3.
fn client_hello(body: &[u8]) -> Option<&[u8]> {
    let rest = body.strip_prefix(&[0xfe, 0xfd])?.get(32..)?;
    let (session_id, rest) = rest.split_first()?;
    let rest = rest.get(usize::from(*session_id)..).filter(|_| *session_id <= 32)?;
    let rest = vector1(vector2(vector1(rest)?)?)?;
    extensions(rest)
}

/// RFC 8446 §4.1.3, RFC 5246 §7.4.1.3.
fn server_hello(body: &[u8]) -> Option<&[u8]> {
    const CIPHER_SUITE_BYTES: usize = 2;
    let rest = body.strip_prefix(&[0xfe, 0xfd])?.get(32..)?;
    let (session_id, rest) = rest.split_first()?;
    let rest = rest.get(usize::from(*session_id)..).filter(|_| *session_id <= 32)?;
    let rest = rest.get(CIPHER_SUITE_BYTES..)?.strip_prefix(&[0])?;
    extensions(rest)
}

/// They may be missing altogether.
fn extensions(body: &[u8]) -> Option<&[u8]> {
    const TYPE_BYTES: usize = 2;
    if body.is_empty() { Some(body) } else { vector2_of(body, |rest| vector2(rest.get(TYPE_BYTES..)?)) }
}

/// ECDHE with a named curve (RFC 8422 §5.4).
fn server_key_exchange(body: &[u8]) -> Option<&[u8]> {
    const GROUP_BYTES: usize = 2;
    signed(vector1(body.strip_prefix(&[3])?.get(GROUP_BYTES..)?)?)
}

/// RFC 5246 §7.4.4.
fn certificate_request(body: &[u8]) -> Option<&[u8]> {
    vector2_of(vector2(vector1(body)?)?, vector2)
}

/// `DigitallySigned` (RFC 5246 §4.7).
fn signed(body: &[u8]) -> Option<&[u8]> {
    const ALGORITHM_BYTES: usize = 2;
    vector2(body.get(ALGORITHM_BYTES..)?)
}

fn vector1(body: &[u8]) -> Option<&[u8]> {
    let (length, rest) = body.split_first()?;
    rest.get(usize::from(*length)..)
}

fn vector2(body: &[u8]) -> Option<&[u8]> {
    Some(split2(body)?.1)
}

fn vector3(body: &[u8]) -> Option<&[u8]> {
    Some(split3(body)?.1)
}

fn split2(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = body.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

fn split3(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[high, middle, low], rest) = body.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes([0, high, middle, low]) as usize)
}

fn vector2_of(body: &[u8], element: impl Fn(&[u8]) -> Option<&[u8]>) -> Option<&[u8]> {
    let (list, rest) = split2(body)?;
    all(list, element).then_some(rest)
}

fn vector3_of(body: &[u8], element: impl Fn(&[u8]) -> Option<&[u8]>) -> Option<&[u8]> {
    let (list, rest) = split3(body)?;
    all(list, element).then_some(rest)
}

/// Whether a list ends where its last element does.
fn all(mut list: &[u8], element: impl Fn(&[u8]) -> Option<&[u8]>) -> bool {
    while !list.is_empty() {
        match element(list) {
            Some(rest) => list = rest,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each, as short as it may be.
    fn examples() -> Vec<(u8, Vec<u8>)> {
        let random = [7; 32];
        let hello = [&[0xfe, 0xfd][..], &random, &[0]].concat();
        vec![
            (
                message::CLIENT_HELLO,
                [&hello[..], &[0, 0, 2, 0x13, 0x01, 1, 0, 0, 5, 0, 23, 0, 1, 9]].concat(),
            ),
            (message::SERVER_HELLO, [&hello[..], &[0x13, 0x01, 0, 0, 4, 0, 23, 0, 0]].concat()),
            (message::SERVER_HELLO, [&hello[..], &[0xc0, 0x2b, 0]].concat()),
            (message::HELLO_VERIFY_REQUEST, vec![0xfe, 0xff, 2, 8, 9]),
            (message::CERTIFICATE, vec![0, 0, 9, 0, 0, 2, 1, 2, 0, 0, 1, 3]),
            (message::SERVER_KEY_EXCHANGE, vec![3, 0, 29, 2, 8, 9, 4, 3, 0, 1, 7]),
            (message::CERTIFICATE_REQUEST, vec![1, 64, 0, 2, 4, 3, 0, 3, 0, 1, 5]),
            (message::SERVER_HELLO_DONE, vec![]),
            (message::CERTIFICATE_VERIFY, vec![4, 3, 0, 1, 7]),
            (message::CLIENT_KEY_EXCHANGE, vec![2, 8, 9]),
        ]
    }

    #[test]
    fn each_message_is_known_by_its_lengths() {
        for (kind, body) in examples() {
            assert!(is_well_formed(kind, &body), "{kind}");
            assert!(!is_well_formed(kind, &[&body[..], &[0]].concat()), "{kind} and more");
            let is_hello_without_extensions = |length: usize| {
                matches!(kind, message::CLIENT_HELLO | message::SERVER_HELLO) && body[length - 1] == 0
            };
            for length in 1..body.len() {
                let is_whole = is_well_formed(kind, &body[..length]);
                assert!(!is_whole || is_hello_without_extensions(length), "{kind} cut to {length}");
            }
        }
    }

    #[test]
    fn what_never_comes_in_the_clear_is_unknown() {
        let known: Vec<u8> = examples().iter().map(|(kind, _)| *kind).collect();
        for kind in (0..=255).filter(|kind| !known.contains(kind)) {
            assert!(examples().iter().all(|(_, body)| !is_well_formed(kind, body)), "{kind}");
        }
    }
}
