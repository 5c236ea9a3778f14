use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use dimpl::DtlsCertificate;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use trunkline_base::random_array;

use crate::fingerprint::{Algorithm, colons};

const DAY: Duration = Duration::from_secs(86_400);
const VALID_DAYS: u32 = 30;

/// An ECDSA P-256 certificate and its key. `Clone` is cheap; `Debug` shows no key.
#[derive(Clone)]
pub struct Certificate {
    pair: Arc<DtlsCertificate>,
}

impl Certificate {
    /// Self-signed, valid from yesterday for 30 days, with a random common name (RFC 8827 §6.5).
    ///
    /// # Panics
    /// If the system gives no random numbers: then nothing secret can be made.
    #[must_use]
    pub fn generate() -> Certificate {
        Self::named(hex(&random_array::<8>()))
    }

    pub(crate) fn named(common_name: String) -> Certificate {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key can be made");
        let certificate = parameters(common_name).self_signed(&key).expect("our own parameters are valid");
        Self::new(certificate.der().to_vec(), key.serialize_der())
    }

    /// For the slab, so that the process that follows shows the same one. **Contains the key.**
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let DtlsCertificate { certificate, private_key } = &*self.pair;
        let length = u16::try_from(certificate.len()).expect("a certificate of ours is short");
        [&length.to_be_bytes()[..], certificate, private_key].concat()
    }

    /// What `to_bytes` gave; `None` if key and certificate do not belong together.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Certificate> {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (certificate, key) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key).ok()?;
        let public = pair.public_key().as_ref();
        let belongs = certificate.windows(public.len()).any(|part| part == public);
        belongs.then(|| Self::new(certificate.to_vec(), key.to_vec()))
    }

    /// `sha-256`, upper-case hex with colons (RFC 8122 §5).
    #[must_use]
    pub fn fingerprint(&self) -> String {
        colons(Algorithm::Sha256.digest(&self.pair.certificate).as_ref())
    }

    /// As the library takes it.
    pub(crate) fn pair(&self) -> DtlsCertificate {
        DtlsCertificate::clone(&self.pair)
    }

    fn new(certificate: Vec<u8>, private_key: Vec<u8>) -> Self {
        Self { pair: Arc::new(DtlsCertificate { certificate, private_key }) }
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({})", self.fingerprint())
    }
}

fn parameters(common_name: String) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    // Firefox wants serial numbers that differ between all machines.
    parameters.serial_number = Some(random_array::<16>().to_vec().into());
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let today = rcgen::date_time_ymd(1970, 1, 1) + since_1970;
    parameters.not_before = today - DAY;
    parameters.not_after = today - DAY + DAY * VALID_DAYS;
    parameters
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_survives_the_slab() {
        let certificate = Certificate::generate();
        let again = Certificate::from_bytes(&certificate.to_bytes()).unwrap();
        assert_eq!(again.fingerprint(), certificate.fingerprint());
        assert_eq!(again.to_bytes(), certificate.to_bytes());
    }

    #[test]
    fn no_two_are_alike() {
        assert_ne!(Certificate::generate().fingerprint(), Certificate::generate().fingerprint());
    }

    #[test]
    fn damaged_bytes_are_no_certificate() {
        let bytes = Certificate::generate().to_bytes();
        assert!((0..bytes.len()).all(|length| Certificate::from_bytes(&bytes[..length]).is_none()));
        let (ours, other) = (Certificate::generate(), Certificate::generate());
        let mixed = Certificate::new(ours.pair().certificate, other.pair().private_key);
        assert!(Certificate::from_bytes(&mixed.to_bytes()).is_none());
    }

    #[test]
    fn a_fingerprint_is_32_bytes_in_hex() {
        let fingerprint = Certificate::generate().fingerprint();
        let parts: Vec<_> = fingerprint.split(':').collect();
        assert_eq!(parts.len(), 32);
        assert!(
            parts.iter().all(|part| part.len() == 2
                && part.bytes().all(|digit| b"0123456789ABCDEF".contains(&digit)))
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let certificate = Certificate::generate();
        assert_eq!(format!("{certificate:?}"), format!("Certificate({})", certificate.fingerprint()));
    }
}
