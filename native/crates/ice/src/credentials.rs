use trunkline_base::random_array;

const UFRAG_CHARS: usize = 8;
const PASSWORD_CHARS: usize = 32;
/// `ice-char` of RFC 8839 §5.4: 64 of them, so six bits each.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// User fragment and password of one ICE agent (RFC 8445 §5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// What checks to us begin their USERNAME with.
    pub ufrag: String,
    /// Secret: the key of MESSAGE-INTEGRITY.
    pub pwd: String,
}

impl Credentials {
    /// New ones: 8 and 32 characters of the ICE alphabet (RFC 8839 §5.4 asks for 24 and 128 bits; these are 48 and 192).
    #[must_use]
    pub fn random() -> Self {
        let chars: [u8; UFRAG_CHARS + PASSWORD_CHARS] = random_array();
        let mut chars = chars.map(|byte| char::from(ALPHABET[usize::from(byte % 64)])).into_iter();
        Self { ufrag: chars.by_ref().take(UFRAG_CHARS).collect(), pwd: chars.collect() }
    }
}

/// Shows no password.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.ufrag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_of_the_ice_alphabet_and_new_each_time() {
        let (one, other) = (Credentials::random(), Credentials::random());
        assert_eq!((one.ufrag.len(), one.pwd.len()), (UFRAG_CHARS, PASSWORD_CHARS));
        assert!((one.ufrag.clone() + &one.pwd).bytes().all(|char| ALPHABET.contains(&char)));
        assert!(one.ufrag != other.ufrag && one.pwd != other.pwd);
        assert!(!format!("{one:?}").contains(&one.pwd));
    }
}
