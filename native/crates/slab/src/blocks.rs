use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::SlabError;
use crate::layout::BLOCK_BYTES;
use crate::memory::{Memory, commit};

/// A block begins with the number of the next one.
const LINK_BYTES: usize = 4;
const TEXT_BYTES: usize = BLOCK_BYTES - LINK_BYTES;

/// A text as a slot's state names it: number of its first block (from 1; 0 if it is empty) and length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) first: u32,
    pub(crate) len: u32,
}

impl Chain {
    fn blocks(self) -> usize {
        (self.len as usize).div_ceil(TEXT_BYTES)
    }
}

/// The heap of blocks of one partition. Which blocks are free is known to this process only: a chain that no state names
/// is free.
pub(crate) struct Blocks {
    memory: Arc<Memory>,
    start: usize,
    count: u32,
    /// Where the word is that says how many blocks, from the first, were ever written.
    touched_at: usize,
    free: RefCell<Vec<u32>>,
}

impl Blocks {
    /// # Safety
    /// This becomes the only user of the `count` blocks from `start` and of the word at `touched_at`.
    pub(crate) unsafe fn take(memory: Arc<Memory>, start: usize, count: u32, touched_at: usize) -> Self {
        Self { memory, start, count, touched_at, free: RefCell::new(Vec::with_capacity(count as usize)) }
    }

    /// The text in blocks of its own, which nothing names yet.
    pub(crate) fn write(&self, text: &[u8]) -> Result<Chain, SlabError> {
        let len = u32::try_from(text.len()).map_err(|_| SlabError::Full)?;
        let mut free = self.free.borrow_mut();
        let mut chain = Chain { first: 0, len };
        let Some(left) = free.len().checked_sub(chain.blocks()) else { return Err(SlabError::Full) };
        // From the last block to the first, so that each can name the next.
        for (piece, &block) in text.chunks(TEXT_BYTES).rev().zip(free[left..].iter()) {
            self.touch(block);
            // SAFETY: the block was free, so no chain has it.
            unsafe {
                self.memory.write(self.at(block), &chain.first.to_ne_bytes());
                self.memory.write(self.at(block) + LINK_BYTES, piece);
            }
            chain.first = block + 1;
        }
        free.truncate(left);
        Ok(chain)
    }

    pub(crate) fn read(&self, chain: Chain) -> Vec<u8> {
        let mut text = vec![0; chain.len as usize];
        for (piece, block) in text.chunks_mut(TEXT_BYTES).zip(self.walk(chain)) {
            // SAFETY: the chain is of this partition's owner, who does not write now.
            unsafe { self.memory.read(self.at(block) + LINK_BYTES, piece) };
        }
        text
    }

    /// Erases a chain that nothing names any more.
    pub(crate) fn free(&self, chain: Chain) {
        let mut free = self.free.borrow_mut();
        for block in self.walk(chain) {
            // SAFETY: the walk has read this block's link already, and nobody else uses the chain.
            unsafe { self.memory.erase(self.at(block), BLOCK_BYTES) };
            free.push(block);
        }
    }

    /// Marks the blocks of a chain as used; `false`, and none is marked, if it is broken or shares a block with another.
    pub(crate) fn mark(&self, chain: Chain, used: &mut [bool]) -> bool {
        if (chain.first == 0) != (chain.len == 0) || chain.blocks() > self.count as usize {
            return false;
        }
        let marked: Vec<_> = self
            .walk(chain)
            .take_while(|&block| !std::mem::replace(&mut used[block as usize], true))
            .collect();
        let whole = marked.len() == chain.blocks() && marked.last().is_none_or(|&last| self.link(last) == 0);
        if !whole {
            marked.into_iter().for_each(|block| used[block as usize] = false);
        }
        whole
    }

    /// Makes all others free, after erasing what a death left in them.
    pub(crate) fn sweep(&self, used: &[bool]) {
        let touched = self.memory.word(self.touched_at).load(Ordering::Relaxed);
        let mut free = self.free.borrow_mut();
        for block in (0..self.count).rev().filter(|&block| !used[block as usize]) {
            if u64::from(block) < touched {
                // SAFETY: no chain has this block.
                unsafe { self.memory.erase(self.at(block), BLOCK_BYTES) };
            }
            free.push(block);
        }
    }

    /// Remembers, before a block is written, that it has to be looked at after a death.
    fn touch(&self, block: u32) {
        let touched = self.memory.word(self.touched_at);
        if touched.load(Ordering::Relaxed) <= block.into() {
            commit(touched, u64::from(block) + 1);
        }
    }

    /// Blocks of a chain; fewer if it is broken. A block's link is read before the block is given out.
    fn walk(&self, chain: Chain) -> impl Iterator<Item = u32> + use<'_> {
        let mut next = chain.first;
        (0..chain.blocks()).map_while(move |_| {
            let block = next.checked_sub(1).filter(|&block| block < self.count)?;
            next = self.link(block);
            Some(block)
        })
    }

    fn link(&self, block: u32) -> u32 {
        let mut link = [0; LINK_BYTES];
        // SAFETY: blocks are only written by this partition's owner, who does not write now.
        unsafe { self.memory.read(self.at(block), &mut link) };
        u32::from_ne_bytes(link)
    }

    fn at(&self, block: u32) -> usize {
        self.start + block as usize * BLOCK_BYTES
    }
}
