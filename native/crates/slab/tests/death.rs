//! A process that writes without pause is killed at random moments: what it leaves is always whole.
use std::io::{BufRead, BufReader};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use bytemuck::{Pod, Zeroable};
use trunkline_slab::{Partition, Shape, Slab, SlabError, Slot};

const SLOTS: u32 = 16;
const DEATHS: u32 = 200;

/// `second` is written after `first`, so it never is ahead.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Record {
    first: u64,
    number: u64,
    second: u64,
    key: [u8; 40],
}

/// A text with its own checksum.
fn text(seed: u64) -> Vec<u8> {
    let len = (seed % 1_500) as usize;
    let mut text: Vec<u8> = (0..len as u64).map(|at| (at ^ seed >> 3) as u8).collect();
    text.extend_from_slice(&sum(&text).to_le_bytes());
    text
}

fn sum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

/// Checks everything that the last process left; the number of records.
fn check(partition: &mut Partition<Record>) -> Vec<Slot<Record>> {
    assert_eq!(partition.damaged(), 0);
    let slots = partition.recovered();
    for slot in &slots {
        let text = slot.text();
        let (body, checksum) = text.split_at(text.len().checked_sub(8).expect("a text with a checksum"));
        assert_eq!(sum(body).to_le_bytes(), checksum);
        assert_eq!(slot.number, u64::from(slot.number()) + 1, "committed before it was complete");
        assert!(slot.first == slot.second || slot.first == slot.second + 1, "{} {}", slot.first, slot.second);
        assert_eq!(slot.key, [slot.number as u8; 40]);
    }
    slots
}

#[test]
#[ignore = "a helper process that is killed"]
fn writer() {
    let file = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let slab = Slab::open(file).unwrap();
    let mut partition = slab.partition::<Record>(0).unwrap();
    let mut slots = check(&mut partition);
    println!("writing");
    let mut random = u64::from(std::process::id()) << 20 | 1;
    loop {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let which = (random >> 33) as usize % SLOTS as usize;
        match (slots.len(), random >> 60) {
            (len, 0..=3) if len < SLOTS as usize => slots.push(open(&partition, random >> 20)),
            (len, 4..=6) if which < len => drop(slots.swap_remove(which)),
            (len, 7..=10) if which < len => slots[which].set_text(&text(random >> 20)).unwrap(),
            (len, _) if which < len => {
                for _ in 0..50 {
                    slots[which].first += 1;
                    slots[which].settle();
                    slots[which].second += 1;
                    slots[which].settle();
                }
            }
            _ => {}
        }
    }
}

fn open(partition: &Partition<Record>, seed: u64) -> Slot<Record> {
    let mut slot = partition.allocate().unwrap();
    slot.number = u64::from(slot.number()) + 1;
    slot.key = [slot.number as u8; 40];
    slot.set_text(&text(seed)).unwrap();
    slot
}

fn start_writer(file: &OwnedFd) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer", "--ignored", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::from(file.try_clone().unwrap()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_death_at_any_moment_leaves_whole_records_and_texts() {
    let record_bytes = size_of::<Record>() as u32;
    let shape = Shape { threads: 1, slots_per_thread: SLOTS, blocks_per_thread: 2 * SLOTS * 6, record_bytes };
    let (slab, file) = Slab::create(shape).unwrap();
    let (mut records, mut texts) = (0, 0);
    for death in 0..DEATHS {
        let mut writer = start_writer(&file);
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        // Every fourth is killed while it starts and recovers.
        if death % 4 != 3 {
            let started = lines.map_while(Result::ok).any(|line| line.ends_with("writing"));
            assert!(started, "the writer found what its predecessor left in order");
        }
        if death == 0 {
            let taken = slab.partition::<Record>(0);
            let Err(SlabError::System(error)) = taken else { panic!("the writer has the partition") };
            assert_eq!(error.to_string(), format!("process {} holds partition 0", writer.id()));
        }
        // Between nothing and two milliseconds, on no rhythm.
        std::thread::sleep(Duration::from_micros(u64::from(death) * 617 % 2_003));
        writer.kill().unwrap();
        assert_eq!(writer.wait().unwrap().signal(), Some(9), "it found nothing wrong before");
        let mut partition = slab.partition::<Record>(0).unwrap();
        let slots = check(&mut partition);
        records += slots.len();
        texts += slots.iter().map(|slot| slot.text().len()).sum::<usize>();
        slots.into_iter().for_each(Slot::abandon);
    }
    println!("{DEATHS} deaths, {records} records and {texts} bytes of text found");
    assert!(records > DEATHS as usize && texts > 0);
}
