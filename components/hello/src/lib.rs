//! Greets and exits.
#![no_std]
