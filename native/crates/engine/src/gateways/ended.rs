use std::collections::{HashMap, VecDeque};

use trunkline_control::SideStats;

/// Summaries that are kept, so that closing twice gives the same.
const KEPT: usize = 1_000;

/// Final counters of sessions that ended; the oldest are forgotten.
#[derive(Default)]
pub(crate) struct Ended {
    by_id: HashMap<String, Vec<SideStats>>,
    order: VecDeque<String>,
}

impl Ended {
    pub(crate) fn remember(&mut self, id: String, sides: Vec<SideStats>) {
        if self.by_id.insert(id.clone(), sides).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > KEPT {
            if let Some(oldest) = self.order.pop_front() {
                self.by_id.remove(&oldest);
            }
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Vec<SideStats>> {
        self.by_id.get(id)
    }

    /// The id is used again.
    pub(crate) fn forget(&mut self, id: &str) {
        if self.by_id.remove(id).is_some() {
            self.order.retain(|each| each != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut ended = Ended::default();
        for n in 0..KEPT + 5 {
            ended.remember(n.to_string(), Vec::new());
        }
        assert_eq!(ended.get("4"), None);
        assert!(ended.get("5").is_some());
        ended.forget("5");
        ended.remember("x".into(), Vec::new());
        assert!(ended.get("6").is_some());
        assert_eq!((ended.by_id.len(), ended.order.len()), (KEPT, KEPT));
    }
}
