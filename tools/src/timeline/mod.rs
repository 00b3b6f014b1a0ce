//! What core did in a run, as text and as a picture: the timeline.
//!
//! 1. [`recorded`]: what came over the control line, checked.
//! 2. [`Timeline`]: requests joined with their answers, components with their names, each a lane.
//! 3. [`text`]: a line for each request and event. [`picture`]: lanes against time, as SVG.
//!
//! Not to be mixed up with [`crate::trace`], which looks at single instructions.

mod model;
pub mod picture;
pub mod recorded;
mod scale;
pub mod text;
mod window;
mod words;

#[cfg(test)]
mod tests;

pub use model::{Entry, Lane, Timeline, What};
pub use recorded::Recorded;
pub use window::Window;
