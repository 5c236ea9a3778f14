/// Packets that a late one may be behind the newest and still be told from a duplicate.
const WINDOW: u32 = 1_024;

/// What arrived of the packets of one sender, by their numbers.
pub struct Flow {
    /// One more than the newest number.
    next: u32,
    seen: [u64; WINDOW as usize / 64],
}

/// How a packet arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// After those sent before it.
    InOrder,
    /// After one that was sent later.
    Late,
    /// A second time.
    Again,
}

impl Flow {
    pub fn new() -> Self {
        Self { next: 0, seen: [0; WINDOW as usize / 64] }
    }

    pub fn on_packet(&mut self, number: u32) -> Arrival {
        if number >= self.next {
            for skipped in self.next.max(number.saturating_sub(WINDOW - 1))..number {
                self.mark(skipped, false);
            }
            self.mark(number, true);
            self.next = number + 1;
            return Arrival::InOrder;
        }
        if self.next - number > WINDOW || !self.is_marked(number) {
            self.mark(number, true);
            return Arrival::Late;
        }
        Arrival::Again
    }

    fn is_marked(&self, number: u32) -> bool {
        let at = number % WINDOW;
        self.seen[at as usize / 64] >> (at % 64) & 1 == 1
    }

    fn mark(&mut self, number: u32, seen: bool) {
        let at = number % WINDOW;
        let bit = 1 << (at % 64);
        if seen {
            self.seen[at as usize / 64] |= bit;
        } else {
            self.seen[at as usize / 64] &= !bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Arrival::{Again, InOrder, Late};

    fn arrivals(numbers: &[u32]) -> Vec<Arrival> {
        let mut flow = Flow::new();
        numbers.iter().map(|number| flow.on_packet(*number)).collect()
    }

    #[test]
    fn a_gap_is_no_disorder_and_what_fills_it_is_late_once() {
        assert_eq!(arrivals(&[0, 3, 1, 1, 2, 3, 4]), [InOrder, InOrder, Late, Again, Late, Again, InOrder]);
    }

    #[test]
    fn places_of_the_window_are_used_again() {
        let mut flow = Flow::new();
        for number in 0..10 * WINDOW {
            assert_eq!(flow.on_packet(number), InOrder);
        }
        assert_eq!(flow.on_packet(10 * WINDOW - 1), Again);
        assert_eq!(flow.on_packet(9 * WINDOW), Again);
    }

    #[test]
    fn a_long_gap_leaves_no_old_marks() {
        assert_eq!(
            arrivals(&[5, 5 + WINDOW, 6, 3 * WINDOW, 2 * WINDOW + 5]),
            [InOrder, InOrder, Late, InOrder, Late]
        );
    }
}
