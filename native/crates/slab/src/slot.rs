use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::rc::Rc;

use bytemuck::Pod;

use crate::error::SlabError;
use crate::partition::{Shared, State};

/// One record, owned. Dropping it frees the slot (erased: it holds keys); `std::mem::forget` or death of the process does not.
///
/// It belongs to its thread and can outlive the `Partition`.
pub struct Slot<T: Pod> {
    shared: Rc<Shared>,
    number: u32,
    /// In the memory of `shared`.
    record: NonNull<T>,
}

impl<T: Pod> Slot<T> {
    /// # Safety
    /// No other `Slot` has this number, the slot is not free, and `T` fits the partition.
    pub(crate) unsafe fn new(shared: Rc<Shared>, number: u32) -> Self {
        let record = NonNull::new(shared.record(number).cast()).expect("a place in the memory");
        Self { shared, number, record }
    }

    /// Stable number of the slot within its thread.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The text kept with the record (what changes with commands, not with packets); empty before the first one.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        match self.shared.state(self.number) {
            State::Used(chain) => self.shared.blocks.read(chain),
            _ => Vec::new(),
        }
    }

    /// Replaces the text: a reader after a crash finds the old one or the new one. The first text commits the record.
    ///
    /// # Errors
    /// `Full`: there is not room for both; the old one stays.
    pub fn set_text(&mut self, text: &[u8]) -> Result<(), SlabError> {
        self.settle();
        let old = self.shared.state(self.number);
        let new = self.shared.blocks.write(text)?;
        self.shared.set_state(self.number, State::Used(new));
        if let State::Used(chain) = old {
            self.shared.blocks.free(chain);
        }
        Ok(())
    }

    /// All changes of the record so far are in memory before anything that follows; a packet, say. Costs nothing.
    pub fn settle(&self) {
        let record = self.record.as_ptr();
        // SAFETY: no instruction; the compiler takes it for one that may read the record, so it stores what it held back.
        unsafe { std::arch::asm!("/* {0} */", in(reg) record, options(nostack, preserves_flags)) };
    }

    /// Leaves the record to the process that follows, as death would, and gives up the claim on the partition with the
    /// last of them (`std::mem::forget` would keep it until the process ends).
    pub fn abandon(self) {
        let slot = std::mem::ManuallyDrop::new(self);
        // SAFETY: `slot` is never used or dropped after this, so the reference is moved out once.
        drop(unsafe { std::ptr::read(&raw const slot.shared) });
    }
}

impl<T: Pod> Deref for Slot<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the partition checked that `T` fits the record, which is aligned to 64 bytes. Every bit pattern is a `T`.
        // This slot is the only one of its number, so nobody writes while it is borrowed.
        unsafe { self.record.as_ref() }
    }
}

impl<T: Pod> DerefMut for Slot<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and `self` is borrowed for writing.
        unsafe { self.record.as_mut() }
    }
}

impl<T: Pod> Drop for Slot<T> {
    fn drop(&mut self) {
        // SAFETY: this was the only one of its number, and its borrows have ended.
        unsafe { self.shared.release(self.number) };
    }
}
