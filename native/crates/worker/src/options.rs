use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use trunkline_engine::IoMode;

/// What the command line says.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) control: PathBuf,
    pub(crate) webrtc_ports: RangeInclusive<u16>,
    pub(crate) rtp_ports: RangeInclusive<u16>,
    /// `None`: as many as seems right.
    pub(crate) shared_ports: Option<usize>,
    pub(crate) tcp_port: TcpPort,
    /// Empty: the machine's own.
    pub(crate) advertise: Vec<IpAddr>,
    pub(crate) bind: Option<IpAddr>,
    /// `None`: one per core.
    pub(crate) threads: Option<usize>,
    pub(crate) io: IoMode,
    pub(crate) max_sessions: u32,
    pub(crate) quarantine_ms: u64,
    pub(crate) consent_ms: u64,
    pub(crate) silence_ms: u64,
    pub(crate) quality_ms: u64,
    pub(crate) strict_source: bool,
    pub(crate) claim_ms: u64,
    pub(crate) idle_exit_s: u64,
    pub(crate) test_clock: bool,
    pub(crate) pin: bool,
}

/// Where ICE-TCP listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TcpPort {
    /// The number of the first WebRTC port.
    Same,
    Port(u16),
    None,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            control: PathBuf::new(),
            webrtc_ports: 3_480..=3_487,
            rtp_ports: 20_000..=29_999,
            shared_ports: None,
            tcp_port: TcpPort::Same,
            advertise: Vec::new(),
            bind: None,
            threads: None,
            io: IoMode::Auto,
            max_sessions: 10_000,
            quarantine_ms: 30_000,
            consent_ms: 30_000,
            silence_ms: 5_000,
            quality_ms: 2_000,
            strict_source: false,
            claim_ms: 60_000,
            idle_exit_s: 60,
            test_clock: false,
            pin: false,
        }
    }
}

/// # Errors
/// For people: what is wrong.
pub(crate) fn parse(arguments: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        match name.as_str() {
            "--pin" => options.pin = true,
            "--test-clock" => options.test_clock = true,
            _ => {
                let value = rest.next().ok_or_else(|| format!("{name} needs a value"))?;
                set(&mut options, name, value).map_err(|why| format!("{name} {value}: {why}"))?;
            }
        }
    }
    if options.control.as_os_str().is_empty() {
        return Err("--control is missing".into());
    }
    Ok(options)
}

fn set(options: &mut Options, name: &str, value: &str) -> Result<(), String> {
    match name {
        "--control" => options.control = value.into(),
        "--webrtc-ports" => options.webrtc_ports = range(value)?,
        "--rtp-ports" => options.rtp_ports = range(value)?,
        "--shared-ports" => options.shared_ports = Some(number(value)?),
        "--tcp-port" if value == "none" => options.tcp_port = TcpPort::None,
        "--tcp-port" => options.tcp_port = TcpPort::Port(number(value)?),
        "--advertise" => {
            options.advertise = value.split(',').map(number).collect::<Result<_, _>>()?;
        }
        "--bind" => options.bind = Some(number(value)?),
        "--threads" if value == "auto" => options.threads = None,
        "--threads" => options.threads = Some(at_least_one(value)?),
        "--io" => {
            options.io = match value {
                "auto" => IoMode::Auto,
                "batch" => IoMode::Batch,
                "uring" => IoMode::Uring,
                _ => return Err("auto, batch or uring is wanted".into()),
            }
        }
        "--max-sessions" => options.max_sessions = at_least_one(value)? as u32,
        "--quarantine-ms" => options.quarantine_ms = number(value)?,
        "--consent-ms" => options.consent_ms = number(value)?,
        "--silence-ms" => options.silence_ms = number(value)?,
        "--quality-ms" => options.quality_ms = number(value)?,
        "--latch" => {
            options.strict_source = match value {
                "same-ip" => false,
                "strict" => true,
                _ => return Err("same-ip or strict is wanted".into()),
            }
        }
        "--claim-ms" => options.claim_ms = number(value)?,
        "--idle-exit-s" => options.idle_exit_s = number(value)?,
        _ => return Err("no such option; see --help".into()),
    }
    Ok(())
}

fn range(value: &str) -> Result<RangeInclusive<u16>, String> {
    let (from, to) = value.split_once('-').ok_or("a range like 20000-29999 is wanted")?;
    Ok(number(from)?..=number(to)?)
}

fn at_least_one(value: &str) -> Result<usize, String> {
    let count: u32 = number(value)?;
    if count == 0 { Err("at least 1 is wanted".into()) } else { Ok(count as usize) }
}

fn number<T: FromStr<Err: std::fmt::Display>>(value: &str) -> Result<T, String> {
    value.trim().parse().map_err(|error: T::Err| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Options, String> {
        parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read() {
        let options = parsed(
            "--control /run/media.sock --webrtc-ports 0-0 --rtp-ports 30000-30003 --advertise 127.0.0.1,::1 \
             --threads 2 --latch strict --tcp-port none --pin --idle-exit-s 5",
        )
        .unwrap();
        assert_eq!(options.control, PathBuf::from("/run/media.sock"));
        assert_eq!((options.webrtc_ports, options.rtp_ports), (0..=0, 30_000..=30_003));
        assert_eq!(options.advertise.len(), 2);
        assert_eq!((options.threads, options.tcp_port), (Some(2), TcpPort::None));
        assert!(options.strict_source && options.pin && !options.test_clock);
        assert_eq!((options.idle_exit_s, options.quarantine_ms), (5, 30_000));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, word) in [
            ("", "--control is missing"),
            ("--control", "needs a value"),
            ("--control x --threads 0", "--threads 0: at least 1"),
            ("--control x --rtp-ports 20000", "a range"),
            ("--control x --advertise example.test", "--advertise example.test"),
            ("--control x --colour red", "--colour red: no such option"),
        ] {
            let why = parsed(line).unwrap_err();
            assert!(why.contains(word), "{line}: {why}");
        }
    }
}
