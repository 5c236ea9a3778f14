use std::fmt;
use std::io;

/// Why a slab cannot be used, or not for this.
#[derive(Debug)]
pub enum SlabError {
    /// The file is no slab, or of another shape than it says.
    Damaged(String),
    /// Made by a build whose records do not fit ours.
    Incompatible(String),
    /// No free slot, or not enough free blocks for the text.
    Full,
    /// A system call failed; `WouldBlock`: another process holds the partition.
    System(io::Error),
}

impl fmt::Display for SlabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(reason) => write!(f, "the slab is damaged: {reason}"),
            Self::Incompatible(reason) => write!(f, "the slab is of another build: {reason}"),
            Self::Full => f.write_str("the slab is full"),
            Self::System(_) => f.write_str("the slab cannot be used"),
        }
    }
}

impl std::error::Error for SlabError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for SlabError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
