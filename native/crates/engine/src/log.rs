//! One JSON object per line on stderr. Life-cycle notes and counted oddities, never a line per packet, and no addresses.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Line<'a> {
    level: &'a str,
    msg: &'a str,
    pid: u32,
    #[serde(flatten)]
    facts: Value,
}

/// Something an operator may want to know.
pub fn info(msg: &str, facts: Value) {
    write("info", msg, facts);
}

/// Something an operator should look at.
pub fn warn(msg: &str, facts: Value) {
    write("warn", msg, facts);
}

fn write(level: &str, msg: &str, facts: Value) {
    let line = Line { level, msg, pid: std::process::id(), facts };
    let Ok(mut text) = serde_json::to_vec(&line) else { return };
    text.push(b'\n');
    // Nobody may be reading any more: that is no reason to end calls.
    let _ = std::io::stderr().write_all(&text);
}
