//! Any sequence of operations, with deaths in between, against a map.
use std::collections::BTreeMap;

use proptest::prelude::*;
use trunkline_slab::{Shape, Slab, SlabError, Slot};

const SLOTS: u32 = 5;
const BLOCKS: u32 = 12;

#[derive(Clone, Debug)]
enum Operation {
    Allocate,
    Write(usize, u64),
    SetText(usize, Vec<u8>),
    Free(usize),
    /// The process ends and another takes over.
    Die,
}

fn operation() -> impl Strategy<Value = Operation> {
    let text = (any::<u8>(), 0_usize..1_100).prop_map(|(byte, len)| vec![byte; len]);
    prop_oneof![
        3 => Just(Operation::Allocate),
        3 => (0..8_usize, any::<u64>()).prop_map(|(which, value)| Operation::Write(which, value)),
        4 => (0..8_usize, text).prop_map(|(which, text)| Operation::SetText(which, text)),
        2 => (0..8_usize).prop_map(Operation::Free),
        1 => Just(Operation::Die),
    ]
}

fn blocks(text: &[u8]) -> u32 {
    text.len().div_ceil(252) as u32
}

/// Record and text; a slot without a text does not survive.
type Model = BTreeMap<u32, (u64, Option<Vec<u8>>)>;

fn free_blocks(model: &Model) -> u32 {
    BLOCKS - model.values().filter_map(|(_, text)| text.as_deref()).map(blocks).sum::<u32>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn the_slab_is_a_map(operations in prop::collection::vec(operation(), 1..80)) {
        let shape = Shape { threads: 1, slots_per_thread: SLOTS, blocks_per_thread: BLOCKS, record_bytes: 8 };
        let (slab, _file) = Slab::create(shape).unwrap();
        let mut partition = slab.partition::<u64>(0).unwrap();
        let mut slots: Vec<Slot<u64>> = Vec::new();
        let mut model = Model::new();
        for operation in operations {
            match operation {
                Operation::Allocate => match partition.allocate() {
                    Ok(slot) => {
                        prop_assert_eq!((*slot, slot.text()), (0, Vec::new()));
                        prop_assert!(model.insert(slot.number(), (0, None)).is_none());
                        slots.push(slot);
                    }
                    Err(error) => {
                        prop_assert!(matches!(error, SlabError::Full));
                        prop_assert_eq!(model.len() as u32, SLOTS);
                    }
                },
                Operation::Write(which, value) => if let Some(slot) = slots.get_mut(which) {
                    **slot = value;
                    model.get_mut(&slot.number()).unwrap().0 = value;
                },
                Operation::SetText(which, text) => if let Some(slot) = slots.get_mut(which) {
                    let fits = blocks(&text) <= free_blocks(&model);
                    prop_assert_eq!(slot.set_text(&text).is_ok(), fits);
                    if fits {
                        model.get_mut(&slot.number()).unwrap().1 = Some(text);
                    }
                },
                Operation::Free(which) => if which < slots.len() {
                    model.remove(&slots.swap_remove(which).number());
                },
                Operation::Die => {
                    slots.drain(..).for_each(Slot::abandon);
                    drop(partition);
                    model.retain(|_, (_, text)| text.is_some());
                    partition = slab.partition::<u64>(0).unwrap();
                    slots = partition.recovered();
                    prop_assert_eq!(partition.damaged(), 0);
                }
            }
            prop_assert_eq!(partition.used() as usize, model.len());
            prop_assert_eq!(slots.len(), model.len());
            for slot in &slots {
                let (record, text) = &model[&slot.number()];
                prop_assert_eq!((**slot, slot.text()), (*record, text.clone().unwrap_or_default()));
            }
        }
    }
}
