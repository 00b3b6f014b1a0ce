//! PARENT of the first component.
