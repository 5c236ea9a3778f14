use crate::header::{extension_start, header_length, u16_at};

/// The element `id` of a header extension of RFC 8285, one- or two-byte form. `None`: not there, or empty.
#[must_use]
pub fn extension(datagram: &[u8], id: u8) -> Option<&[u8]> {
    let end = header_length(datagram)?;
    let start = extension_start(datagram)?;
    let elements = datagram.get(start + 4..end)?;
    match u16_at(datagram, start)? {
        ONE_BYTE => one_byte_element(elements, id),
        profile if profile & 0xfff0 == TWO_BYTE => two_byte_element(elements, id),
        _ => None,
    }
}

/// RFC 8285 §4.2: id and length in one byte.
fn one_byte_element(mut elements: &[u8], id: u8) -> Option<&[u8]> {
    while let [head, rest @ ..] = elements {
        match head >> 4 {
            PADDING => elements = rest,
            STOP => return None,
            found => {
                let (value, rest) = rest.split_at_checked(usize::from(head & 0x0f) + 1)?;
                if found == id {
                    return Some(value);
                }
                elements = rest;
            }
        }
    }
    None
}

/// RFC 8285 §4.3: id and length in a byte each.
fn two_byte_element(mut elements: &[u8], id: u8) -> Option<&[u8]> {
    loop {
        match elements {
            [PADDING, rest @ ..] => elements = rest,
            [found, length, rest @ ..] => {
                let (value, rest) = rest.split_at_checked(usize::from(*length))?;
                if *found == id {
                    return (!value.is_empty()).then_some(value);
                }
                elements = rest;
            }
            _ => return None,
        }
    }
}

/// Profiles of the two forms; the lower four bits of the second one belong to the application.
pub(crate) const ONE_BYTE: u16 = 0xbede;
const TWO_BYTE: u16 = 0x1000;
const PADDING: u8 = 0;
/// Reserved: nothing after it is read.
const STOP: u8 = 15;
