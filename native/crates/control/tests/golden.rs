//! Every frame that gateway and engine exchange, as files that both sides test (`src/media/engines/native/golden.test.ts`).

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use trunkline_control::{
    Answer, Command, ConnectedTo, Event, FrameReader, Message, Op, Outcome, Reply, SessionChange, encode,
};

/// Name (without `.json`) and text of every golden file.
fn golden() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn is_from_gateway(name: &str) -> bool {
    name.starts_with("command-") || name.starts_with("change-")
}

fn parse<T: DeserializeOwned>(name: &str, text: &str) -> T {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Nothing of the file is lost or added: neither by us nor on a way through a frame.
fn survives<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(name: &str, text: &str) {
    let value: T = parse(name, text);
    let written = serde_json::to_value(&value).unwrap();
    assert_eq!(written, parse::<serde_json::Value>(name, text), "{name}");
    let mut bytes = Vec::new();
    encode(&value, &mut bytes).unwrap();
    let mut reader = FrameReader::new();
    reader.push(&bytes);
    assert_eq!(reader.next_frame::<T>(), Some(Ok(value)), "{name}");
}

#[test]
fn every_golden_file_is_read_and_written_unchanged() {
    for (name, text) in golden() {
        if is_from_gateway(&name) {
            survives::<Command>(&name, &text)
        } else {
            survives::<Message>(&name, &text)
        }
    }
}

#[test]
fn there_is_a_golden_file_for_every_command_change_answer_and_event() {
    let mut seen = BTreeSet::new();
    for (name, text) in golden() {
        if is_from_gateway(&name) {
            let command: Command = parse(&name, &text);
            seen.insert(name_of_op(&command.op));
        } else {
            match parse(&name, &text) {
                Message::Events { events } => seen.extend(events.iter().map(name_of_event)),
                Message::Reply(Reply { outcome, .. }) => {
                    seen.insert(match &outcome {
                        Outcome::Ok(answer) => name_of_answer(answer),
                        Outcome::Fault(_) => "fault",
                    });
                }
            }
        }
    }
    // A further variant does not compile here until it has a name, and then its file is missed.
    assert_eq!(seen.len(), ALL, "{seen:?}");
}

/// Commands 10, changes 6 and partners 5, answers 8 and a fault, events 12.
const ALL: usize = 10 + 6 + 5 + 8 + 1 + 12;

fn name_of_op(op: &Op) -> &'static str {
    match op {
        Op::Hello { .. } => "hello",
        Op::Open { .. } => "open",
        Op::Change { change, .. } => name_of_change(change),
        Op::Stats { .. } => "stats",
        Op::Close { .. } => "close",
        Op::List => "list",
        Op::Claim { .. } => "claim",
        Op::Engine => "engine",
        Op::Upgrade { .. } => "upgrade",
        Op::Stop => "stop",
        Op::Skip { .. } => "skip",
    }
}

fn name_of_change(change: &SessionChange) -> &'static str {
    match change {
        SessionChange::AddSide { .. } => "add-side",
        SessionChange::DropSide { .. } => "drop-side",
        SessionChange::Remote { .. } => "remote",
        SessionChange::RestartIce { .. } => "restart-ice",
        SessionChange::Mute { .. } => "mute",
        SessionChange::SendDtmf { .. } => "send-dtmf",
        SessionChange::Connect { to, .. } => match to {
            ConnectedTo::Side { .. } => "to a side",
            ConnectedTo::Echo => "to the echo",
            ConnectedTo::Tone { .. } => "to a tone",
            ConnectedTo::Silence => "to silence",
            ConnectedTo::Nothing => "to nothing",
        },
    }
}

fn name_of_answer(answer: &Answer) -> &'static str {
    match answer {
        Answer::Hello { .. } => "hello to you",
        Answer::Opened { .. } => "opened",
        Answer::Changed { .. } => "changed",
        Answer::Stats { .. } => "the stats",
        Answer::Closed { .. } => "closed",
        Answer::Sessions { .. } => "the sessions",
        Answer::Engine { .. } => "the engine",
        Answer::Done => "done",
    }
}

fn name_of_event(event: &Event) -> &'static str {
    match event {
        Event::IceConnected { .. } => "ice-connected",
        Event::IceDisconnected { .. } => "ice-disconnected",
        Event::DtlsConnected { .. } => "dtls-connected",
        Event::Failed { .. } => "failed",
        Event::FirstPacket { .. } => "first-packet",
        Event::Silent { .. } => "silent",
        Event::Resumed { .. } => "resumed",
        Event::Ended { .. } => "ended",
        Event::Dtmf { .. } => "dtmf",
        Event::Quality { .. } => "quality",
        Event::Closed { .. } => "closed by itself",
        Event::Recovered { .. } => "recovered",
    }
}
