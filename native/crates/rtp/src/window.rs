use bytemuck::{Pod, Zeroable};

/// Which of the newest 128 numbers were seen. Bit 0 is the highest number, which the owner keeps.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Window {
    low: u64,
    high: u64,
}

impl Window {
    pub const FULL: Self = Self { low: u64::MAX, high: u64::MAX };

    /// The highest number grows by `by`; the new one counts as seen, those between do not.
    pub fn raise(&mut self, by: u64) {
        let bits = u32::try_from(by).ok().and_then(|by| self.bits().checked_shl(by)).unwrap_or(0);
        self.set(bits | 1);
    }

    /// Takes the number `back` before the highest. `false`: seen already, or too far back to know.
    pub fn take(&mut self, back: u64) -> bool {
        if back >= 128 || self.bits() >> back & 1 == 1 {
            return false;
        }
        self.set(self.bits() | 1 << back);
        true
    }

    fn bits(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }

    fn set(&mut self, bits: u128) {
        self.low = bits as u64;
        self.high = (bits >> 64) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn a_number_is_taken_once_and_only_while_it_is_known() {
        let mut window = Window::default();
        window.raise(1);
        assert!(!window.take(0));
        window.raise(70);
        assert!(window.take(69) && !window.take(69) && !window.take(70));
        window.raise(57);
        assert!(!window.take(126) && !window.take(127) && window.take(125) && !window.take(128));
        window.raise(1 << 40);
        assert!(!window.take(0) && window.take(127));
        let mut full = Window::FULL;
        assert!(!full.take(127));
    }
}
