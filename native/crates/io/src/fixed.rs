use std::ptr::NonNull;

/// A heap array of fixed length whose elements are lent out one by one, to Rust or by pointer to the kernel.
///
/// Unlike `Box<[T]>` it never makes a reference to the whole array, so a pointer to one element stays valid while
/// another element is borrowed.
pub(crate) struct Fixed<T> {
    elements: NonNull<T>,
    len: usize,
}

impl<T> Fixed<T> {
    pub(crate) fn new(len: usize, make: impl FnMut() -> T) -> Self {
        let elements: Box<[T]> = std::iter::repeat_with(make).take(len).collect();
        let elements = NonNull::from(Box::leak(elements)).cast();
        Self { elements, len }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Where the element is; good as long as `self` is, and until the element is borrowed.
    pub(crate) fn pointer(&self, index: usize) -> *mut T {
        assert!(index < self.len);
        // SAFETY: the index is inside the allocation.
        unsafe { self.elements.as_ptr().add(index) }
    }

    pub(crate) fn get(&self, index: usize) -> &T {
        // SAFETY: `pointer` checked the index, the element is initialised and `&self` excludes `get_mut`.
        unsafe { &*self.pointer(index) }
    }

    pub(crate) fn get_mut(&mut self, index: usize) -> &mut T {
        // SAFETY: as in `get`; `&mut self` excludes every other borrow.
        unsafe { &mut *self.pointer(index) }
    }
}

impl<T> Drop for Fixed<T> {
    fn drop(&mut self) {
        let elements = std::ptr::slice_from_raw_parts_mut(self.elements.as_ptr(), self.len);
        // SAFETY: `new` leaked a box of exactly this slice, and nothing borrows it any more.
        drop(unsafe { Box::from_raw(elements) });
    }
}
