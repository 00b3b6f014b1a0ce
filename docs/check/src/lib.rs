//! Reads the project's Markdown the way a reader's eyes do, so that tests can hold it against the tree.
//!
//! Nothing here knows what the documentation says; the tests of this package do. A [`Page`] is what matters of one file:
//! its headings as anchors, links, code blocks, tables and inline code. [`broken_links`] and [`missing_files`] judge a
//! page against the checkout it lies in.
#![forbid(unsafe_code)]

mod operations;
mod page;
mod picture;
mod tree;

pub use operations::operations;
pub use page::{Code, CodeBlock, Link, Page, Table};
pub use picture::picture;
pub use tree::{TUTORIAL_MAKES, broken_links, files, manifests, missing_files, pages, pictures, top};
