//! The library against itself through the simulated network. Versions and profiles of the other side are chosen here, which the
//! interface of the crate has no need for.

mod client_hello;
mod closing;
mod fingerprints;
mod flights;
mod fuzz;
mod garbage;
mod hostile;
mod loss;
mod profiles;
mod support;
