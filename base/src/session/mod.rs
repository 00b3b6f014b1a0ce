//! The interfaces between a component and whoever serves it, one module each: operation numbers, client, and how a
//! server reads the requests.

pub mod log;
pub mod pd;
