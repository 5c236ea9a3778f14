//! What a process finds in the slab that another left.
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;

use bytemuck::{Pod, Zeroable};
use trunkline_slab::{COMMON_BYTES, Partition, Shape, Slab, SlabError, Slot};

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
struct Record {
    key: [u8; 16],
    packets: u64,
}

/// The same, of a build that appended a field.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
struct LongerRecord {
    old: Record,
    octets: u64,
}

const SHAPE: Shape =
    Shape { threads: 2, slots_per_thread: 4, blocks_per_thread: 8, record_bytes: size_of::<Record>() as u32 };

fn committed(partition: &Partition<Record>, packets: u64, text: &[u8]) -> Slot<Record> {
    let mut slot = partition.allocate().unwrap();
    slot.packets = packets;
    slot.key = [packets as u8; 16];
    slot.set_text(text).unwrap();
    slot
}

/// What the next process finds: number, record, text.
fn found(slab: &Slab) -> Vec<(u32, Record, Vec<u8>)> {
    let (next, _) = slab.copy().unwrap();
    let slots = next.partition::<Record>(0).unwrap().recovered();
    slots.iter().map(|slot| (slot.number(), **slot, slot.text())).collect()
}

#[test]
fn records_and_texts_are_found_by_the_next_process() {
    let (slab, file) = Slab::create(SHAPE).unwrap();
    let partition = slab.partition::<Record>(0).unwrap();
    let mut slots: Vec<_> = (1..=3).map(|n| committed(&partition, n, b"short")).collect();
    slots[1].set_text(&[7; 1_000]).unwrap();
    slots[2].packets += 1;
    let numbers: Vec<_> = slots.iter().map(Slot::number).collect();
    slots.into_iter().for_each(Slot::abandon);
    drop(partition);
    drop(slab);

    let slab = Slab::open(file).unwrap();
    assert_eq!(slab.shape().slots_per_thread, 4);
    let mut partition = slab.partition::<Record>(0).unwrap();
    assert_eq!((partition.used(), partition.capacity(), partition.damaged()), (3, 4, 0));
    let slots = partition.recovered();
    assert_eq!(slots.iter().map(Slot::number).collect::<Vec<_>>(), numbers);
    assert_eq!(slots.iter().map(|slot| slot.packets).collect::<Vec<_>>(), [1, 2, 4]);
    assert_eq!(slots[0].text(), b"short");
    assert_eq!(slots[1].text(), [7; 1_000]);
    assert!(partition.recovered().is_empty(), "each is given out once");
    let other = slab.partition::<Record>(1).unwrap();
    assert_eq!(other.used(), 0);
}

#[test]
fn a_record_without_text_is_not_committed() {
    let (slab, _) = Slab::create(SHAPE).unwrap();
    let partition = slab.partition::<Record>(0).unwrap();
    let mut slot = partition.allocate().unwrap();
    slot.packets = 5;
    assert_eq!(found(&slab), []);
    slot.set_text(b"").unwrap();
    assert_eq!(found(&slab), [(slot.number(), *slot, Vec::new())]);
}

#[test]
fn a_freed_slot_leaves_no_byte_behind() {
    let (slab, file) = Slab::create(SHAPE).unwrap();
    let partition = slab.partition::<Record>(0).unwrap();
    let mut slot = committed(&partition, u64::from_ne_bytes(*b"KEYBYTES"), b"TEXTWITHKEYS");
    slot.set_text(&b"TEXTWITHKEYS".repeat(80)).unwrap();
    assert!(contains(&file, b"KEYBYTES") && contains(&file, b"TEXTWITHKEYS"));
    slot.set_text(b"other").unwrap();
    assert!(!contains(&file, b"TEXTWITHKEYS"));
    drop(slot);
    assert!(!contains(&file, b"KEYBYTES") && !contains(&file, b"other"));
    assert_eq!(found(&slab), []);
    assert_eq!(*partition.allocate().unwrap(), Record::zeroed());
}

#[test]
fn what_a_death_left_uncommitted_is_erased() {
    let (slab, _) = Slab::create(SHAPE).unwrap();
    let partition = slab.partition::<Record>(0).unwrap();
    let mut slot = partition.allocate().unwrap();
    slot.packets = u64::from_ne_bytes(*b"KEYBYTES");
    let (next, next_file) = slab.copy().unwrap();
    assert!(contains(&next_file, b"KEYBYTES"));
    let partition = next.partition::<Record>(0).unwrap();
    assert!(!contains(&next_file, b"KEYBYTES"));
    assert_eq!((partition.used(), partition.damaged()), (0, 0));
}

#[test]
fn slots_and_blocks_run_out_and_come_back() {
    let partition = Partition::<Record>::in_heap(2, 8);
    let mut first = partition.allocate().unwrap();
    let second = partition.allocate().unwrap();
    assert!(matches!(partition.allocate(), Err(SlabError::Full)));
    let text = vec![1; 4 * 252];
    first.set_text(&text).unwrap();
    assert!(matches!(first.set_text(&[2; 4 * 252 + 1]), Err(SlabError::Full)));
    assert_eq!(first.text(), text);
    for round in 0..100 {
        first.set_text(&vec![round; 4 * 252]).unwrap();
    }
    drop(first);
    drop(second);
    assert_eq!(partition.used(), 0);
    let mut third = partition.allocate().unwrap();
    third.set_text(&vec![3; 8 * 252]).unwrap();
    drop(partition);
    assert_eq!(third.text(), vec![3; 8 * 252], "a slot outlives its partition");
}

#[test]
fn an_older_shorter_record_is_read_with_zeros_behind_it() {
    let (slab, _) = Slab::create(SHAPE).unwrap();
    committed(&slab.partition::<Record>(0).unwrap(), 9, b"old").abandon();
    let mut newer = slab.partition::<LongerRecord>(0).unwrap();
    let mut slot = newer.recovered().pop().unwrap();
    assert_eq!((slot.old.packets, slot.octets), (9, 0));
    slot.octets = 1;
    slot.abandon();
    assert!(matches!(slab.fits::<Record>(), Err(SlabError::Incompatible(_))), "known before it is tried");
    assert!(slab.fits::<LongerRecord>().is_ok());
    drop(newer);
    let Err(SlabError::Incompatible(reason)) = slab.partition::<Record>(0) else {
        panic!("a newer build's records are refused")
    };
    assert!(reason.contains("wrote records of 32 bytes, ours have 24"), "{reason}");
    assert!(slab.partition::<LongerRecord>(0).is_ok(), "a refused partition is free again");
}

#[test]
fn a_record_may_grow_by_a_quarter_and_no_more_than_what_is_reserved() {
    let shape = Shape { record_bytes: 1_000, ..SHAPE };
    let (slab, _) = Slab::create(shape).unwrap();
    assert!(slab.shape().record_bytes >= 1_250);
    assert!(slab.partition::<[u8; 1_250]>(0).is_ok());
    assert!(matches!(slab.partition::<[u8; 2_000]>(0), Err(SlabError::Incompatible(_))));
}

#[test]
fn a_partition_has_one_owner() {
    let (slab, file) = Slab::create(SHAPE).unwrap();
    let partition = slab.partition::<Record>(0).unwrap();
    let again = Slab::open(file).unwrap();
    for slab in [&slab, &again] {
        let Err(SlabError::System(error)) = slab.partition::<Record>(0) else { panic!("taken twice") };
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }
    assert!(again.partition::<Record>(1).is_ok());
    let slot = committed(&partition, 1, b"x");
    drop(partition);
    assert!(slab.partition::<Record>(0).is_err(), "a slot still uses it");
    slot.abandon();
    assert_eq!(slab.partition::<Record>(0).unwrap().used(), 1);
    assert!(matches!(slab.partition::<Record>(2), Err(SlabError::System(_))));
}

#[test]
fn the_common_area_is_read_as_it_was_written_last() {
    let (slab, file) = Slab::create(SHAPE).unwrap();
    assert_eq!(slab.common(), b"");
    for len in [1, 8, 4_095, COMMON_BYTES, 0, 3] {
        let bytes: Vec<_> = (0..len).map(|at| (at * 7 + len) as u8).collect();
        slab.set_common(&bytes).unwrap();
        assert_eq!(slab.common(), bytes);
        assert_eq!(slab.copy().unwrap().0.common(), bytes);
    }
    assert!(matches!(slab.set_common(&[0; COMMON_BYTES + 1]), Err(SlabError::Full)));
    slab.set_common(b"OLD KEY").unwrap();
    slab.set_common(b"NEW KEY").unwrap();
    assert!(!contains(&file, b"OLD KEY") && contains(&file, b"NEW KEY"));
}

#[test]
fn the_common_area_is_never_read_half_written() {
    let (slab, _) = Slab::create(SHAPE).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| (1..2_000_u32).for_each(|n| slab.set_common(&[n as u8; 4_000]).unwrap()));
        for _ in 0..2_000 {
            let bytes = slab.common();
            assert!(bytes.windows(2).all(|pair| pair[0] == pair[1]));
        }
    });
}

#[test]
fn a_damaged_header_is_refused() {
    for at in (0..56).step_by(8) {
        let (_slab, file) = Slab::create(SHAPE).unwrap();
        overwrite(&file, at, &[0xa5]);
        let refused = Slab::open(file);
        assert!(
            matches!(refused, Err(SlabError::Damaged(_) | SlabError::Incompatible(_))),
            "the word at {at}"
        );
    }
}

#[test]
fn a_file_that_is_no_slab_is_refused() {
    let file = std::fs::File::open("/proc/self/exe").unwrap();
    assert!(matches!(Slab::open(file.into()), Err(SlabError::Damaged(_))));
    let impossible = Shape { threads: u32::MAX, slots_per_thread: u32::MAX, ..SHAPE };
    assert!(Slab::create(impossible).is_err());
    assert!(Slab::create(Shape { threads: 0, ..SHAPE }).is_err());
}

#[test]
fn a_slot_with_a_broken_text_is_freed_and_the_others_live() {
    let (slab, file) = Slab::create(SHAPE).unwrap();
    let partition = slab.partition::<Record>(0).unwrap();
    let slots: Vec<_> = (0..2).map(|n| committed(&partition, n, &[n as u8; 400])).collect();
    // The states follow the partition's first cache line; this one now names a block that does not exist.
    overwrite(
        &file,
        4_096 + 2 * COMMON_BYTES as u64 + 64 + 8 * u64::from(slots[0].number()) + 4,
        &[0xff, 0xff],
    );
    let (next, _) = slab.copy().unwrap();
    let mut recovered = next.partition::<Record>(0).unwrap();
    assert_eq!((recovered.damaged(), recovered.used()), (1, 1));
    assert_eq!(recovered.recovered()[0].text(), [1; 400]);
    slots.into_iter().for_each(Slot::abandon);
}

fn contains(file: &OwnedFd, bytes: &[u8]) -> bool {
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file));
    std::fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes)
}

fn overwrite(file: &OwnedFd, at: u64, bytes: &[u8]) {
    let mut file = std::fs::File::from(file.try_clone().unwrap());
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}
