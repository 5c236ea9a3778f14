//! The generator with nothing between its ends.

use std::io::Write;
use std::net::UdpSocket;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const KEY_A: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd";
const KEY_B: &str = "HRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA";

fn run(ends: &Value) -> Value {
    let plan = json!({ "run": 7, "warmUpMs": 50, "measureMs": 400, "drainMs": 100, "intervalUs": 5_000, "ends": ends });
    let mut child = Command::new(env!("CARGO_BIN_EXE_trunkline-load"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(plan.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn free_ports<const N: usize>() -> [u16; N] {
    let sockets: [UdpSocket; N] = std::array::from_fn(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
    sockets.each_ref().map(|socket| socket.local_addr().unwrap().port())
}

fn end(bind: u16, remote: u16, peer: usize, keys: Option<(&str, &str)>) -> Value {
    let key = |key: &str| json!({ "suite": "AES_CM_128_HMAC_SHA1_80", "key": key });
    let mut end = json!({
        "bind": format!("127.0.0.1:{bind}"),
        "remote": format!("127.0.0.1:{remote}"),
        "group": "all",
        "peer": peer,
    });
    if let Some((send, receive)) = keys {
        end["srtp"] = json!({ "send": key(send), "receive": key(receive) });
    }
    end
}

#[test]
fn what_is_sent_arrives_once_and_in_order() {
    let [a, b, c, d] = free_ports();
    let result = run(&json!([
        end(a, b, 1, Some((KEY_A, KEY_B))),
        end(b, a, 0, Some((KEY_B, KEY_A))),
        end(c, d, 3, None),
        end(d, c, 2, None),
    ]));
    let group = &result["groups"][0];
    assert_eq!(group["sent"], 320);
    for (figure, value) in [("received", 320), ("duplicates", 0), ("reordered", 0), ("misrouted", 0)] {
        assert_eq!(group[figure], value, "{figure}");
    }
    assert_eq!((&result["refused"], &result["strays"]), (&json!(0), &json!(0)));
    assert_eq!(group["latencyUs"]["count"], 320);
}

#[test]
fn media_under_another_key_is_lost_and_counted() {
    let [a, b] = free_ports();
    let result = run(&json!([end(a, b, 1, Some((KEY_A, KEY_A))), end(b, a, 0, Some((KEY_B, KEY_B)))]));
    assert_eq!(result["groups"][0]["received"], 0);
    assert!(result["refused"].as_u64().unwrap() >= 160);
}

#[test]
fn ends_that_share_a_port_are_told_apart_by_their_remote() {
    let [a, b, c] = free_ports();
    let result =
        run(&json!([end(a, b, 1, None), end(b, a, 0, None), end(a, c, 3, None), end(c, a, 0, None),]));
    let group = &result["groups"][0];
    // The last end sends to the first port too, where the third gets it, though it is meant for the first.
    assert_eq!(group["misrouted"], 80);
    assert_eq!(group["received"], 320);
}
