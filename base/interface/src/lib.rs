//! One definition per interface.
//!
//! The definition is a trait; the attribute [`interface`](macro@interface) keeps it as the trait that servers implement,
//! and puts beside it what everybody else needs. Use it as `base::interface`: what it makes refers to the crate `base`.
//!
//! | module | does |
//! |---|---|
//! | `definition` | reads the trait, and says what is wrong with it |
//! | `emit` | writes what comes of it |
//! | `interposer` | writes the decisions of an interposer that are named only |
//! | `derive` | values as words, errors as codes |
#![forbid(unsafe_code)]

mod definition;
mod derive;
mod emit;
mod interposer;

use proc_macro::TokenStream;

/// Defines an interface.
///
/// ```
/// # mod counter {
/// use base::{ErrorCode, interface};
///
/// /// COUNTER: counts for whoever asks.
/// #[interface(id = 1000)]
/// pub trait Counter {
///     /// The count after adding `step` to it.
///     #[operation(1)]
///     fn add(&mut self, step: u32) -> Result<u32, AddError>;
///
///     /// The count.
///     #[operation(2, idempotent)]
///     fn count(&mut self) -> u32;
///
///     /// Names the counter.
///     #[operation(3, idempotent, encoded)]
///     fn rename(&mut self, name: &str);
/// }
///
/// /// Why nothing was added.
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, ErrorCode)]
/// pub enum AddError {
///     /// The count would not fit a word.
///     Overflow = 1,
/// }
/// # }
/// ```
///
/// The interface has an `id`, 1 to 65535, that no other interface has. One module holds one interface: beside the trait
/// appear
///
/// | name | is |
/// |---|---|
/// | `Client` | the operations as calls over a `base::rpc::Transport`; each returns `Result<T, CallError<E>>` |
/// | `dispatch` | answers a request by calling a server, something that implements the trait |
/// | `Server` | something that implements the trait as a session: a `base::rpc::Serve` |
/// | `Interposer`, `interpose` | the base of those who stand between: see [`interposer`](macro@interposer) |
/// | `call` | a type for each operation, `call::Add`, that implements `base::rpc::Call` |
/// | `INTERFACE`, `OPERATIONS` | the definition as data |
///
/// # Operations
/// Each is a method with `&mut self`, a doc line and `#[operation(NUMBER)]`. The number, 1 to 255, is its name on the wire
/// and is never used again for another one. Behind it stands what applies:
///
/// * `idempotent`: asking again does no more than asking once. It travels with each request.
/// * `encoded`: arguments and result are encoded (`base::rpc::encoded`), at most 476 bytes each way. Types implement
///   serde's traits; arguments may borrow. Without it they are words (`base::rpc::Words`), at most four each way.
/// * `unanswered`: there is never a reply, and so no result. The client's method returns what came back all the same.
///
/// A result is nothing, `T`, `Result<T, E>` with an error of the operation's own
/// ([`ErrorCode`](derive@ErrorCode)), or `Result<T, CallError<E>>` for a server that answers `Pending` or the like as well.
/// `Result` and `CallError` are recognised by these names.
#[proc_macro_attribute]
pub fn interface(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let definition = definition::Definition::read(attribute.into(), item.into());
    definition.map(|definition| emit::emit(&definition)).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Writes those methods of an `Interposer` that are decided by naming the operation.
///
/// ```
/// # mod counter {
/// # /// COUNTER.
/// # #[base::interface(id = 1000)]
/// # pub trait Counter {
/// #     /// Adds.
/// #     #[operation(1)]
/// #     fn add(&mut self, step: u32) -> u32;
/// #     /// The count.
/// #     #[operation(2, idempotent)]
/// #     fn count(&mut self) -> u32;
/// #     /// Names the counter.
/// #     #[operation(3, idempotent, encoded)]
/// #     fn rename(&mut self, name: &str);
/// # }
/// # }
/// use base::rpc::{Arguments, Decision};
///
/// struct Watcher {
///     added: u64,
/// }
///
/// #[base::interposer(forward(count), refuse(rename))]
/// impl counter::Interposer for Watcher {
///     fn add(&mut self, (step,): Arguments<'_, counter::call::Add>) -> Decision<counter::call::Add> {
///         self.added += u64::from(step);
///         Decision::Forward
///     }
/// }
/// ```
///
/// What is forwarded goes on with the very same words, and the answer comes back so: right for operations without
/// arguments or results that stand for capabilities, whose numbers mean something else one level up. An operation that is
/// not decided does not compile ("missing: ..."), so nothing that an interface gains later passes unnoticed.
#[proc_macro_attribute]
pub fn interposer(attribute: TokenStream, item: TokenStream) -> TokenStream {
    interposer::expand(attribute.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Implements `base::rpc::Words`: for a struct, the words of its fields in order; for an enum without fields, one word,
/// the number that each variant has.
#[proc_macro_derive(Words)]
pub fn derive_words(item: TokenStream) -> TokenStream {
    derive::words(item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Implements `base::rpc::ErrorCode` for an enum without fields, each variant with its code, 1 to 255.
#[proc_macro_derive(ErrorCode)]
pub fn derive_error_code(item: TokenStream) -> TokenStream {
    derive::error_code(item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
