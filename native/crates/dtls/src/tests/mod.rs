//! The library against itself through the simulated network. Versions and profiles of the other side are chosen here, which the
//! interface of the crate has no need for.

mod loss;
mod support;
