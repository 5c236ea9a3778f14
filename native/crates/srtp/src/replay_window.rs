use bytemuck::{Pod, Zeroable};

/// How far behind the highest index a packet may come. RFC 3711 §3.3.2 asks for at least 64.
const WINDOW: u64 = 128;

/// Which of the last 128 indices were seen. All zero: none.
///
/// The bit of an index stays where it is while the window moves, and the highest index is written first: a process that
/// is killed half-way through [`Self::add`] may lose a late packet, but takes none twice.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ReplayWindow {
    /// One more than the highest index.
    next: u64,
    seen: [u64; 2],
}

impl ReplayWindow {
    /// Where every index up to this one counts as seen.
    pub fn after(highest: u64) -> Self {
        Self { next: highest + 1, seen: [u64::MAX; 2] }
    }

    /// `None` before the first index.
    pub fn highest(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// Whether the index is ahead of all, or inside the window and was not seen.
    pub fn is_new(&self, index: u64) -> bool {
        index >= self.next || (self.next - index <= WINDOW && self.bits() & bit(index) == 0)
    }

    /// Marks an index that is new as seen.
    pub fn add(&mut self, index: u64) {
        let mut seen = self.bits();
        if index >= self.next {
            let ahead = index + 1 - self.next;
            let passed = if ahead >= WINDOW { u128::MAX } else { (1 << ahead) - 1 };
            seen &= !passed.rotate_left((self.next % WINDOW) as u32);
            self.next = index + 1;
        }
        seen |= bit(index);
        self.seen = [seen as u64, (seen >> 64) as u64];
    }

    fn bits(&self) -> u128 {
        u128::from(self.seen[1]) << 64 | u128::from(self.seen[0])
    }
}

fn bit(index: u64) -> u128 {
    1 << (index % WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_window_has_128_indices() {
        let mut window = ReplayWindow::zeroed();
        assert_eq!(window.highest(), None);
        for index in [1_000, 1_000 - 127, 999] {
            assert!(window.is_new(index));
            window.add(index);
            assert!(!window.is_new(index));
        }
        assert!(!window.is_new(1_000 - 128), "too old to be told");
        assert_eq!(window.highest(), Some(1_000));
    }

    #[test]
    fn nothing_up_to_what_was_known_is_new() {
        let window = ReplayWindow::after(500);
        assert!((0..=500).all(|index| !window.is_new(index)));
        assert!(window.is_new(501));
    }

    proptest! {
        #[test]
        fn it_tells_what_a_list_of_all_indices_tells(
            start in prop_oneof![0_u64..300, Just((1 << 48) - 2_000)],
            steps in prop::collection::vec(-150_i64..200, 1..200),
        ) {
            let mut window = ReplayWindow::zeroed();
            let mut seen = BTreeSet::new();
            let mut at = start;
            for step in steps {
                at = at.saturating_add_signed(step);
                let too_old = seen.last().is_some_and(|highest: &u64| highest.saturating_sub(at) >= WINDOW);
                prop_assert_eq!(window.is_new(at), !too_old && !seen.contains(&at));
                if window.is_new(at) {
                    window.add(at);
                    seen.insert(at);
                }
                prop_assert_eq!(window.highest(), seen.last().copied());
            }
        }
    }
}
