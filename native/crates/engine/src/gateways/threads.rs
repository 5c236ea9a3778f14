use std::sync::mpsc::{Receiver, SyncSender};

use trunkline_io::Waker;

use crate::media::{Order, Report};

/// The media threads as the main thread sees them.
pub(crate) struct Threads {
    pub(crate) orders: Vec<(SyncSender<Order>, Waker)>,
    pub(crate) reports: Receiver<Report>,
    /// Woken by every thread that reports.
    pub(crate) waker: Waker,
}

impl Threads {
    pub(crate) fn len(&self) -> usize {
        self.orders.len()
    }

    /// `false`: the thread has more orders than it can serve.
    pub(crate) fn order(&self, thread: u32, order: Order) -> bool {
        let Some((orders, waker)) = self.orders.get(thread as usize) else { return false };
        let is_taken = orders.try_send(order).is_ok();
        waker.wake();
        is_taken
    }

    pub(crate) fn order_all(&self, make: impl Fn() -> Order) {
        for thread in 0..self.orders.len() {
            self.order(thread as u32, make());
        }
    }

    /// The same for orders that must reach every thread, however many wait.
    pub(crate) fn insist_all(&self, make: impl Fn() -> Order) {
        for (orders, waker) in &self.orders {
            waker.wake();
            let _ = orders.send(make());
            waker.wake();
        }
    }

    pub(crate) fn next_report(&self) -> Option<Report> {
        self.reports.try_recv().ok()
    }
}
