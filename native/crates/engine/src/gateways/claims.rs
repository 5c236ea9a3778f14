use trunkline_base::Micros;

/// Time without any gateway after which running sessions are given up.
const ABANDONED: Micros = 3_600_000_000;

/// When sessions that nobody wants are closed, and when the engine ends for want of anything to do.
pub(crate) struct Claims {
    claim: Micros,
    idle_exit: Micros,
    /// Time of sessions at which those without claim are closed.
    due: Option<Micros>,
    /// Time of sessions since which no gateway is there.
    alone_since: Option<Micros>,
    /// Time of the machine since which there are neither gateways nor sessions.
    idle_since: Option<Micros>,
}

impl Claims {
    pub(crate) fn new(claim: Micros, idle_exit: Micros) -> Self {
        Self { claim, idle_exit, due: None, alone_since: None, idle_since: None }
    }

    /// A gateway said hello: it may claim for a while.
    pub(crate) fn on_hello(&mut self, now: Micros) {
        self.due = Some(now.saturating_add(self.claim));
    }

    /// Tells how many gateways and sessions there are, before the questions below.
    pub(crate) fn update(&mut self, gateways: usize, sessions: usize, now: Micros, machine: Micros) {
        if gateways > 0 {
            self.alone_since = None;
        } else {
            self.alone_since.get_or_insert(now);
        }
        if gateways + sessions > 0 {
            self.idle_since = None;
        } else {
            self.idle_since.get_or_insert(machine);
        }
    }

    /// Whether sessions that are nobody's are to be closed now; once.
    pub(crate) fn is_due(&mut self, now: Micros) -> bool {
        if self.alone_since.is_some_and(|since| now >= since.saturating_add(ABANDONED)) {
            self.alone_since = Some(now);
            return true;
        }
        // Without a gateway nobody can claim: the next hello begins anew.
        self.alone_since.is_none() && self.due.take_if(|due| *due <= now).is_some()
    }

    pub(crate) fn is_idle(&self, machine: Micros) -> bool {
        self.idle_since.is_some_and(|since| machine >= since.saturating_add(self.idle_exit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_claimed_within_a_while_after_each_hello() {
        let mut claims = Claims::new(60, 1_000);
        claims.update(1, 5, 0, 0);
        assert!(!claims.is_due(1_000));
        claims.on_hello(100);
        assert!(!claims.is_due(159));
        claims.update(0, 5, 150, 150);
        assert!(!claims.is_due(160), "the gateway died before it could");
        claims.update(1, 5, 170, 170);
        claims.on_hello(170);
        assert!(!claims.is_due(229));
        assert!(claims.is_due(230));
        assert!(!claims.is_due(231));
    }

    #[test]
    fn sessions_of_gateways_that_never_come_back_end_some_day() {
        let mut claims = Claims::new(60, 1_000);
        claims.update(0, 5, 7, 7);
        assert!(!claims.is_due(ABANDONED + 6));
        assert!(claims.is_due(ABANDONED + 7));
        assert!(!claims.is_due(ABANDONED + 8));
    }

    #[test]
    fn an_engine_with_neither_gateways_nor_sessions_is_idle_after_a_while() {
        let mut claims = Claims::new(60, 1_000);
        claims.update(0, 1, 0, 0);
        assert!(!claims.is_idle(5_000));
        claims.update(0, 0, 5_000, 5_000);
        assert!(!claims.is_idle(5_999));
        assert!(claims.is_idle(6_000));
        claims.update(1, 0, 6_000, 6_000);
        assert!(!claims.is_idle(9_000));
    }
}
