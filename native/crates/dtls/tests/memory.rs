//! Alone in its process, since it looks at the memory of all of it.

use trunkline_dtls::{Association, Certificate, Fingerprint, Options, Role};
use trunkline_sim::{Random, mutate};

/// Of the process, from the kernel.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
}

/// A hello of our own.
fn hello(certificate: &Certificate, options: &Options) -> Vec<u8> {
    let mut client = Association::new(Options { role: Role::Client, ..options.clone() }, certificate, 0);
    client.start(0);
    let mut out = [0; 1_500];
    let Some(trunkline_dtls::Output::Send(length)) = client.poll(&mut out) else { panic!("a hello") };
    out[..length].to_vec()
}

/// Its first fragment; the other one never comes.
fn first_part(hello: &[u8]) -> Vec<u8> {
    const BYTES: u16 = 500;
    let mut part = hello[..13 + 12 + usize::from(BYTES)].to_vec();
    part[11..13].copy_from_slice(&(12 + BYTES).to_be_bytes());
    part[23..25].copy_from_slice(&BYTES.to_be_bytes());
    part
}

#[test]
#[cfg(target_os = "linux")]
fn changed_hellos_do_not_fill_the_memory() {
    let certificate = Certificate::generate();
    let wanted = Fingerprint { algorithm: "sha-256".into(), value: certificate.fingerprint() };
    let options = Options { role: Role::Server, peer_fingerprints: vec![wanted] };
    let hello = hello(&certificate, &options);
    let mut random = Random::new(1);
    let mut out = [0; 1_500];
    let mut servers: Vec<_> = (0..20).map(|_| Association::new(options.clone(), &certificate, 0)).collect();
    let before = resident_bytes();
    for round in 0..2_000 {
        for server in &mut servers {
            let whole = mutate(&hello, &[], &mut random);
            let part = mutate(&first_part(&hello), &[], &mut random);
            server.handle(&whole, round * 1_000);
            server.handle(&part, round * 1_000);
            server.wake(round * 1_000);
            while server.poll(&mut out).is_some() {}
        }
    }
    let grown = resident_bytes().saturating_sub(before);
    println!("{} bytes each", grown / servers.len());
    assert!(grown / servers.len() < 256 * 1_024);
}
