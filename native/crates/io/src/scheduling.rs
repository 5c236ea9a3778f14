use std::io;

use crate::system::check;

/// Binds the calling thread to one core.
///
/// # Errors
/// There is no such core, or this process may not use it.
pub fn pin_to_core(core: usize) -> io::Result<()> {
    if core >= libc::CPU_SETSIZE as usize {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: a set of bits; zero is the empty one.
    let mut cores: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `core` is inside the set.
    unsafe { libc::CPU_SET(core, &mut cores) };
    // SAFETY: `cores` outlives the call and its size is given; thread 0 is the calling one.
    check(unsafe { libc::sched_setaffinity(0, size_of_val(&cores), &raw const cores) })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_thread_has_one_core() {
        std::thread::spawn(|| {
            pin_to_core(0).unwrap();
            assert_eq!(std::thread::available_parallelism().unwrap().get(), 1);
        })
        .join()
        .unwrap();
        assert!(pin_to_core(1_000_000).is_err());
    }
}
