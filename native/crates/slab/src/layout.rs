use crate::common::COMMON_BYTES;

pub(crate) const PAGE: usize = 4_096;
/// Alignment of records, so that two never share a cache line.
pub(crate) const RECORD_ALIGN: usize = 64;
pub(crate) const BLOCK_BYTES: usize = 256;
pub(crate) const WORD: usize = 8;

/// Shape of a slab; kept in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Partitions.
    pub threads: u32,
    /// Records of one thread.
    pub slots_per_thread: u32,
    /// Blocks of 256 bytes for the texts of one thread; replacing a text needs room for the old and the new one.
    pub blocks_per_thread: u32,
    /// Bytes reserved per record: `size_of::<T>()` of the build that made the slab, rounded up, with room to grow.
    /// `Slab::create` does the rounding.
    pub record_bytes: u32,
}

impl Shape {
    /// The same with room for records to grow by a quarter.
    pub(crate) fn with_room(self) -> Self {
        let grown = self.record_bytes.saturating_add(self.record_bytes / 4);
        Self { record_bytes: grown.max(1).next_multiple_of(RECORD_ALIGN as u32), ..self }
    }
}

/// Header words, from the start of the file.
pub(crate) mod header {
    pub(crate) const MAGIC: usize = 0;
    pub(crate) const VERSION: usize = 8;
    pub(crate) const THREADS: usize = 16;
    pub(crate) const SLOTS: usize = 24;
    pub(crate) const BLOCKS: usize = 32;
    pub(crate) const RECORD_BYTES: usize = 40;
    pub(crate) const CHECKSUM: usize = 48;
    /// Which copy of the common area counts, and how long it is.
    pub(crate) const COMMON: usize = 56;
}

/// Where things are in one partition, from its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartitionLayout {
    /// A word: size of the longest `T` that was ever written.
    pub(crate) written_bytes: usize,
    /// A word: blocks from this index on were never written.
    pub(crate) touched_blocks: usize,
    /// A word per slot: its state.
    pub(crate) states: usize,
    pub(crate) records: usize,
    pub(crate) blocks: usize,
    /// Bytes of a partition, whole pages.
    pub(crate) bytes: usize,
}

impl PartitionLayout {
    /// `None`: beyond all reason.
    pub(crate) fn of(shape: Shape) -> Option<Self> {
        let (slots, blocks) = (shape.slots_per_thread as usize, shape.blocks_per_thread as usize);
        let record_bytes = shape.record_bytes as usize;
        if slots > 1 << 24
            || blocks > 1 << 28
            || record_bytes == 0
            || !record_bytes.is_multiple_of(RECORD_ALIGN)
        {
            return None;
        }
        let states = RECORD_ALIGN;
        let records = (states + slots * WORD).next_multiple_of(RECORD_ALIGN);
        let blocks_at =
            records.checked_add(slots.checked_mul(record_bytes)?)?.checked_next_multiple_of(BLOCK_BYTES)?;
        let bytes = blocks_at.checked_add(blocks * BLOCK_BYTES)?.checked_next_multiple_of(PAGE)?;
        Some(Self { written_bytes: 0, touched_blocks: WORD, states, records, blocks: blocks_at, bytes })
    }
}

/// Offset of the two copies of the common area.
pub(crate) const COMMON_AT: usize = PAGE;
pub(crate) const PARTITIONS_AT: usize = COMMON_AT + 2 * COMMON_BYTES;

/// Bytes of the whole file; `None`: beyond all reason.
pub(crate) fn file_bytes(shape: Shape, partition: &PartitionLayout) -> Option<usize> {
    let threads = (1..=4_096).contains(&shape.threads).then_some(shape.threads as usize)?;
    let bytes = partition.bytes.checked_mul(threads)?.checked_add(PARTITIONS_AT)?;
    i64::try_from(bytes).ok().map(|_| bytes)
}
