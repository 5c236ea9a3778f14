use std::sync::{Arc, LazyLock};
use std::time::Duration;

use dimpl::Config;

/// Of a whole handshake, all attempts together.
pub const HANDSHAKE_SECONDS: u64 = 30;
/// Before the first retransmission; doubles with each. RFC 9147 §5.8.2 allows it where the round trip is known to be short,
/// and speech waits for it.
const FIRST_RETRANSMISSION: Duration = Duration::from_millis(60);
/// More than fit into the handshake's time, which ends it.
const RETRANSMISSIONS: usize = 16;

static SHARED: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(build(builder())));

/// One for all associations: building it checks the library's cryptography, which takes long.
pub fn shared() -> Arc<Config> {
    Arc::clone(&SHARED)
}

pub fn builder() -> dimpl::ConfigBuilder {
    Config::builder()
        // The address is known to be the peer's: it answered a connectivity check (RFC 8445 §7).
        .use_server_cookie(false)
        .require_client_certificate(true)
        .flight_start_rto(FIRST_RETRANSMISSION)
        .flight_retries(RETRANSMISSIONS)
        .handshake_timeout(Duration::from_secs(HANDSHAKE_SECONDS))
}

pub fn build(builder: dimpl::ConfigBuilder) -> Config {
    builder.build().expect("a configuration of constants is valid")
}
