use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytemuck::Pod;

use crate::blocks::{Blocks, Chain};
use crate::claim::Claim;
use crate::error::SlabError;
use crate::layout::{PartitionLayout, RECORD_ALIGN, Shape, WORD};
use crate::memory::{Memory, commit};
use crate::slot::Slot;

/// State of a slot, one word. Its record is all zero in `Free`, anything in `Dirty`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Free,
    /// Allocated and not committed yet, or being erased.
    Dirty,
    Used(Chain),
}

const DIRTY: u64 = 1;
const USED: u64 = 1 << 63;

impl State {
    fn word(self) -> u64 {
        match self {
            Self::Free => 0,
            Self::Dirty => DIRTY,
            Self::Used(chain) => USED | (u64::from(chain.first) << 32) | u64::from(chain.len),
        }
    }

    /// A word that nobody writes is read as `Dirty`: the slot is erased.
    fn of(word: u64) -> Self {
        match word {
            0 => Self::Free,
            _ if word & USED != 0 => {
                Self::Used(Chain { first: ((word & !USED) >> 32) as u32, len: word as u32 })
            }
            _ => Self::Dirty,
        }
    }
}

/// Slots of one thread. Not `Send` once taken into a thread's loop.
pub struct Partition<T: Pod> {
    shared: Rc<Shared>,
    recovered: Vec<u32>,
    records: PhantomData<T>,
}

impl<T: Pod> Partition<T> {
    /// For tests: in ordinary memory.
    ///
    /// # Panics
    /// If the partition is too large for the memory.
    #[must_use]
    pub fn in_heap(slots: u32, blocks: u32) -> Self {
        let record_bytes = size_of::<T>() as u32;
        let shape = Shape { threads: 1, slots_per_thread: slots, blocks_per_thread: blocks, record_bytes };
        let shape = shape.with_room();
        let layout = PartitionLayout::of(shape).expect("a partition that fits the memory");
        let memory = Arc::new(Memory::heap(layout.bytes));
        // SAFETY: the memory is new.
        unsafe { Self::take(memory, 0, shape, layout, None) }.expect("new memory has nothing to refuse")
    }

    /// # Safety
    /// Nobody else uses the partition at `start`, which was made zero and since then only used by one after the other;
    /// `claim`, if any, keeps that so.
    pub(crate) unsafe fn take(
        memory: Arc<Memory>,
        start: usize,
        shape: Shape,
        layout: PartitionLayout,
        claim: Option<Claim>,
    ) -> Result<Self, SlabError> {
        let written = memory.word(start + layout.written_bytes);
        let bytes = fit::<T>(shape.record_bytes, written.load(Ordering::Relaxed))?;
        commit(written, bytes);
        let count = shape.blocks_per_thread;
        // SAFETY: the caller makes us the owner of all that is in the partition.
        let blocks = unsafe {
            Blocks::take(memory.clone(), start + layout.blocks, count, start + layout.touched_blocks)
        };
        let shared = Shared {
            states: start + layout.states,
            records: start + layout.records,
            record_bytes: shape.record_bytes as usize,
            slots: shape.slots_per_thread,
            free: RefCell::new(Vec::with_capacity(shape.slots_per_thread as usize)),
            damaged: Cell::new(0),
            blocks,
            memory,
            _claim: claim,
        };
        let recovered = shared.recover(count);
        Ok(Self { shared: Rc::new(shared), recovered, records: PhantomData })
    }

    /// Records that a process before us left, each once. Those not asked for stay.
    pub fn recovered(&mut self) -> Vec<Slot<T>> {
        let numbers = std::mem::take(&mut self.recovered);
        // SAFETY: the numbers are of used slots, and none was given out before.
        numbers.into_iter().map(|number| unsafe { Slot::new(self.shared.clone(), number) }).collect()
    }

    /// A zeroed record. It is recovered after a death once it has a text.
    ///
    /// # Errors
    /// `Full`.
    pub fn allocate(&self) -> Result<Slot<T>, SlabError> {
        let number = self.shared.free.borrow_mut().pop().ok_or(SlabError::Full)?;
        self.shared.set_state(number, State::Dirty);
        // SAFETY: the slot was free, and is no longer.
        Ok(unsafe { Slot::new(self.shared.clone(), number) })
    }

    /// Slots that are not free, those not asked for included.
    #[must_use]
    pub fn used(&self) -> u32 {
        self.shared.slots - self.shared.free.borrow().len() as u32
    }

    /// Slots in all.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.shared.slots
    }

    /// Slots whose text was found broken when the partition was taken: freed. Never by a death alone.
    #[must_use]
    pub fn damaged(&self) -> u32 {
        self.shared.damaged.get()
    }
}

/// Size of the longest record ever written, ours included.
pub(crate) fn fit<T: Pod>(reserved: u32, written: u64) -> Result<u64, SlabError> {
    let ours = size_of::<T>() as u64;
    if align_of::<T>() > RECORD_ALIGN || ours > reserved.into() {
        let reason = format!("records of {ours} bytes do not fit the {reserved} that are reserved");
        return Err(SlabError::Incompatible(reason));
    }
    if written > reserved.into() {
        return Err(SlabError::Damaged(format!("records of {written} bytes in {reserved}")));
    }
    if written > ours {
        let reason = format!("a newer build wrote records of {written} bytes, ours have {ours}");
        return Err(SlabError::Incompatible(reason));
    }
    Ok(ours)
}

/// What a partition and its slots share; it lives as long as the last of them.
pub(crate) struct Shared {
    states: usize,
    records: usize,
    record_bytes: usize,
    slots: u32,
    free: RefCell<Vec<u32>>,
    damaged: Cell<u32>,
    pub(crate) blocks: Blocks,
    memory: Arc<Memory>,
    _claim: Option<Claim>,
}

impl Shared {
    /// Where the record of a slot is.
    pub(crate) fn record(&self, number: u32) -> *mut u8 {
        self.memory.pointer(self.record_at(number), self.record_bytes)
    }

    pub(crate) fn state(&self, number: u32) -> State {
        State::of(self.state_word(number).load(Ordering::Relaxed))
    }

    pub(crate) fn set_state(&self, number: u32, state: State) {
        commit(self.state_word(number), state.word());
    }

    /// Erases a slot and makes it free.
    ///
    /// # Safety
    /// Nobody has the slot any more.
    pub(crate) unsafe fn release(&self, number: u32) {
        let state = self.state(number);
        self.set_state(number, State::Dirty);
        if let State::Used(chain) = state {
            self.blocks.free(chain);
        }
        // SAFETY: nobody has the slot.
        unsafe { self.erase(number) };
    }

    /// Finds the used slots and frees the others.
    fn recover(&self, blocks: u32) -> Vec<u32> {
        let mut reached = vec![false; blocks as usize];
        let mut recovered = Vec::new();
        for number in (0..self.slots).rev() {
            match self.state(number) {
                State::Free => self.free.borrow_mut().push(number),
                State::Used(chain) if self.blocks.mark(chain, &mut reached) => recovered.push(number),
                state => {
                    self.damaged.set(self.damaged.get() + u32::from(state != State::Dirty));
                    self.set_state(number, State::Dirty);
                    // SAFETY: no slot was given out yet.
                    unsafe { self.erase(number) };
                }
            }
        }
        self.blocks.sweep(&reached);
        recovered.reverse();
        recovered
    }

    /// # Safety
    /// Nobody has the slot, which is `Dirty`.
    unsafe fn erase(&self, number: u32) {
        // SAFETY: as the caller promises.
        unsafe { self.memory.erase(self.record_at(number), self.record_bytes) };
        self.set_state(number, State::Free);
        self.free.borrow_mut().push(number);
    }

    fn state_word(&self, number: u32) -> &AtomicU64 {
        self.memory.word(self.states + number as usize * WORD)
    }

    fn record_at(&self, number: u32) -> usize {
        self.records + number as usize * self.record_bytes
    }
}
