use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::Pod;

use crate::claim::{Claim, FileId};
use crate::common::Common;
use crate::error::SlabError;
use crate::layout::{PAGE, PARTITIONS_AT, PartitionLayout, Shape, file_bytes, header};
use crate::memory::Memory;
use crate::partition::{Partition, fit};

const MAGIC: u64 = u64::from_le_bytes(*b"TRNKSLAB");
const VERSION: u64 = 1;
const SEALS: libc::c_int = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;

/// The mapped file. `create` in the keeper, `open` in each relay. Threads may share it.
pub struct Slab {
    file: Arc<OwnedFd>,
    id: FileId,
    memory: Arc<Memory>,
    shape: Shape,
    layout: PartitionLayout,
    /// Held while the common area is written.
    common: Mutex<()>,
}

impl Slab {
    /// A new, empty slab, and its file for other processes (closed on exec unless that is changed).
    ///
    /// `shape.record_bytes` is the size of a record; a quarter more is reserved.
    ///
    /// # Errors
    /// `Damaged` if the shape is beyond all reason, else `System`.
    pub fn create(shape: Shape) -> Result<(Self, OwnedFd), SlabError> {
        let shape = shape.with_room();
        let (layout, bytes) = checked(shape)?;
        let file = memory_file(bytes)?;
        let memory = Memory::map(file.as_fd(), bytes)?;
        for (at, value) in header_words(shape) {
            memory.word(at).store(value, Ordering::Relaxed);
        }
        memory.word(header::CHECKSUM).store(checksum(shape), Ordering::Release);
        let (id, _) = status(&file)?;
        let given = file.try_clone()?;
        let (file, memory) = (Arc::new(file), Arc::new(memory));
        Ok((Self { file, id, memory, shape, layout, common: Mutex::new(()) }, given))
    }

    /// A slab that another process made.
    ///
    /// The process opens a slab once: the kernel forgets which partitions it holds when any descriptor of the file closes.
    ///
    /// # Errors
    /// `Damaged` if it is no slab; `Incompatible` if its layout is of another version; else `System`.
    pub fn open(fd: OwnedFd) -> Result<Self, SlabError> {
        let (id, bytes) = status(&fd)?;
        // SAFETY: takes plain numbers.
        let seals = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GET_SEALS) };
        if seals == -1 || seals & SEALS != SEALS || bytes < PAGE {
            return Err(SlabError::Damaged("not a sealed memory file".into()));
        }
        let memory = Memory::map(fd.as_fd(), bytes)?;
        let shape = read_header(&memory)?;
        let (layout, needed) = checked(shape)?;
        if needed != bytes {
            return Err(SlabError::Damaged(format!("{bytes} bytes long instead of {needed}")));
        }
        let (file, memory) = (Arc::new(fd), Arc::new(memory));
        Ok(Self { file, id, memory, shape, layout, common: Mutex::new(()) })
    }

    /// A copy of all that is in it now, in a file of its own: what a process that took over now would find. For tests.
    ///
    /// # Errors
    /// `System`.
    pub fn copy(&self) -> Result<(Self, OwnedFd), SlabError> {
        let (_, bytes) = status(&self.file)?;
        let file = memory_file(bytes)?;
        let mut offset = 0;
        while (offset as usize) < bytes {
            let rest = bytes - offset as usize;
            // SAFETY: `offset` is valid for writing; the kernel copies from file to file.
            let copied =
                unsafe { libc::sendfile(file.as_raw_fd(), self.file.as_raw_fd(), &raw mut offset, rest) };
            if copied <= 0 {
                return Err(io::Error::last_os_error().into());
            }
        }
        let given = file.try_clone()?;
        Ok((Self::open(file)?, given))
    }

    /// Its shape; `record_bytes` is what is reserved.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Area for the engine's own bytes (certificates), 16 KiB, committed whole; empty at first.
    #[must_use]
    pub fn common(&self) -> Vec<u8> {
        Common(&self.memory).read()
    }

    /// Replaces them: a reader, also after a crash, finds the old ones or the new ones. One process writes.
    ///
    /// # Errors
    /// `Full` if they are longer than the area.
    pub fn set_common(&self, bytes: &[u8]) -> Result<(), SlabError> {
        let _one_writer = self.common.lock().unwrap_or_else(PoisonError::into_inner);
        Common(&self.memory).write(bytes)
    }

    /// Whether records `T` can take over what is in it; for one who waits while others have the partitions.
    ///
    /// # Errors
    /// `Incompatible` as of [`Slab::partition`].
    pub fn fits<T: Pod>(&self) -> Result<(), SlabError> {
        (0..self.shape.threads as usize).try_for_each(|thread| {
            let start = PARTITIONS_AT + thread * self.layout.bytes;
            let written = self.memory.word(start + self.layout.written_bytes);
            fit::<T>(self.shape.record_bytes, written.load(Ordering::Relaxed)).map(drop)
        })
    }

    /// The partition of a thread; one process has it at a time, once. Finds what lives in it.
    ///
    /// # Errors
    /// `Incompatible` if `T` is longer than what is reserved, or shorter than what a newer build wrote; `System` with
    /// `WouldBlock` while somebody else has it, with `InvalidInput` if there is no such thread.
    pub fn partition<T: Pod>(&self, thread: u32) -> Result<Partition<T>, SlabError> {
        if thread >= self.shape.threads {
            return Err(io::Error::from(io::ErrorKind::InvalidInput).into());
        }
        let claim = Claim::take(&self.file, self.id, thread)?;
        let start = PARTITIONS_AT + thread as usize * self.layout.bytes;
        // SAFETY: the claim makes us the only owner of this partition, and the memory was zero at first.
        unsafe { Partition::take(self.memory.clone(), start, self.shape, self.layout, Some(claim)) }
    }
}

fn checked(shape: Shape) -> Result<(PartitionLayout, usize), SlabError> {
    PartitionLayout::of(shape)
        .and_then(|layout| Some((layout, file_bytes(shape, &layout)?)))
        .ok_or_else(|| SlabError::Damaged(format!("an impossible shape: {shape:?}")))
}

fn header_words(shape: Shape) -> [(usize, u64); 6] {
    [
        (header::MAGIC, MAGIC),
        (header::VERSION, VERSION),
        (header::THREADS, shape.threads.into()),
        (header::SLOTS, shape.slots_per_thread.into()),
        (header::BLOCKS, shape.blocks_per_thread.into()),
        (header::RECORD_BYTES, shape.record_bytes.into()),
    ]
}

/// FNV-1a over the words of the header.
fn checksum(shape: Shape) -> u64 {
    let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    header_words(shape).iter().flat_map(|(_, word)| word.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, mix)
}

fn read_header(memory: &Memory) -> Result<Shape, SlabError> {
    let word = |at| memory.word(at).load(Ordering::Acquire);
    let sum = word(header::CHECKSUM);
    if word(header::MAGIC) != MAGIC {
        return Err(SlabError::Damaged("no slab".into()));
    }
    if word(header::VERSION) != VERSION {
        let reason = format!("layout version {} instead of {VERSION}", word(header::VERSION));
        return Err(SlabError::Incompatible(reason));
    }
    let shape = Shape {
        threads: word(header::THREADS) as u32,
        slots_per_thread: word(header::SLOTS) as u32,
        blocks_per_thread: word(header::BLOCKS) as u32,
        record_bytes: word(header::RECORD_BYTES) as u32,
    };
    let intact = sum == checksum(shape) && header_words(shape).iter().all(|(at, value)| word(*at) == *value);
    if intact { Ok(shape) } else { Err(SlabError::Damaged("the header's checksum is wrong".into())) }
}

/// A memory file of fixed size, all zero.
fn memory_file(bytes: usize) -> io::Result<OwnedFd> {
    const FLAGS: libc::c_uint = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let name = c"trunkline-slab".as_ptr();
    // SAFETY: the name is a C string.
    let mut fd = unsafe { libc::memfd_create(name, FLAGS | libc::MFD_NOEXEC_SEAL) };
    if fd == -1 {
        // Before Linux 6.3 there was no such flag.
        // SAFETY: as above.
        fd = unsafe { libc::memfd_create(name, FLAGS) };
    }
    if fd == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel gave us this descriptor just now; nobody else has it.
    let file = std::fs::File::from(unsafe { OwnedFd::from_raw_fd(fd) });
    file.set_len(bytes as u64)?;
    // SAFETY: takes plain numbers.
    match unsafe { libc::fcntl(fd, libc::F_ADD_SEALS, SEALS) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(file.into()),
    }
}

/// Identity and length of a file.
fn status(fd: &OwnedFd) -> io::Result<(FileId, usize)> {
    // SAFETY: integers only; zero is one in each.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: `status` is valid for writing.
    if unsafe { libc::fstat(fd.as_raw_fd(), &raw mut status) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let bytes = usize::try_from(status.st_size).map_err(|_| io::ErrorKind::FileTooLarge)?;
    Ok(((status.st_dev, status.st_ino), bytes))
}
