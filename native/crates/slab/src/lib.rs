//! Session records in shared memory that outlive the relay.
//!
//! A slab is a memory file (memfd) of a header, a certificate area, and per thread a partition: slots of a plain-data
//! record `T` and a heap of 256-byte blocks for texts. A record belongs to one thread. Writes are ordered so that a process
//! that dies at any instruction leaves every slot either as before or as after the last commit; plain counters in `T` may be
//! newer. Layout rule: fields of `T` are only appended; an older, shorter record is read with zeros behind it, and a slab
//! whose record is longer than ours (a newer build) is refused with the reason.
#![allow(missing_docs, unused_variables)]

use std::ops::{Deref, DerefMut};

use bytemuck::Pod;

/// Shape of a slab; kept in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub threads: u32,
    pub slots_per_thread: u32,
    pub blocks_per_thread: u32,
    /// Bytes reserved per record: `size_of::<T>()` of the build that made the slab, rounded up, with room to grow.
    pub record_bytes: u32,
}

#[derive(Debug)]
pub enum SlabError {
    /// The file is no slab, or of another shape than it says.
    Damaged(String),
    /// Made by a build whose records do not fit ours.
    Incompatible(String),
    Full,
    System(std::io::Error),
}

/// The mapped file. `create` in the keeper, `open` in each relay.
pub struct Slab {}
impl Slab {
    pub fn create(shape: Shape) -> Result<(Slab, std::os::fd::OwnedFd), SlabError> {
        todo!()
    }
    pub fn open(fd: std::os::fd::OwnedFd) -> Result<Slab, SlabError> {
        todo!()
    }
    pub fn shape(&self) -> Shape {
        todo!()
    }
    /// Area for the engine's own bytes (certificates), 16 KiB, committed whole.
    pub fn common(&self) -> Vec<u8> {
        todo!()
    }
    pub fn set_common(&self, bytes: &[u8]) -> Result<(), SlabError> {
        todo!()
    }
    /// The partition of a thread; each can be taken once per process. Finds what lives in it.
    pub fn partition<T: Pod>(&self, thread: u32) -> Result<Partition<T>, SlabError> {
        todo!()
    }
}

/// Slots of one thread. Not `Send` once taken into a thread's loop.
pub struct Partition<T: Pod> {
    todo: std::marker::PhantomData<T>,
}
impl<T: Pod> Partition<T> {
    /// For tests: in ordinary memory.
    pub fn in_heap(slots: u32, blocks: u32) -> Self {
        todo!()
    }
    /// Records that a process before us left, each once.
    pub fn recovered(&mut self) -> Vec<Slot<T>> {
        todo!()
    }
    /// A zeroed record.
    pub fn allocate(&self) -> Result<Slot<T>, SlabError> {
        todo!()
    }
    pub fn used(&self) -> u32 {
        todo!()
    }
    pub fn capacity(&self) -> u32 {
        todo!()
    }
}

/// One record, owned. Dropping it frees the slot (erased: it holds keys); `std::mem::forget` or death of the process does not.
pub struct Slot<T: Pod> {
    todo: std::marker::PhantomData<T>,
}
impl<T: Pod> Slot<T> {
    /// Stable number of the slot within its thread.
    pub fn number(&self) -> u32 {
        todo!()
    }
    /// The text kept with the record (what changes with commands, not with packets).
    pub fn text(&self) -> Vec<u8> {
        todo!()
    }
    /// Replaces the text: a reader after a crash finds the old one or the new one.
    pub fn set_text(&mut self, text: &[u8]) -> Result<(), SlabError> {
        todo!()
    }
}
impl<T: Pod> Deref for Slot<T> {
    type Target = T;
    fn deref(&self) -> &T {
        todo!()
    }
}
impl<T: Pod> DerefMut for Slot<T> {
    fn deref_mut(&mut self) -> &mut T {
        todo!()
    }
}
