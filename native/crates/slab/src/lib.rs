//! Session records in shared memory that outlive the relay.
//!
//! A slab is a memory file (memfd) of a header, a certificate area, and per thread a partition: slots of a plain-data
//! record `T` and a heap of 256-byte blocks for texts. A record belongs to one thread. Writes are ordered so that a process
//! that dies at any instruction leaves every slot either as before or as after the last commit; plain counters in `T` may be
//! newer. Layout rule: fields of `T` are only appended; an older, shorter record is read with zeros behind it, and a slab
//! whose record is longer than ours (a newer build) is refused with the reason.
//!
//! # What is committed when
//! - A slot is recovered from its first `set_text` on: fill the record, then set the text.
//! - `set_text` writes the new text beside the old one, then turns to it with one store.
//! - Dropping a slot takes it out of recovery with one store, then erases record and text: they hold keys. What a death
//!   leaves half erased, or allocated but never committed, is erased at recovery.
//!
//! # Why it is sound
//! Memory that several processes map is only read and written through atomics, except inside a partition. A partition
//! has one owner: within a process a table of claims says so, between processes a file lock that the kernel releases when
//! the last thread of the owner has ended. The file is sealed, so its pages cannot go away.

mod blocks;
mod claim;
mod common;
mod error;
mod layout;
mod memory;
mod partition;
mod slab;
mod slot;

pub use common::COMMON_BYTES;
pub use error::SlabError;
pub use layout::Shape;
pub use partition::Partition;
pub use slab::Slab;
pub use slot::Slot;
