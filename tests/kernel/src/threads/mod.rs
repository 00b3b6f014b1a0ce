//! What becomes of a thread that is stopped, read, and let go on.

pub mod calls;
pub mod patches;
pub mod registers;
mod row;
pub mod rows;
mod step;
pub mod waiting;
pub mod while_frozen;
