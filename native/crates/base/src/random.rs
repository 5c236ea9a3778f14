/// Random bytes of the system.
///
/// # Panics
/// If the system has none: then nothing secret can be made.
#[must_use]
pub fn random_array<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// A random number of 32 bits.
#[must_use]
pub fn random_u32() -> u32 {
    u32::from_ne_bytes(random_array())
}
