//! What is not wrong compiles, with names in scope that hide those of the prelude.
#![deny(warnings, missing_docs)]

mod hostile {
    #![allow(dead_code)]
    pub struct Ok;
    pub struct Some;
    pub struct None;
}

/// An interface.
pub mod interface {
    #[allow(unused_imports)]
    use super::hostile::*;

    /// An interface.
    #[base::interface(id = 65535)]
    pub trait Interface {
        /// An operation.
        #[operation(255, idempotent, encoded,)]
        fn operation(&mut self, text: &str) -> core::result::Result<u8, base::rpc::CallError<base::rpc::Never>>;
        /// Another one.
        #[operation(1)]
        fn other(&mut self);
    }
}

/// Decides nothing by method.
pub struct Between;

#[base::interposer(forward(operation), refuse(other))]
impl interface::Interposer for Between {}

fn main() {}
