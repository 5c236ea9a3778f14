use aws_lc_rs::digest::{Digest, SHA256, SHA384, SHA512, digest};

/// A fingerprint the peer announced: `sha-256`, `sha-384`, `sha-512` (any case), hex with colons (RFC 8122 §5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The name of the hash function.
    pub algorithm: String,
    /// Hex of the certificate's hash, with colons; any case.
    pub value: String,
}

impl Fingerprint {
    /// Whether it is this certificate's (DER). One that is malformed or of another hash function never is.
    pub(crate) fn is_of(&self, certificate: &[u8]) -> bool {
        self.algorithm().is_some_and(|algorithm| {
            parse(&self.value).as_deref() == Some(algorithm.digest(certificate).as_ref())
        })
    }

    /// Whether any certificate could have it.
    pub(crate) fn is_usable(&self) -> bool {
        self.algorithm().is_some_and(|algorithm| {
            parse(&self.value).is_some_and(|bytes| bytes.len() == algorithm.digest(&[]).as_ref().len())
        })
    }

    fn algorithm(&self) -> Option<Algorithm> {
        match self.algorithm.to_ascii_lowercase().as_str() {
            "sha-256" => Some(Algorithm::Sha256),
            "sha-384" => Some(Algorithm::Sha384),
            "sha-512" => Some(Algorithm::Sha512),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
pub enum Algorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    pub fn digest(self, bytes: &[u8]) -> Digest {
        let function = match self {
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        };
        digest(function, bytes)
    }
}

/// `02:1A:CC`.
pub fn colons(bytes: &[u8]) -> String {
    let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    parts.join(":")
}

fn parse(value: &str) -> Option<Vec<u8>> {
    let byte = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        digits.then(|| u8::from_str_radix(part, 16).ok()).flatten()
    };
    value.split(':').map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(algorithm: &str, value: String) -> Fingerprint {
        Fingerprint { algorithm: algorithm.into(), value }
    }

    #[test]
    fn each_hash_function_is_known_in_any_case() {
        let certificate = b"a certificate";
        for (name, algorithm) in
            [("sha-256", Algorithm::Sha256), ("SHA-384", Algorithm::Sha384), ("Sha-512", Algorithm::Sha512)]
        {
            let value = colons(algorithm.digest(certificate).as_ref());
            assert!(fingerprint(name, value.clone()).is_of(certificate));
            assert!(fingerprint(name, value.to_lowercase()).is_of(certificate));
            assert!(!fingerprint(name, value.clone()).is_of(b"another"));
            assert!(!fingerprint(name, value[..value.len() - 3].into()).is_of(certificate));
        }
    }

    #[test]
    fn a_fingerprint_of_another_hash_function_is_none() {
        let value = colons(Algorithm::Sha256.digest(b"x").as_ref());
        assert!(!fingerprint("sha-1", value.clone()).is_of(b"x"));
        assert!(!fingerprint("sha-1", value.clone()).is_usable());
        assert!(!fingerprint("sha-512", value.clone()).is_usable());
        assert!(fingerprint("sha-256", value).is_usable());
    }

    #[test]
    fn a_malformed_fingerprint_is_of_no_certificate() {
        for value in ["", ":", "0", "+1:02", "0102", "01:2", "é1"] {
            assert!(!fingerprint("sha-256", value.into()).is_usable(), "{value}");
        }
    }
}
