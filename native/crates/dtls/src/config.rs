use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use dimpl::{Config, ConfigBuilder, Dtls, DtlsCertificate, SrtpProfile};

use crate::Role;
#[cfg(test)]
use crate::sieve::Version;

/// Before the first retransmission; doubles with each. Shorter than the second of RFC 6347 §4.2.4.1, as RFC 9147 §5.8.2 allows
/// for applications that cannot wait: speech is one.
const FIRST_RETRANSMISSION: Duration = Duration::from_millis(60);
/// More than fit into the time of an attempt, which therefore ends it.
const RETRANSMISSIONS: usize = 16;
/// A client may begin anew, which helps if the peer holds half a handshake of an earlier attempt.
const CLIENT_ATTEMPT: Duration = Duration::from_secs(10);
/// A server cannot: it depends on the peer's next hello.
const SERVER_ATTEMPT: Duration = Duration::from_secs(30);

/// GCM costs a third of AES-CM with HMAC-SHA1 per packet, and a key of 128 bits is enough.
const PROFILES: [SrtpProfile; 4] = [
    SrtpProfile::AEAD_AES_128_GCM,
    SrtpProfile::AEAD_AES_256_GCM,
    SrtpProfile::AES128_CM_SHA1_80,
    SrtpProfile::AES128_CM_SHA1_32,
];

/// Makes instances of the library. Its configurations are shared by all associations: building one tries all the cryptography.
#[derive(Clone)]
pub struct Library {
    client: Arc<Config>,
    server: Arc<Config>,
    /// Of a peer that knows one version, for tests.
    #[cfg(test)]
    only: Option<Version>,
}

static SHARED: LazyLock<Library> = LazyLock::new(|| Library::new(|builder| builder));

impl Library {
    pub fn shared() -> Self {
        SHARED.clone()
    }

    fn new(change: impl Fn(ConfigBuilder) -> ConfigBuilder) -> Self {
        let build = |attempt| {
            let config = change(builder().handshake_timeout(attempt)).build();
            Arc::new(config.expect("a configuration of constants is valid"))
        };
        Self {
            client: build(CLIENT_ATTEMPT),
            server: build(SERVER_ATTEMPT),
            #[cfg(test)]
            only: None,
        }
    }

    /// A client offers both versions; a server takes 1.3 if the client offers it.
    pub fn instance(&self, role: Role, certificate: DtlsCertificate, now: Instant) -> Dtls {
        let config = Arc::clone(match role {
            Role::Client => &self.client,
            Role::Server => &self.server,
        });
        let mut dtls = self.of_version(config, certificate, now);
        dtls.set_active(role == Role::Client);
        dtls
    }

    #[cfg(not(test))]
    fn of_version(&self, config: Arc<Config>, certificate: DtlsCertificate, now: Instant) -> Dtls {
        Dtls::new_auto(config, certificate, now)
    }
}

#[cfg(test)]
impl Library {
    pub fn changed(only: Option<Version>, change: impl Fn(ConfigBuilder) -> ConfigBuilder) -> Self {
        Self { only, ..Self::new(change) }
    }

    fn of_version(&self, config: Arc<Config>, certificate: DtlsCertificate, now: Instant) -> Dtls {
        match self.only {
            None => Dtls::new_auto(config, certificate, now),
            Some(Version::Dtls12) => Dtls::new_12(config, certificate, now),
            Some(Version::Dtls13) => Dtls::new_13(config, certificate, now),
        }
    }
}

fn builder() -> ConfigBuilder {
    Config::builder()
        // The address is known to be the peer's: it answered a connectivity check (RFC 8445 §7).
        .use_server_cookie(false)
        .require_client_certificate(true)
        .flight_start_rto(FIRST_RETRANSMISSION)
        .flight_retries(RETRANSMISSIONS)
        .srtp_profiles(&PROFILES)
}
