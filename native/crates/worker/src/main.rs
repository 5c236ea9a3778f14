//! `trunkline-media`: the media engine's process. `keep` opens sockets and memory and starts relays, `relay` serves calls.
#![forbid(unsafe_code)]

mod backoff;
mod control_socket;
mod help;
mod keeper;
mod open;
mod options;
mod program;
mod relay;
mod relay_process;

use std::io::Write;
use std::process::ExitCode;

use serde_json::json;
use trunkline_engine::{VERSION, log};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = arguments.split_first().map_or(("--help", &[][..]), |(first, rest)| (first, rest));
    let result = match command {
        "keep" => options::parse(rest).and_then(|options| keeper::keep(&options)),
        "relay" => relay::serve(rest),
        "--version" => {
            println!("trunkline-media {VERSION}");
            Ok(())
        }
        "--help" | "-h" => {
            print!("{}", help::TEXT);
            Ok(())
        }
        other => Err(format!("there is no command {other}; see --help")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            log::warn("ended", json!({ "why": why }));
            if command == "keep" {
                say(&json!({ "ready": false, "why": why }));
            }
            ExitCode::FAILURE
        }
    }
}

/// One line for whoever started us, who may be gone.
fn say(line: &serde_json::Value) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
