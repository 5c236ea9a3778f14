//! Generates and measures RTP and SRTP traffic for the benches.
//!
//! `trunkline-load PLAN` (a file, `-`: standard input) runs a plan and writes what it measured as JSON.
//! `trunkline-load certificate FILE` makes a certificate for the WebRTC clients of plans and writes its fingerprint.
#![forbid(unsafe_code)]

mod check;
mod client;
mod connect;
mod end;
mod flow;
mod generator;
mod histogram;
mod pace;
mod plan;
mod sockets;
mod stamp;
mod tally;
mod traffic;
mod watch;

use std::io::{self, Read};
use std::process::ExitCode;

use trunkline_dtls::Certificate;

use crate::generator::Generator;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["certificate", file] => certificate(file),
        [plan] => run(plan),
        _ => Err(io::Error::other("usage: trunkline-load PLAN | trunkline-load certificate FILE")),
    };
    match done {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("trunkline-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(plan: &str) -> io::Result<String> {
    let mut text = String::new();
    if plan == "-" {
        io::stdin().read_to_string(&mut text)?;
    } else {
        text = std::fs::read_to_string(plan)?;
    }
    let result = Generator::new(serde_json::from_str(&text)?)?.run()?;
    Ok(serde_json::to_string(&result)?)
}

fn certificate(file: &str) -> io::Result<String> {
    let certificate = Certificate::generate();
    std::fs::write(file, certificate.to_bytes())?;
    Ok(certificate.fingerprint())
}
