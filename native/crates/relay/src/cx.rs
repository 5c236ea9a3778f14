use trunkline_base::Micros;

use crate::Shell;

/// What every step of a session is given.
pub(crate) struct Cx<'a, S: Shell> {
    /// Id of the session.
    pub session: &'a str,
    pub shell: &'a mut S,
    pub now: Micros,
}
